"""A book that grows is kept out of the collector's sight: it never stops a node for long."""

import gc

import pytest

from matchbox_tui.engine import Order
from matchbox_tui.store import Sparing, sparing
from tests.node.venue import Venue, buy


class Unspared(Sparing):
    def look(self, orders: int) -> None:
        """As it was before."""


def seen(trader: str) -> int:
    """How many of a trader's orders the collector walks over."""
    return sum(isinstance(one, Order) and one.trader == trader for one in gc.get_objects())


@pytest.mark.parametrize("other", ["leader", "follower"])
async def test_the_collector_sees_little_of_a_book_that_grows(
    venue: Venue, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setattr(sparing, "GROWTH", 50)
    # Both are in this process, where either would do it for both.
    monkeypatch.setattr(f"matchbox_tui.node.{other}.Sparing", Unspared)
    await venue.lead("a")
    follower = venue.start("b")
    for _ in range(30):
        await venue.client.submit([buy(trader=other)] * 10)
        await venue.handled()
        await venue.caught_up(follower)
    assert seen(other) < 2 * 100
    gc.unfreeze()
    assert seen(other) == 2 * 300
