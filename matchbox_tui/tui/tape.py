"""The tape: what traded, newest first."""

from collections.abc import Sequence
from datetime import tzinfo

from textual.geometry import Size

from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.order_rows import Words
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Panel, Row
from matchbox_tui.tui.tape_rows import tape_rows


class Tape(Panel):
    """Shows the newest prints of the market that is looked at."""

    def __init__(self, desk: Desk, ink: Ink, zone: tzinfo | None, *, id: str) -> None:
        super().__init__(desk, ink, id=id)
        self._zone = zone

    def key(self) -> object:
        model = self.desk.model
        return self.desk.symbol, model.printed, len(model.leaders), id(model.source)

    def rows(self, size: Size) -> Sequence[Row]:
        rows: list[Row] = [*tape_rows(self.desk, size.height - 1, self._zone)]
        return rows if len(rows) > 1 else [*rows, Words(" no trade yet")]
