"""Topic `store`: SUBMIT, peek and COMMIT alone, by batch, beside what the server does of its own.

One client on one connection, no engine running, the append-only file off: what is compared is the
work of the server and of the client, not of a disk. The server's own commands are sent by a client
that costs next to nothing, as many in flight together as a batch has orders.
"""

import statistics
import time
from collections.abc import Awaitable, Callable

import msgspec

from matchbox_tui.engine import (
    DEFAULT_MARKET,
    Event,
    decode_command,
    encode_command,
    encode_events,
)
from matchbox_tui.store import (
    QUEUE_LIMIT,
    SUBMIT,
    Client,
    Commit,
    EmbeddedServer,
    Keys,
    Link,
    Outcome,
    Replica,
    Server,
    Store,
    Tip,
    submission,
)
from sim.bench.line_venue import OFF, set_persistence
from sim.bench.machine import cpu_seconds, this_machine
from sim.bench.orders import make_orders
from sim.bench.processes import Failed
from sim.bench.report import Plan, Report, Row, compare
from sim.bench.wire import Wire, packed

BATCHES = (1, 16, 64, 256)
LARGEST = BATCHES[-1]
SHARES = 8
"""A measurement takes this part of the plan's seconds, for there are many."""

LEAST_SUBMIT = 0.12
LEASE_MS = 600_000
BOOK_DEPTH = 100
ROUNDS_QUEUED = 20
"""Batches that are queued together, before they are committed one by one."""

LIST, STREAM = "bench:list", "bench:stream"

RPUSH, XADD = "RPUSH", "XADD"
SCRIPT, CLIENT = "SUBMIT", "submit"
PEEK, COMMIT, MATCH = "peek", "commit", "match"


