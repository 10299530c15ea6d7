"""The screen on which one trades: panels, keys, and the frame clock."""

import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical
from textual.events import Resize
from textual.geometry import Size
from textual.screen import Screen

from matchbox_tui.engine import Side
from matchbox_tui.tui.analytics_panel import AnalyticsPanel
from matchbox_tui.tui.bars import (
    foot_bar,
    header_bar,
    hint_bar,
    message_bar,
    status_bar,
    ticket_bar,
)
from matchbox_tui.tui.cells import clean
from matchbox_tui.tui.chart import Chart
from matchbox_tui.tui.cluster import Cluster
from matchbox_tui.tui.desk import Desk, Page
from matchbox_tui.tui.failover import Failover
from matchbox_tui.tui.faults import Faults
from matchbox_tui.tui.hand import Hand, Request
from matchbox_tui.tui.help import HelpScreen
from matchbox_tui.tui.keys import TRADE, KeyTable
from matchbox_tui.tui.ladder import Ladder
from matchbox_tui.tui.markets import MarketsScreen
from matchbox_tui.tui.operator import Fault, Operator
from matchbox_tui.tui.orders import Log, Orders, Positions
from matchbox_tui.tui.palette import PALETTES, Ink
from matchbox_tui.tui.panel import Panel
from matchbox_tui.tui.tape import Tape

FRAMES_PER_SECOND = 16

LOOK_SECONDS = 0.5
"""How often the processes that the operator has started are looked at."""

HUGE = Size(160, 36)
"""From this size on every panel has a place of its own."""

Send = Callable[[Sequence[Request]], Awaitable[None]]


def trade_screen(
    desk: Desk,
    ink: Ink,
    send: Send,
    zone: tzinfo | None,
    keys: KeyTable,
    operator: Operator | None,
) -> "TradeScreen":
    """A screen with these keys."""
    keys = keys.on(TRADE)

    class WithKeys(TradeScreen):
        BINDINGS: ClassVar[list[BindingType]] = list(keys.bindings())

    return WithKeys(desk, ink, send, zone, keys, operator)


