"""Spread, and depth at the best prices."""

import msgspec

from matchbox_tui.store import QuoteStats


class Quotes(msgspec.Struct):
    """Sums over what one market's best prices were after each command for it.

    Each command counts once, however long its book stood: what the commands say of the time can't
    be relied on, and a weight by it would let one wrong clock outweigh everything. Sums of spread
    and depth are over the commands that left both sides with somebody on them.
    """

    samples: int = 0
    two_sided: int = 0
    spread_sum: int = 0
    spread_min: int | None = None
    spread_max: int | None = None
    bid_qty_sum: int = 0
    ask_qty_sum: int = 0

    def see(self, bid: int, bid_qty: int, ask: int, ask_qty: int) -> None:
        """Takes in the best prices and what rests there; the quantity is 0 where nobody is."""
        self.samples += 1
        if not bid_qty or not ask_qty:
            return
        spread = ask - bid
        self.two_sided += 1
        self.spread_sum += spread
        self.bid_qty_sum += bid_qty
        self.ask_qty_sum += ask_qty
        if self.spread_min is None or spread < self.spread_min:
            self.spread_min = spread
        if self.spread_max is None or spread > self.spread_max:
            self.spread_max = spread

    def stats(self) -> QuoteStats:
        return QuoteStats(
            self.samples,
            self.two_sided,
            self.spread_sum,
            self.spread_min,
            self.spread_max,
            self.bid_qty_sum,
            self.ask_qty_sum,
        )
