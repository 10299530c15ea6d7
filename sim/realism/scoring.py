"""From a market's series to its findings."""

from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise

from sim.durations import UNITS
from sim.measuring.quantiles import weighted
from sim.realism.facts import FACTS
from sim.realism.form import Finding, MarketScore
from sim.realism.statistics import (
    autocorrelations,
    correlation,
    dispersion,
    excess_kurtosis,
    hurst,
    mean,
    moments,
    sums,
    tail_index,
)
from sim.realism.tape import REACH, MarketTape

TRADES = 25
"""Trades, on average, in the time over which a return is taken."""

ENOUGH_RETURNS = 2_000
ENOUGH_TRADES = 2_000
ENOUGH_ORDERS = 2_000
ENOUGH_LOOKS = 500
LONG_TRADES = 50_000

NORMAL = 0.5
"""Up to this excess kurtosis there is nothing that could come closer to a normal distribution."""

MS = UNITS["ms"]


class TooLittleError(ValueError):
    """There are not enough data for a figure; the words say what is missing."""


def score_market(tape: MarketTape, step: int) -> MarketScore:
    """All facts, of a market whose columns are `step` ns apart."""
    series = Series(tape, step)
    return MarketScore(
        symbol=tape.symbol,
        trades=sum(tape.counts),
        interval=series.width * step,
        findings=[_finding(name, series) for name in FACTS],
    )


