"""Commands of all sorts for one market, made by hypothesis."""

from hypothesis import strategies as st

from matchbox_tui.engine import CancelOrder, NewOrder, ReplaceOrder, Side, TimeInForce

Command = NewOrder | CancelOrder | ReplaceOrder


@st.composite
def commands(draw: st.DrawFn, highest: int = 30, orders: int = 40) -> list[Command]:
    """New orders of two traders and strangers, cancels and replaces, ids from 1 on."""
    made: list[Command] = []
    ids = 0
    for _ in range(draw(st.integers(1, orders))):
        kind = draw(st.integers(0, 5))
        if kind < 4 or not ids:
            ids += 1
            made.append(
                NewOrder(
                    order_id=ids,
                    market="RAIN",
                    side=draw(st.sampled_from(Side)),
                    price=draw(st.integers(1, highest)),
                    qty=draw(st.integers(1, 20)),
                    trader=draw(st.sampled_from(("", "ada", "grace"))),
                    time_in_force=draw(st.sampled_from((TimeInForce.GTC, TimeInForce.IOC))),
                )
            )
        elif kind == 4:
            made.append(CancelOrder(draw(st.integers(1, ids)), 0))
        else:
            price = draw(st.none() | st.integers(1, highest))
            qty = draw(st.integers(1, 30))
            made.append(
                ReplaceOrder(order_id=draw(st.integers(1, ids)), qty=qty, price=price, timestamp=0)
            )
    return made
