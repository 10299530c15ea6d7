"""What the person at the keyboard does: looks, prepares, sends. Commands come out; no Textual."""

import itertools
import secrets
from collections.abc import Callable
from enum import StrEnum

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    Market,
    MarketStatus,
    NewOrder,
    Order,
    OrderBook,
    Side,
    refusal_of_price,
)
from matchbox_tui.tui.figures import grouped
from matchbox_tui.tui.intents import Intent, cancel_all_intent, cancel_intent
from matchbox_tui.tui.model import Link, Model
from matchbox_tui.tui.outcome import Tone, asked
from matchbox_tui.tui.ticket import Ticket, refusal
from matchbox_tui.tui.window import Gaze

Request = tuple[Intent, NewOrder | CancelOrder | CancelAll]
"""What to send, and what to remember of it until the journal tells."""


class Page(StrEnum):
    """The panels that share a place on a small screen."""

    ORDERS = "orders"
    POSITIONS = "positions"
    LOG = "log"


class Desk:
    """One person's view of the model. Every change of it touches the model's revision."""

    def __init__(
        self, model: Model, clock: Callable[[], int], market: str | None = None, token: str = ""
    ) -> None:
        self.model = model
        self.clock = clock
        self.ticket = Ticket()
        self.page = Page.ORDERS
        self.on_orders = False
        self.rows = 1
        self.span = 0
        self._wanted = market
        self._found = ""
        self._selected = 0
        self._gazes: dict[str, Gaze] = {}
        self._token = token or secrets.token_hex(4)
        self._numbers = itertools.count(1)

    # What is looked at.

    @property
    def symbol(self) -> str:
        """The market on the screen: the one chosen, else the first that had a life of its own."""
        if self._wanted is not None:
            return self._wanted
        if self.model.book(self._found) is not None:
            return self._found
        books = list(self.model.exchange.books.values())
        lively = [book for book in books if book.sequence] or books
        return lively[0].market.symbol if lively else ""

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
        if not self.ticket.armed and not self.ticket.typing_price:
            gaze.follow(book, self.model.last(self.symbol))

    def switch(self, step: int) -> None:
        """To the next or previous market; a ticket in preparation is dropped."""
        symbols = [market.symbol for market in self.model.markets]
        if not symbols:
            return
        here = symbols.index(self.symbol) if self.symbol in symbols else -step
        self._wanted = symbols[(here + step) % len(symbols)]
        self.ticket = self.ticket.drop()
        self.model.touch()

    def turn_page(self) -> None:
        pages = list(Page)
        self.page = pages[(pages.index(self.page) + 1) % len(pages)]
        self.on_orders = self.on_orders and self.page is Page.ORDERS
        self.model.touch()

    def change_focus(self) -> None:
        """Between the ladder and the open orders."""
        self.on_orders = not self.on_orders
        if self.on_orders:
            self.page = Page.ORDERS
        self.model.touch()

    def move(self, rows: int) -> None:
        """Moves the cursor or the selection, upwards where positive."""
        if self.on_orders and not self.ticket.armed:
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
        gaze.go(price)
        self.model.touch()

    def recentre(self) -> None:
        book, gaze = self.book, self.gaze
        if book is not None and gaze is not None:
            gaze.recentre(book, self.model.last(self.symbol))
            self.model.touch()

    # The ticket.

    def prepare(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.model.touch()

    def arm(self, side: Side) -> None:
        if self._may_trade() and self._take_typed():
            # An order must not go to a market that comes to life meanwhile.
            self._wanted = self.symbol
            self.prepare(self.ticket.arm(side))

    def escape(self) -> None:
        """Drops the ticket; without one, leaves the order list and lets the ladder follow."""
        if self.ticket.typing_price:
            self.prepare(self.ticket.type_price())
        elif self.ticket.armed:
            self.prepare(self.ticket.drop())
        elif self.on_orders:
            self.change_focus()
        else:
            self.recentre()

    def draft(self) -> NewOrder | None:
        """The order as it would be sent now, None where the ticket is not armed."""
        return self.ticket.order(self.symbol, self.price, self.model.trader, "", 0)

    def enter(self) -> Request | None:
        """Takes a typed price, or sends the ticket."""
        if self.ticket.typing_price:
            self._take_typed()
            return None
        book = self.book
        if book is None or not self.ticket.armed:
            self.say("nothing is prepared: b buys, s sells")
            return None
        if not self._may_trade():
            return None
        key = f"{self._token}-{next(self._numbers)}"
        order = self.ticket.order(self.symbol, self.price, self.model.trader, key, self.clock())
        assert order is not None
        reason = refusal(order, book)
        if reason is not None:
            self.say(f"not sent: {reason.words}", Tone.ALARM)
            return None
        self.prepare(self.ticket.drop())
        return self._asking(Intent(key, order.market, asked(order), order), order)

    # Cancelling.

    def cancel(self) -> list[Request]:
        """Cancels the selected order, or every order of ours in the cursor's row."""
        if not self._may_trade():
            return []
        price = self.gaze.cursor if self.gaze is not None else 0
        here = (self.symbol, price)
        if self.on_orders:
            chosen = [order for order in self.orders if order.id == self.selected]
        else:
            chosen = [order for order in self.orders if (order.market, order.price) == here]
        if not chosen and any(intent.at == here for intent in self.model.intents):
            self.say(f"your order at {grouped(price)} has no id yet: again, or X for all")
        elif not chosen:
            where = "to cancel" if self.on_orders else f"at {grouped(price)}"
            self.say(f"you have no open order {where}")
        return [self._ending(order) for order in chosen]

    def cancel_all(self) -> list[Request]:
        """Cancels every order of ours in this market."""
        if not self._may_trade():
            return []
        symbol = self.symbol
        ids = frozenset(order.id for order in self.orders if order.market == symbol)
        if not ids and not any(intent.market == symbol for intent in self.model.intents):
            self.say(f"you have no open order in {symbol}")
            return []
        command = CancelAll(self.model.trader, symbol, self.clock())
        return [self._asking(cancel_all_intent(symbol, ids), command)]

    def _take_typed(self) -> bool:
        """Puts the cursor on the price that was typed; says why where there can be none."""
        gaze, book = self.gaze, self.book
        if self.ticket.typing_price and gaze is not None and book is not None:
            if self.ticket.typed:
                reason = refusal_of_price(int(self.ticket.typed), book.market)
                if reason is not None:
                    self.say(reason.words, Tone.ALARM)
                    return False
                gaze.go(int(self.ticket.typed))
            self.prepare(self.ticket.type_price())
        return True

    def say(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        self.model.note(self.clock(), words, tone)

    def _ending(self, order: Order) -> Request:
        return self._asking(cancel_intent(order), CancelOrder(order.id, self.clock()))

    def _asking(self, intent: Intent, command: NewOrder | CancelOrder | CancelAll) -> Request:
        self.model.asked(intent)
        return intent, command

    def _may_trade(self) -> bool:
        if not self.model.trader:
            self.say("only watching: start with a trader's name to trade", Tone.ALARM)
        elif self.book is None:
            self.say("there is no market to trade yet", Tone.ALARM)
        elif self.model.link is not Link.LIVE:
            self.say(f"{self.model.link.value}: nothing was sent", Tone.ALARM)
        else:
            return True
        return False

    @property
    def halted(self) -> bool:
        market = self.market
        return market is not None and market.status is MarketStatus.HALTED
