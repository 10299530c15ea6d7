"""What measuring a run ends with: values by name, and the series that the report draws."""

import msgspec

from sim.recording import FaultRow

Value = int | float | None


class KindFigures(msgspec.Struct, frozen=True):
    """What the agents of a kind did together. `commands` are about orders, those refused too;
    `trades` counts a trade once for each of its sides; `position` is in contracts, over all
    markets; `profit` is cash + position x mark at the end, in ticks x contracts, where the mark is
    the middle of the quotes, rounded down to a tick.
    """

    kind: str
    agents: int
    commands: int
    orders: int
    trades: int
    volume: int
    position: int
    profit: int
    order_to_trade_ratio: float | None


class Depth(msgspec.Struct, frozen=True):
    """A side of a book at one moment: prices in ticks from the best on, and contracts at each."""

    prices: tuple[int, ...]
    contracts: tuple[int, ...]


class MarketSeries(msgspec.Struct, frozen=True):
    """A market over time, a value for each column of `Measures.grid`: prices in ticks as they
    stood at its end (None: nobody bids or asks, or nothing was traded yet), the lowest and highest
    price traded within it, the contracts traded within it, and the best levels at its end.
    """

    symbol: str
    title: str
    tick: int
    best_bid: list[int | None]
    best_ask: list[int | None]
    last: list[int | None]
    low: list[int | None]
    high: list[int | None]
    volume: list[int]
    bids: list[Depth]
    asks: list[Depth]
    halts: list[tuple[int, int]]


class FaultSeries(msgspec.Struct, frozen=True):
    """A fault, and the queue around it: (ns from the fault, commands that waited)."""

    row: FaultRow
    queue: list[tuple[int, int]]

    @property
    def recovered_ms(self) -> float | None:
        recovered = self.row.recovered_us
        return None if recovered is None else recovered / 1000


class Measures(msgspec.Struct, frozen=True):
    """A run in numbers. `values` by the names of `MEASURES`.

    `grid` has the end of each column in ns since the run's start; `profits` is each kind's cash +
    position x mark at those times, whose sum over all kinds is 0; `queue` is the longest
    that the queue was among the samples of a column, None where none was taken. `problems` say
    why the journal could not be measured to its end.
    """

    values: dict[str, Value]
    kinds: list[KindFigures]
    grid: list[int]
    markets: list[MarketSeries]
    profits: dict[str, list[int]]
    queue: list[int | None]
    faults: list[FaultSeries]
    problems: list[str]
