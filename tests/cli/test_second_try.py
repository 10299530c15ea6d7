"""A client order id that was used before, where the journal may no longer tell of its order."""

import asyncio
from collections.abc import Iterator

import pytest

from matchbox_tui.store import EmbeddedServer, Keys, Server
from tests.cli.venue import Venue
from tests.waiting import soon


@pytest.fixture
def venue(server: EmbeddedServer, prefix: str) -> Iterator[Venue]:
    """A venue whose journal can be cut at any moment."""
    venue = Venue(server.url, prefix)
    with venue.engine("--snapshot-interval-ms", "100"):
        soon(lambda: venue.call("status", "--json").json()["leader"])
        yield venue


def snapshot(venue: Venue, *, only: bool = False) -> None:
    """Waits for a snapshot of what is there now. With `only` nothing older can be read any more."""
    venue.call("buy", "1", "1")
    needed = venue.call("status", "--json").json()["seq"]
    keys = Keys(venue.prefix)

    async def look() -> bool:
        link = Server(venue.url, timeout_s=10).link()
        try:
            if not await link.call("ZCOUNT", keys.snapshots, needed, "+inf"):
                return False
            if only:
                await link.call("ZREMRANGEBYSCORE", keys.snapshots, "-inf", needed - 1)
                await link.call("XTRIM", keys.log, "MINID", "=", f"{needed + 1}-0")
            return True
        finally:
            await link.close()

    soon(lambda: asyncio.run(look()))


def test_of_an_order_that_rests(venue: Venue) -> None:
    order = ("buy", "5", "50", "--client-order-id", "once")
    venue.call(*order)
    venue.call("sell", "2", "50")
    snapshot(venue, only=True)
    assert venue.call(*order).out == (
        "order 1: open (sent before under this client order id),"
        " 2 filled before the journal's beginning, 3 resting\n"
    )
    venue.call("sell", "1", "50")
    done = venue.call(*order, "--json").json()
    assert (done["status"], done["cum_qty"], done["leaves_qty"]) == ("open", 3, 2)
    assert done["fills"] == [[1, 50]]
    venue.call("cancel", "1")
    done = venue.call(*order, "--json").json()
    assert (done["status"], done["cum_qty"], done["leaves_qty"]) == ("cancelled", 3, 0)


def test_of_an_order_that_ended(venue: Venue) -> None:
    order = ("buy", "5", "50", "--client-order-id", "once")
    venue.call(*order)
    venue.call("cancel", "1")
    snapshot(venue, only=True)
    done = venue.call(*order)
    assert (done.code, done.out) == (
        0,
        "order 1: ended before the journal's beginning (sent before under this client order id)\n",
    )
    done = venue.call(*order, "--json")
    assert (done.code, done.json()["status"], done.json()["repeated"]) == (0, "ended", True)


def test_of_an_order_that_the_journal_still_tells_of(venue: Venue) -> None:
    order = ("buy", "5", "50", "--client-order-id", "once")
    venue.call(*order)
    venue.call("cancel", "1")
    # Whoever begins here has not met the order, but the journal goes further back.
    snapshot(venue)
    assert venue.call(*order, "--json").json()["status"] == "cancelled"
