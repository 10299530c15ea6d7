"""The list of markets, over the trading screen."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.geometry import Size
from textual.screen import ModalScreen

from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.market_rows import MarketHead, market_rows
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Panel, Row

LOOKS_PER_SECOND = 4


class Markets(Panel):
    """All markets, one of them selected."""

    def __init__(self, desk: Desk, ink: Ink) -> None:
        super().__init__(desk, ink, id="markets")
        self.selected = desk.symbol

    def key(self) -> object:
        model = self.desk.model
        return model.revision, model.source.seq, self.selected

    def rows(self, size: Size) -> Sequence[Row]:
        return [MarketHead(), *market_rows(self.desk.model, self.selected, size.height - 1)]

    def move(self, rows: int) -> None:
        """Selects the market so many rows further down."""
        symbols = [market.symbol for market in self.desk.model.markets]
        if symbols:
            at = symbols.index(self.selected) if self.selected in symbols else 0
            self.selected = symbols[min(max(at + rows, 0), len(symbols) - 1)]
        self.renew()

    def go(self, place: int) -> None:
        """Selects the market at a place in the list; one below 0 is counted from the end."""
        symbols = [market.symbol for market in self.desk.model.markets]
        if symbols:
            self.selected = symbols[place]
        self.renew()


class MarketsScreen(ModalScreen[str | None]):
    """Lets somebody choose a market; ends with its symbol."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,m,q", "dismiss(None)", show=False),
        Binding("enter", "choose", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("home", "go(0)", show=False),
        Binding("end", "go(-1)", show=False),
        Binding("ctrl+c", "app.quit", show=False, priority=True),
    ]

    def __init__(self, desk: Desk, ink: Ink) -> None:
        super().__init__()
        self._list = Markets(desk, ink)

    def compose(self) -> ComposeResult:
        with Container(id="market-box") as box:
            box.border_subtitle = "↑ ↓ choose, Enter looks there, Esc goes back"
            yield self._list

    def on_mount(self) -> None:
        self._list.focus()
        self.set_interval(1 / LOOKS_PER_SECOND, self._list.renew)
        self.call_after_refresh(self._list.renew)

    def action_move(self, rows: int) -> None:
        self._list.move(rows)

    def action_go(self, place: int) -> None:
        self._list.go(place)

    def action_choose(self) -> None:
        self.dismiss(self._list.selected)
