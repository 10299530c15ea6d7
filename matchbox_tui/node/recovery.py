"""Recovery: the state out of the newest snapshot that holds and the journal after it."""

import asyncio
import logging
from collections.abc import AsyncIterator

from matchbox_tui.engine import MAX_ID, OrderAccepted
from matchbox_tui.store import (
    NO_PLACE,
    Base,
    Entry,
    JournalBroken,
    Replica,
    SnapshotFiles,
    Store,
    StoreSetBack,
    Tip,
)

log = logging.getLogger(__name__)

READ_AT_ONCE = 64
FIRST_READ = 8
COMMANDS_AT_ONCE = 2000
"""Commands whose events are decoded in one go: some milliseconds of work, and of memory what a
process that has other things beside it need not grow by.
"""


def next_read(limit: int, entries: int, commands: int) -> int:
    """How many entries to read next, when `limit` were asked for, so many came, and they had so
    many commands.

    Large commits are read one by one. More than `FIRST_READ` only while there is more to read, and
    then step by step: who was held up finds others than those before.
    """
    most = min(READ_AT_ONCE, 2 * limit) if entries == limit else FIRST_READ
    return max(1, min(most, COMMANDS_AT_ONCE * entries // commands)) if commands else most


async def recover(
    store: Store, files: SnapshotFiles | None = None, level: int = logging.INFO
) -> Replica:
    """The venue's state at the journal's tip, from the newest place from which it can be reached.

    Says so at `level`. Raises `JournalBroken` where there is none, and other `StoreError`s.
    """
    await store.check_tip()
    trouble = JournalBroken(NO_PLACE)
    async for base in _places(store, files):
        replica = base.replica
        began = replica.seq
        await store.keep_ids_rising(seen=base.order_id)
        try:
            highest = await read_up_to(store, replica, (await store.tip()).seq)
        except JournalBroken as error:
            log.warning("The journal can't be followed from %d: %s", began, error)
            trouble = error
        else:
            if began:
                log.log(level, "Recovered from snapshot %d, now at %d", began, replica.seq)
            if not store.highest_id:
                # The counter is lost, and no snapshot knows it.
                await store.keep_ids_rising(seen=highest)
            return replica
    raise trouble


async def _places(store: Store, files: SnapshotFiles | None) -> AsyncIterator[Base]:
    """Snapshots in the store, newest first; then files; then the journal's beginning."""
    if files is not None:
        await _compare(store, files)
    beginning = None
    async for base in store.archive.bases():
        if base.replica.seq:
            yield base
        else:
            beginning = base
    if files is not None:
        async for base in files.bases():
            if await store.archive.goes_on_from(base.replica.tip):
                yield base
    if beginning is not None:
        yield beginning


async def _compare(store: Store, files: SnapshotFiles) -> None:
    """Says so where the files know of more than the store: it was set back while we were away."""
    seq = (await store.tip()).seq
    if await asyncio.to_thread(files.newest_place) <= seq:
        return
    async for base in files.bases():
        if base.replica.seq > seq:
            await store.keep_ids_rising(seen=base.order_id)
            log.error(
                "THE STORE WAS SET BACK: %s holds the state at %d, the store has a journal up to"
                " %d. What came after that is gone",
                files.directory,
                base.replica.seq,
                seq,
            )
            return


async def read_up_to(store: Store, replica: Replica, seq: int) -> int:
    """Applies the journal up to `seq`, leaving the loop free between two commits.

    Returns the highest order id on the way. Raises `JournalBroken` where the journal doesn't reach
    that far.
    """
    highest = 0
    limit = FIRST_READ
    while replica.seq < seq:
        before = replica.seq
        entries = await store.read(before, limit)
        if not entries:
            raise JournalBroken(f"the journal ends before {seq}, its own tip")
        for entry in entries:
            replica.apply(entry)
            highest = max(highest, _highest_id(entry))
            await asyncio.sleep(0)
        limit = next_read(limit, len(entries), replica.seq - before)
    return highest


def _highest_id(entry: Entry) -> int:
    return max(
        (
            event.order_id
            for event in entry.events
            # Beyond that no counter gets: a foreign order with an id of its own making.
            if type(event) is OrderAccepted and event.order_id <= MAX_ID // 2
        ),
        default=0,
    )


def is_older(found: Tip, known: Tip) -> bool:
    """Whether the store's journal can't be the one that this instance knows up to `known`."""
    return found.seq < known.seq or (found.seq == known.seq and found != known)


def set_back(known: Tip, found: Tip) -> StoreSetBack:
    """What to raise where the store's journal is another one than it was."""
    return StoreSetBack(
        f"THE STORE WAS SET BACK: this instance knows the journal up to {known.seq}, the store has"
        f" another one up to {found.seq}. What came after its older state is gone"
    )
