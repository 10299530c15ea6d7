"""What the analytics say, as JSON in the store: the interface between them and all who show it.

Prices in ticks, quantities in contracts, sums of money in ticks x contracts, times in ns since the
epoch. All are whole numbers of any size: a mean is a sum and a count, to be divided by whoever
shows it.
"""

import msgspec

CANDLE_SPANS = {"1s": 10**9, "10s": 10 * 10**9, "1m": 60 * 10**9}
"""Lengths of candles in ns."""

CANDLES_KEPT = 1000
"""Candles of each length that are kept of a market."""


class Candle(msgspec.Struct, frozen=True, gc=False):
    """The trades from `time` on: first, highest, lowest and last price, contracts, count."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    trades: int


class PriceStats(msgspec.Struct, frozen=True):
    """`change` is last less the first price of `day`, the UTC day of the last trade; the
    volume-weighted average price is notional / volume.
    """

    last: int | None = None
    change: int | None = None
    day: Candle | None = None
    notional: int = 0
    volume: int = 0
    trades: int = 0


class QuoteStats(msgspec.Struct, frozen=True):
    """What the best prices were after each command (`samples`): of those that left somebody on
    both sides (`two_sided`) the spread, and the contracts at the best bid and ask.
    """

    samples: int = 0
    two_sided: int = 0
    spread_sum: int = 0
    spread_min: int | None = None
    spread_max: int | None = None
    bid_qty_sum: int = 0
    ask_qty_sum: int = 0


class FlowWindow(msgspec.Struct, frozen=True, gc=False):
    """The order-flow imbalance of 10 s, in contracts."""

    time: int
    flow: int


class FlowStats(msgspec.Struct, frozen=True):
    """Order-flow imbalance (Cont, Kukanov and Stoikov 2014): above zero where more was added to the
    best bid, or taken from the best ask, than the other way round.
    """

    total: int = 0
    windows: tuple[FlowWindow, ...] = ()


class ActivityStats(msgspec.Struct, frozen=True):
    """`messages` are orders + replaces + cancels; the order-to-trade ratio is messages / trades."""

    messages: int = 0
    trades: int = 0
    orders: int = 0
    replaces: int = 0
    cancels: int = 0
    expiries: int = 0
    rejections: int = 0


class TraderStats(msgspec.Struct, frozen=True, gc=False):
    """Contracts traded, of them as maker; fills; position, what it cost at the average price, and
    the profit that was realised.
    """

    trader: str
    volume: int
    maker_qty: int
    trades: int
    position: int
    cost: int
    realised: int


class LeaderboardStats(msgspec.Struct, frozen=True):
    """The best of `traders`; `untracked` contracts are of further ones, who have no record."""

    traders: int = 0
    untracked: int = 0
    by_volume: tuple[TraderStats, ...] = ()
    by_profit: tuple[TraderStats, ...] = ()


class MarketStats(msgspec.Struct, frozen=True):
    """One market's figures up to the command `sequence`, the last that concerned it."""

    market: str
    sequence: int = 0
    prices: PriceStats = PriceStats()
    quotes: QuoteStats = QuoteStats()
    flow: FlowStats = FlowStats()
    activity: ActivityStats = ActivityStats()
    leaderboard: LeaderboardStats = LeaderboardStats()


class HealthWindow(msgspec.Struct, frozen=True, gc=False):
    """Commands and events of one second of the commands' own timestamps."""

    time: int
    commands: int
    events: int


class HealthStats(msgspec.Struct, frozen=True):
    """The venue's commits, by size: of 1 command, 2 to 3, 4 to 7, ... 1024 or more."""

    commits: int = 0
    commands: int = 0
    events: int = 0
    largest_commit: int = 0
    commit_sizes: tuple[int, ...] = ()
    windows: tuple[HealthWindow, ...] = ()


class VenueStats(msgspec.Struct, frozen=True):
    """How far the analytics are: they count the commands from `since` to `sequence`.

    Prices, candles and the leaderboard count trades from the command `history_from` on, which is
    earlier than `since` where a database told of them.
    """

    sequence: int
    since: int
    health: HealthStats
    history_from: int = 0
