"""One trader's average prices, as a fold over the trader's own fills."""

from dataclasses import dataclass

from matchbox_tui.engine import Position, Side


@dataclass(frozen=True)
class Holding:
    """An open position and what it cost, in thousandths of a tick x contract."""

    qty: int = 0
    cost: int = 0

    @property
    def average(self) -> int:
        """The average price in thousandths of a tick, 0 where nothing is open."""
        return self.cost // self.qty if self.qty else 0

    def filled(self, side: Side, price: int, qty: int) -> "Holding":
        """After a fill: closing keeps the average, opening moves it, turning over starts anew."""
        change = qty if side is Side.BUY else -qty
        after = self.qty + change
        if self.qty * change >= 0:
            return Holding(after, self.cost + change * price * 1000)
        if after * self.qty > 0:
            return Holding(after, self.cost * after // self.qty)
        return Holding(after, after * price * 1000)

    @classmethod
    def carried(cls, position: Position) -> "Holding":
        """A position whose fills are not known: its cost is the cash that went into it."""
        return cls(position.qty, -position.cash * 1000 if position.qty else 0)


class Holdings:
    """What one trader holds, by market."""

    def __init__(self) -> None:
        self._held: dict[str, Holding] = {}

    def filled(self, market: str, side: Side, price: int, qty: int) -> None:
        self._held[market] = self._held.get(market, Holding()).filled(side, price, qty)

    def of(self, market: str, position: Position) -> Holding:
        """The holding, taken anew from the position where the fills don't add up to it."""
        held = self._held.get(market)
        if held is None or held.qty != position.qty:
            held = self._held[market] = Holding.carried(position)
        return held
