"""The panels about this trader: open orders, positions, and the log of what happened."""

from collections.abc import Sequence
from datetime import tzinfo

from textual.geometry import Size

from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import plural
from matchbox_tui.tui.order_rows import (
    PanelHead,
    PositionHead,
    Words,
    log_rows,
    order_rows,
    position_rows,
)
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Panel, Row


class Orders(Panel):
    """The open orders of all markets, with one selected while the keys go here."""

    def key(self) -> object:
        return self.desk.model.revision, self.desk.model.source.seq

    def rows(self, size: Size) -> Sequence[Row]:
        desk = self.desk
        count = len(desk.orders)
        note = "x cancels" if desk.on_orders and count else plural(count, "open order")
        head = PanelHead("orders", note if count else "", desk.on_orders)
        return [head, *order_rows(desk, size.height - 1)]


class Positions(Panel):
    """Positions, valued at the last trade."""

    def key(self) -> object:
        return self.desk.model.revision, self.desk.model.source.seq

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
        rows += log_rows(self.desk, size.height - 1, self._zone)
        return rows if len(rows) > 1 else [*rows, Words(" nothing has happened yet")]
