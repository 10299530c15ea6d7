"""Who holds what: net position and net cash by trader and market."""

from collections.abc import Iterator

from matchbox_tui.engine.events import TradeExecuted
from matchbox_tui.engine.values import Position, Side


class Positions:
    """Every trader's position, as a fold over trades. All O(1) but the lists."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], list[int]] = {}

    def record(self, trade: TradeExecuted) -> None:
        """Moves the contracts to the buyer and the cash to the seller."""
        value = trade.price * trade.qty
        signed = trade.qty if trade.taker_side is Side.BUY else -trade.qty
        if signed < 0:
            value = -value
        self._add(trade.taker_trader, trade.market, signed, -value)
        self._add(trade.maker_trader, trade.market, -signed, value)

    def of(self, trader: str, market: str) -> Position:
        held = self._held.get((trader, market))
        return Position(held[0], held[1]) if held is not None else Position()

    def set(self, trader: str, market: str, position: Position) -> None:
        """Puts a position as a snapshot tells it."""
        self._held[trader, market] = [position.qty, position.cash]

    def items(self) -> Iterator[tuple[str, str, Position]]:
        """(trader, market, position), sorted. O(n log n)."""
        for trader, market in sorted(self._held):
            qty, cash = self._held[trader, market]
            yield trader, market, Position(qty, cash)

    def holders(self) -> list[tuple[str, str]]:
        """Each (trader, market) that has a position, in no order. O(n), and little for each."""
        return list(self._held)

    def unsorted(self) -> Iterator[tuple[str, str, Position]]:
        """As `items`, in no order. O(1) an item; nothing may be recorded meanwhile."""
        for (trader, market), (qty, cash) in self._held.items():
            yield trader, market, Position(qty, cash)

    def _add(self, trader: str, market: str, qty: int, cash: int) -> None:
        held = self._held.get((trader, market))
        if held is None:
            self._held[trader, market] = [qty, cash]
        else:
            held[0] += qty
            held[1] += cash
