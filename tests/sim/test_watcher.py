"""The watcher sees every entry as it comes, and every one that can't be."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest

from matchbox_tui.engine import Event, encode_events
from matchbox_tui.store import Client, Entry, Keys, Link, Replica, Store, chained
from sim.watcher import Watcher
from tests.store.build import LEASE, buy, elected, match
from tests.waiting import eventually


class Writer:
    """A leader by hand: what is submitted is committed at once, one entry each time."""

    def __init__(self, client: Client, store: Store) -> None:
        self._client = client
        self._store = store
        self._replica = Replica()
        self._epoch = 0

    async def lead(self) -> None:
        if self._epoch:
            await self._store.release(self._epoch)
        self._epoch = (await elected(self._store)).epoch

    async def write(self) -> int:
        await self._client.submit([buy(50), buy(51)])
        commit = match(await self._store.peek(10), self._replica, self._epoch)
        await self._store.commit(commit, LEASE, 0)
        return self._replica.seq


@contextlib.asynccontextmanager
async def watching(client: Client) -> AsyncIterator[Watcher]:
    watcher = Watcher(client)
    running = asyncio.ensure_future(watcher.run())
    try:
        yield watcher
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.fixture
async def writer(client: Client, url: str, keys: Keys) -> AsyncIterator[Writer]:
    store = Store(client.server, keys, "a")
    made = Writer(client, store)
    await made.lead()
    yield made
    await store.close()


async def test_it_sees_each_entry_once_and_knows_its_epoch(client: Client, writer: Writer) -> None:
    await writer.write()
    async with watching(client) as watcher:
        assert await watcher.first(lambda one: one.seq == 2, 0, 20) is not None
        mark = watcher.mark()
        await writer.lead()
        await writer.write()
        sighting = await watcher.first(lambda one: one.epoch > 1, mark, 20)
        assert sighting is not None
        assert (sighting.seq, sighting.epoch) == (4, 2)
        await writer.write()
        await watcher.first(lambda one: one.seq == 6, mark, 20)
        assert [(one.seq, one.epoch) for one in watcher.sightings] == [(2, 1), (4, 2), (6, 2)]
        times = [one.at for one in watcher.sightings]
        assert times == sorted(times)
        assert watcher.broken is None


async def test_what_came_before_the_mark_or_never_comes_is_not_found(
    client: Client, writer: Writer
) -> None:
    await writer.write()
    async with watching(client) as watcher:
        await watcher.first(lambda one: True, 0, 20)
        assert await watcher.first(lambda one: True, watcher.mark(), 0.05) is None
        assert await watcher.first(lambda one: one.epoch > 1, 0, 0.05) is None


Forgery = Callable[[Entry], tuple[str, int, str, bytes]]
"""An entry id, epoch, chain and blob that can't follow the given entry."""


def _gap(last: Entry) -> tuple[str, int, str, bytes]:
    events = [_moved(event, 2) for event in last.events[-1:]]
    blob = encode_events(events)
    return f"{events[-1].seq}-0", 1, chained(last.chain, blob), blob


def _other_history(last: Entry) -> tuple[str, int, str, bytes]:
    blob = encode_events([_moved(event, 1) for event in last.events[-1:]])
    return f"{last.seq + 1}-0", 1, chained("elsewhere", blob), blob


def _old_epoch(last: Entry) -> tuple[str, int, str, bytes]:
    blob = encode_events([_moved(event, 1) for event in last.events[-1:]])
    return f"{last.seq + 1}-0", 0, chained(last.chain, blob), blob


def _moved(event: Event, by: int) -> Event:
    return msgspec.structs.replace(event, seq=event.seq + by)


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        pytest.param(_gap, "the journal has 4 after 2", id="gap"),
        pytest.param(_other_history, "chain breaks at 3", id="other-history"),
        pytest.param(_old_epoch, "epoch falls from 1 to 0 at 3", id="old-epoch"),
    ],
)
async def test_an_entry_that_does_not_continue_the_one_before_breaks_the_journal(
    client: Client, writer: Writer, link: Link, keys: Keys, forge: Forgery, words: str
) -> None:
    await writer.write()
    entries = [entry async for entry in client.follow(Replica(), until=2)]
    entry_id, epoch, chain, blob = forge(entries[-1])
    async with watching(client) as watcher:
        await watcher.first(lambda one: one.seq == 2, 0, 20)
        await link.call("XADD", keys.log, entry_id, "v", "1", "e", epoch, "c", chain, "b", blob)
        # Whoever waits is told at once.
        assert await watcher.first(lambda one: one.seq > 2, 0, 20) is None
        assert words in (watcher.broken or "")
        assert watcher.seq == 2


async def test_a_journal_that_is_set_back_is_broken(
    client: Client, writer: Writer, link: Link, keys: Keys
) -> None:
    await writer.write()
    async with watching(client) as watcher:
        await watcher.first(lambda one: one.seq == 2, 0, 20)
        await link.call("DEL", keys.log, keys.cursor)
        await eventually(_broken(watcher))
        assert "set back from 2 to 0" in (watcher.broken or "")


def _broken(watcher: Watcher) -> Callable[[], Awaitable[bool]]:
    async def broken() -> bool:
        return watcher.broken is not None

    return broken
