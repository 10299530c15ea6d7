"""What the person at the keyboard does: arms, prepares, sends. Requests come out; no Textual."""

import itertools
import secrets

import msgspec

from matchbox_tui.engine import (
    CancelAll,
    CancelOrder,
    HaltMarket,
    NewOrder,
    Order,
    OrderBook,
    Reason,
    ReplaceOrder,
    ResumeMarket,
    Side,
    refusal_of_price,
)
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import grouped
from matchbox_tui.tui.intents import (
    Intent,
    cancel_all_intent,
    cancel_intent,
    move_intent,
    status_intent,
)
from matchbox_tui.tui.model import Link
from matchbox_tui.tui.outcome import Tone, asked
from matchbox_tui.tui.ticket import Ticket, refusal
from matchbox_tui.tui.twins import Asked, twin

Request = tuple[Intent, Asked]
"""What to send, and what to remember of it until the journal tells."""


class Hand:
    """Acts for the desk's trader. Nothing leaves without `enter`, but for cancels."""

    def __init__(self, desk: Desk, token: str = "") -> None:
        self.desk = desk
        self._token = token or secrets.token_hex(4)
        self._numbers = itertools.count(1)

    # The ticket.

    def toggle_lock(self) -> None:
        """Arms trading, or locks it and drops what was prepared."""
        desk = self.desk
        if desk.locked and not self._may_act():
            return
        desk.locked, desk.locked_since = not desk.locked, ""
        desk.put(desk.ticket.drop())
        armed = f"armed: {self._ways_to_trade()}, {desk.key('send')} sends"
        desk.say("trading is locked" if desk.locked else armed)

    def order(self, side: Side) -> None:
        """Prepares an order at the cursor."""
        if self._may_trade() and self._take_typed():
            # An order must not go to a market that comes to life meanwhile.
            self.desk.stay()
            self.desk.put(self.desk.ticket.prepare(side))

    def join(self, ticks: int = 0) -> None:
        """Prepares an order at the best price of its own side, `ticks` better where there is room.

        The side is the ticket's, else the one on which the cursor stands.
        """
        book = self.desk.book
        if book is None or not self._may_trade():
            return
        side = self._side(book)
        best = book.best_bid if side is Side.BUY else book.best_ask
        other = book.best_ask if side is Side.BUY else book.best_bid
        if best is None:
            self.desk.say(f"nobody {'bids' if side is Side.BUY else 'asks'} here")
            return
        sign = 1 if side is Side.BUY else -1
        price = best + sign * ticks * book.market.tick
        if (other is not None and (other - price) * sign <= 0) or refusal_of_price(
            price, book.market
        ) is not None:
            self.desk.say(f"there is no better price than {grouped(best)}")
            return
        self._prepare_at(price, self.desk.ticket.join(side))

    def take(self, side: Side) -> None:
        """Prepares to lift the best ask, or to hit the best bid."""
        book = self.desk.book
        if book is None or not self._may_trade():
            return
        price = book.best_ask if side is Side.BUY else book.best_bid
        if price is None:
            self.desk.say(f"nobody {'asks' if side is Side.BUY else 'bids'} here")
            return
        self._prepare_at(price, self.desk.ticket.take(side))

    def close(self, *, reverse: bool = False) -> None:
        """Prepares to end this market's position at the market's price, or to turn it over."""
        desk = self.desk
        if not self._may_trade():
            return
        held = desk.model.exchange.position(desk.model.trader, desk.symbol).qty
        if not held:
            desk.say(f"you hold nothing in {desk.symbol}")
            return
        desk.stay()
        side = Side.SELL if held > 0 else Side.BUY
        qty = abs(held) * (2 if reverse else 1)
        desk.put(desk.ticket.close(side, qty, reduce_only=not reverse))

    def move(self) -> None:
        """Picks up the selected order, or the first of ours in the cursor's row, to move it."""
        desk = self.desk
        if not self._may_trade():
            return
        chosen = self._chosen()
        if not chosen:
            self._say_none_here()
            return
        order = chosen[0]
        if order.market != desk.symbol:
            desk.look_at(order.market)
        desk.on_orders = False
        self._prepare_at(order.price, desk.ticket.move(order))

    def halt(self) -> None:
        """Prepares, as an operator, to halt this market, or to resume it where it is halted."""
        if self._may_trade():
            self.desk.stay()
            self.desk.put(self.desk.ticket.halt())

    def escape(self) -> None:
        """Drops the ticket; without one, leaves the order list and lets the ladder follow."""
        desk = self.desk
        if desk.ticket.typing_price:
            desk.put(desk.ticket.type_price())
        elif desk.ticket.prepared:
            desk.put(desk.ticket.drop())
        elif desk.on_orders:
            desk.change_focus()
        elif desk.model.recoveries.current is not None:
            desk.model.recoveries.drop()
        else:
            desk.recentre()

    def enter(self) -> list[Request]:
        """Takes a typed price, or sends the ticket."""
        desk = self.desk
        if desk.ticket.typing_price:
            self._take_typed()
            return []
        book = desk.book
        if book is None or not desk.ticket.prepared:
            desk.say(f"nothing is prepared: {self._ways_to_trade()}")
            return []
        if not self._may_trade():
            return []
        if desk.ticket.halting:
            return self._send_halt(book)
        return self._send_move(book) if desk.ticket.moving else self._send_order(book)

    def _send_halt(self, book: OrderBook) -> list[Request]:
        desk = self.desk
        symbol, now = book.market.symbol, desk.clock()
        command = ResumeMarket(symbol, now) if desk.halted else HaltMarket(symbol, now)
        desk.put(desk.ticket.drop())
        return [self._asking(status_intent(symbol, halt=not desk.halted), command)]

    def _send_order(self, book: OrderBook) -> list[Request]:
        desk = self.desk
        key = f"{self._token}-{next(self._numbers)}"
        order = desk.ticket.order(desk.symbol, desk.price, desk.model.trader, key, desk.clock())
        assert order is not None
        reason = refusal(order, book)
        if reason is not None:
            desk.say(f"not sent: {reason.words}", Tone.ALARM)
            return []
        desk.put(desk.ticket.drop())
        return [self._asking(Intent(key, order.market, asked(order), order), order)]

    def _send_move(self, book: OrderBook) -> list[Request]:
        desk = self.desk
        order, ticket = desk.moving(), desk.ticket
        if order is None:
            desk.say(f"order #{ticket.moving} is no longer open")
            desk.put(ticket.drop())
            return []
        price = desk.price if desk.price != order.price else None
        qty = order.cum_qty + ticket.qty if ticket.qty != order.leaves_qty else None
        reason = refusal_of_price(desk.price, book.market)
        if ticket.qty < 1:
            reason = Reason.INVALID_QTY
        if price is None and qty is None:
            reason = Reason.NOTHING_TO_REPLACE
        if reason is not None:
            desk.say(f"not sent: {reason.words}", Tone.ALARM)
            return []
        desk.put(ticket.drop())
        command = ReplaceOrder(order_id=order.id, qty=qty, price=price, timestamp=desk.clock())
        return [self._asking(move_intent(order, desk.price, ticket.qty), command)]

    # Cancelling: it takes risk away, so it needs no arming.

    def cancel(self) -> list[Request]:
        """Cancels the selected order, or every order of ours in the cursor's row."""
        if not self._may_act():
            return []
        chosen = self._chosen()
        if not chosen:
            self._say_none_here()
        return [self._ending(order) for order in chosen]

    def cancel_side(self, side: Side) -> list[Request]:
        """Cancels every bid, or every ask, of ours in this market."""
        if not self._may_act():
            return []
        desk = self.desk
        mine = [o for o in desk.orders if o.market == desk.symbol and o.side is side]
        if not mine:
            desk.say(f"you have no open {'bid' if side is Side.BUY else 'ask'} in {desk.symbol}")
        return [self._ending(order) for order in mine]

    def cancel_all(self) -> list[Request]:
        """Cancels every order of ours in this market."""
        if not self._may_act():
            return []
        desk = self.desk
        symbol = desk.symbol
        ids = frozenset(order.id for order in desk.orders if order.market == symbol)
        if not ids and not any(intent.market == symbol for intent in desk.model.intents):
            desk.say(f"you have no open order in {symbol}")
            return []
        command = CancelAll(desk.model.trader, symbol, desk.clock())
        return [self._asking(cancel_all_intent(symbol, ids), command)]

    # What these share.

    def _chosen(self) -> list[Order]:
        desk = self.desk
        if desk.on_orders:
            return [order for order in desk.orders if order.id == desk.selected]
        return [order for order in desk.orders if desk.at_cursor(order)]

    def _say_none_here(self) -> None:
        desk = self.desk
        price = desk.gaze.cursor if desk.gaze is not None else 0
        if any(intent.at == (desk.symbol, price) for intent in desk.model.intents):
            every = desk.key("cancel-all")
            desk.say(f"your order at {grouped(price)} has no id yet: again, or {every} for all")
            return
        desk.say(f"you have no open order {'here' if desk.on_orders else f'at {grouped(price)}'}")

    def _side(self, book: OrderBook) -> Side:
        if self.desk.ticket.side is not None:
            return self.desk.ticket.side
        above_bids = book.best_bid is None or self.desk.price > book.best_bid
        return Side.SELL if above_bids and book.best_ask is not None else Side.BUY

    def _prepare_at(self, price: int, ticket: Ticket) -> None:
        desk = self.desk
        desk.stay()
        if desk.gaze is not None:
            desk.gaze.go(price)
        desk.put(ticket)

    def _take_typed(self) -> bool:
        """Puts the cursor on the price that was typed; says why where there can be none."""
        desk = self.desk
        gaze, book, ticket = desk.gaze, desk.book, desk.ticket
        if ticket.typing_price and gaze is not None and book is not None:
            if ticket.typed:
                reason = refusal_of_price(int(ticket.typed), book.market)
                if reason is not None:
                    desk.say(reason.words, Tone.ALARM)
                    return False
                gaze.go(int(ticket.typed))
            desk.put(ticket.type_price())
        return True

    def _ending(self, order: Order) -> Request:
        return self._asking(cancel_intent(order), CancelOrder(order.id, self.desk.clock()))

    def _asking(self, intent: Intent, command: Asked) -> Request:
        desk = self.desk
        desk.model.asked(intent)
        shown = command
        if isinstance(command, NewOrder):
            # The id makes a retry safe; at a prompt one leaves it out.
            shown = msgspec.structs.replace(command, client_order_id="")
        if desk.shell_setup:
            desk.say(desk.shell_setup, Tone.TWIN)
            desk.shell_setup = ""
        desk.say(twin(shown), Tone.TWIN)
        return intent, command

    def _ways_to_trade(self) -> str:
        return f"{self.desk.key('buy')} buys, {self.desk.key('sell')} sells"

    def _may_trade(self) -> bool:
        if not self._may_act():
            return False
        if self.desk.locked:
            self.desk.say(f"trading is locked: {self.desk.key('arm')} arms it", Tone.ALARM)
            return False
        return True

    def _may_act(self) -> bool:
        desk = self.desk
        if not desk.model.trader:
            desk.say("only watching: start with a trader's name to trade", Tone.ALARM)
        elif desk.book is None:
            desk.say("there is no market to trade yet", Tone.ALARM)
        elif desk.model.link is not Link.LIVE:
            desk.say(f"{desk.model.link.value}: nothing was sent", Tone.ALARM)
        else:
            return True
        return False
