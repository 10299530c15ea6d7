"""Analytics: what the journal tells of markets and traders, in whole numbers.

`Figures` is a pure fold over the journal: one file a figure, and the same numbers on every run
however the journal is read. A service follows the journal with it and writes to the store.
"""

from matchbox_tui.consumers.analytics.figures import Figures
from matchbox_tui.consumers.analytics.market import MarketFigures
from matchbox_tui.consumers.analytics.past import PastTrades, PastUnusable
from matchbox_tui.consumers.analytics.service import NAME, Analytics

__all__ = ["NAME", "Analytics", "Figures", "MarketFigures", "PastTrades", "PastUnusable"]
