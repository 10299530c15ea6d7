"""One trader's average prices and profits, as a fold over the trader's own fills."""

from dataclasses import dataclass

from matchbox_tui.engine import Position, Side

SCALE = 1000
"""Costs and profits are counted in thousandths of a tick x contract."""


@dataclass(frozen=True)
class Holding:
    """An open position, what it cost, and what the closed part has brought.

    Always realised = cash + cost, so that realised + unrealised = cash + qty x mark, exactly.
    """

    qty: int = 0
    cost: int = 0
    realised: int = 0

    @property
    def average(self) -> int:
        """The average price in thousandths of a tick, 0 where nothing is open."""
        return self.cost // self.qty if self.qty else 0

    def unrealised(self, mark: int) -> int:
        """What closing at `mark`, in half ticks, would add to what is realised."""
        return self.qty * mark * (SCALE // 2) - self.cost

    def filled(self, side: Side, price: int, qty: int) -> "Holding":
        """After a fill: closing keeps the average, opening moves it, turning over starts anew."""
        change = qty if side is Side.BUY else -qty
        after = self.qty + change
        paid = change * price * SCALE
        if self.qty * change >= 0:
            return Holding(after, self.cost + paid, self.realised)
        cost = self.cost * after // self.qty if after * self.qty > 0 else after * price * SCALE
        return Holding(after, cost, self.realised + cost - self.cost - paid)

    @classmethod
    def carried(cls, position: Position) -> "Holding":
        """A position whose fills are not known: its cost is the cash that went into it."""
        cost = -position.cash * SCALE if position.qty else 0
        return cls(position.qty, cost, position.cash * SCALE + cost)

    def fits(self, position: Position) -> bool:
        """Whether the fills that were folded are all that made this position."""
        return self.qty == position.qty and self.realised - self.cost == position.cash * SCALE


class Holdings:
    """What one trader holds, by market."""

    def __init__(self) -> None:
        self._held: dict[str, Holding] = {}

    def filled(self, market: str, side: Side, price: int, qty: int) -> None:
        self._held[market] = self._held.get(market, Holding()).filled(side, price, qty)

    def of(self, market: str, position: Position) -> Holding:
        """The holding, taken anew from the position where the fills don't add up to it."""
        held = self._held.get(market)
        if held is None or not held.fits(position):
            held = self._held[market] = Holding.carried(position)
        return held
