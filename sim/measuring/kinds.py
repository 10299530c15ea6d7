"""What each kind of agent did and earned, as the fold of the journal passes."""

from collections import Counter
from collections.abc import Mapping, Sequence

from matchbox_tui.engine import Side, TradeExecuted
from sim.measuring.form import KindFigures
from sim.measuring.market import Counts, ratio
from sim.recording import Trader

OTHERS = "others"
"""Who is on no roster: whoever opens the markets, or traded beside the agents."""

MOST_IDS = 1 << 26
"""Orders whose kind is remembered, by their ids from 1 on: a byte for each."""


class KindsFold:
    """Counts and holdings by kind. All O(1) but `profits`."""

    def __init__(self, roster: Sequence[Trader]) -> None:
        agents = Counter(trader.kind for trader in roster)
        # More kinds than a byte tells apart are nobody's roster.
        self.names = [OTHERS, *[name for name in agents if name != OTHERS][:254]]
        numbers = {name: number for number, name in enumerate(self.names)}
        self._agents = agents
        self._of_trader = {trader.name: numbers.get(trader.kind, 0) for trader in roster}
        self._of_order = bytearray(1024)
        self.counts = [Counts() for _ in self.names]
        self._held: list[dict[str, list[int]]] = [{} for _ in self.names]

    def of(self, trader: str) -> int:
        """The number of a trader's kind."""
        return self._of_trader.get(trader, 0)

    def of_order(self, order_id: int) -> int:
        """The number of the kind whose order this was, 0 where nobody knows."""
        return self._of_order[order_id] if 0 <= order_id < len(self._of_order) else 0

    def ordered(self, order_id: int, kind: int) -> None:
        """An order came from this kind."""
        if not 0 < order_id < MOST_IDS:
            return
        missing = order_id + 1 - len(self._of_order)
        if missing > 0:
            self._of_order.extend(bytes(missing + len(self._of_order)))
        self._of_order[order_id] = kind

    def traded(self, trade: TradeExecuted) -> None:
        """The contracts to the buyer's kind, the cash to the seller's."""
        taker, maker = self.of(trade.taker_trader), self.of(trade.maker_trader)
        qty, value = trade.qty, trade.price * trade.qty
        for kind in (taker, maker):
            self.counts[kind].trades += 1
            self.counts[kind].volume += qty
        if taker == maker:
            return
        if trade.taker_side is Side.SELL:
            taker, maker = maker, taker
        bought = self._held[taker].setdefault(trade.market, [0, 0])
        sold = self._held[maker].setdefault(trade.market, [0, 0])
        bought[0] += qty
        bought[1] -= value
        sold[0] -= qty
        sold[1] += value

    def profits(self, marks: Mapping[str, int]) -> list[int]:
        """Cash + position x mark of each kind. O(kinds x markets)."""
        return [
            sum(cash + qty * marks.get(market, 0) for market, (qty, cash) in held.items())
            for held in self._held
        ]

    def figures(self, marks: Mapping[str, int]) -> list[KindFigures]:
        """The kinds that there are, or that did anything."""
        return [
            KindFigures(
                kind=name,
                agents=self._agents[name],
                commands=counts.commands,
                orders=counts.orders,
                trades=counts.trades,
                volume=counts.volume,
                position=sum(qty for qty, _ in held.values()),
                profit=profit,
                order_to_trade_ratio=ratio(counts.commands, counts.trades),
            )
            for name, counts, held, profit in zip(
                self.names, self.counts, self._held, self.profits(marks), strict=True
            )
            if self._agents[name] or counts.commands
        ]