class Series:
    """What the figures are taken from."""

    def __init__(self, tape: MarketTape, step: int) -> None:
        self.tape = tape
        self.step = step
        trades = sum(tape.counts)
        self.width = max(1, -(-TRADES * len(tape.counts) // trades)) if trades else 1
        """Columns of an interval."""

    @cached_property
    def _intervals(self) -> tuple[list[float], list[float]]:
        """Returns in ticks, and the number of trades in the same intervals; those at whose ends
        nobody quoted are left out.
        """
        tape, width = self.tape, self.width
        ends = range(width - 1, len(tape.middles), width)
        returns, counts = [], []
        for begin, end in pairwise(ends):
            before, after = tape.middles[begin], tape.middles[end]
            if before >= 0 and after >= 0:
                returns.append((after - before) / 2)
                counts.append(float(sum(tape.counts[begin + 1 : end + 1])))
        return returns, counts

    @property
    def returns(self) -> list[float]:
        """Raises `TooLittleError`."""
        found = self._intervals[0]
        _enough(len(found), ENOUGH_RETURNS, "returns")
        if not any(found):
            raise TooLittleError("the price never moved")
        return found

    @property
    def sizes(self) -> list[float]:
        """Of the returns."""
        return [abs(one) for one in self.returns]

    @property
    def counts(self) -> list[float]:
        """Trades in the interval of each return."""
        return self._intervals[1]

    @cached_property
    def trade_waits(self) -> list[int]:
        """Times between trades, those at the same moment being one."""
        return _waits(self.tape.trade_times, ENOUGH_TRADES, "trades")

    @cached_property
    def order_waits(self) -> list[int]:
        """Times between new orders, those at the same moment being one."""
        return _waits(self.tape.order_times, ENOUGH_ORDERS, "orders")

    def signs(self, least: int) -> Sequence[int]:
        """The takers' sides, of so many trades at least."""
        _enough(len(self.tape.signs), least, "trades")
        return self.tape.signs

    @property
    def touches(self) -> list[int]:
        """Contracts at the best prices."""
        _enough(len(self.tape.touches), ENOUGH_LOOKS, "looks at the best prices")
        return self.tape.touches

    @property
    def spread(self) -> float:
        """The mean of the spread over time, in ticks."""
        quoted = self.tape.quoted
        return sum(one * time for one, time in quoted.items()) / sum(quoted.values())

    def told(self, name: str) -> str:
        """What else is to be known about a figure, where there is something."""
        tape = self.tape
        if name == "returns_autocorrelation":
            first = autocorrelations(self.returns, (1,))[0]
            seconds = self.width * self.step / UNITS["s"]
            return f"{len(self.returns):,} returns over {seconds:.3g} s; {first:.2f} at lag 1"
        if name == "spread_tail":
            total = sum(tape.quoted.values())
            tick = tape.book.market.tick
            narrow = sum(time for one, time in tape.quoted.items() if one <= 2 * tick)
            return (
                f"mean {self.spread:.2f} ticks;"
                f" {100 * tape.quoted.get(tick, 0) / total:.0f} % of the time the least there is,"
                f" {100 * narrow / total:.0f} % at most twice that"
            )
        if name == "depth_hump":
            peak = tape.profile.index(max(tape.profile))
            return f"{peak} behind the best price" if peak else "at the best price"
        if name in ("trade_waits", "order_waits"):
            waits = self.trade_waits if name == "trade_waits" else self.order_waits
            return f"mean {mean(waits) / MS:.3g} ms"
        return ""


def _finding(name: str, series: Series) -> Finding:
    fact = FACTS[name]
    try:
        figure = _FIGURES[name](series)
        more = series.told(name)
    except ValueError as error:
        return Finding(name, None, None, f"too little to tell: {error}")
    # Rounded, since the last digits are the machine's; and judged as it is shown.
    figure = float(f"{figure:.3g}")
    ok = fact.like(figure)
    words = fact.holds if ok else fact.lacks
    return Finding(name, figure, ok, f"{words} ({more})" if more else words)


def _enough(count: int, least: int, what: str) -> None:
    if count < least:
        raise TooLittleError(f"{count:,} {what}, of which it takes {least:,}")


def _waits(times: Sequence[int], least: int, what: str) -> list[int]:
    moments = sorted(set(times))
    _enough(len(moments), least, what)
    return [after - before for before, after in pairwise(moments)]


def _autocorrelation(series: Series) -> float:
    return max(map(abs, autocorrelations(series.returns, range(2, 21))))


def _tail(series: Series) -> float:
    returns = series.returns
    # The middle may lie half-way between two prices.
    return tail_index(returns, len(returns) // 40, series.tape.book.market.tick / 2)


def _aggregation(series: Series) -> float:
    alone = excess_kurtosis(series.returns)
    if alone < NORMAL:
        raise TooLittleError("returns are nearly normal to begin with")
    return excess_kurtosis(sums(series.returns, 8)) / alone


def _spread_volatility(series: Series) -> float:
    before = series.tape.before
    _enough(len(before), ENOUGH_TRADES, "trades")
    squares = [
        ((late - early) / 2) ** 2 for early, late in pairwise(before) if early >= 0 and late >= 0
    ]
    moved = mean(squares)
    if not moved:
        raise TooLittleError("the price never moved")
    return mean([spread for spread in series.tape.spreads if spread >= 0]) / float(moved**0.5)


def _spread_tail(series: Series) -> float:
    _enough(len(series.tape.touches), ENOUGH_LOOKS, "looks at the best prices")
    wide = weighted(series.tape.quoted, 990)
    if wide is None:
        raise TooLittleError("nobody quoted both sides")
    return wide / series.spread


def _depth_touch(series: Series) -> float:
    middle, variance = moments(series.touches)
    if not variance:
        raise TooLittleError("it was always the same")
    return middle * middle / variance


def _depth_hump(series: Series) -> float:
    _enough(len(series.tape.touches), ENOUGH_LOOKS, "looks at the best prices")
    profile = series.tape.profile
    if not profile[0]:
        raise TooLittleError("nobody quoted both sides")
    return max(profile[1 : REACH + 1]) / profile[0]


_FIGURES: dict[str, Callable[[Series], float]] = {
    "returns_autocorrelation": _autocorrelation,
    "returns_kurtosis": lambda series: excess_kurtosis(series.returns),
    "returns_tail": _tail,
    "returns_aggregation": _aggregation,
    "volatility_clustering": lambda series: mean(autocorrelations(series.sizes, range(1, 11))),
    "volatility_memory": lambda series: mean(autocorrelations(series.sizes, range(20, 51))),
    "volume_volatility": lambda series: correlation(series.sizes, series.counts),
    "spread_volatility": _spread_volatility,
    "spread_tail": _spread_tail,
    "depth_touch": _depth_touch,
    "depth_hump": _depth_hump,
    "trade_waits": lambda series: dispersion(series.trade_waits),
    "trade_waits_memory": lambda series: mean(autocorrelations(series.trade_waits, range(1, 11))),
    "order_waits": lambda series: dispersion(series.order_waits),
    "sign_correlation": lambda series: mean(
        autocorrelations(series.signs(ENOUGH_TRADES), range(1, 11))
    ),
    "sign_memory": lambda series: hurst(series.signs(LONG_TRADES), 10, 1_000),
}
