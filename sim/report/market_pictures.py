"""Pictures of one market: price and volume, spread, depth."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from sim.measuring import Depth, MarketSeries, Measures
from sim.report.picture import (
    ASK,
    BAND,
    BID,
    INK,
    LAST,
    SERIES,
    SOFT,
    Picture,
    Sheet,
    seconds_axis,
)
from sim.report.plotting import Mark, draw_halts, draw_marks, edges, floats, legend_above, letter
from sim.verdict import shown

Cells = NDArray[np.int64]

ROWS = 140
"""Most rows of the heat map."""

MOST_TOLD = 20
"""Marks that a caption names."""

BID_RGB, ASK_RGB = (42, 120, 214), (222, 98, 40)
"""An image can't take the page's colours: these are seen on dark and on light paper."""


def pictures_of(
    series: MarketSeries, measures: Measures, marks: Sequence[Mark], number: int
) -> list[Picture]:
    """The three pictures of a market. `marks` are those that concern it."""
    return [
        _price(series, measures, marks, number),
        _spread(series, measures, marks, number),
        _depth(series, measures, marks, number),
    ]


def _price(series: MarketSeries, measures: Measures, marks: Sequence[Mark], number: int) -> Picture:
    end = measures.grid[-1]

    def draw(sheet: Sheet) -> Figure:
        figure = sheet.figure(sheet.pick(380, 330))
        top, low = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        scale = seconds_axis(low, end)
        times = edges(measures, scale)
        where = [value is not None for value in series.low]
        top.fill_between(
            times[1:],
            floats(series.low),
            floats(series.high),
            where=where,
            step="pre",
            color=BAND,
            linewidth=0,
        )
        top.step(times[1:], floats(series.best_ask), where="pre", color=ASK, linewidth=0.7)
        top.step(times[1:], floats(series.best_bid), where="pre", color=BID, linewidth=0.7)
        top.step(
            times[1:],
            floats(series.last),
            where="pre",
            color=LAST,
            linewidth=sheet.pick(11, 7) / 10,
        )
        top.set_ylabel("price, ticks")
        top.yaxis.set_major_locator(MaxNLocator(6, integer=True))
        low_end, high_end = _price_range(series)
        pad = max(1.0, (high_end - low_end) * 0.06)
        top.set_ylim(low_end - pad, high_end + pad)
        handles = [
            Line2D([], [], color=LAST, linewidth=1.6, label="last"),
            Line2D([], [], color=BID, linewidth=1, label="best bid"),
            Line2D([], [], color=ASK, linewidth=1, label="best ask"),
        ]
        legend_above(figure, handles, sheet)
        draw_marks(top, marks, scale, sheet)
        draw_halts(top, series.halts, scale)
        width = sheet.pick(5, 12)
        low.stairs(
            [sum(series.volume[n : n + width]) for n in range(0, len(series.volume), width)],
            [*times[:-1:width], times[-1]],
            fill=True,
            color=SERIES[0],
        )
        low.set_ylabel("volume")
        low.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        low.set_ylim(bottom=0)
        figure.align_ylabels((top, low))
        return figure

    own = _own_values(series, measures)
    words = (
        f"Price of {series.symbol} over time. First trade at {own('price_first')} ticks, lowest"
        f" {own('price_min')}, highest {own('price_max')}, last {own('price_last')}."
        f" {own('trades')} trades, {own('volume')} contracts."
    )
    caption = (
        "Above, in ticks: the last price, the best bid and ask around it, and the range of the"
        " prices traded (shaded). Below: contracts traded, summed over equal pieces of time."
        + _said(marks)
    )
    return Picture(f"price-{number}", f"{series.symbol}: price and volume", caption, words, draw)


def _spread(
    series: MarketSeries, measures: Measures, marks: Sequence[Mark], number: int
) -> Picture:
    end = measures.grid[-1]
    spreads = [
        None if bid is None or ask is None else ask - bid
        for bid, ask in zip(series.best_bid, series.best_ask, strict=True)
    ]
    median = measures.values[f"{series.symbol}.spread_median"]

    def draw(sheet: Sheet) -> Figure:
        figure = sheet.figure(sheet.pick(210, 220))
        axes = figure.subplots()
        scale = seconds_axis(axes, end)
        times, width = edges(measures, scale), sheet.pick(5, 12)
        axes.step(
            times[1:], floats(spreads), where="pre", color=BAND, linewidth=sheet.pick(10, 6) / 10
        )
        axes.stairs(
            _means(spreads, width),
            [*times[:-1:width], times[-1]],
            baseline=None,
            color=SERIES[0],
            linewidth=1.6,
        )
        axes.set_ylabel("spread, ticks")
        known = sorted(value for value in spreads if value is not None)
        most = known[int(len(known) * 0.99)] if known else 1
        if known and known[-1] > 8 * max(1, most):
            # A few moments of a nearly empty book would hide all others.
            axes.set_ylim(0, 3 * most)
        else:
            axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        if median is not None:
            axes.axhline(median, color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                f"median {shown(median)}",
                (1, median),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 3),
                textcoords="offset points",
                ha="right",
                color=SOFT,
                fontsize=9.5,
            )
        draw_marks(axes, marks, scale, sheet)
        draw_halts(axes, series.halts, scale)
        return figure

    own = _own_values(series, measures)
    words = (
        f"Spread of {series.symbol} over time: the median is {own('spread_median')} ticks, 99 % of"
        f" the time it is {own('spread_p99')} or less; both sides are quoted {own('quoted')} % of"
        " the time."
    )
    caption = (
        "Best ask less best bid in ticks: at 600 equally distant moments (pale), and the mean of"
        " some of them (strong). A gap is where one side is empty. Dashed: what half of the time"
        " was not exceeded."
    )
    return Picture(f"spread-{number}", f"{series.symbol}: spread", caption, words, draw)


def _depth(series: MarketSeries, measures: Measures, marks: Sequence[Mark], number: int) -> Picture:
    end = measures.grid[-1]
    low, high = _price_range(series)
    pad = max(5, (high - low) // 4)
    low, high = max(low - pad, 0), high + pad
    step = -(-(high - low + 1) // ROWS)
    rows = -(-(high - low + 1) // step)
    bids = _cells(series.bids, low, step, rows)
    asks = _cells(series.asks, low, step, rows)
    filled = np.concatenate((bids[bids > 0], asks[asks > 0]))
    full = int(np.percentile(filled, 98)) if filled.size else 1

    def draw(sheet: Sheet) -> Figure:
        figure = sheet.figure(sheet.pick(380, 330))
        axes = figure.subplots()
        scale = seconds_axis(axes, end)
        axes.grid(visible=False)
        image = _shaded(bids, asks, full)
        axes.imshow(
            image,
            extent=(0, end / scale, low - 0.5, low - 0.5 + rows * step),
            origin="lower",
            aspect="auto",
            interpolation="none",
        )
        axes.step(
            edges(measures, scale)[1:], floats(series.last), where="pre", color=INK, linewidth=0.8
        )
        draw_marks(axes, marks, scale, sheet)
        axes.set_ylim(low - 0.5, low - 0.5 + rows * step)
        axes.set_ylabel("price, ticks")
        axes.yaxis.set_major_locator(MaxNLocator(7, integer=True))
        _ramps(figure, sheet)
        return figure

    own = _own_values(series, measures)
    words = (
        f"Depth of {series.symbol} over time and price: {own('depth_median')} contracts within 5"
        " ticks of the middle in the median, both sides together."
    )
    binned = f" A row is {step} ticks." if step > 1 else ""
    caption = (
        "Contracts resting at each price over time: the fuller the colour, the more, up to"
        f" {full:,} and above. Bids lie below the price, asks above it; the line is the last"
        f" price.{binned}"
    )
    return Picture(f"depth-{number}", f"{series.symbol}: depth over time", caption, words, draw)


def _cells(sides: Sequence[Depth], low: int, step: int, rows: int) -> Cells:
    """Contracts by row of price and column of time."""
    cells: Cells = np.zeros((rows, len(sides)), dtype=np.int64)
    for column, side in enumerate(sides):
        for price, qty in zip(side.prices, side.contracts, strict=True):
            row = (price - low) // step
            if 0 <= row < rows:
                cells[row, column] += min(qty, 2**40)
    return cells


def _shaded(bids: Cells, asks: Cells, full: int) -> NDArray[np.uint8]:
    """A picture whose ink is the denser the more rests there; paper shows through where nothing
    does, so that it looks right on any.
    """
    image = np.zeros((*bids.shape, 4), dtype=np.uint8)
    for cells, colour in ((bids, BID_RGB), (asks, ASK_RGB)):
        there = cells > 0
        # By the square root: a level of a tenth of the fullest must still be seen.
        shade = np.sqrt(np.minimum(cells, full) / full)
        image[there, :3] = colour
        image[there, 3] = (30 + 225 * shade[there]).astype(np.uint8)
    return image


def _ramps(figure: Figure, sheet: Sheet) -> None:
    """What the two colours are."""
    handles = [
        Patch(color=_hex(BID_RGB), label="bids"),
        Patch(color=_hex(ASK_RGB), label="asks"),
        Line2D([], [], color=INK, linewidth=1, label="last price"),
    ]
    legend_above(figure, handles, sheet)


def _price_range(series: MarketSeries) -> tuple[int, int]:
    """Where it happened: all trades, and the best prices but for the rarest."""
    traded = [value for value in (*series.low, *series.high) if value is not None]
    quoted = sorted(value for value in (*series.best_bid, *series.best_ask) if value is not None)
    if quoted:
        cut = len(quoted) // 100
        traded += [quoted[cut], quoted[-1 - cut]]
    return (min(traded), max(traded)) if traded else (0, 1)


def _means(values: Sequence[int | None], width: int) -> list[float]:
    """The mean of each so many values that are there."""
    found = []
    for n in range(0, len(values), width):
        known = [value for value in values[n : n + width] if value is not None]
        found.append(sum(known) / len(known) if known else float("nan"))
    return found


def _own_values(series: MarketSeries, measures: Measures) -> Callable[[str], str]:
    return lambda name: shown(measures.values[f"{series.symbol}.{name}"])


def _said(marks: Sequence[Mark]) -> str:
    if not marks:
        return ""
    told = "; ".join(
        f"{letter(number)}: {one.label} at {_seconds(one.at)}"
        for number, one in enumerate(marks[:MOST_TOLD])
    )
    more = f"; and {len(marks) - MOST_TOLD} more" if len(marks) > MOST_TOLD else ""
    return f" Upright lines: {told}{more}."


def _seconds(ns: int) -> str:
    return f"{ns / 1e9:.4g} s"


def _hex(colour: tuple[int, int, int]) -> str:
    return "#" + bytes(colour).hex()
