"""Text cut and padded to exact cells: the pieces of which lines are made."""

from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from matchbox_tui.tui.palette import Ink

Segments = list[Segment]


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Names and titles come from strangers: nothing in them may steer a terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "·" for c in text)


def left(text: str, width: int) -> str:
    """Exactly `width` cells, with an ellipsis where the text is longer."""
    if width <= 0:
        return ""
    if cell_len(text) > width:
        return set_cell_size(text, width - 1) + "…"
    return set_cell_size(text, width)


def wrapped(text: str, width: int, lines: int) -> list[str]:
    """The text on as many lines as it needs, `lines` at most.

    It is broken at blanks where it can be, and else behind slashes.
    """
    found: list[str] = []
    rest = text
    while cell_len(rest) > width > 0 and len(found) < lines - 1:
        start = set_cell_size(rest, width + 1)
        end = start.rfind(" ")
        if end <= 0:
            # An address is broken between the names in it. A wide character that would be cut in
            # two is for the next line.
            room = set_cell_size(rest, width).rstrip()
            end = room.rfind("/") + 1 or max(len(room), 1)
        found.append(rest[:end])
        rest = rest[end:].lstrip()
    return [*found, rest]


def right(text: str, width: int) -> str:
    length = cell_len(text)
    return " " * (width - length) + text if length <= width else left(text, width)


def centred(text: str, width: int) -> str:
    length = cell_len(text)
    if length > width:
        return left(text, width)
    before = (width - length) // 2
    return " " * before + text + " " * (width - length - before)


def ruled(width: int, ink: Ink, labels: Iterable[tuple[int, str, Style]]) -> Segments:
    """A thin rule with labels at their columns; one that would not fit is left out."""
    segments: Segments = []
    at = 0
    for column, label, style in labels:
        text = f" {label} "
        length = cell_len(text)
        if not label or column < at or column + length > width:
            continue
        if column > at:
            segments.append(Segment("─" * (column - at), ink.rule))
        segments.append(Segment(text, style))
        at = column + length
    if at < width:
        segments.append(Segment("─" * (width - at), ink.rule))
    return segments


def spread(width: int, before: Segments, after: Segments, style: Style) -> Segments:
    """`before` at the left and `after` at the right, which goes first where room is short."""
    used = sum(segment.cell_length for segment in before)
    tail = sum(segment.cell_length for segment in after)
    if used + tail + 1 > width:
        return before
    return [*before, Segment(" " * (width - used - tail), style), *after]


def raised(segments: Iterable[Segment], ink: Ink) -> Segments:
    """The same on the raised ground."""
    return [Segment(text, (style or ink.plain) + ink.raised) for text, style, _ in segments]
