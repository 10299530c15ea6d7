"""What several pictures draw alike."""

from collections.abc import Sequence
from typing import Any

import msgspec
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.measuring import Measures
from sim.report.picture import ALARM, FAINT, SOFT, Sheet

MOST_LETTERS = 20

LINE_PIXELS = 4
"""Marks of one colour that are nearer to each other are one line."""


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


def letter(number: int) -> str:
    """What stands over the mark of this number, and before its words."""
    return chr(ord("A") + number) if number < MOST_LETTERS else ""


def draw_marks(axes: Axes, marks: Sequence[Mark], scale: float, sheet: Sheet) -> None:
    """Upright lines with letters over them, as far as there is room."""
    room = sheet.pick(MOST_LETTERS, MOST_LETTERS // 2)
    drawn = set()
    for number, mark in enumerate(marks):
        colour = ALARM if mark.fault else SOFT
        # Thousands of lines would be a surface, and a large file.
        place = int(mark.at / scale / axes.get_xlim()[1] * sheet.width / LINE_PIXELS), colour
        if place in drawn:
            continue
        drawn.add(place)
        axes.axvline(mark.at / scale, color=colour, linewidth=0.9, linestyle=(0, (2, 2)))
        if len(marks) <= room:
            axes.annotate(
                letter(number),
                (mark.at / scale, 1),
                xycoords=("data", "axes fraction"),
                xytext=(0, 1.5),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=colour,
                fontsize=9,
            )


def draw_halts(axes: Axes, halts: Sequence[tuple[int, int]], scale: float) -> None:
    """Bands where the market was halted."""
    for begin, end in halts:
        axes.axvspan(begin / scale, end / scale, color=FAINT, alpha=0.25, linewidth=0)


def legend_above(figure: Figure, handles: Sequence[Any], sheet: Sheet) -> None:
    """Keys over everything else, where they hide nothing."""
    figure.legend(
        handles=list(handles),
        loc="outside upper left",
        ncols=min(len(handles), sheet.pick(8, 3)),
        frameon=False,
        borderaxespad=0,
        borderpad=0.1,
        handlelength=1.2,
        columnspacing=1.2,
        fontsize=9.5,
        labelcolor=SOFT,
    )
