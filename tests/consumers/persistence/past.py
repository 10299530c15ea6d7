"""A database with a past, written without a store."""

import random

from matchbox_tui.consumers.persistence import Database
from matchbox_tui.consumers.persistence.ledger import Ledger
from matchbox_tui.consumers.reader import Place
from matchbox_tui.engine import (
    CancelAll,
    Command,
    CreateMarket,
    Exchange,
    Market,
    NewOrder,
    Side,
)
from matchbox_tui.store import Replica

HOUR = 3_600 * 10**9
RAIN = Market.prediction("RAIN")


def write_past(url: str, venue: str = "", *, orders: int = 300, now: int = 1_000 * HOUR) -> None:
    """So many orders, one each hour until `now`; every third has an older time, as if it came late.

    Some have no price that is allowed, and what is left of t4's is cancelled at the end.
    """
    chance = random.Random(7)
    commands: list[Command] = [CreateMarket(RAIN)]
    for number in range(1, orders + 1):
        age = orders - number + (20 if number % 3 == 0 else 0)
        commands.append(
            NewOrder(
                order_id=number,
                side=chance.choice(list(Side)),
                price=chance.choice((49, 50, 51, 52, 0)),
                qty=chance.randint(1, 9),
                market=chance.choice(("MAIN", "RAIN")),
                trader=f"t{chance.randint(1, 4)}",
                timestamp=now - age * HOUR,
            )
        )
    write(url, [*commands, CancelAll("t4", None, now)], venue)


def write(url: str, commands: list[Command], venue: str = "") -> None:
    """Carries the commands out and writes what they have done, after what is there."""
    database = Database(url, venue)
    database.prepare()
    database.start_over(None, Replica())
    exchange, ledger = Exchange(), Ledger()
    for command in commands:
        ledger.fold(exchange.apply(command))
    database.commit(Place(), Place(exchange.seq, "x", 1), ledger.take())
    database.close()
