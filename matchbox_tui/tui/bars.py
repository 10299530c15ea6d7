"""The single lines as widgets. Each is one value, compared and painted as a whole."""

from collections.abc import Callable, Sequence

from textual.geometry import Size

from matchbox_tui.tui.bar_rows import HintLine, header, status_line, ticket_line
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.keys import KeyTable
from matchbox_tui.tui.ladder_edges import ladder_foot
from matchbox_tui.tui.news import low_line, message_line
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Panel, Row


class Bar(Panel):
    """One line, made anew for every frame: cheap, and equal where nothing changed."""

    VEILS = False

    def __init__(self, desk: Desk, ink: Ink, make: Callable[[Desk], Row], *, id: str) -> None:
        super().__init__(desk, ink, id=id)
        self._make = make

    def key(self) -> object:
        return self._make(self.desk)

    def rows(self, size: Size) -> Sequence[Row]:
        return [self._make(self.desk)]


class Quote(Bar):
    """The line with the market's best prices."""

    VEILS = True


def header_bar(desk: Desk, ink: Ink) -> Bar:
    return Quote(desk, ink, header, id="header")


def foot_bar(desk: Desk, ink: Ink) -> Bar:
    return Bar(desk, ink, ladder_foot, id="foot")


def ticket_bar(desk: Desk, ink: Ink) -> Bar:
    return Bar(desk, ink, ticket_line, id="ticket")


def message_bar(desk: Desk, ink: Ink) -> Bar:
    return Bar(desk, ink, message_line, id="message")


def status_bar(desk: Desk, ink: Ink) -> Bar:
    def line(desk: Desk) -> Row:
        # A low screen has no message line and no room for a panel about a failover.
        low = bar.screen.has_class("-low")
        return status_line(desk.model, low_line(desk) if low else None)

    bar = Bar(desk, ink, line, id="status")
    return bar


def hint_bar(desk: Desk, ink: Ink, keys: KeyTable) -> Bar:
    pairs = {preparing: tuple(keys.hints(preparing)) for preparing in (True, False)}

    def line(desk: Desk) -> HintLine:
        preparing = desk.ticket.prepared
        return HintLine(pairs[preparing], preparing)

    return Bar(desk, ink, line, id="hints")
