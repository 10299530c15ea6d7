"""Fills are counted as they come, whatever goes at the other end of their stream."""

import msgspec
import pytest

from matchbox_tui.cli import told_fills
from matchbox_tui.cli.told_fills import ToldFills
from matchbox_tui.engine import Side
from matchbox_tui.store import Client, FillMessage, Keys, Link


async def _tell(link: Link, keys: Keys, *ids: str) -> None:
    for name in ids:
        fill = msgspec.json.encode(FillMessage(1, 2, 50, 1, 0, "MAIN", name, Side.BUY))
        await link.call("XADD", keys.fills_stream, name, "event", fill)


async def test_what_was_counted_may_go(client: Client, link: Link, keys: Keys) -> None:
    told = ToldFills(client, (0, -1))
    assert await told.count() == 0
    await _tell(link, keys, "1-0", "1-1", "3-0")
    assert await told.count() == 3
    await link.call("XTRIM", keys.fills_stream, "MAXLEN", 1)
    await _tell(link, keys, "3-1", "9-0")
    assert await told.count() == 5
    assert await told.count() == 5
    assert await ToldFills(client, (3, 0)).count() == 2


async def test_more_than_a_page_is_counted(
    client: Client, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(told_fills, "PAGE", 7)
    count = 14
    await _tell(link, keys, *(f"{seq}-0" for seq in range(1, count + 1)))
    assert await ToldFills(client, (1, 0)).count() == count - 1
