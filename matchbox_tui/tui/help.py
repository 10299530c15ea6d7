"""The help screen, made from the table of keys."""

from itertools import groupby
from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from matchbox_tui.tui.cells import Segments, left, right, ruled
from matchbox_tui.tui.keys import KeyTable
from matchbox_tui.tui.palette import Ink

LEGEND = (
    ("◆", "your order or your fill"),
    ("◆25<40", "25 of yours behind 40 contracts"),
    ("Σ", "depth from the best price to this one"),
    ("+", "what you are preparing"),
    ("?", "sent, and not in the journal yet"),
    ("▲ ▼", "the taker bought, sold; the last price rose, fell"),
    ("█ ▒ ─", "a candle that rose, fell, ended where it began"),
    ("● ○ ◌", "an instance that leads, follows, catches up"),
    ("~", "a time without entries, taken from orders' times"),
)


def help_lines(table: KeyTable, width: int, ink: Ink) -> list[Segments]:
    """All keys by group, then the signs that the panels use."""
    lines: list[Segments] = []
    for group, keys in groupby(table.keys, key=lambda key: key.group):
        lines.append(ruled(width, ink, [(0, group, ink.title)]))
        lines += [_line(key.shown, key.words, width, ink) for key in keys if key.keys]
        lines.append([])
    lines.append(ruled(width, ink, [(0, "Signs", ink.title)]))
    lines += [_line(sign, words, width, ink) for sign, words in LEGEND]
    return lines


def _line(keys: str, words: str, width: int, ink: Ink) -> Segments:
    return [
        Segment(right(keys, 9) + "  ", ink.own),
        Segment(left(words, max(width - 11, 0)), ink.plain),
    ]


class HelpText(Widget):
    """The lines of the help."""

    def __init__(self, ink: Ink, keys: KeyTable) -> None:
        super().__init__()
        self._ink = ink
        self._keys = keys
        self._lines: list[Segments] = []

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        self._lines = help_lines(self._keys, width, self._ink)
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        segments = self._lines[y] if y < len(self._lines) else []
        strip = Strip(segments).adjust_cell_length(self.size.width, style)
        return strip.apply_style(style)


class HelpScreen(ModalScreen[None]):
    """Shows the keys until it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q,enter", "dismiss", "back", show=False),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(10)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("ctrl+c", "app.quit", show=False, priority=True),
    ]

    def __init__(self, ink: Ink, keys: KeyTable) -> None:
        super().__init__()
        self._ink = ink
        self._keys = keys

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help") as box:
            box.border_title = "keys"
            box.border_subtitle = "↑ ↓ scroll, Esc goes back"
            yield HelpText(self._ink, self._keys)

    def action_scroll(self, lines: int) -> None:
        self.query_one("#help", VerticalScroll).scroll_relative(y=lines, animate=False)
