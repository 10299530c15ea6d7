"""What the person at the keyboard looks at, and the ticket in hand. No widgets, no commands."""

from collections.abc import Callable
from enum import StrEnum

from matchbox_tui.engine import Market, MarketStatus, NewOrder, Order, OrderBook, Side
from matchbox_tui.tui.candles import Span
from matchbox_tui.tui.gaze import Gaze
from matchbox_tui.tui.glow import Glow
from matchbox_tui.tui.keys import KeyTable, label
from matchbox_tui.tui.model import Model
from matchbox_tui.tui.outcome import Notice, Tone
from matchbox_tui.tui.ticket import Ticket


class Page(StrEnum):
    """The panels that share a place on a small screen."""

    ORDERS = "orders"
    POSITIONS = "positions"
    LOG = "log"
    CHART = "chart"
    CLUSTER = "cluster"
    ANALYTICS = "analytics"

    @property
    def is_apart(self) -> bool:
        """Whether it has a place of its own where there is room, beside this trader's panels."""
        return self in (Page.CHART, Page.CLUSTER, Page.ANALYTICS)


class Desk:
    """One person's view of the model. Every change of it touches the model's revision."""

    def __init__(self, model: Model, clock: Callable[[], int], market: str | None = None) -> None:
        self.model = model
        self.clock = clock
        self.ticket = Ticket()
        self.locked = True
        """Whether nothing can be sent; off is armed."""
        self.locked_since = ""
        """What locked it again, until its trader arms or locks."""
        self.page = Page.ORDERS
        self.candle_span = Span.SECOND
        self.on_orders = False
        self.rows = 1
        self.span = 0
        self.cumulative = False
        """Whether the ladder shows the depth up to each price instead of the size at it."""
        self.keys = KeyTable()
        """What its user presses, so that what is said names the right keys."""
        self.shell_setup = ""
        """What a shell needs before the commands that are shown here; told with the first one."""
        self._glow = Glow()
        self._wanted = market
        self._found = ""
        self._selected = 0
        self._gazes: dict[str, Gaze] = {}
        self.twin: Notice | None = None
        """The command line that was told last, None where something else was said since."""
        model.when_broken = self._lock_again

    # What is looked at.

    @property
    def symbol(self) -> str:
        """The market on the screen: the one chosen, else the first that had a life of its own."""
        if self._wanted is not None:
            return self._wanted
        if self.model.book(self._found) is not None:
            return self._found
        symbols = [market.symbol for market in self.model.markets]
        books = self.model.exchange.books
        lively = [symbol for symbol in symbols if books[symbol].sequence]
        # One that is yet to come is better than none.
        return next(iter(lively or symbols or self.model.named or ()), "")

    @property
    def book(self) -> OrderBook | None:
        return self.model.book(self.symbol)

    @property
    def market(self) -> Market | None:
        book = self.book
        return book.market if book is not None else None

    @property
    def gaze(self) -> Gaze | None:
        """Where this market is looked at, None while there is no such market."""
        symbol = self.symbol
        gaze, book = self._gazes.get(symbol), self.book
        if book is None:
            return None
        if gaze is None or not gaze.window.fits(book.market):
            gaze = self._gazes[symbol] = Gaze.at(book.market, self.rows)
            gaze.recentre(book, self.model.last(symbol))
        return gaze

    @property
    def price(self) -> int:
        """The price that an order would get: the one being typed, else the cursor's; 0: none."""
        if self.ticket.typed:
            return int(self.ticket.typed)
        return self.gaze.cursor if self.gaze is not None else 0

    @property
    def orders(self) -> list[Order]:
        """This trader's open orders, market by market."""
        if not self.model.trader:
            return []
        return list(self.model.exchange.orders_of(self.model.trader))

    @property
    def selected(self) -> int:
        """The id of the order that is selected, 0 where there is none."""
        if not self.on_orders:
            return 0
        ids = [order.id for order in self.orders]
        if self._selected in ids:
            return self._selected
        return min(ids, key=lambda order_id: abs(order_id - self._selected), default=0)

    def settle_view(self, rows: int, span: int) -> None:
        """Lets the ladder, rows x span, follow the market; it stands still while armed."""
        self.rows, self.span = max(rows, 1), span
        gaze, book = self.gaze, self.book
        if gaze is None or book is None:
            return
        if book.sequence and self.model.caught_up:
            self._found = self.symbol
        gaze.fit(self.rows)
        if self.locked and not self.ticket.typing_price:
            gaze.follow(book, self.model.last(self.symbol))

    def switch(self, step: int) -> None:
        """To the next or previous market; a ticket in preparation is dropped."""
        symbols = [market.symbol for market in self.model.markets]
        if not symbols:
            return
        here = symbols.index(self.symbol) if self.symbol in symbols else -step
        self.look_at(symbols[(here + step) % len(symbols)])

    def look_at(self, symbol: str) -> None:
        """To a market by name; a ticket in preparation is dropped."""
        self._wanted = symbol
        self.ticket = self.ticket.drop()
        self.model.touch()

    def turn_page(self, *, apart: bool = False) -> None:
        """To the next page; with `apart` of those that a large screen does not show anyway."""
        pages = [page for page in Page if not apart or page is Page.ORDERS or page.is_apart]
        here = pages.index(self.page) if self.page in pages else 0
        self.page = pages[(here + 1) % len(pages)]
        self.on_orders = self.on_orders and self.page is Page.ORDERS
        self.model.touch()

    def turn_to(self, page: Page) -> None:
        """To a page, or from it back to the first one."""
        self.page = page if self.page is not page else Page.ORDERS
        self.on_orders = self.on_orders and self.page is Page.ORDERS
        self.model.touch()

    def change_candles(self) -> None:
        """To the next longer candles, or back to the shortest."""
        self.candle_span = self.candle_span.next
        self.model.touch()

    def change_focus(self) -> None:
        """Between the ladder and the open orders."""
        self.on_orders = not self.on_orders
        if self.on_orders:
            self.page = Page.ORDERS
        self.model.touch()

    def move(self, rows: int) -> None:
        """Moves the cursor or the selection, upwards where positive."""
        if self.on_orders and not self.ticket.prepared:
            ids = [order.id for order in self.orders]
            if ids:
                at = ids.index(self.selected) - rows
                self._selected = ids[min(max(at, 0), len(ids) - 1)]
        elif self.gaze is not None:
            self.gaze.step(rows)
        self.model.touch()

    def move_page(self, pages: int) -> None:
        self.move(pages * max(self.rows - 2, 1))

    def move_to_best(self, side: Side) -> None:
        book, gaze = self.book, self.gaze
        price = None
        if book is not None:
            price = book.best_bid if side is Side.BUY else book.best_ask
        if price is None or gaze is None:
            self.say(f"nobody {'bids' if side is Side.BUY else 'asks'} here")
            return
        gaze.go(price, side)
        self.model.touch()

    def pick(self, price: int) -> None:
        """Puts the cursor on a price that is written in the ladder; a price half typed is gone."""
        gaze = self.gaze
        if gaze is not None:
            self.on_orders = False
            if self.ticket.typing_price:
                self.ticket = self.ticket.type_price()
            gaze.go(price, gaze.side if price == gaze.cursor else None)
            self.model.touch()

    def scroll(self, rows: int) -> None:
        """Moves the ladder up by `rows`; what is prepared keeps its price and stays in sight."""
        if self.gaze is not None:
            self.gaze.scroll(rows, pinned=self.ticket.prepared)
            self.model.touch()

    def regroup(self, *, coarser: bool) -> None:
        """More prices a row, or fewer."""
        if self.gaze is not None:
            window = self.gaze.window
            self.gaze.regroup(window.coarser() if coarser else window.finer())
            self.model.touch()

    def accumulate(self) -> None:
        """Between the size at each price and the depth up to it."""
        self.cumulative = not self.cumulative
        self.model.touch()

    def at_cursor(self, order: Order) -> bool:
        """Whether an order stands in the cursor's row."""
        gaze = self.gaze
        if gaze is None or order.market != self.symbol:
            return False
        return gaze.window.row(order.price, order.side) == gaze.row

    @property
    def heat(self) -> int:
        """How warm the last trade still is, 0 where it is long ago."""
        return self._glow.heat(self.model, self.symbol, self.clock())

    def recentre(self) -> None:
        book, gaze = self.book, self.gaze
        if book is not None and gaze is not None:
            gaze.recentre(book, self.model.last(self.symbol))
            self.model.touch()

    # The ticket.

    def put(self, ticket: Ticket) -> None:
        self.ticket = ticket
        if ticket.side is not None and self.gaze is not None:
            self.gaze.face(ticket.side)
        self.model.touch()

    def draft(self) -> NewOrder | None:
        """The order as it would be sent now, None where none is prepared."""
        return self.ticket.order(self.symbol, self.price, self.model.trader, "", 0)

    def moving(self) -> Order | None:
        """The open order that the ticket would change."""
        return self.model.exchange.orders.get(self.ticket.moving) if self.ticket.moving else None

    def stay(self) -> None:
        """Keeps this market on the screen whatever comes to life elsewhere."""
        self._wanted = self.symbol

    def key(self, name: str) -> str:
        """The key of an action as it is printed on a keyboard; without one, its name in quotes."""
        keys = next((key.keys for key in self.keys.keys if key.name == name), ())
        return label(keys[0]) if keys else f"'{name}'"

    def say(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        self.model.note(self.clock(), words, tone)
        # What else is told has nothing to do with the command that was shown before.
        self.twin = self.model.notices[-1] if tone is Tone.TWIN else None

    def _lock_again(self, why: str) -> None:
        """Whoever armed did so before another picture."""
        if not self.locked:
            self.locked, self.locked_since = True, why
            self.put(self.ticket.drop())
            self.say(f"{why}: trading is locked again", Tone.ALARM)

    @property
    def halted(self) -> bool:
        market = self.market
        return market is not None and market.status is MarketStatus.HALTED
