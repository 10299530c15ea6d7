"""A venue in this process: the same exchange, entries and answers, without a server."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

import msgspec

from matchbox_tui.engine import (
    CreateMarket,
    Event,
    Exchange,
    Market,
    NewOrder,
    Side,
    Tagged,
    encode_events,
)
from matchbox_tui.store import (
    ClusterStatus,
    Entry,
    InstanceStatus,
    Replica,
    StateHash,
    StoreError,
    chained,
)
from matchbox_tui.tui.analytics import Board

START = 1_767_225_600_000_000_000
"""2026-01-01 00:00:00 UTC."""

SECOND = 1_000_000_000

RAIN = Market.prediction("RAIN", "Will it rain in Oslo on Friday?")
SNOW = Market.prediction("SNOW", "Will there be snow on Christmas Eve?")


class LocalVenue:
    """Applies what is submitted at once, unless `held`; gone while `away`."""

    def __init__(self, markets: Iterable[Market] = (RAIN, SNOW)) -> None:
        self.exchange = Exchange()
        self.entries: list[Entry] = []
        self.epoch = 7
        self.leader: str | None = "node-2"
        self.away = False
        self.held = False
        self.analytics: Board | None = None
        self.waiting: list[NewOrder | Tagged] = []
        self._ids = 0
        self._moved = asyncio.Event()
        self.time = START
        for market in markets:
            self.commit([CreateMarket(market, START)])

    def commit(self, commands: Sequence[NewOrder | Tagged]) -> None:
        """One journal entry for the commands."""
        events: list[Event] = []
        for command in commands:
            events += self.exchange.apply(command)
        blob = encode_events(events)
        before = self.entries[-1].chain if self.entries else ""
        self.entries.append(
            Entry(self.exchange.seq, self.epoch, chained(before, blob), blob, events)
        )
        self._moved.set()
        self._moved = asyncio.Event()

    def order(
        self, side: Side, qty: int, price: int, trader: str = "", market: str = "RAIN"
    ) -> int:
        """An order of somebody's, a second after the one before."""
        self._ids += 1
        self.time += SECOND
        self.commit(
            [
                NewOrder(
                    order_id=self._ids,
                    market=market,
                    side=side,
                    price=price,
                    qty=qty,
                    timestamp=self.time,
                    trader=trader,
                )
            ]
        )
        return self._ids

    def release(self) -> None:
        """Commits what was held back."""
        waiting, self.waiting = self.waiting, []
        self.commit(waiting)

    async def connect(self) -> "LocalVenue":
        if self.away:
            raise StoreError("can't reach the server")
        return self

    async def restore(self, *, oldest: bool) -> Replica:
        return Replica()

    async def follow(self, replica: Replica) -> AsyncIterator[Entry]:
        while True:
            if self.away:
                raise StoreError("lost the server")
            moved = self._moved
            for entry in [entry for entry in self.entries if entry.seq > replica.seq]:
                replica.apply(entry)
                yield entry
            try:
                async with asyncio.timeout(0.05):
                    await moved.wait()
            except TimeoutError:
                continue

    async def submit(self, commands: Sequence[NewOrder | Tagged]) -> list[int]:
        if self.away:
            raise StoreError("can't reach the server")
        numbered: list[NewOrder | Tagged] = []
        ids = []
        for command in commands:
            if isinstance(command, NewOrder):
                self._ids += 1
                command = numbered_as(command, self._ids)
            ids.append(command.order_id if isinstance(command, NewOrder) else 0)
            numbered.append(command)
        if self.held:
            self.waiting += numbered
        else:
            self.commit(numbered)
        return ids

    async def cluster(self) -> ClusterStatus:
        if self.away:
            raise StoreError("can't reach the server")
        return ClusterStatus(
            self.leader,
            self.epoch,
            self.exchange.seq,
            len(self.waiting),
            instances=(),
            last_order_id=self._ids,
        )

    async def state_hashes(self, after: str) -> tuple[str, list[StateHash]]:
        return after, []

    async def close(self) -> None:
        pass


class Staffed(LocalVenue):
    """A venue with three instances."""

    async def cluster(self) -> ClusterStatus:
        status = await super().cluster()
        instances = tuple(
            InstanceStatus(
                f"node-{n}",
                "leading" if f"node-{n}" == self.leader else "follower",
                self.epoch,
                4240 + n,
                "host",
                status.seq,
                n,
                1,
                100,
            )
            for n in (1, 2, 3)
        )
        return msgspec.structs.replace(status, instances=instances)


def numbered_as(order: NewOrder, order_id: int) -> NewOrder:
    return NewOrder(
        order_id=order_id,
        **{
            field: getattr(order, field) for field in order.__struct_fields__ if field != "order_id"
        },
    )


def furnish(venue: LocalVenue, trader: str = "ada") -> None:
    """A market in full swing, the same one every time."""
    for step in range(1, 9):
        venue.order(Side.BUY, 40 + 37 * step % 90, 49 - step)
        venue.order(Side.SELL, 35 + 53 * step % 110, 50 + step)
    venue.order(Side.BUY, 25, 46, trader)
    venue.order(Side.SELL, 15, 54, trader)
    for qty, price, side in (
        (12, 51, Side.BUY),
        (30, 48, Side.SELL),
        (5, 51, Side.BUY),
        (60, 51, Side.BUY),
        (8, 52, Side.BUY),
        (20, 48, Side.SELL),
    ):
        venue.order(side, qty, price, "grace")
    venue.order(Side.BUY, 20, 52, trader)
    venue.epoch = 8
    venue.leader = "node-3"
    venue.order(Side.SELL, 10, 48, trader)
    venue.order(Side.BUY, 14, 52, "grace")
    venue.order(Side.BUY, 30, 35, trader, "SNOW")
    venue.order(Side.SELL, 12, 35, "grace", "SNOW")


def market() -> LocalVenue:
    """RAIN, where 40 contracts are bid at 48 and 30 offered at 52."""
    venue = LocalVenue()
    venue.order(Side.BUY, 40, 48)
    venue.order(Side.SELL, 30, 52)
    return venue
