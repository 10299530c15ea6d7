"""The chart: prices and volume of the market that is looked at."""

from collections.abc import Sequence
from datetime import tzinfo

from textual.geometry import Size

from matchbox_tui.tui.chart_rows import chart_rows
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Panel, Row


class Chart(Panel):
    """Candles of the span that was chosen, followed at the slow pace."""

    def __init__(self, desk: Desk, ink: Ink, zone: tzinfo | None, key: str, *, id: str) -> None:
        super().__init__(desk, ink, id=id)
        self._zone = zone
        self._change = key

    def key(self) -> object:
        desk = self.desk
        return desk.symbol, desk.candle_span, id(desk.model.source)

    def drift(self) -> object:
        model = self.desk.model
        return model.candles(self.desk.symbol).revision, model.analytics.revision

    def rows(self, size: Size) -> Sequence[Row]:
        return chart_rows(self.desk, size.width, size.height, self._zone, self._change)
