"""A widget of plain lines, of which only those that changed are painted."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, Self

from rich.segment import Segment
from rich.style import Style
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.strip import Strip, get_line_length
from textual.widget import Widget

from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.model import Link
from matchbox_tui.tui.palette import Ink

DRIFT_SECONDS = 0.25
"""What drifts is looked at no more often than this."""

VEILED_FROM = 3
"""From this height on a panel has a line to spare for the word that it is not fresh."""

_VEILS = {Link.CONNECTING: "connecting", Link.STALE: "stale", Link.RECONNECTING: "stale"}

_DIM = Style(dim=True)

_EDGE = "│"
"""What a border at the left is made of."""


class Row(Protocol):
    """A value that can draw itself as one line. Rows that are equal look the same."""

    def paint(self, width: int, ink: Ink) -> list[Segment]: ...


@dataclass(frozen=True)
class VeiledHead:
    """A panel's first line with the state of the link at its right end."""

    head: Row
    word: str

    def paint(self, width: int, ink: Ink) -> list[Segment]:
        words = f" {self.word} "
        segments = self.head.paint(width, ink)
        room = width - len(words)
        if room < 0:
            return segments
        return [*Segment.adjust_line_length(segments, room, ink.rule), Segment(words, ink.alarm)]


class Panel(Widget):
    """Shows what `rows` returns. `renew` is called for every frame and is cheap when idle.

    It paints its lines itself, so style sheets may give it a border at the left and nothing else
    around what it shows.

    While the data are not live, a panel that shows them lies under a veil: dimmed, and named so.
    """

    VEILS: ClassVar[bool] = True

    def __init__(self, desk: Desk, ink: Ink, *, id: str) -> None:
        super().__init__(id=id)
        self.desk = desk
        self.ink = ink
        self._rows: Sequence[Row] = ()
        self._key: object = None
        self._drift: object = None
        self._due = 0.0
        self._veil = ""
        self._version = ink.version
        self._ground: Style | None = None
        self._painted: dict[int, Strip] = {}
        self._extent = (0, 0)

    def key(self) -> object:
        """While this stays equal, nothing needs to be built. O(1)."""
        book = self.desk.book
        model = self.desk.model
        return (
            self.desk.symbol,
            model.revision,
            id(book),
            book.sequence if book is not None else 0,
        )

    def drift(self) -> object:
        """As `key`, for what may change with every event and is followed at a slower pace."""
        return None

    def rows(self, size: Size) -> Sequence[Row]:
        """The rows to show, at most as many as fit; each kind of panel has its own."""
        return ()

    def renew(self) -> int:
        """Marks the lines that changed since the last frame; returns how many."""
        size = self.size
        if not self.display or not size:
            return 0
        link = self.desk.model.link
        veil = _VEILS.get(link, "") if self.VEILS else ""
        key = (self.key(), size, self.ink.version, veil)
        now, drift = time.monotonic(), self.drift()
        if key == self._key and (drift == self._drift or now < self._due):
            return 0
        self._key, self._drift, self._due = key, drift, now + DRIFT_SECONDS
        before, after = self._rows, tuple(self.rows(size))
        if veil and after and size.height >= VEILED_FROM:
            after = (VeiledHead(after[0], veil), *after[1:])
        self._rows = after
        if (self._version, self._veil) != (self.ink.version, veil):
            self._version, self._veil = self.ink.version, veil
            self.refresh()
            return size.height
        changed = [
            y
            for y in range(max(len(before), len(after)))
            if y >= len(before) or y >= len(after) or before[y] != after[y]
        ]
        for y in changed:
            self._painted.pop(y, None)
        if changed:
            self.refresh(*(Region(0, y, size.width, 1) for y in changed if y < size.height))
        return len(changed)

    def notify_style_update(self) -> None:
        self._ground = None
        self._painted.clear()
        super().notify_style_update()

    def refresh(self, *regions: Region, **options: bool) -> Self:
        if not regions:
            self._painted.clear()
        return super().refresh(*regions, **options)

    def get_line_filters(self) -> Sequence[LineFilter]:
        filters = super().get_line_filters()
        if self._veil:
            return filters
        # All ink is of true colours, so that to look for others in every segment finds none; only
        # what is dim has yet to be made a colour.
        return [each for each in filters if not isinstance(each, ANSIToTruecolor)]

    def render_lines(self, crop: Region) -> list[Strip]:
        # Textual's own goes over all lines for every frame, and makes three strips of each new one.
        width, edge = self.outer_size.width, self.styles.gutter.left
        painted = self._painted
        if self._extent != (width, edge):
            self._extent = (width, edge)
            painted.clear()
        missing = [y for y in crop.line_range if y not in painted]
        if missing:
            self._finish(missing, width, edge)
        strips = [painted[y] for y in crop.line_range]
        if crop.column_span == (0, width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]

    def render_line(self, y: int) -> Strip:
        # As `size` is, which looks for this widget on the screen each time.
        width = self.outer_size.width - self.styles.gutter.width
        return Strip(self._line(y, width), width)

    def _finish(self, lines: Iterable[int], width: int, edge: int) -> None:
        """Paints these lines with their edge, as the terminal gets them."""
        filters = self.get_line_filters()
        background = self.background_colors[1]
        border = [Segment(_EDGE, self.ink.rule)] if edge else []
        for y in lines:
            strip = Strip(border + self._line(y, width - edge), width)
            for each in filters:
                strip = strip.apply_filter(each, background)
            self._painted[y] = strip

    def _line(self, y: int, width: int) -> list[Segment]:
        """What a line shows, exactly so many cells."""
        if self._ground is None:
            # Found by asking every ancestor, which for each line would cost as much as painting.
            self._ground = self.rich_style
        ground = self._ground
        if y >= len(self._rows):
            return [Segment(" " * width, ground)]
        row = self._rows[y]
        line = row.paint(width, self.ink)
        length = get_line_length(line)
        if length < width:
            line.append(Segment(" " * (width - length), ground))
        elif length > width:
            line = Segment.adjust_line_length(line, width)
        if self._veil and not isinstance(row, VeiledHead):
            line = list(Segment.apply_style(line, None, _DIM))
        return line
