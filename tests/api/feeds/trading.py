"""Orders that trade, and what the journal says of it."""

from collections.abc import Iterable

from matchbox_tui.engine import DEFAULT_MARKET, NewOrder, TradeExecuted
from matchbox_tui.store import FillMessage, fill_message
from tests.node.venue import Venue, buy, sell


def pairs(count: int, price: int = 50, market: str = DEFAULT_MARKET) -> list[NewOrder]:
    """Orders that make so many fills."""
    return [
        order
        for _ in range(count)
        for order in (sell(price, 1, market=market), buy(price, 1, market=market))
    ]


async def trade(venue: Venue, orders: Iterable[NewOrder]) -> int:
    """Submits orders and waits until the journal has them; its tip."""
    asked = list(orders)
    for start in range(0, len(asked), 1000):
        await venue.client.submit(asked[start : start + 1000])
    return await venue.handled()


async def fills_of(venue: Venue) -> list[FillMessage]:
    """Every fill of the journal, in order."""
    return [
        fill_message(event) for event in await venue.events() if isinstance(event, TradeExecuted)
    ]
