"""The panels about this trader: open orders, positions, and the log of what happened."""

from collections.abc import Sequence
from datetime import tzinfo
from itertools import islice

from textual.geometry import Size

from matchbox_tui.tui.candles import SECOND_NS
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.order_rows import OrderHead, PanelHead, Words, log_rows, order_rows
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Panel, Row
from matchbox_tui.tui.position_rows import PositionHead, position_rows
from matchbox_tui.tui.queue_places import Places


class Orders(Panel):
    """The open orders of all markets, with one selected while the keys go here."""

    def __init__(self, desk: Desk, ink: Ink, *, id: str) -> None:
        super().__init__(desk, ink, id=id)
        self._places = Places()

    def key(self) -> object:
        return self.desk.model.revision

    def drift(self) -> object:
        # Others move the queues, and time the ages.
        return self.desk.model.source.seq, self.desk.clock() // SECOND_NS

    def rows(self, size: Size) -> Sequence[Row]:
        desk = self.desk
        head = OrderHead(len(desk.orders), desk.selected if desk.on_orders else None)
        return [head, *order_rows(desk, size.height - 1, self._places)]


class Positions(Panel):
    """Positions, valued at the last trade."""

    def key(self) -> object:
        return self.desk.model.revision

    def drift(self) -> object:
        return self.desk.model.source.seq

    def rows(self, size: Size) -> Sequence[Row]:
        return [PositionHead(), *position_rows(self.desk)][: size.height]


class Log(Panel):
    """What became of this trader's orders, newest first."""

    def __init__(self, desk: Desk, ink: Ink, zone: tzinfo | None, *, id: str) -> None:
        super().__init__(desk, ink, id=id)
        self._zone = zone

    def key(self) -> object:
        return self.desk.model.revision

    def rows(self, size: Size) -> Sequence[Row]:
        rows: list[Row] = [PanelHead("log")]
        room = max(size.height - 1, 0)
        rows += islice(log_rows(self.desk, size.width, room, self._zone), room)
        return rows if len(rows) > 1 else [*rows, Words(" nothing has happened yet")]
