"""The ladder: one price a row, bids to its left, asks to its right."""

from collections.abc import Sequence

from textual.events import MouseDown, MouseScrollDown, MouseScrollUp
from textual.geometry import Size
from textual.message import Message

from matchbox_tui.engine import Side
from matchbox_tui.tui.cells import Segments
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.ladder_edges import LadderHead
from matchbox_tui.tui.ladder_rows import LadderRow
from matchbox_tui.tui.ladder_view import ladder_rows
from matchbox_tui.tui.news import greeting
from matchbox_tui.tui.order_rows import Words
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Panel, Row

WITH_HEAD = 3
"""From this height on there is a line above the prices."""

WHEEL = 3
"""Rows that a notch of the wheel moves."""


class Ladder(Panel):
    """Lets its window follow the market, then shows it."""

    class Picked(Message):
        """Somebody pressed on a price, and on a side of it where it was in a column of one."""

        def __init__(self, price: int, side: Side | None) -> None:
            super().__init__()
            self.price = price
            self.side = side

    def __init__(self, desk: Desk, ink: Ink, *, id: str) -> None:
        super().__init__(desk, ink, id=id)
        self._under: dict[int, Row | None] = {}

    def key(self) -> object:
        return super().key(), self.desk.heat

    def rows(self, size: Size) -> Sequence[Row]:
        desk = self.desk
        with_head = size.height >= WITH_HEAD
        desk.settle_view(size.height - with_head, size.width)
        if desk.gaze is None:
            return [Words(""), Words(f"  {greeting(desk.model, desk)}")]
        rows = ladder_rows(desk, size.width)
        if not with_head:
            return rows
        window = desk.gaze.window
        step = window.step if window.group > 1 else 0
        return [LadderHead(rows[0].columns, step, desk.cumulative), *rows]

    def _line(self, y: int, width: int) -> Segments:
        # What was painted last is what the pointer is on, however the book has moved since.
        self._under[y] = self._rows[y] if y < len(self._rows) else None
        return super()._line(y, width)

    def on_mouse_down(self, event: MouseDown) -> None:
        row = self._under.get(event.y)
        if event.button == 1 and isinstance(row, LadderRow) and row.price is not None:
            event.stop()
            self.post_message(self.Picked(row.price, row.columns.side_at(event.x)))

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        self._scroll(event, WHEEL)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        self._scroll(event, -WHEEL)

    def _scroll(self, event: MouseScrollUp | MouseScrollDown, rows: int) -> None:
        event.stop()
        self.desk.scroll(rows)
        self.renew()
