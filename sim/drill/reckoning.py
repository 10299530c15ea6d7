"""The traders' record held against the journal: a fold of it from its beginning, by nobody else."""

from collections import Counter
from collections.abc import Iterable

import msgspec

from matchbox_tui.engine import OrderAccepted, OrderRejected
from matchbox_tui.store import Client, Entry, JournalBroken, Replica
from sim.floor import Doubt, FloorRecord
from sim.watcher import Sighting


class Executed(msgspec.Struct, frozen=True):
    """An order that was in doubt and did arrive."""

    trader: str
    client_order_id: str
    order_id: int


class Reckoning(msgspec.Struct):
    """What the journal says about what the traders were told.

    `lost` are acknowledged orders without a first outcome, `doubled` orders with more than one
    (also one client_order_id with two orders); both are order ids. `hashes` has the state hash
    after each of the commands that were asked for. `broken` says why the journal is none.
    """

    seq: int = 0
    commands: int = 0
    commits: int = 0
    lost: list[int] = msgspec.field(default_factory=list)
    doubled: list[int] = msgspec.field(default_factory=list)
    executed: list[Executed] = msgspec.field(default_factory=list)
    never_arrived: list[Doubt] = msgspec.field(default_factory=list)
    hashes: dict[int, str] = msgspec.field(default_factory=dict)
    altered: int | None = None
    """The first command whose journal entry is not the one that was seen when it was written."""
    broken: str | None = None


async def reckon(
    client: Client,
    record: FloorRecord,
    sightings: Iterable[Sighting] = (),
    hash_at: Iterable[int] = (),
) -> Reckoning:
    """Replays the venue's whole journal. Raises a `StoreError` where the server can't be read."""
    replica = Replica()
    folding = _Fold(replica, record, sightings, hash_at)
    try:
        async for entry in client.follow(replica, until=(await client.cluster()).seq):
            folding.take(entry)
    except JournalBroken as error:
        folding.result.broken = str(error)
    return folding.finished()


class _Fold:
    def __init__(
        self,
        replica: Replica,
        record: FloorRecord,
        sightings: Iterable[Sighting],
        hash_at: Iterable[int],
    ) -> None:
        self._replica = replica
        self._record = record
        self._seen = {sighting.seq: sighting.chain for sighting in sightings}
        self._hash_at = set(hash_at)
        self._doubts = set(record.doubts)
        self._outcomes: Counter[int] = Counter()
        self._arrived: dict[Doubt, list[int]] = {}
        self.result = Reckoning()

    def take(self, entry: Entry) -> None:
        result = self.result
        result.commits += 1
        result.commands += entry.count
        for event in entry.events:
            if isinstance(event, OrderAccepted | OrderRejected):
                self._outcomes[event.order_id] += 1
                order = event.order
                if order is not None and order.client_order_id:
                    name = Doubt(order.trader, order.client_order_id)
                    if name in self._doubts:
                        self._arrived.setdefault(name, []).append(event.order_id)
        if self._seen.pop(entry.seq, entry.chain) != entry.chain and result.altered is None:
            result.altered = entry.seq
        if entry.seq in self._hash_at:
            result.hashes[entry.seq] = self._replica.exchange.state_hash()

    def finished(self) -> Reckoning:
        result, record = self.result, self._record
        result.seq = self._replica.seq
        if self._seen and result.altered is None and result.broken is None:
            # Entries that were seen are not there at all.
            result.altered = min(self._seen)
        result.lost = [
            order_id
            for first, last in record.order_ids
            for order_id in range(first, last + 1)
            if order_id not in self._outcomes
        ]
        # An element that is no command has no id of its own.
        result.doubled = [one for one, times in self._outcomes.items() if one > 0 and times > 1]
        for doubt in record.doubts:
            ids = self._arrived.get(doubt, [])
            if not ids:
                result.never_arrived.append(doubt)
                continue
            result.executed.append(Executed(doubt.trader, doubt.client_order_id, ids[0]))
            result.doubled += [order_id for order_id in set(ids[1:]) if order_id != ids[0]]
        return result
