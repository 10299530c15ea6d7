"""The analytics of the market that is looked at."""

from collections.abc import Sequence

from textual.geometry import Size

from matchbox_tui.tui.analytics_rows import analytics_rows
from matchbox_tui.tui.candles import SECOND_NS
from matchbox_tui.tui.panel import Panel, Row


class AnalyticsPanel(Panel):
    """As of the last look, about once a second."""

    def key(self) -> object:
        return self.desk.symbol

    def drift(self) -> object:
        desk = self.desk
        return desk.model.analytics.revision, desk.model.trader, desk.clock() // SECOND_NS

    def rows(self, size: Size) -> Sequence[Row]:
        return analytics_rows(self.desk, size.height)
