"""Pictures of the faults: how long each took to recover, and the queue around it."""

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from sim.measuring import FaultSeries, Measures
from sim.report.picture import ALARM, BAND, FAINT, INK, SERIES, Picture, Sheet

MOST_PANELS = 12
"""Faults whose queue is shown: the slowest, where there are more."""

MOST_ROWS = 24
"""Faults that have a row of their own; of more there is a row for each kind."""


def pictures_of(measures: Measures) -> list[Picture]:
    """None where there were no faults."""
    if not measures.faults:
        return []
    found = [_recovery(measures.faults)]
    panels = [one for one in measures.faults if one.queue]
    if panels:
        found.append(_queues(panels))
    return found


def _recovery(faults: Sequence[FaultSeries]) -> Picture:
    single = len(faults) <= MOST_ROWS
    kinds = list(dict.fromkeys(one.row.kind for one in faults))
    rows = [_name(one) for one in faults] if single else kinds
    known = [one.recovered_ms for one in faults if one.recovered_ms is not None]

    def draw(sheet: Sheet) -> Figure:
        figure = sheet.figure(70 + 24 * len(rows))
        axes = figure.subplots()
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
        low, high = min(known, default=1.0), max(known, default=1.0)
        axes.set_xscale("log")
        axes.set_xlim(max(0.05, low / 3), high * 6)
        for place, one in enumerate(faults):
            row = place if single else kinds.index(one.row.kind)
            time = one.recovered_ms
            if time is None:
                axes.annotate(
                    _time(one),
                    (high, row),
                    va="center",
                    color=ALARM,
                    fontsize=9.5,
                )
                continue
            if single:
                axes.hlines(row, max(0.05, low / 3), time, color=BAND, linewidth=3)
            axes.plot(time, row, "o", color=SERIES[0], markersize=6, clip_on=False)
            if single:
                axes.annotate(
                    _ms(time),
                    (time, row),
                    xytext=(8, 0),
                    textcoords="offset points",
                    va="center",
                    color=INK,
                    fontsize=9.5,
                )
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.xaxis.set_major_locator(LogLocator())
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.set_xlabel("fault to first commit, ms, logarithmic")
        return figure

    words = "Time from each fault to the first commit after it: " + ", ".join(
        f"{_name(one)} {_time(one)}" for one in faults[:MOST_ROWS]
    )
    caption = (
        "From the moment of a fault to the first commit after it, in ms. "
        + ("A row is a fault" if single else "A dot is a fault")
        + ", named by what was done, to whom, and when."
    )
    return Picture("recovery", "Time to recover", caption, f"{words}.", draw)


def _queues(faults: Sequence[FaultSeries]) -> Picture:
    shown = list(faults)
    if len(shown) > MOST_PANELS:
        slowest = sorted(shown, key=lambda one: -(one.recovered_ms or float("inf")))
        chosen = {id(one) for one in slowest[:MOST_PANELS]}
        shown = [one for one in shown if id(one) in chosen]

    def draw(sheet: Sheet) -> Figure:
        columns = min(len(shown), sheet.pick(4, 2))
        rows = -(-len(shown) // columns)
        figure = sheet.figure(40 + sheet.pick(150, 130) * rows)
        panels = figure.subplots(rows, columns, squeeze=False)
        for place, panel in enumerate(panels.flat):
            if place >= len(shown):
                panel.set_axis_off()
                continue
            one = shown[place]
            times = [at / 1e9 for at, _ in one.queue]
            waiting = [count for _, count in one.queue]
            panel.fill_between(times, waiting, step="post", color=BAND, linewidth=0)
            panel.step(times, waiting, where="post", color=SERIES[0], linewidth=1.2)
            panel.axvline(0, color=ALARM, linewidth=1, linestyle=(0, (2, 2)))
            if one.recovered_ms is not None:
                panel.axvline(one.recovered_ms / 1000, color=FAINT, linewidth=1)
            panel.set_title(_name(one), fontsize=9.5, color=INK)
            panel.set_ylim(bottom=0, top=max(1, *waiting) * 1.1)
            panel.yaxis.set_major_locator(MaxNLocator(3, integer=True))
            panel.xaxis.set_major_locator(MaxNLocator(4))
        figure.supxlabel("time from the fault, s", fontsize=10, color=INK)
        figure.supylabel("commands in the queue", fontsize=10, color=INK)
        return figure

    words = "The longest queue around each fault: " + ", ".join(
        f"{_name(one)} {max(count for _, count in one.queue):,}" for one in shown
    )
    caption = (
        "Commands that waited in the queue around each fault (dashed: the fault; line: the first"
        " commit after it). Each panel has a scale of its own."
    )
    if len(shown) < len(faults):
        caption += f" The {len(shown)} slowest of {len(faults)}."
    return Picture("queues", "The queue around each fault", caption, f"{words}.", draw)


def _name(one: FaultSeries) -> str:
    who = f" {one.row.who}" if one.row.who and one.row.who not in one.row.kind else ""
    return f"{one.row.kind}{who} at {one.row.at / 1e9:.3g} s"


def _time(one: FaultSeries) -> str:
    """What it took to recover, in words."""
    if one.recovered_ms is not None:
        return _ms(one.recovered_ms)
    return "cut short by the run's end" if one.row.cut_short else "never"


def _ms(time: float) -> str:
    return f"{time:,.1f} ms" if time < 100 else f"{time:,.0f} ms"
