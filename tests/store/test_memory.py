"""What is said of the streams' memory: how much, against what, and who keeps it."""

import msgspec
import pytest

from matchbox_tui.engine import Side, TradeExecuted, encode_events
from matchbox_tui.store import Client, Keys, Link
from matchbox_tui.store import groups as groups_module
from matchbox_tui.store import memory as memory_module
from matchbox_tui.store.archive import PUBLISHER
from matchbox_tui.store.memory import MemoryStatus
from tests.servers import OwnServer

MB = 1_000_000


async def _status(client: Client) -> MemoryStatus:
    return await client.memory(await client.consumer_groups())


async def _grow(link: Link, keys: Keys, entries: int, *, first: int = 1, size: int = 100) -> None:
    """So many entries of a command each in the journal, and a fill of each."""
    for seq in range(first, first + entries):
        event = TradeExecuted(seq, 0, "MAIN", 1, 2, 50, 1, Side.BUY, "", "x" * size, 0)
        blob = encode_events([event])
        await link.calls(
            [
                ("XADD", keys.log, f"{seq}-0", "v", "1", "e", "1", "c", "chain", "b", blob),
                ("XADD", keys.fills_stream, f"{seq}-0", "event", blob),
                ("HSET", keys.cursor, "seq", seq),
            ]
        )


async def test_both_streams_are_measured(client: Client, link: Link, keys: Keys) -> None:
    empty = await _status(client)
    assert [(one.stream, one.entries, one.bytes) for one in empty.streams] == [
        (keys.log, 0, 0),
        (keys.fills_stream, 0, 0),
    ]
    await _grow(link, keys, 200, size=500)
    for one in (await _status(client)).streams:
        assert one.entries == 200
        assert one.bytes is not None
        assert 200 * 500 < one.bytes < 400 * 1000


