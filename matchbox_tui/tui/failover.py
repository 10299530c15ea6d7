"""The panel that shows a fault and what came of it, while there is one to show."""

from collections.abc import Sequence

from textual.geometry import Size

from matchbox_tui.tui.panel import Panel, Row
from matchbox_tui.tui.recovery_rows import recovery_rows


class Failover(Panel):
    """Has no height while nothing is recovering."""

    def key(self) -> object:
        return self.desk.model.recoveries.revision

    def rows(self, size: Size) -> Sequence[Row]:
        recoveries = self.desk.model.recoveries
        if recoveries.current is None:
            return ()
        hides = self.desk.key("drop")
        return recovery_rows(recoveries.current, recoveries.count, hides)[: size.height]