class TradeScreen(Screen[None]):
    """Nothing here runs for an update: the model is plain state, looked at once a frame."""

    def __init__(
        self,
        desk: Desk,
        ink: Ink,
        send: Send,
        zone: tzinfo | None,
        keys: KeyTable,
        operator: Operator | None,
    ) -> None:
        super().__init__(classes="trade")
        self.keys = keys
        self.desk = desk
        self.hand = Hand(desk)
        self.faults = Faults(desk, operator)
        self.ink = ink
        self._send = send
        self._zone = zone
        self._panels: list[Panel] = []

    def compose(self) -> ComposeResult:
        desk, ink = self.desk, self.ink
        yield header_bar(desk, ink)
        with Container(id="body"):
            yield Ladder(desk, ink, id="ladder")
            yield Tape(desk, ink, self._zone, id="tape")
            with Vertical(id="mine"):
                yield Orders(desk, ink, id=Page.ORDERS.value)
                yield Positions(desk, ink, id=Page.POSITIONS.value)
                yield Log(desk, ink, self._zone, id=Page.LOG.value)
            change = next((key.shown for key in self.keys.keys if key.name == "candles"), "")
            yield Chart(desk, ink, self._zone, change, id=Page.CHART.value)
            yield Cluster(desk, ink, id=Page.CLUSTER.value)
            yield AnalyticsPanel(desk, ink, id=Page.ANALYTICS.value)
        yield Failover(desk, ink, id="failover")
        yield foot_bar(desk, ink)
        yield ticket_bar(desk, ink)
        yield message_bar(desk, ink)
        yield status_bar(desk, ink)
        yield hint_bar(desk, ink, self.keys)

    def on_mount(self) -> None:
        self._panels = list(self.query(Panel))
        self._show_page()
        self.set_interval(1 / FRAMES_PER_SECOND, self.frame)
        self.set_interval(LOOK_SECONDS, self.faults.look)

    def on_resize(self, event: Resize) -> None:
        huge = event.size.width >= HUGE.width and event.size.height >= HUGE.height
        self.set_class(huge, "-huge")
        self.call_after_refresh(self.frame)

    def frame(self) -> int:
        """Brings the screen up to the model; returns how many lines had changed."""
        self.set_class(self.desk.model.recoveries.current is not None, "-failing")
        changed = sum(panel.renew() for panel in self._panels)
        settled = self.desk.model.latencies.settled(self.desk.model.intents.get)
        if settled:
            self.call_after_refresh(self._painted, settled)
        return changed

    def _painted(self, keys: Sequence[str]) -> None:
        self.desk.model.latencies.painted(keys, time.perf_counter_ns())

    # Keys, by the names that the table gives them. Each one shows at once.

    def action_move(self, rows: int) -> None:
        self.desk.move(rows)
        self.frame()

    def action_move_page(self, pages: int) -> None:
        self.desk.move_page(pages)
        self.frame()

    def action_best(self, side: str) -> None:
        self.desk.move_to_best(Side(side))
        self.frame()

    def action_recentre(self) -> None:
        self.desk.recentre()
        self.frame()

    def action_group(self, step: int) -> None:
        self.desk.regroup(coarser=step > 0)
        self.frame()

    def action_cumulative(self) -> None:
        self.desk.accumulate()
        self.frame()

    def on_ladder_picked(self, picked: Ladder.Picked) -> None:
        """A press on the ladder moves the cursor, and once armed prepares; it never sends."""
        self.desk.pick(picked.price)
        if picked.side is not None and not (self.desk.locked or self.desk.ticket.moving):
            self.hand.order(picked.side)
        self._show_page()
        self.frame()

    def action_lock(self) -> None:
        self.hand.toggle_lock()
        self.frame()

    def action_order(self, side: str) -> None:
        self.hand.order(Side(side))
        self.frame()

    def action_join(self, ticks: int) -> None:
        self.hand.join(ticks)
        self.frame()

    def action_take(self, side: str) -> None:
        self.hand.take(Side(side))
        self.frame()

    def action_move_order(self) -> None:
        self.hand.move()
        self._show_page()
        self.frame()

    def action_close(self) -> None:
        self.hand.close()
        self.frame()

    def action_reverse(self) -> None:
        self.hand.close(reverse=True)
        self.frame()

    def action_digit(self, digit: str) -> None:
        self.desk.put(self.desk.ticket.digit(digit))
        self.frame()

    def action_erase(self) -> None:
        self.desk.put(self.desk.ticket.erase())
        self.frame()

    def action_preset(self, step: int) -> None:
        self.desk.put(self.desk.ticket.preset(step > 0))
        self.frame()

    def action_kind(self) -> None:
        self.desk.put(self.desk.ticket.next_kind())
        self.frame()

    def action_price(self) -> None:
        self.desk.put(self.desk.ticket.type_price())
        self.frame()

    def action_enter(self) -> None:
        self._submit(self.hand.enter())

    def action_escape(self) -> None:
        self.hand.escape()
        self._show_page()
        self.frame()

    def action_cancel(self) -> None:
        self._submit(self.hand.cancel())

    def action_cancel_side(self, side: str) -> None:
        self._submit(self.hand.cancel_side(Side(side)))

    def action_cancel_all(self) -> None:
        self._submit(self.hand.cancel_all())

    def action_list(self) -> None:
        self.desk.change_focus()
        self._show_page()
        self.frame()

    def action_page(self) -> None:
        self.desk.turn_page(apart=self.has_class("-wide"))
        self._show_page()
        self.frame()

    def action_analytics(self) -> None:
        self.desk.turn_to(Page.ANALYTICS)
        self._show_page()
        self.frame()

    def action_candles(self) -> None:
        self.desk.change_candles()
        self.frame()

    def action_market(self, step: int) -> None:
        self.desk.switch(step)
        self.frame()

    def action_strike(self, fault: str) -> None:
        self.run_worker(self.faults.strike(Fault(fault)), group="faults", exit_on_error=False)

    def action_restart(self) -> None:
        self.run_worker(self.faults.restart(), group="faults", exit_on_error=False)

    def action_markets(self) -> None:
        self.app.push_screen(MarketsScreen(self.desk, self.ink), self._chosen)

    def _chosen(self, symbol: str | None) -> None:
        if symbol is not None:
            self.desk.look_at(symbol)
        self.frame()

    def action_halt(self) -> None:
        self.hand.halt()
        self.frame()

    def action_theme(self) -> None:
        """The next of the palettes."""
        names = list(PALETTES)
        here = list(PALETTES.values()).index(self.ink.palette)
        self.action_use_theme(names[(here + 1) % len(names)])

    def action_use_theme(self, name: str) -> None:
        """Other colours: dark, light or contrast."""
        self.ink.use(PALETTES[name])
        self.app.theme = self.ink.palette.name
        self.frame()

    def action_look_at(self, symbol: str) -> None:
        self.desk.look_at(symbol)
        self.frame()

    def choices(self) -> list[tuple[str, str]]:
        """(words, action) of all that can be chosen by name."""
        found = [
            (f"{key.words}  {key.shown}".rstrip(), key.action)
            for key in self.keys.keys
            if not key.each and key.name != "palette"
        ]
        found += [(f"theme: {name}", f"use_theme({name!r})") for name in PALETTES]
        found += [
            (
                f"look at {clean(market.symbol)}  {clean(market.title)}",
                f"look_at({market.symbol!r})",
            )
            for market in self.desk.model.markets
        ]
        return found

    def action_help(self) -> None:
        self.app.push_screen(HelpScreen(self.ink, self.keys))

    def _submit(self, requests: Sequence[Request]) -> None:
        if requests:
            self.run_worker(self._send(requests), group="orders", exit_on_error=False)
        self.frame()

    def _show_page(self) -> None:
        for page in Page:
            self.query_one(f"#{page.value}").set_class(page is self.desk.page, "-shown")
        self.set_class(self.desk.on_orders, "-listing")
        self.set_class(self.desk.page is not Page.ORDERS, "-paged")
        self.set_class(self.desk.page.is_apart, "-apart")
        self.set_class(self.desk.page is Page.ANALYTICS, "-figures")
