"""The cluster: who leads, who follows, what waits, and how long our requests take."""

from collections.abc import Sequence

from textual.geometry import Size

from matchbox_tui.tui.cluster_rows import cluster_rows
from matchbox_tui.tui.panel import Panel, Row


class Cluster(Panel):
    """As of the last look, several times a second."""

    def key(self) -> object:
        return None

    def drift(self) -> object:
        model = self.desk.model
        return model.roster.looks, model.latencies.taken, model.traders_ended

    def rows(self, size: Size) -> Sequence[Row]:
        return cluster_rows(self.desk, size.width, size.height)
