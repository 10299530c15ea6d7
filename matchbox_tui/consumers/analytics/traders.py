"""The leaderboard: volume, realised profit and maker share of each trader."""

import heapq
from collections.abc import Callable

import msgspec

from matchbox_tui.consumers.names import clean
from matchbox_tui.engine import TradeExecuted
from matchbox_tui.store import LeaderboardStats, TraderStats

TRADERS_KEPT = 10_000
"""Traders of one market that have a record of their own: a few MB.

Who comes after them is counted together with others like them, in `untracked`: nobody in the
list is there by an estimate, and the sums are exact all the same.
"""

SHOWN = 20


class Standing(msgspec.Struct):
    """What one trader did in one market.

    `qty` is the position (buys less sells) and `cost` what it cost, with its sign, at the average
    price. All are integers: where a position is closed in part and its cost does not divide, what
    is left over stays with what is left open. So realised - cost is always the cash that came in,
    to the last tick, and realised alone is as soon as the position is closed.
    """

    volume: int = 0
    maker_qty: int = 0
    trades: int = 0
    qty: int = 0
    cost: int = 0
    realised: int = 0

    def fill(self, price: int, qty: int) -> None:
        """Moves the position by `qty` contracts, negative for a sale."""
        held = self.qty
        if held == 0 or (held > 0) == (qty > 0):
            self.qty += qty
            self.cost += price * qty
            return
        sign = 1 if held > 0 else -1
        closed = min(abs(qty), abs(held))
        freed = abs(self.cost) * closed // abs(held)
        self.realised += sign * (price * closed - freed)
        self.qty -= sign * closed
        self.cost -= sign * freed
        rest = abs(qty) - closed
        if rest:
            self.qty = -sign * rest
            self.cost = price * self.qty


class Traders(msgspec.Struct):
    """One market's traders. Who trades anonymously is not listed.

    Positions count from the first trade that the analytics know of: what a trader held before, they
    do not know the price of.
    """

    held: dict[str, Standing] = {}
    limit: int = TRADERS_KEPT
    untracked: int = 0
    """Contracts bought or sold by traders that have no record, each counted on its side."""

    def record(self, trade: TradeExecuted) -> None:
        qty = trade.qty
        bought = qty if trade.taker_side == "buy" else -qty
        self._fill(clean(trade.maker_trader), trade.price, -bought, qty)
        self._fill(clean(trade.taker_trader), trade.price, bought, 0)

    def stats(self) -> LeaderboardStats:
        """The best by volume and by profit; equals by name. O(traders log shown)."""
        return LeaderboardStats(
            len(self.held),
            self.untracked,
            self._best(lambda item: (-item[1].volume, item[0])),
            self._best(lambda item: (-item[1].realised, item[0])),
        )

    def _fill(self, trader: str, price: int, qty: int, made: int) -> None:
        if not trader:
            return
        standing = self.held.get(trader)
        if standing is None:
            if len(self.held) >= self.limit:
                self.untracked += abs(qty)
                return
            standing = self.held[trader] = Standing()
        standing.volume += abs(qty)
        standing.maker_qty += made
        standing.trades += 1
        standing.fill(price, qty)

    def _best(
        self, rank: Callable[[tuple[str, Standing]], tuple[int, str]]
    ) -> tuple[TraderStats, ...]:
        return tuple(
            TraderStats(
                name,
                standing.volume,
                standing.maker_qty,
                standing.trades,
                standing.qty,
                standing.cost,
                standing.realised,
            )
            for name, standing in heapq.nsmallest(SHOWN, self.held.items(), key=rank)
        )
