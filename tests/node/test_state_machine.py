"""Any course of events on a real server: what everybody holds is what the naive model says.

Orders come and go, instances start, stop and crash at any await, snapshots are taken and spoiled,
the journal is trimmed, the store is set back. `MATCHBOX_MACHINE_EXAMPLES` sets how many courses are
tried, for a longer run.
"""

import asyncio
import itertools
import operator
import os
import random
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from matchbox_tui.engine import (
    NewOrder,
)
from matchbox_tui.node import Role
from matchbox_tui.store import (
    Archive,
    Client,
    EmbeddedServer,
    Entry,
    JournalBroken,
    Replica,
    Server,
)
from matchbox_tui.store import archive as archive_module
from matchbox_tui.store.restore import bases
from matchbox_tui.store.snapshot import list_snapshots
from matchbox_tui.store.trim_scripts import TRIM
from tests.node.backups import Backup
from tests.node.model import Asked, Model, any_commands, same_books
from tests.node.venue import QUIET, Instance, Venue
from tests.store.build import altered
from tests.store.states import elements_of, put_snapshot
from tests.waiting import eventually

T = TypeVar("T")

EXAMPLES = int(os.environ.get("MATCHBOX_MACHINE_EXAMPLES", "20"))
STEPS = 30
MOST_INSTANCES = 3

_venues = itertools.count(1)


class Past:
    """A backup, and what was true when it was taken."""

    def __init__(self, backup: Backup, asked: int, entries: int) -> None:
        self.backup = backup
        self.asked = asked
        self.entries = entries


