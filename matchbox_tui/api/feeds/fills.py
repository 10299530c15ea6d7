"""The feed of fills: each as one JSON text message, exactly once and in order.

`{"maker_order_id":1,"taker_order_id":2,"price":50,"qty":10,"timestamp":1711814400000000000,
"market":"MAIN","trade_id":"7-0","taker_side":"buy"}`: price in ticks, qty in contracts, timestamp
in ns. The trade_id is what a client that comes back gives as `?after=`.
"""

import logging

from matchbox_tui.api.feeds.channel import FAILED, Channel
from matchbox_tui.api.feeds.connection import Connection
from matchbox_tui.api.feeds.frames import json_frame
from matchbox_tui.api.feeds.handshake import WantsFills
from matchbox_tui.api.feeds.history import History, PastTrimmed
from matchbox_tui.api.feeds.pacer import Pacer
from matchbox_tui.api.trade_log import Place
from matchbox_tui.store import FillMessage

log = logging.getLogger(__name__)

UNKNOWN_TRADE = 1008

TRIMMED = (
    "after: fills since that trade were trimmed; connect without it, or with 0-0 for what is left"
)


class FillFeed:
    """Fills for those who want all, and for those who want a market's."""

    def __init__(self, history: History, pacer: Pacer, backlog: int) -> None:
        self._history = history
        self._pacer = pacer
        self._backlog = backlog
        self._channels: dict[str | None, Channel] = {}

    def __len__(self) -> int:
        """The clients that are at the live end; those in the past are not among them."""
        return sum(map(len, self._channels.values()))

    def subscribe(self, connection: Connection, wish: WantsFills) -> None:
        """Sends what is from now on, or from the wanted trade on."""
        if wish.after is None:
            self.join(connection, wish.market)
        else:
            connection.run(self._replay(connection, wish.market, wish.after))

    def join(self, connection: Connection, market: str | None) -> None:
        """Sends every fill that is folded from now on."""
        channel = self._channels.get(market)
        if channel is None:
            channel = self._channels[market] = Channel(
                self._pacer, self._backlog, lambda: self._drop(market)
            )
        channel.join(connection)

    def update(self, fills: list[FillMessage]) -> None:
        """Tells of the fills of one commit. Each is encoded once for all."""
        everybody = self._channels.get(None)
        for fill in fills:
            some = self._channels.get(fill.market)
            if everybody is None and some is None:
                continue
            frame = json_frame(fill)
            if everybody is not None:
                everybody.push(frame)
            if some is not None:
                some.push(frame)

    async def _replay(self, connection: Connection, market: str | None, after: Place) -> None:
        """Sends what a client missed, as fast as it reads, until it is live or gone."""
        try:
            if not await self._history.knows(after):
                connection.close(UNKNOWN_TRADE, "after: there is no such trade, connect without it")
                return
            async for fills in self._history.since(after):
                frames = [json_frame(fill) for fill in fills if market in (None, fill.market)]
                connection.write(b"".join(frames))
                await connection.drained()
            # Nothing was awaited since memory had no more.
            self.join(connection, market)
        except PastTrimmed:
            connection.close(UNKNOWN_TRADE, TRIMMED)
        except Exception:
            log.exception("A replay of fills ends with an unexpected error")
            connection.close(FAILED, "internal error")

    def _drop(self, market: str | None) -> None:
        del self._channels[market]