async def test_without_a_limit_it_is_half_of_the_machine(client: Client, link: Link) -> None:
    status = await _status(client)
    facts = (await link.call("INFO", "memory")).decode()
    machine = next(line for line in facts.splitlines() if line.startswith("total_system_memory:"))
    assert (status.limit, status.limit_bytes) == ("machine", int(machine.partition(":")[2]) // 2)
    assert status.used_bytes is not None
    assert status.used_bytes > 0


async def test_a_server_that_does_not_tell_warns_of_nothing(own: OwnServer) -> None:
    client = await Client.connect(own.url)
    link = client.server.link()
    await link.call("ACL", "SETUSER", "default", "-info", "-memory")
    status = await _status(client)
    assert (status.used_bytes, status.limit_bytes, status.limit) == (None, None, "unknown")
    assert [one.bytes for one in status.streams] == [None, None]
    assert status.warnings == ()
    await link.close()
    await client.close()


# Who holds


async def _snapshots(link: Link, keys: Keys, *seqs: int) -> None:
    for seq in seqs:
        await link.call("ZADD", keys.snapshots, seq, str(seq))


async def _held(client: Client) -> list[str]:
    return [one.held_by for one in (await _status(client)).streams]


async def test_the_slowest_group_holds_the_journal_if_it_would_go_otherwise(
    client: Client, link: Link, keys: Keys
) -> None:
    await _grow(link, keys, 10)
    await link.call("XGROUP", "CREATE", keys.log, PUBLISHER, "9-0")
    for name, place in (("slow", "2-0"), ("slower", "1-0"), ("quick", "9-0")):
        await link.call("XGROUP", "CREATE", keys.log, name, place)
    # With a single snapshot nothing goes.
    await _snapshots(link, keys, 6)
    assert await _held(client) == ["", ""]
    await _snapshots(link, keys, 8)
    assert await _held(client) == ["slower", ""]
    await link.call("XGROUP", "DESTROY", keys.log, "slower")
    assert await _held(client) == ["slow", ""]
    # What it has read and not acknowledged is kept as well.
    read = ("XREADGROUP", "GROUP", "slow", "x", "COUNT", 7, "STREAMS", keys.log, ">")
    await link.call(*read)
    assert await _held(client) == ["slow", ""]
    await link.call("XACK", keys.log, "slow", *(f"{seq}-0" for seq in range(1, 10)))
    assert await _held(client) == ["", ""]
    await link.call("XGROUP", "SETID", keys.log, PUBLISHER, "3-0")
    assert await _held(client) == [PUBLISHER, ""]


async def test_nobody_holds_what_is_gone_already(client: Client, link: Link, keys: Keys) -> None:
    await _grow(link, keys, 10)
    await _snapshots(link, keys, 6, 8)
    await link.call("XGROUP", "CREATE", keys.log, "slow", "2-0")
    await link.call("XTRIM", keys.log, "MINID", "7-0")
    assert await _held(client) == ["", ""]


async def test_fills_are_held_by_their_own_groups_or_with_the_journal(
    client: Client, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _grow(link, keys, 10)
    await link.call("XGROUP", "CREATE", keys.fills_stream, "ledger", "2-0")
    await link.call("XTRIM", keys.log, "MINID", "6-0")
    assert await _held(client) == ["", ""]
    # Were the ten more than stay in any case:
    monkeypatch.setattr(memory_module, "HELD_FILLS", 5)
    assert await _held(client) == ["", "ledger"]
    await link.call("XGROUP", "SETID", keys.fills_stream, "ledger", "6-0")
    assert await _held(client) == ["", ""]
    await link.call("XGROUP", "CREATE", keys.log, "slow", "0")
    await _snapshots(link, keys, 8, 9)
    assert await _held(client) == ["slow", "slow"]


# Warnings


def _with(status: MemoryStatus, used: int, limit: int, **held: str) -> MemoryStatus:
    log, fills = status.streams
    log = msgspec.structs.replace(log, bytes=used // 4, held_by=held.get("log", ""))
    fills = msgspec.structs.replace(fills, bytes=used // 100, held_by=held.get("fills", ""))
    return msgspec.structs.replace(
        status, used_bytes=used, limit_bytes=limit, limit="maxmemory", streams=(log, fills)
    )


async def _warned(client: Client, used: int, limit: int, **held: str) -> list[str]:
    status = _with(await _status(client), used, limit, **held)
    return memory_module._warnings(status, await client.consumer_groups())


async def test_a_server_is_warned_of_when_half_is_used(client: Client) -> None:
    assert await _warned(client, 49 * MB, 100 * MB) == []
    (words,) = await _warned(client, 50 * MB, 100 * MB)
    assert "50.0 MB of 100.0 MB (its maxmemory)" in words
    assert "engine:log 12.5 MB" in words
    assert words.endswith("To prevent that: raise maxmemory, or keep less with MATCHBOX_HISTORY")


async def test_who_holds_much_is_named_with_the_fix(
    client: Client, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _grow(link, keys, 10)
    await link.call("XGROUP", "CREATE", keys.log, "bob's", "2-0")
    assert await _warned(client, 39 * MB, 100 * MB, log="bob's") == []
    (words,) = await _warned(client, 40 * MB, 100 * MB, log="bob's")
    assert words == (
        f"{keys.log} (10.0 MB) is kept for bob's (8 behind, 0 not acknowledged, never heard):"
        " start it again, or matchbox consume remove 'bob'\"'\"'s'"
    )
    # Where the server is half full, however little it keeps; and then it is the fix.
    full, words = await _warned(client, 60 * MB, 1 * MB, log="bob's")
    assert full.endswith("Once it is full, new orders are refused.")
    assert "is kept for bob's" in words
    _, words = await _warned(client, 60 * MB, 1 * MB, log="bob's", fills="bob's")
    assert words.startswith(f"{keys.log} (15.0 MB) is kept for bob's")
    *_, fills = await _warned(client, 60 * MB, 1 * MB, log="bob's", fills="ledger")
    assert fills == f"{keys.fills_stream} (0.6 MB) is kept for ledger"
    read = ("XREADGROUP", "GROUP", "bob's", "x", "COUNT", 1, "STREAMS", keys.log, ">")
    await link.call(*read)
    (words,) = await _warned(client, 40 * MB, 100 * MB, log="bob's")
    assert "which is at work (7 behind, 1 not acknowledged)" in words
    assert "remove --force" in words
    monkeypatch.setattr(groups_module, "ALIVE_MS", 0)
    (words,) = await _warned(client, 40 * MB, 100 * MB, log="bob's")
    assert "not heard for 0 seconds): start it again" in words
    (words,) = await _warned(client, 40 * MB, 100 * MB, log=PUBLISHER)
    assert "its fills can't be published" in words


async def test_the_whole_of_it_on_a_server_with_little_memory(own: OwnServer) -> None:
    client = await Client.connect(own.url)
    link, keys = client.server.link(), Keys()
    await _grow(link, keys, 300, size=20_000)
    await _snapshots(link, keys, 200, 250)
    await link.call("XGROUP", "CREATE", keys.log, "analytics", "0")
    assert (await _status(client)).warnings == ()
    await link.call("CONFIG", "SET", "maxmemory", 20 * MB)
    status = await _status(client)
    assert (status.limit, status.limit_bytes) == ("maxmemory", 20 * MB)
    full, held = status.warnings
    assert "(its maxmemory)" in full
    assert "is kept for analytics (300 behind" in held
    await link.close()
    await client.close()


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0 seconds"), (119_999, "119 seconds"), (120_000, "2 minutes"), (7_200_000, "2 hours")],
)
def test_spans(ms: int, words: str) -> None:
    assert memory_module._span(ms) == words