class StoreBench:
    """One run. Every second round goes through the batches the other way about."""

    def __init__(self, server: EmbeddedServer, plan: Plan, say: Callable[[str], None]) -> None:
        self._plan = plan
        self._say = say
        self._seconds = plan.seconds / SHARES
        self._keys = Keys()
        self._server_pid = server.pid
        self._wire = Wire(server.url)
        reached = Server(server.url)
        self._link: Link = reached.link("matchbox-bench:keep")
        self._client = Client(reached, self._keys, "bench")
        self._store = Store(reached, self._keys, "bench")
        self._replica = Replica()
        self._epoch = 0
        self._done = 0
        self._rates: dict[tuple[str, int], list[float]] = {}
        self._used: dict[tuple[str, int], list[float]] = {}
        self._problems: list[str] = []

    async def run(self) -> Report:
        """Raises `Failed` or a `StoreError`."""
        await set_persistence(self._link, OFF)
        self._wire.call("SCRIPT", "LOAD", SUBMIT.text)
        tenure = await self._store.elect(LEASE_MS)
        assert tenure is not None
        self._epoch = tenure.epoch
        for number in range(1, self._plan.rounds + 1):
            for batch in BATCHES if number % 2 else BATCHES[::-1]:
                await self._measure(batch)
            submitted, pushed = (self._rates[name, LARGEST][-1] for name in (CLIENT, RPUSH))
            words = f"{submitted:,.0f} orders/s by SUBMIT of {LARGEST}, {pushed:,.0f} by RPUSH"
            self._say(f"{number}/{self._plan.rounds} {words}")
        return Report("store", this_machine(), self._plan, self._rows(), self._problems)

    async def close(self) -> None:
        self._wire.close()
        for one in (self._store, self._client, self._link):
            await one.close()

    async def _measure(self, batch: int) -> None:
        orders = make_orders(batch, 1)
        elements = [encode_command(order) for order in orders]
        await self._repeat(RPUSH, batch, self._own("RPUSH", LIST, elements))
        await self._repeat(SCRIPT, batch, self._script(batch))
        await self._expect_queued(batch)

        async def submit() -> None:
            await self._client.submit(orders)

        await self._repeat(CLIENT, batch, submit)
        await self._expect_queued(batch)
        await self._repeat(XADD, batch, self._own("XADD", STREAM, elements, "*", "order"))
        await self._peek(batch)
        await self._commit(batch)
        await self._link.call("UNLINK", LIST, STREAM, self._keys.log)

    async def _repeat(self, name: str, batch: int, work: Callable[[], Awaitable[None]]) -> None:
        """Does it for its time."""
        count, began = 0, time.perf_counter()
        while (passed := time.perf_counter() - began) < self._seconds or not count:
            await work()
            count += 1
        self._note(name, batch, count * batch / passed)
        self._done = count

    def _own(
        self, command: str, key: str, elements: list[bytes], *words: str
    ) -> Callable[[], Awaitable[None]]:
        calls = b"".join(packed((command, key, *words, element)) for element in elements)

        async def work() -> None:
            self._wire.ask(calls, len(elements))

        return work

    def _script(self, batch: int) -> Callable[[], Awaitable[None]]:
        keys, args = submission(self._keys, make_orders(batch, 1), 0, QUEUE_LIMIT)
        call = packed(("EVALSHA", SUBMIT.sha, len(keys), *keys, *args))

        async def work() -> None:
            self._wire.ask(call, 1)

        return work

    async def _expect_queued(self, batch: int) -> None:
        """What was submitted is there, all of it; then it is not wanted any more."""
        expected = self._done * batch
        queued = await self._link.call("LLEN", self._keys.queue)
        await self._link.call("UNLINK", self._keys.queue)
        if queued != expected:
            self._problems.append(f"{expected} orders were submitted, {queued} are queued")

    async def _peek(self, batch: int) -> None:
        await self._client.submit(make_orders(batch, 1))

        async def peek() -> None:
            if len(await self._store.peek(batch)) != batch:
                raise Failed(f"a peek of {batch} found less")

        await self._repeat(PEEK, batch, peek)
        await self._link.call("UNLINK", self._keys.queue)

    async def _commit(self, batch: int) -> None:
        """Commits what it matches, batch by batch, and takes the time of both."""
        matching = committing = 0.0
        used = {MATCH: 0.0, COMMIT: 0.0}
        count = 0
        taken: list[bytes] = []
        while matching + committing < self._seconds or not count:
            if len(taken) < batch:
                for seed in range(ROUNDS_QUEUED):
                    await self._client.submit(make_orders(batch, seed))
                taken = await self._store.peek(batch)
            began, at_first = time.perf_counter(), self._cpu()
            events = self._match(taken)
            matched, in_between = time.perf_counter(), self._cpu()
            matching += matched - began
            commit = self._prepare(taken, events)
            prepared, at_last = time.perf_counter(), self._cpu()
            outcome, taken = await self._store.commit(commit, LEASE_MS, batch)
            committing += time.perf_counter() - prepared
            used[MATCH] += in_between - at_first
            used[COMMIT] += self._cpu() - at_last
            count += 1
            if outcome is not Outcome.OK:
                raise Failed(f"a commit was answered {outcome.value}")
        self._note(MATCH, batch, count * batch / matching)
        self._note(COMMIT, batch, count * batch / committing)
        for name, seconds in used.items():
            self._used.setdefault((name, batch), []).append(seconds / count / batch * 1e6)
        tip = await self._store.tip()
        if tip != self._replica.tip:
            self._problems.append(f"the journal is at {tip.seq}, {self._replica.seq} was committed")
        await self._link.call("UNLINK", self._keys.queue)

    def _cpu(self) -> float:
        """What the server and this process have used of the processor, in seconds."""
        return time.process_time() + (cpu_seconds(self._server_pid) or 0.0)

    def _match(self, elements: list[bytes]) -> list[Event]:
        # As a leader does it.
        apply = self._replica.exchange.apply
        events: list[Event] = []
        for element in elements:
            events += apply(decode_command(element))
        return events

    def _prepare(self, elements: list[bytes], events: list[Event]) -> Commit:
        blob = encode_events(events)
        before = Tip(self._replica.seq - len(elements), self._replica.chain)
        self._replica.advance(blob, self._epoch)
        book = self._replica.exchange.book(DEFAULT_MARKET).snapshot(BOOK_DEPTH)
        books = {DEFAULT_MARKET: msgspec.json.encode(book)}
        return Commit(self._epoch, before, self._replica.tip, elements, blob, books)

    def _note(self, name: str, batch: int, rate: float) -> None:
        self._rates.setdefault((name, batch), []).append(rate)

    def _rows(self) -> list[Row]:
        rows = [row for batch in BATCHES for row in self._batch_rows(batch)]
        rates = {name: self._rates[name, LARGEST] for name in (COMMIT, MATCH)}
        more = {
            f"us of the processor to {name} a command": round(
                statistics.median(self._used[name, LARGEST]), 2
            )
            for name in rates
        }
        rows.append(
            compare(
                *(f"COMMIT of {LARGEST} and peek", "commands/s", rates[COMMIT]),
                *("matching them", rates[MATCH]),
                least_ratio=1.0,
                more=more,
            )
        )
        return rows

    def _batch_rows(self, batch: int) -> list[Row]:
        rows = []
        for name, what, unit, own in (
            (CLIENT, f"SUBMIT of {batch}", "orders/s", RPUSH),
            (SCRIPT, f"SUBMIT of {batch}, the script alone", "orders/s", RPUSH),
            (PEEK, f"peek of {batch}", "commands/s", RPUSH),
            (COMMIT, f"COMMIT of {batch} and peek", "commands/s", XADD),
        ):
            row = compare(
                *(what, unit, self._rates[name, batch]),
                *(f"{own}, {batch} in flight", self._rates[own, batch]),
                least_ratio=LEAST_SUBMIT,
            )
            if (name, batch) != (CLIENT, LARGEST):
                row = msgspec.structs.replace(row, goal="", reached=None)
            rows.append(row)
        return rows


async def bench_store(plan: Plan, say: Callable[[str], None]) -> Report:
    """Measures all once a round. Raises `Failed`, or a `StoreError` without a server."""
    with EmbeddedServer() as server:
        bench = StoreBench(server, plan, say)
        try:
            return await bench.run()
        finally:
            await bench.close()
