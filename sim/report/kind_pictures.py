"""Pictures of the agents' kinds: what they earned, and how much they asked for each trade."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator

from sim.measuring import KindFigures, Measures
from sim.report.picture import FAINT, INK, SERIES, Picture, Sheet, seconds_axis
from sim.report.plotting import edges, legend_above
from sim.verdict import shown


def pictures_of(measures: Measures) -> list[Picture]:
    """Profit over time, and orders for each trade. None where nobody traded."""
    kinds = measures.kinds
    found = []
    if measures.profits:
        found.append(_profit(measures))
    if any(kind.commands for kind in kinds):
        found.append(_orders(kinds))
    return found


def colours(measures: Measures) -> dict[str, str]:
    """The same colour for a kind in every picture."""
    return {
        kind.kind: SERIES[number] if number < len(SERIES) else FAINT
        for number, kind in enumerate(sorted(measures.kinds, key=lambda one: one.kind))
    }


def _profit(measures: Measures) -> Picture:
    ordered = sorted(measures.profits.items(), key=lambda one: -one[1][-1])
    colour = colours(measures)

    def draw(sheet: Sheet) -> Figure:
        figure = sheet.figure(sheet.pick(320, 320))
        axes = figure.subplots()
        scale = seconds_axis(axes, measures.grid[-1])
        times = edges(measures, scale)
        axes.axhline(0, color=FAINT, linewidth=1)
        handles = []
        for name, profits in ordered:
            paint = colour.get(name, INK)
            handles += axes.plot(times, [0, *profits], color=paint, label=name, linewidth=1.4)
        axes.set_ylabel("profit, ticks x contracts")
        axes.yaxis.set_major_formatter(EngFormatter(sep=""))
        axes.yaxis.set_major_locator(MaxNLocator(6))
        if sheet.narrow:
            legend_above(figure, handles, sheet)
        else:
            _end_labels(axes, ordered, colour)
        return figure

    words = "Profit of each kind of agent at the end, in ticks x contracts: " + ", ".join(
        f"{name} {profits[-1]:+,}" for name, profits in ordered
    )
    caption = (
        "Cash and position of all agents of a kind, the position at the middle of the quotes, in"
        " ticks x contracts. What some win the others lose: the lines add up to zero at any time."
    )
    return Picture("profit", "Profit by kind of agent", caption, f"{words}.", draw)


def _end_labels(
    axes: Axes, ordered: Sequence[tuple[str, list[int]]], colour: dict[str, str]
) -> None:
    """Names at the ends of the lines, moved apart as far as they need."""
    low, high = axes.get_ylim()
    room = (high - low) * 0.062
    places: list[float] = []
    for _, profits in ordered:
        wanted = float(profits[-1])
        places.append(wanted if not places else min(wanted, places[-1] - room))
    # Too many at the bottom push the others up.
    floor = low
    for n in range(len(places) - 1, -1, -1):
        places[n] = max(places[n], floor)
        floor = places[n] + room
    for (name, profits), place in zip(ordered, places, strict=True):
        axes.annotate(
            f"{name} {profits[-1]:+,}",
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour.get(name, INK),
            fontsize=9.5,
            annotation_clip=False,
        )


def _orders(kinds: Sequence[KindFigures]) -> Picture:
    ordered = sorted(
        (kind for kind in kinds if kind.commands),
        key=lambda one: (one.order_to_trade_ratio is None, one.order_to_trade_ratio or 0),
    )

    def draw(sheet: Sheet) -> Figure:
        figure = sheet.figure(60 + 30 * len(ordered))
        axes = figure.subplots()
        axes.grid(visible=False)
        known = [one.order_to_trade_ratio for one in ordered if one.order_to_trade_ratio]
        most = max(known, default=1.0)
        logarithmic = bool(known) and most > 40 * min(known)
        for place, one in enumerate(ordered):
            value = one.order_to_trade_ratio
            axes.barh(place, value or 0, height=0.62, color=SERIES[0])
            axes.annotate(
                "no trade" if value is None else f"{value:,.1f}",
                (value or (min(known, default=1) / 2 if logarithmic else 0), place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                color=INK,
                fontsize=9.5,
            )
        axes.set_yticks(range(len(ordered)), [one.kind for one in ordered])
        axes.tick_params(axis="y", labelcolor=INK)
        if logarithmic:
            axes.set_xscale("log")
            axes.set_xlim(min(known) / 2, most * 2.5)
        else:
            axes.set_xlim(0, most * 1.15)
        note = ", logarithmic" if logarithmic else ""
        axes.set_xlabel(f"commands for each trade{note}")
        return figure

    words = "Commands for each trade: " + ", ".join(
        f"{one.kind} {shown(one.order_to_trade_ratio)}" for one in ordered
    )
    caption = (
        "Order-to-trade ratio: new orders, cancels and changes, those refused too, for each trade"
        " that a kind of agent took part in."
    )
    return Picture("orders", "Orders for each trade", caption, f"{words}.", draw)
