"""The feed of a trader's orders: see `order_messages` for what it says."""

from matchbox_tui.api.feeds.channel import Channel
from matchbox_tui.api.feeds.connection import Connection
from matchbox_tui.api.feeds.frames import json_frame
from matchbox_tui.api.feeds.order_messages import told, told_of_trade
from matchbox_tui.api.feeds.pacer import Pacer
from matchbox_tui.api.view import VenueView
from matchbox_tui.engine import (
    Event,
    MarketCreated,
    MarketHalted,
    MarketResumed,
    OrderAccepted,
    OrderRejected,
    TradeExecuted,
)


class OrderFeed:
    """The order events of those traders for whom somebody listens."""

    def __init__(self, view: VenueView, pacer: Pacer, backlog: int) -> None:
        self._view = view
        self._pacer = pacer
        self._backlog = backlog
        self._channels: dict[str | None, Channel] = {}

    def __len__(self) -> int:
        return sum(map(len, self._channels.values()))

    def subscribe(self, connection: Connection, trader: str) -> None:
        """Sends what happens to the trader's orders from now on."""
        channel = self._channels.get(trader)
        if channel is None:
            channel = self._channels[trader] = Channel(
                self._pacer, self._backlog, lambda: self._drop(trader)
            )
        channel.join(connection)

    def note(self, event: Event) -> None:
        """Tells of an event, before the order log takes it in. O(1)."""
        if not self._channels:
            return
        if isinstance(event, TradeExecuted):
            for trader, maker in ((event.maker_trader, True), (event.taker_trader, False)):
                channel = self._channels.get(trader)
                if channel is not None:
                    channel.push(json_frame(told_of_trade(event, maker=maker)))
            return
        channel = self._channels.get(self._owner(event))
        if channel is not None and (message := told(event)) is not None:
            channel.push(json_frame(message))

    def _owner(self, event: Event) -> str | None:
        """The trader whose order the event is about, where there is one and it is known."""
        match event:
            case OrderAccepted() | OrderRejected():
                return event.order.trader if event.order is not None else None
            case TradeExecuted() | MarketCreated() | MarketHalted() | MarketResumed():
                return None
            case _:
                record = self._view.orders.get(event.order_id)
                return record.order.trader if record is not None else None

    def _drop(self, trader: str) -> None:
        del self._channels[trader]
