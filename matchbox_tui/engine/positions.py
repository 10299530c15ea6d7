"""Who holds what: net position and net cash by trader and market."""

from collections.abc import Iterator

from matchbox_tui.engine.events import TradeExecuted
from matchbox_tui.engine.values import Position, Side

_BUY = Side.BUY


class Positions:
    """Every trader's position, as a fold over trades. All O(1) but the lists."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], list[int]] = {}

    def record(self, trade: TradeExecuted) -> None:
        """Moves the contracts to the buyer and the cash to the seller."""
        bought = trade.qty if trade.taker_side is _BUY else -trade.qty
        paid = bought * trade.price
        if trade.maker_trader == trade.taker_trader:
            bought = paid = 0
        else:
            self.move(trade.maker_trader, trade.market, -bought, paid)
        self.move(trade.taker_trader, trade.market, bought, -paid)

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

    def move(self, trader: str, market: str, qty: int, cash: int) -> None:
        """Adds contracts and cash, 0 of each for who traded with itself: it is a holder then."""
        held = self._held.get((trader, market))
        if held is None:
            self._held[trader, market] = [qty, cash]
        else:
            held[0] += qty
            held[1] += cash
