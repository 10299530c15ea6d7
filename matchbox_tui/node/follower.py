"""Following: a warm standby that folds the journal and watches the leader."""

import asyncio
import contextlib

from matchbox_tui.node.hashes import HashMarks
from matchbox_tui.node.recovery import (
    FIRST_READ,
    is_older,
    next_read,
    read_up_to,
    set_back,
)
from matchbox_tui.node.settings import Settings
from matchbox_tui.node.snapshotter import Snapshotter
from matchbox_tui.store import Replica, Sparing, Store, Tenure

WAIT_MS = 500

QUIET_SECONDS = 5.0
QUIET_POLLS = 4
"""Where nothing has happened for so long, looks for a dead leader are as many times as far apart:
looking is all that a follower uses of the processor then.
"""

STOP_CAN_WAIT_SECONDS = 0.05


async def follow(
    store: Store,
    settings: Settings,
    replica: Replica,
    stopping: asyncio.Event,
    hashes: HashMarks,
    snapshotter: Snapshotter,
) -> Tenure | None:
    """Keeps the replica at the journal's tip until this instance is elected, or is to stop.

    An election under way is finished first: who won unawares would hold up the others.
    Raises a `StoreError` where the server is lost or the journal can't be followed, `StoreSetBack`
    where the store is at an older state than the replica.
    """
    tailing = asyncio.ensure_future(_tail(store, replica, hashes, snapshotter))
    clock, poll_s = asyncio.get_running_loop().time, settings.poll_ms / 1000
    seq, moved = replica.seq, clock()
    try:
        while not stopping.is_set():
            tenure = await _try_lead(store, settings, replica)
            if tenure is not None:
                return tenure
            if tailing.done():
                tailing.result()
            if replica.seq != seq:
                seq, moved = replica.seq, clock()
            quiet = clock() - moved > QUIET_SECONDS
            await _pause(poll_s * QUIET_POLLS if quiet else poll_s, stopping)
        return None
    finally:
        tailing.cancel()
        await asyncio.gather(tailing, return_exceptions=True)


async def _pause(seconds: float, stopping: asyncio.Event) -> None:
    if seconds <= STOP_CAN_WAIT_SECONDS:
        # The cheapest wait there is.
        await asyncio.sleep(seconds)
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stopping.wait()


async def catch_up(store: Store, replica: Replica, tenure: Tenure) -> None:
    """Applies the rest of the journal, up to the tip at the election.

    Raises `StoreSetBack` where that tip is not reached exactly.
    """
    await read_up_to(store, replica, tenure.tip.seq)
    if replica.tip != tenure.tip:
        raise set_back(replica.tip, tenure.tip)


async def _try_lead(store: Store, settings: Settings, replica: Replica) -> Tenure | None:
    known = replica.tip
    view = await store.view()
    if is_older(view.tip, known):
        raise set_back(known, view.tip)
    if view.leader is None:
        return await store.elect(settings.lease_ms)
    if view.gone:
        return await store.usurp(view.epoch, settings.lease_ms)
    return None


async def _tail(
    store: Store, replica: Replica, hashes: HashMarks, snapshotter: Snapshotter
) -> None:
    sparing = Sparing()
    limit = FIRST_READ
    while True:
        began = replica.seq
        entries = await store.tail(began, limit, WAIT_MS)
        for entry in entries:
            before = replica.seq
            replica.apply(entry)
            hashes.passed(before, replica)
            sparing.look(len(replica.exchange.orders))
            await asyncio.sleep(0)
        limit = next_read(limit, len(entries), replica.seq - began)
        await snapshotter.offer(replica)
