"""A client order id that was used before, where the journal no longer tells of its order."""

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


def forget(venue: Venue) -> None:
    """The journal goes back no further than to a snapshot of this moment."""
    venue.call("buy", "1", "1")
    needed = venue.call("status", "--json").json()["seq"]
    keys = Keys(venue.prefix)

    async def cut() -> bool:
        link = Server(venue.url, timeout_s=10).link()
        try:
            await link.call("ZREMRANGEBYSCORE", keys.snapshots, "-inf", needed - 1)
            if not await link.call("ZCARD", keys.snapshots):
                return False
            await link.call("XTRIM", keys.log, "MINID", "=", f"{needed + 1}-0")
            return True
        finally:
            await link.close()

    soon(lambda: asyncio.run(cut()))


def test_of_an_order_that_rests(venue: Venue) -> None:
    order = ("buy", "5", "50", "--client-order-id", "once")
    venue.call(*order)
    venue.call("sell", "2", "50")
    forget(venue)
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
    forget(venue)
    done = venue.call(*order)
    assert (done.code, done.out) == (
        0,
        "order 1: ended before the journal's beginning (sent before under this client order id)\n",
    )
    done = venue.call(*order, "--json")
    assert (done.code, done.json()["status"], done.json()["repeated"]) == (0, "ended", True)
