"""Recovery: the state out of the newest snapshot that holds and the journal after it."""

import asyncio
import logging

from matchbox_tui.store import JournalBroken, Replica, Store

log = logging.getLogger(__name__)

READ_AT_ONCE = 64


async def recover(store: Store) -> Replica:
    """The venue's state at the journal's tip, from the newest place from which it can be reached.

    Raises `JournalBroken` where there is none, and other `StoreError`s.
    """
    trouble = JournalBroken("the journal's beginning is gone, and no snapshot of it can be used")
    async for base in store.archive.bases():
        replica = base.replica
        began = replica.seq
        await store.keep_ids_rising(base.order_id)
        try:
            await read_up_to(store, replica, (await store.tip()).seq)
        except JournalBroken as error:
            log.warning("The journal can't be followed from %d: %s", began, error)
            trouble = error
        else:
            if began:
                log.info("Recovered from snapshot %d, now at %d", began, replica.seq)
            return replica
    raise trouble


async def read_up_to(store: Store, replica: Replica, seq: int) -> None:
    """Applies the journal up to `seq`, leaving the loop free between two commits.

    Raises `JournalBroken` where it doesn't reach that far.
    """
    while replica.seq < seq:
        entries = await store.read(replica.seq, READ_AT_ONCE)
        if not entries:
            raise JournalBroken(f"the journal ends before {seq}, its own tip")
        for entry in entries:
            replica.apply(entry)
            await asyncio.sleep(0)
