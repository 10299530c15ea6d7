"""What several pictures draw alike."""

from collections.abc import Sequence
from typing import Any

import msgspec
from matplotlib.axes import Axes

from sim.measuring import Measures
from sim.report.picture import ALARM, FAINT, SOFT, Sheet

MOST_LABELS = 8


class Mark(msgspec.Struct, frozen=True):
    """Something that happened at a time, in ns since the start; in `market`, or ("") anywhere."""

    at: int
    label: str
    market: str = ""
    fault: bool = False


def edges(measures: Measures, scale: float) -> list[float]:
    """Where the columns begin and end, in units of the axis."""
    return [0.0, *(at / scale for at in measures.grid)]


def floats(values: Sequence[int | None]) -> list[float]:
    """What Matplotlib leaves out where there is nothing."""
    return [float("nan") if value is None else float(value) for value in values]


def draw_marks(
    axes: Axes, marks: Sequence[Mark], scale: float, sheet: Sheet, *, labels: bool = True
) -> None:
    """Upright lines, and as far as they have room their words."""
    for mark in marks:
        colour = ALARM if mark.fault else FAINT
        axes.axvline(mark.at / scale, color=colour, linewidth=0.9, linestyle=(0, (2, 2)))
    if not labels or sheet.narrow or len(marks) > MOST_LABELS:
        return
    for mark in marks:
        axes.annotate(
            mark.label,
            (mark.at / scale, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -3),
            textcoords="offset points",
            rotation=90,
            ha="left",
            va="top",
            color=ALARM if mark.fault else SOFT,
            fontsize=8.5,
        )


def draw_halts(axes: Axes, halts: Sequence[tuple[int, int]], scale: float) -> None:
    """Bands where the market was halted."""
    for begin, end in halts:
        axes.axvspan(begin / scale, end / scale, color=FAINT, alpha=0.25, linewidth=0)


def legend_above(axes: Axes, handles: Sequence[Any], sheet: Sheet) -> None:
    """Keys in one row over the axes, where they hide nothing."""
    axes.legend(
        handles=list(handles),
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=len(handles) if not sheet.narrow else min(3, len(handles)),
        frameon=False,
        borderaxespad=0.2,
        borderpad=0,
        handlelength=1.2,
        columnspacing=1.2,
        fontsize=9.5,
        labelcolor=SOFT,
    )
