"""Fills of the past out of memory, the stream and the journal, where these are apart."""

from collections import deque

import pytest

from matchbox_tui.api.feeds.history import History
from matchbox_tui.api.reader import Reader
from matchbox_tui.api.view import VenueView
from matchbox_tui.store import Replica
from tests.api.feeds.trading import fills_of, pairs, trade
from tests.node.venue import Venue
from tests.waiting import eventually


async def told(history: History, place: tuple[int, int]) -> list[str]:
    return [fill.trade_id async for page in history.since(place) for fill in page]


@pytest.mark.parametrize("kept", [1, 7, 1000])
async def test_the_past_ends_where_the_view_does(led: Venue, kept: int) -> None:
    """The stream may be ahead of it: what the view tells of later must not be told now."""
    tips = [await trade(led, pairs(10)) for _ in range(4)]
    await eventually(led.client.count_fills, lambda seen: seen == 40)
    expected = [fill.trade_id for fill in await fills_of(led)]
    view, replica = VenueView(), Replica()
    view.replica = replica
    view.trades.all = deque(maxlen=kept)
    history = History(view, Reader(led.client, view), led.client)
    for shown, tip in enumerate(tips, start=1):
        async for entry in led.client.follow(replica, until=tip):
            view.fold(entry)
        assert await told(history, (0, 0)) == expected[: 10 * shown]
        for start in (0, 5, 9):
            seq, n = map(int, expected[start].split("-"))
            assert await told(history, (seq, n)) == expected[start + 1 : 10 * shown]
    last = tuple(map(int, expected[-1].split("-")))
    assert await told(history, (last[0], last[1])) == []
