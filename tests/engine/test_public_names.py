"""What other code may count on: the names, their use together, and that they need nothing else."""

import subprocess
import sys

from matchbox_tui import engine
from matchbox_tui.engine import (
    CancelOrder,
    Exchange,
    Market,
    NewOrder,
    Order,
    OrderBook,
    ReplaceOrder,
    Side,
    TimeInForce,
    match_order,
)


def test_every_public_name_is_there() -> None:
    assert all(hasattr(engine, name) for name in engine.__all__)
    assert sorted(set(engine.__all__)) == sorted(engine.__all__)


def test_the_bare_function_and_the_whole_engine_are_used_like_this() -> None:
    book = OrderBook()
    assert match_order(Order(id=1, side=Side.SELL, price=50, qty=10, timestamp=0), book) == []
    assert book.best_ask == 50

    exchange = Exchange([Market("RAIN")])
    exchange.apply(
        NewOrder(
            order_id=1,
            market="RAIN",
            side=Side.BUY,
            price=50,
            qty=10,
            timestamp=0,
            time_in_force=TimeInForce.GTC,
        )
    )
    exchange.apply(ReplaceOrder(order_id=1, qty=12, price=51, timestamp=1))
    book = exchange.book("RAIN")
    order = book.order(1)
    assert order is not None
    assert (order.cum_qty, order.leaves_qty, book.queue_ahead(1)) == (0, 12, 0)
    assert [(level.price, level.qty) for level in book.snapshot(depth=None).bids] == [(51, 12)]
    exchange.apply(CancelOrder(order_id=1, timestamp=2))
    assert book.order(1) is None
    assert book.snapshot().sequence == 3


def test_the_engine_imports_no_input_output() -> None:
    """It must stay usable without the app, the store or an event loop."""
    code = (
        "import sys, matchbox_tui.engine\n"
        "unwanted = {'asyncio', 'socket', 'redis', 'textual', 'typer', 'random'}\n"
        "ours = {m for m in sys.modules if m.startswith('matchbox_tui.')}\n"
        "print(*sorted(unwanted & set(sys.modules)))\n"
        "print(*sorted(m for m in ours if not m.startswith('matchbox_tui.engine')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