class Machine(RuleBasedStateMachine):
    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.run(self._open())
        self.model = Model()
        self.given: set[int] = set()
        self.entries: list[Entry] = []
        self.fold = Replica()
        self.past: Past | None = None
        self.spoiled: set[int] = set()
        self.started = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        async def bounded() -> T:
            async with asyncio.timeout(60):
                return await work

        return self.loop.run_until_complete(bounded())

    async def _open(self) -> None:
        prefix = f"machine{os.getpid()}-{next(_venues)}:"
        client = await Client.connect(self.url, prefix)
        link = Server(self.url).link()
        self.venue = Venue(self.url, prefix, client, link)
        self.archive = Archive(link, self.venue.keys, "machine")
        # Snapshots are taken by a rule, and by nobody else.
        await link.call("SET", self.venue.keys.snapshot_turn, "nobody")

    # Instances

    @initialize(count=st.integers(1, MOST_INSTANCES))
    def begin(self, count: int) -> None:
        for _ in range(count):
            self.start()
        self.submit(seed=0, count=25)
        self.settle()

    @precondition(lambda self: len(self.venue.instances) < MOST_INSTANCES)
    @rule()
    def start(self) -> None:
        self.started += 1
        self.run(self._start())

    async def _start(self) -> None:
        self.venue.start(f"n{self.started}", settings=QUIET)

    @precondition(lambda self: self.venue.instances)
    @rule(number=st.integers(0, 9), steps=st.integers(0, 40))
    def crash(self, number: int, steps: int) -> None:
        self.run(self._end(self._one(number), steps, crash=True))

    @precondition(lambda self: self.venue.instances)
    @rule(steps=st.integers(0, 40))
    def crash_the_leader(self, steps: int) -> None:
        leading = [n for n, one in self.venue.instances.items() if one.node.role is Role.LEADING]
        self.run(self._end(leading[0] if leading else self._one(0), steps, crash=True))

    @precondition(lambda self: self.venue.instances)
    @rule(number=st.integers(0, 9), steps=st.integers(0, 40))
    def stop(self, number: int, steps: int) -> None:
        self.run(self._end(self._one(number), steps, crash=False))

    def _one(self, number: int) -> str:
        names = list(self.venue.instances)
        return names[number % len(names)]

    async def _end(self, name: str, steps: int, *, crash: bool) -> None:
        await self._go_on(steps)
        instance = self.venue.instances.pop(name)
        await (instance.crash() if crash else instance.stop())

    @rule(steps=st.integers(0, 100))
    def time_goes_by(self, steps: int) -> None:
        self.run(self._go_on(steps))

    async def _go_on(self, steps: int) -> None:
        for _ in range(steps):
            await asyncio.sleep(0.0002)

    # Orders

    @rule(seed=st.integers(0, 2**32), count=st.integers(1, 25))
    def submit(self, seed: int, count: int) -> None:
        self.run(self._submit(any_commands(random.Random(seed), count, self.given)))

    @rule(seed=st.integers(0, 2**32), count=st.integers(1, 25))
    def submit_and_wait(self, seed: int, count: int) -> None:
        self.submit(seed, count)
        self.settle()

    @rule()
    def settle(self) -> None:
        """All that was asked is answered, by somebody."""
        if not self.venue.instances:
            self.start()
        self.run(self._settle())

    async def _settle(self) -> None:
        await eventually(self._tip, lambda tip: tip == len(self.model.asked))

    async def _submit(self, commands: list[Asked]) -> None:
        ids = await self.venue.client.submit(commands)
        for command, order_id in zip(commands, ids, strict=True):
            if isinstance(command, NewOrder):
                assert order_id not in self.given
                self.given.add(order_id)
                command = msgspec.structs.replace(command, order_id=order_id)
            self.model.asked.append(command)

    # Snapshots

    @rule(history=st.sampled_from([0, 50, 10**6]))
    def snapshot(self, history: int) -> None:
        self.run(self._snapshot(history))

    @rule(seed=st.integers(0, 2**32), history=st.sampled_from([0, 50]))
    def snapshots_and_trim(self, seed: int, history: int) -> None:
        for n in range(2):
            self.submit_and_wait(seed + n, 10)
            self.snapshot(history)
        self.submit_and_wait(seed, 5)
        self.trim()

    async def _snapshot(self, history: int) -> None:
        if not await self._tip():
            return
        # What is spoiled must not be taken for the one to fall back to.
        for seq in self.spoiled:
            await self.venue.link.call("ZREM", self.venue.keys.snapshots, seq)
        self.spoiled.clear()
        await self.venue.snapshot(history)

    @rule(at=st.floats(0, 1, exclude_max=True), how=st.sampled_from(["torn", "altered", "gone"]))
    def spoil_the_newest(self, at: float, how: str) -> None:
        self.run(self._spoil(at, how))

    async def _spoil(self, at: float, how: str) -> None:
        """Only as far as a venue can bear: something must be left to begin at."""
        link, keys = self.venue.link, self.venue.keys
        await self._read()
        seqs = await list_snapshots(link, keys)
        first = await link.call("XRANGE", keys.log, "-", "+", "COUNT", 1)
        begins = bool(first) and first[0][0] == f"{self.entries[0].seq}-0".encode()
        if not seqs or self.spoiled or not (begins or len(seqs) > 1):
            return
        raw = await elements_of(link, keys, seqs[-1])
        if how == "torn":
            raw = raw[: int(at * len(raw))]
        elif how == "gone":
            raw = []
        else:
            n = int(at * len(raw))
            raw[n] = raw[n][:-1] + bytes([raw[n][-1] ^ 1])
        await put_snapshot(link, keys, seqs[-1], raw)
        self.spoiled.add(seqs[-1])

    @rule()
    def trim(self) -> None:
        self.run(self._trim())

    async def _trim(self) -> None:
        # What nobody can read any more must have been read here.
        await self._read()
        if not self.spoiled:
            await self.archive.trim()

    # The past

    @rule()
    def back_up(self) -> None:
        self.run(self._back_up())

    async def _back_up(self) -> None:
        """At rest: what is asked and what is answered must belong together."""
        await self._read()
        backup = await Backup.of(self.venue.link, self.venue.prefix)
        if await self._tip() == self.fold.seq:
            self.past = Past(backup, len(self.model.asked), len(self.entries))

    @precondition(lambda self: self.past is not None)
    @rule(seed=st.integers(0, 2**32), count=st.integers(0, 25), steps=st.integers(0, 15))
    def set_back(self, seed: int, count: int, steps: int) -> None:
        self.run(self._set_back(any_commands(random.Random(seed), count, self.given), steps))

    async def _set_back(self, under_way: list[Asked], steps: int) -> None:
        past = self.past
        assert past is not None
        if under_way:
            await self._submit(under_way)
            await self._go_on(steps)
        await past.backup.restore()
        self.model.forget(past.asked)
        del self.entries[past.entries :]
        self.fold = Replica()
        for entry in self.entries:
            self.fold.apply(entry)
        self.spoiled = set()
        for seq in await list_snapshots(self.venue.link, self.venue.keys):
            try:
                await self._load(seq)
            except JournalBroken:
                self.spoiled.add(seq)

    async def _load(self, seq: int) -> None:
        found = [base.replica.seq async for base in bases(self.venue.link, self.venue.keys)]
        if seq not in found:
            raise JournalBroken("spoiled")

    # What must hold

    @rule()
    def look(self) -> None:
        self.run(self._check())

    async def _tip(self) -> int:
        return (await self.venue.client.cluster()).seq

    async def _read(self) -> None:
        """Reads on, and holds every entry against the model."""
        store = self.venue.client
        tip = await self._tip()
        async for entry in store.follow(self.fold, until=tip):
            expected = [
                event
                for seq in range(entry.first_seq, entry.seq + 1)
                for event in self.model.outcome(seq)
            ]
            assert entry.events == expected
            self.entries.append(entry)

    async def _check(self) -> None:
        await self._read()
        seen = 0
        async for base in bases(self.venue.link, self.venue.keys):
            await self.venue.client.catch_up(base.replica)
            await self._read()
            await self.venue.client.catch_up(base.replica)
            if base.replica.seq == self.fold.seq:
                assert base.replica.tip == self.fold.tip
                assert base.replica.exchange.state_hash() == self.fold.exchange.state_hash()
            seen += 1
        assert seen
        same_books(self.fold.exchange, self.model, self.fold.seq)

    def teardown(self) -> None:
        try:
            self.run(self._end_well())
        finally:
            self.run(self._close())
            self.loop.close()

    async def _end_well(self) -> None:
        """Nobody has ended by himself, a newcomer finds his way, and all agree."""
        for instance in self.venue.instances.values():
            assert not instance.task.done()
        self.started += 1
        await self._start()
        await self._settle()
        await self._check()
        expected = self.fold.exchange.state_hash()
        for instance in self.venue.instances.values():
            # One that holds a lost history of this length has yet to look.
            await eventually(partial(_hash, instance), partial(operator.eq, expected))
        epochs = [entry.epoch for entry in self.entries]
        assert epochs == sorted(epochs)

    async def _close(self) -> None:
        await self.venue.stop()
        names = await self.venue.link.call("KEYS", f"{self.venue.prefix}*")
        if names:
            await self.venue.link.call("DEL", *names)
        await self.venue.client.close()
        await self.venue.link.close()


async def _hash(instance: Instance) -> str:
    return instance.node.replica.exchange.state_hash()


@pytest.mark.usefixtures("unsynced")
def test_any_course_of_events_leaves_what_the_model_says(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To the entry, so that the short journals here are trimmed at all.
    exact = altered(TRIM, ("'~', from, 'LIMIT', ARGV[2]", "'=', from"))
    monkeypatch.setattr(archive_module, "TRIM", exact)
    monkeypatch.setattr("matchbox_tui.node.publisher.NOTE_SECONDS", 0)
    monkeypatch.setattr(Machine, "url", server.url)
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            # A course of events is not the same twice: there is nothing to shrink.
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
        ),
    )
