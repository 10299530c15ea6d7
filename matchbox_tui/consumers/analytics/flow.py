"""Order-flow imbalance: how much more was added to the bid than to the ask.

As in R. Cont, A. Kukanov, S. Stoikov, The Price Impact of Order Book Events, Journal of Financial
Econometrics 12 (2014): each change of the best prices or of what rests there counts with its
sign, and the sum over an interval goes with the change of the price.
"""

import msgspec

from matchbox_tui.consumers.analytics.windows import Windows
from matchbox_tui.engine import MAX_PRICE
from matchbox_tui.store import FlowStats, FlowWindow

NO_BID, NO_ASK = 0, MAX_PRICE + 1
"""The best prices of a side on which nobody is: worse than any, and 0 rests there."""

SPAN = 10_000_000_000
"""The paper's interval, in ns."""

WINDOWS_KEPT = 30


def _windows() -> Windows:
    return Windows(SPAN, WINDOWS_KEPT)


class Flow(msgspec.Struct):
    """One market's imbalance, from command to command. In contracts; bids count positive."""

    bid: int = NO_BID
    bid_qty: int = 0
    ask: int = NO_ASK
    ask_qty: int = 0
    total: int = 0
    windows: Windows = msgspec.field(default_factory=_windows)

    def begin(self, bid: int, bid_qty: int, ask: int, ask_qty: int) -> None:
        """Starts at a book that is there already."""
        self.bid, self.bid_qty, self.ask, self.ask_qty = bid, bid_qty, ask, ask_qty

    def see(self, bid: int, bid_qty: int, ask: int, ask_qty: int, timestamp: int) -> None:
        """Takes in the best prices after a command of a time in ns."""
        flow = 0
        if bid != self.bid or bid_qty != self.bid_qty:
            if bid >= self.bid:
                flow += bid_qty
            if bid <= self.bid:
                flow -= self.bid_qty
            self.bid, self.bid_qty = bid, bid_qty
        if ask != self.ask or ask_qty != self.ask_qty:
            if ask <= self.ask:
                flow -= ask_qty
            if ask >= self.ask:
                flow += self.ask_qty
            self.ask, self.ask_qty = ask, ask_qty
        if flow:
            self.total += flow
            window = self.windows.at(timestamp)
            if window:
                window[0] += flow
            else:
                window.append(flow)

    def stats(self) -> FlowStats:
        windows = self.windows.last(WINDOWS_KEPT)
        return FlowStats(
            self.total, tuple(FlowWindow(start, values[0]) for start, values in windows)
        )
