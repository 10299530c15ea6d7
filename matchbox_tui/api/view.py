"""The venue as the journal tells of it: what every read is answered from.

A view of its own, beside the replica of the engine node in the same process: a leader's replica
is ahead of the journal by what it has matched and not yet committed, and nobody may see that.
"""

import asyncio
import logging
from collections.abc import Callable

from matchbox_tui.api.order_log import OrderLog
from matchbox_tui.api.trade_log import TradeLog
from matchbox_tui.engine import Event, Exchange
from matchbox_tui.store import Entry, FillMessage, Replica

log = logging.getLogger(__name__)


class Update:
    """One commit as the feeds get it: its events and its fills."""

    __slots__ = ("events", "fills", "seq")

    def __init__(self, seq: int, events: list[Event], fills: list[FillMessage]) -> None:
        self.seq = seq
        self.events = events
        self.fills = fills


class VenueView:
    """A replica, the orders and trades that led to it, and who wants to hear of more."""

    def __init__(self) -> None:
        self.replica = Replica()
        self.orders = OrderLog()
        self.trades = TradeLog()
        self.adopted = False
        """Whether this is a state of the venue, and not the empty one before the first."""
        self.on_event: list[Callable[[Event], None]] = []
        """Called with each event before orders and trades take it in: they show what was before,
        and the replica shows the whole commit. Must not raise.
        """
        self.on_update: list[Callable[[Update], None]] = []
        """Called after each commit, when the view shows it."""
        self.on_reset: list[Callable[[], None]] = []
        """Called when the view was begun anew: what is said next doesn't follow what was said."""
        self._moved = asyncio.Event()

    @property
    def exchange(self) -> Exchange:
        return self.replica.exchange

    @property
    def seq(self) -> int:
        return self.replica.seq

    async def moves(self) -> None:
        """Waits for the next commit."""
        await self._moved.wait()

    async def adopt(self, replica: Replica) -> None:
        """Begins anew from a replica that was restored. O(n log n) in its open orders.

        Until all is ready the view shows what it did; the loop is left free in between.
        """
        orders = OrderLog()
        await orders.load(replica.exchange)
        self.replica = replica
        self.orders = orders
        self.trades = TradeLog(replica.seq)
        self.adopted = True
        self._move()
        self._reset()

    def fold(self, entry: Entry) -> None:
        """Takes in an entry that the replica has just applied."""
        fills = []
        for event in entry.events:
            for listener in self.on_event:
                try:
                    listener(event)
                except Exception:
                    self._failed(entry.seq)
            self.orders.fold(event)
            fill = self.trades.fold(event)
            if fill is not None:
                fills.append(fill)
        self._move()
        update = Update(entry.seq, entry.events, fills)
        for callback in self.on_update:
            try:
                callback(update)
            except Exception:
                self._failed(entry.seq)

    def _failed(self, seq: int) -> None:
        """Reads go on where a listener failed; what it has said so far is not to be relied on."""
        log.exception("A listener failed at %d; all feeds begin anew", seq)
        self._reset()

    def _move(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _reset(self) -> None:
        for callback in self.on_reset:
            try:
                callback()
            except Exception:
                log.exception("A listener failed to begin anew")
