"""Who reads the journal and the fills by a group, how far, and whether it still does."""

import pytest

from matchbox_tui.store import Client, ConsumerGroup, Keys, Link, Refused, Registration, Server
from matchbox_tui.store import groups as groups_module
from matchbox_tui.store.archive import PUBLISHER


@pytest.fixture
async def past(link: Link, keys: Keys) -> None:
    """Nine commands in the journal, in three entries, and five fills."""
    for seq in (2, 5, 9):
        await link.call("XADD", keys.log, f"{seq}-0", "b", "[]")
    await link.call("HSET", keys.cursor, "seq", 9)
    for n in range(5):
        await link.call("XADD", keys.fills_stream, f"7-{n}", "event", "{}")


@pytest.fixture
def registration(url: str, keys: Keys) -> Registration:
    return Registration(Server(f"{url}?socket_timeout=10"), keys, "ledger", "one")


async def _only(client: Client) -> ConsumerGroup:
    (group,) = await client.consumer_groups()
    return group


async def _read(link: Link, stream: str, count: int, *, name: str = "audit") -> None:
    await link.call(*("XREADGROUP", "GROUP", name, "anna", "COUNT", count, "STREAMS", stream, ">"))


def _long_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on whatever was heard was heard long ago."""
    monkeypatch.setattr(groups_module, "ALIVE_MS", 0)
    monkeypatch.setattr(groups_module, "ABANDONED_MS", 0)


async def test_a_venue_without_consumers_has_none(client: Client, link: Link, keys: Keys) -> None:
    assert await client.consumer_groups() == []
    await link.call("XGROUP", "CREATE", keys.log, PUBLISHER, "0", "MKSTREAM")
    assert await client.consumer_groups() == []


async def test_a_group_on_the_journal_is_so_many_commands_behind(
    past: None, client: Client, link: Link, keys: Keys
) -> None:
    await link.call("XGROUP", "CREATE", keys.log, "audit", "0")
    await _read(link, keys.log, 2)
    group = await _only(client)
    assert (group.name, group.stream, group.read_up_to) == ("audit", keys.log, "5-0")
    assert (group.behind, group.pending, group.consumers) == (4, 2, 1)
    assert group.idle_ms is not None
    assert (group.state, group.holds_trimming, group.needs_from) == ("alive", True, "2-0")
    await link.call("XACK", keys.log, "audit", "2-0")
    assert (await _only(client)).needs_from == "5-0"
    await _read(link, keys.log, 1)
    await link.call("XACK", keys.log, "audit", "2-0", "5-0", "9-0")
    group = await _only(client)
    assert (group.behind, group.pending, group.holds_trimming) == (0, 0, False)
    assert group.needs_from == "9-1"


@pytest.mark.parametrize("start", ["0", "7-1"])
async def test_a_group_on_the_fills_is_so_many_fills_behind(
    past: None, client: Client, link: Link, keys: Keys, start: str
) -> None:
    await link.call("XGROUP", "CREATE", keys.fills_stream, "audit", start)
    before = (await _only(client)).behind
    assert before == (5 if start == "0" else 3)
    await _read(link, keys.fills_stream, 2)
    group = await _only(client)
    assert (group.stream, group.behind, group.pending) == (keys.fills_stream, before - 2, 2)
    assert group.holds_trimming
    assert group.needs_from == ("7-0" if start == "0" else "7-2")


async def test_a_store_that_was_set_back_leaves_nobody_behind(
    past: None, client: Client, link: Link, keys: Keys
) -> None:
    await link.call("XGROUP", "CREATE", keys.log, "audit", "100-0")
    assert (await _only(client)).behind == 0


async def test_a_group_that_nobody_reads_by_is_abandoned_once_something_waits(
    past: None, client: Client, link: Link, keys: Keys
) -> None:
    await link.call("XGROUP", "CREATE", keys.log, "audit", "9-0")
    assert (await _only(client)).state == "stopped"
    await link.call("HSET", keys.cursor, "seq", 10)
    group = await _only(client)
    assert (group.state, group.idle_ms, group.consumers) == ("abandoned", None, 0)


async def test_who_was_heard_lately_is_alive_then_stopped_then_abandoned(
    past: None, client: Client, link: Link, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link.call("XGROUP", "CREATE", keys.log, "audit", "0")
    await _read(link, keys.log, 9)
    assert (await _only(client)).state == "alive"
    monkeypatch.setattr(groups_module, "ALIVE_MS", 0)
    assert (await _only(client)).state == "stopped"
    # What is pending alone holds the journal, too.
    _long_ago(monkeypatch)
    assert (await _only(client)).state == "abandoned"
    await link.call("XACK", keys.log, "audit", "2-0", "5-0", "9-0")
    assert (await _only(client)).state == "stopped"


async def test_a_service_of_ours_shows_itself_whenever_it_notes_its_place(
    past: None, client: Client, registration: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    await registration.has_read(5)
    group = await _only(client)
    assert (group.name, group.read_up_to, group.behind) == ("consumer:ledger", "5-0", 4)
    assert (group.state, group.consumers, group.pending) == ("alive", 1, 0)
    await registration.has_read(7)
    group = await _only(client)
    assert (group.behind, group.consumers) == (2, 1)
    _long_ago(monkeypatch)
    assert (await _only(client)).state == "abandoned"
    # A copy that works and gets nowhere, as where its database is locked for hours.
    assert await registration.take(60_000) == "one"
    assert (await _only(client)).state == "alive"
    await registration.leave()
    assert (await _only(client)).state == "abandoned"
    await registration.close()


async def test_a_strangers_group_is_not_taken_for_a_service_of_ours(
    past: None, client: Client, registration: Registration, link: Link, keys: Keys
) -> None:
    await registration.take(60_000)
    await link.call("XGROUP", "CREATE", keys.log, "ledger", "0")
    await link.call("XGROUP", "CREATE", keys.fills_stream, "consumer:ledger", "0")
    assert [group.state for group in await client.consumer_groups()] == ["abandoned"] * 2
    await registration.close()


async def test_a_group_is_removed_once(past: None, client: Client, link: Link, keys: Keys) -> None:
    for stream in (keys.log, keys.fills_stream):
        await link.call("XGROUP", "CREATE", stream, "odd name: {}", "0")
    first, second = await client.consumer_groups()
    assert await client.remove_group(first)
    assert await client.consumer_groups() == [second]
    assert not await client.remove_group(first)


async def test_another_programs_key_is_named(client: Client, link: Link, keys: Keys) -> None:
    await link.call("SET", keys.fills_stream, "x")
    with pytest.raises(Refused, match="events_stream holds a value of type string"):
        await client.consumer_groups()
