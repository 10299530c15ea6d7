"""Replies that get lost on the way: whatever was written is in doubt, and was written once."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from matchbox_tui.engine import Exchange, Side, dump_parts, encode_command
from matchbox_tui.store import Client, FillMessage, InDoubt, Keys, Link, Replica, Server, Store, Tip
from matchbox_tui.store.scripts import (
    COMMIT,
    ELECT,
    KEEP,
    PUBLISH,
    RELEASE,
    RENEW,
    SUBMIT,
    USURP,
    Script,
)
from matchbox_tui.store.snapshot import Header
from matchbox_tui.store.trim_scripts import TURN
from tests.servers import Proxy
from tests.store.build import LEASE, buy, elected, match, put

FILL = FillMessage(1, 2, 50, 10, 3, "MAIN", "1-1", Side.BUY)


class Desk:
    """An instance and a client of one venue, and a bare link to prepare it."""

    def __init__(self, url: str, keys: Keys, link: Link) -> None:
        self.keys = keys
        self.link = link
        self.store = Store(Server(url), keys, "a")
        self.client = Client(Server(url), keys)

    async def close(self) -> None:
        await self.store.close()
        await self.client.close()


Write = Callable[[Desk], Awaitable[object]]


async def _nothing(desk: Desk) -> None:
    """Needs no preparation."""


async def _lead(desk: Desk) -> None:
    await elected(desk.store)


async def _beat(desk: Desk) -> None:
    await desk.store.heartbeat("follower", 1, 2, "host", 3, 4, LEASE)


async def _queue(desk: Desk) -> None:
    await elected(desk.store)
    await put(desk.link, desk.keys, buy(order_id=1), buy(order_id=2))


async def _commit(desk: Desk) -> None:
    elements = [encode_command(buy(order_id=1))]
    await desk.store.commit(match(elements, Replica(), 1), LEASE, 9)


async def _journal(desk: Desk) -> None:
    await desk.link.call("XADD", desk.keys.log, "1-0", "c", "chain")


async def _publish(desk: Desk) -> None:
    await desk.store.publish(Tip(1, "chain"), (0, -1), [(1, 1, FILL)])


async def _snapshot(desk: Desk) -> None:
    exchange = Exchange()
    await desk.store.archive.write(Header(0, "", 1, 0, 0), dump_parts(exchange), 0)


# What is written: what it needs before, how, and the script or what else only its request has.
WRITES: dict[str, tuple[Write, Write, bytes | Script]] = {
    "submit": (_nothing, lambda desk: desk.client.submit([buy(), buy()]), SUBMIT),
    "elect": (_nothing, lambda desk: desk.store.elect(LEASE), ELECT),
    "usurp": (_lead, lambda desk: desk.store.usurp(1, LEASE), USURP),
    "renew": (_lead, lambda desk: desk.store.renew(1, LEASE), RENEW),
    "release": (_lead, lambda desk: desk.store.release(1), RELEASE),
    "commit": (_queue, _commit, COMMIT),
    "publish": (_journal, _publish, PUBLISH),
    "published": (_journal, lambda desk: desk.store.published(1), b"XGROUP\r\n$6\r\nCREATE"),
    "ask": (_nothing, lambda desk: desk.store.ask(buy()), b"RPUSH"),
    "heartbeat": (_nothing, _beat, b"HSET"),
    "depart": (_beat, lambda desk: desk.store.depart(), b"ZREM"),
    "report hashes": (
        _nothing,
        lambda desk: desk.store.report_hashes("leading", 1, [(Tip(5, "c"), "hash")]),
        b"XADD",
    ),
    "snapshot's turn": (_nothing, lambda desk: desk.store.archive.take_turn(LEASE), TURN),
    "snapshot's turn's end": (
        _nothing,
        lambda desk: desk.store.archive.end_turn(LEASE, 0),
        b"\r\nSET\r\n",
    ),
    "snapshot's parts": (_nothing, _snapshot, b"RPUSH"),
    "snapshot's end": (_nothing, _snapshot, KEEP),
}


async def _shape(link: Link, prefix: str) -> dict[str, Any]:
    """What the venue's keys hold, as far as it tells once from twice."""
    found = {}
    for key in await link.call("KEYS", f"{prefix}*"):
        kind = (await link.call("TYPE", key)).decode()
        how_much = {"list": "LLEN", "stream": "XLEN", "hash": "HLEN", "zset": "ZCARD"}
        found[key.decode().removeprefix(prefix)] = await link.call(how_much.get(kind, "GET"), key)
    return found


async def _undisturbed(url: str, prefix: str, link: Link, name: str) -> dict[str, Any]:
    prepare, write, _ = WRITES[name]
    desk = Desk(url, Keys(prefix), link)
    await prepare(desk)
    await write(desk)
    await desk.close()
    return await _shape(link, prefix)


async def _disturbed(url: str, prefix: str, link: Link, name: str, known: bool) -> dict[str, Any]:
    """With the reply eaten, on a connection that was open already where it was needed before."""
    prepare, write, mark = WRITES[name]
    if isinstance(mark, Script):
        mark = mark.sha.encode() if known else mark.text.encode()
    async with Proxy(Path(url.removeprefix("unix://"))).run() as proxy:
        desk = Desk(proxy.url, Keys(prefix), link)
        await prepare(desk)
        proxy.eat_reply_to = mark
        with pytest.raises(InDoubt, match="lost the server"):
            await write(desk)
        assert proxy.eaten == 1
        await desk.close()
    return await _shape(link, prefix)


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("known", [True, False])
async def test_a_write_whose_reply_is_lost_is_in_doubt_and_was_done_once(
    url: str, prefix: str, link: Link, name: str, known: bool
) -> None:
    once = await _undisturbed(url, f"{prefix}once:", link, name)
    if not known:
        # The script goes as a text then, after the server has said that it doesn't know it.
        await link.call("SCRIPT", "FLUSH")
    found = await _disturbed(url, f"{prefix}lost:", link, name, known)
    if name == "snapshot's parts":
        # The writer gave up: what it had sent goes away by itself, and is no snapshot.
        assert list(found) == ["engine:snapshot:draft:a"]
        assert await link.call("PTTL", f"{prefix}lost:engine:snapshot:draft:a") > 0
    else:
        assert found == once


@pytest.mark.parametrize("name", ["submit", "ask", "report hashes"])
async def test_a_link_that_tried_again_would_write_twice(
    url: str, prefix: str, link: Link, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Link.calls

    async def stubborn(link: Link, *args: Any) -> Any:
        try:
            return await calls(link, *args)
        except InDoubt:
            return await calls(link, *args)

    once = await _undisturbed(url, f"{prefix}once:", link, name)
    prepare, write, mark = WRITES[name]
    async with Proxy(Path(url.removeprefix("unix://"))).run() as proxy:
        desk = Desk(proxy.url, Keys(f"{prefix}twice:"), link)
        await prepare(desk)
        proxy.eat_reply_to = mark.sha.encode() if isinstance(mark, Script) else mark
        monkeypatch.setattr(Link, "calls", stubborn)
        await write(desk)
        await desk.close()
    assert await _shape(link, f"{prefix}twice:") != once
