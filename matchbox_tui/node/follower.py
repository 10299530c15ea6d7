"""Following: a warm standby that folds the journal and watches the leader."""

import asyncio
import contextlib

from matchbox_tui.node.settings import Settings
from matchbox_tui.store import JournalBroken, Replica, Store, Tenure

READ_AT_ONCE = 64
WAIT_MS = 500


async def follow(
    store: Store, settings: Settings, replica: Replica, stopping: asyncio.Event
) -> Tenure | None:
    """Keeps the replica at the journal's tip until this instance is elected, or is to stop.

    An election under way is finished first: who won unawares would hold up the others.
    Raises a `StoreError` where the server is lost or the journal can't be followed.
    """
    tailing = asyncio.ensure_future(_tail(store, replica))
    try:
        while not stopping.is_set():
            tenure = await _try_lead(store, settings)
            if tenure is not None:
                return tenure
            if tailing.done():
                tailing.result()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(settings.poll_ms / 1000):
                    await stopping.wait()
        return None
    finally:
        tailing.cancel()
        await asyncio.gather(tailing, return_exceptions=True)


async def catch_up(store: Store, replica: Replica, tenure: Tenure) -> None:
    """Applies the rest of the journal, up to the tip at the election.

    Raises `JournalBroken` where that tip is not reached exactly.
    """
    await _read_up_to(store, replica, tenure.tip.seq)
    if replica.tip != tenure.tip:
        raise JournalBroken(
            f"this instance is at {replica.seq}, the store at {tenure.tip.seq}:"
            " the store was set back to an older state"
        )


async def replay(store: Store) -> Replica:
    """The journal folded from its beginning. Raises `JournalBroken` where that can't be done."""
    replica = Replica()
    await _read_up_to(store, replica, (await store.tip()).seq)
    return replica


async def _read_up_to(store: Store, replica: Replica, seq: int) -> None:
    while replica.seq < seq:
        entries = await store.read(replica.seq, READ_AT_ONCE)
        if not entries:
            raise JournalBroken(f"the journal ends before {seq}, its own tip")
        for entry in entries:
            replica.apply(entry)


async def _try_lead(store: Store, settings: Settings) -> Tenure | None:
    view = await store.view()
    if view.leader is None:
        return await store.elect(settings.lease_ms)
    if view.gone:
        return await store.usurp(view.epoch, settings.lease_ms)
    return None


async def _tail(store: Store, replica: Replica) -> None:
    while True:
        for entry in await store.tail(replica.seq, READ_AT_ONCE, WAIT_MS):
            replica.apply(entry)
