"""Leading: peek, match, commit, again. The only writer of the venue.

Commands stay in the queue until the commit that answers them takes them out, so whatever dies
between, nothing is lost and nothing happens twice. A commit whose reply was lost is sent again
as it was: the store answers DUP where it is in, does it where it is not, and refuses where
somebody else leads by now.
"""

import asyncio
import logging
import operator
from collections.abc import Callable

import msgspec

from matchbox_tui.engine import (
    CreateMarket,
    Event,
    ExpireOrders,
    Market,
    decode_command,
    encode_events,
)
from matchbox_tui.node.hashes import HashMarks
from matchbox_tui.node.publisher import Publisher
from matchbox_tui.node.recovery import is_older, set_back
from matchbox_tui.node.settings import Settings
from matchbox_tui.node.snapshotter import Snapshotter
from matchbox_tui.store import (
    Commit,
    InDoubt,
    Outcome,
    Replica,
    Sparing,
    Store,
    Tip,
    Unreachable,
)

log = logging.getLogger(__name__)

MAX_BATCH = 512
"""Most commands in one commit."""

BATCH_SECONDS = 0.05
"""Longest time spent on matching one batch."""

BOOK_DEPTH = 100
"""Levels a side in the published book."""

IDLE_SECONDS = 0.5
"""Longest wait for a command before the leader looks around."""

EXPIRY_CHECK_SECONDS = 0.05
RESEND_SECONDS = 0.02

_market = operator.attrgetter("market")


class Deposed(Exception):
    """The lead is lost; what was matched and not committed is void."""


class Leader:
    """One lead: from being caught up to being stopped or deposed."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        replica: Replica,
        epoch: int,
        markets: tuple[Market, ...],
        stopping: asyncio.Event,
        now_ns: Callable[[], int],
        hashes: HashMarks,
        snapshotter: Snapshotter,
    ) -> None:
        self._store = store
        self._settings = settings
        self._replica = replica
        self._epoch = epoch
        self._markets = markets
        self._stopping = stopping
        self._now_ns = now_ns
        self._hashes = hashes
        self._snapshotter = snapshotter
        self._publisher = Publisher(store)
        self._sparing = Sparing()
        self._waiting: asyncio.Timeout | None = None
        self.clean = True
        """Whether the replica holds nothing that is not committed."""

    async def run(self) -> None:
        """Leads until `stopping` is set. Raises `Deposed`, `StoreSetBack` or a `StoreError`."""
        async with asyncio.TaskGroup() as tasks:
            helpers = [
                tasks.create_task(self._publisher.run()),
                tasks.create_task(self._watch_expiries()),
                tasks.create_task(self._snapshotter.stand_in()),
                tasks.create_task(self._end_waiting()),
            ]
            try:
                await self._create_markets()
                await self._work()
                await self._publisher.finish()
            finally:
                for helper in helpers:
                    helper.cancel()

    async def _work(self) -> None:
        batch = await self._store.peek(MAX_BATCH)
        while not self._stopping.is_set():
            if batch:
                batch = await self._process(batch)
            else:
                head = await self._wait()
                batch = [head] if head is not None else []
                if head is None and not self._stopping.is_set():
                    # No commit would tell.
                    self._snapshotter.passed(self._replica)
                    await self._check_not_set_back(self._replica.tip)

    async def _wait(self) -> bytes | None:
        """The queue's head, or None after a while or at a stop."""
        # Tasks to wait for would cost a lone order more than matching and committing it.
        try:
            async with asyncio.timeout(None) as self._waiting:
                return await self._store.wait_for_command(IDLE_SECONDS)
        except TimeoutError:
            return None
        finally:
            self._waiting = None

    async def _end_waiting(self) -> None:
        """Ends a wait at a stop."""
        await self._stopping.wait()
        if self._waiting is not None:
            self._waiting.reschedule(0)

    async def _process(self, batch: list[bytes]) -> list[bytes]:
        """Matches what of the batch fits the time, commits it, returns the next batch."""
        before = self._replica.tip
        self.clean = False
        events, taken = self._match(batch)
        blob = encode_events(events)
        self._replica.advance(blob, self._epoch)
        commit = Commit(
            self._epoch,
            before,
            self._replica.tip,
            batch[:taken],
            blob,
            self._changed_books(events),
        )
        batch = await self._commit(commit)
        self.clean = True
        self._hashes.passed(before.seq, self._replica)
        self._snapshotter.passed(self._replica)
        self._publisher.offer(before.seq + 1, commit.after, events)
        self._sparing.look(len(self._replica.exchange.orders))
        return batch

    def _match(self, batch: list[bytes]) -> tuple[list[Event], int]:
        exchange = self._replica.exchange
        events: list[Event] = []
        clock = asyncio.get_running_loop().time
        deadline = clock() + BATCH_SECONDS
        taken = 0
        for element in batch:
            events += exchange.apply(decode_command(element))
            taken += 1
            if taken & 31 == 0 and clock() > deadline:
                break
        return events, taken

    def _changed_books(self, events: list[Event]) -> dict[str, bytes]:
        books = self._replica.exchange.books
        touched = dict.fromkeys(map(_market, events))
        return {
            market: msgspec.json.encode(books[market].snapshot(BOOK_DEPTH))
            for market in touched
            if market in books
        }

    async def _commit(self, commit: Commit) -> list[bytes]:
        clock = asyncio.get_running_loop().time
        give_up = clock() + self._settings.lease_ms / 1000
        asked_again = False
        while True:
            try:
                outcome, batch = await self._store.commit(
                    commit, self._settings.lease_ms, MAX_BATCH
                )
                break
            except (InDoubt, Unreachable):
                # Who was held up for so long finds the answer late; then only asking again tells.
                if clock() > give_up and asked_again:
                    raise
                asked_again = True
                await asyncio.sleep(RESEND_SECONDS)
        if outcome in (Outcome.OK, Outcome.DUP):
            return batch
        await self._check_not_set_back(commit.before)
        raise Deposed(f"commit {commit.after.seq} of epoch {self._epoch}: {outcome.value}")

    async def _check_not_set_back(self, known: Tip) -> None:
        """Raises `StoreSetBack` where the journal does not reach as far as it did."""
        found = await self._store.tip()
        if is_older(found, known):
            raise set_back(known, found)

    async def _create_markets(self) -> None:
        for market in self._markets:
            if market.symbol not in self._replica.exchange.books:
                await self._store.ask(CreateMarket(market, self._now_ns()))

    async def _watch_expiries(self) -> None:
        """Asks for an expiry, through the queue, when a GTD order is due."""
        asked = 0
        while True:
            await asyncio.sleep(EXPIRY_CHECK_SECONDS)
            due = self._replica.exchange.next_expiry
            now = self._now_ns()
            if due is None or due > now:
                asked = 0
            elif now - asked > 1_000_000_000:
                asked = now
                await self._store.ask(ExpireOrders(now))
