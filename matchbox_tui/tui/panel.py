"""A widget of plain lines, of which only those that changed are painted."""

from collections.abc import Sequence
from typing import Protocol

from rich.segment import Segment
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.palette import Ink


class Row(Protocol):
    """A value that can draw itself as one line. Rows that are equal look the same."""

    def paint(self, width: int, ink: Ink) -> list[Segment]: ...


class Panel(Widget):
    """Shows what `rows` returns. `renew` is called for every frame and is cheap when idle."""

    def __init__(self, desk: Desk, ink: Ink, *, id: str) -> None:
        super().__init__(id=id)
        self.desk = desk
        self.ink = ink
        self._rows: Sequence[Row] = ()
        self._key: object = None
        self._version = ink.version

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

    def rows(self, size: Size) -> Sequence[Row]:
        """The rows to show, at most as many as fit; each kind of panel has its own."""
        return ()

    def renew(self) -> int:
        """Marks the lines that changed since the last frame; returns how many."""
        size = self.size
        if not self.display or not size:
            return 0
        key = (self.key(), size, self.ink.version)
        if key == self._key:
            return 0
        self._key = key
        before, after = self._rows, tuple(self.rows(size))
        self._rows = after
        if self._version != self.ink.version:
            self._version = self.ink.version
            self.refresh()
            return size.height
        changed = [
            y
            for y in range(max(len(before), len(after)))
            if y >= len(before) or y >= len(after) or before[y] != after[y]
        ]
        if changed:
            self.refresh(*(Region(0, y, size.width, 1) for y in changed if y < size.height))
        return len(changed)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        style = self.rich_style
        if y >= len(self._rows):
            return Strip.blank(width, style)
        strip = Strip(self._rows[y].paint(width, self.ink))
        return strip.adjust_cell_length(width, style).apply_style(style)
