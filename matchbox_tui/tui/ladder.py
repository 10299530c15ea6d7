"""The ladder: one price a row, bids to its left, asks to its right."""

from collections.abc import Sequence

from textual.geometry import Size

from matchbox_tui.tui.bar_rows import greeting
from matchbox_tui.tui.ladder_edges import LadderHead
from matchbox_tui.tui.ladder_rows import ladder_rows
from matchbox_tui.tui.order_rows import Words
from matchbox_tui.tui.panel import Panel, Row

WITH_HEAD = 3
"""From this height on there is a line above the prices."""


class Ladder(Panel):
    """Lets its window follow the market, then shows it."""

    def rows(self, size: Size) -> Sequence[Row]:
        desk = self.desk
        with_head = size.height >= WITH_HEAD
        desk.settle_view(size.height - with_head, size.width)
        if desk.gaze is None:
            return [Words(""), Words(f"  {greeting(desk.model, desk)}")]
        rows = list(ladder_rows(desk, size.width))
        return [LadderHead(rows[0].columns), *rows] if with_head else rows
