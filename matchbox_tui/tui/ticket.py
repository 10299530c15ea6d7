"""The order ticket: what is being prepared, before anything is sent. Pure values."""

from dataclasses import dataclass, replace
from enum import StrEnum

from matchbox_tui.engine import (
    MAX_QTY,
    Level,
    NewOrder,
    Order,
    OrderBook,
    OrderType,
    Reason,
    Side,
    TimeInForce,
    refusal_of_terms,
)
from matchbox_tui.tui.figures import grouped, plural, thousandths

PRESETS = (1, 5, 10, 25, 50, 100, 250, 500, 1000)

_LONGEST = len(str(MAX_QTY))
_LOOKED_AT = 200


class Kind(StrEnum):
    """The kinds of order that the ticket knows, in the order in which a key steps through them."""

    LIMIT = "limit"
    IOC = "IOC"
    MARKET = "market"
    POST_ONLY = "post-only"


@dataclass(frozen=True)
class Ticket:
    """Prepared where it has a side. Its price is the ladder's cursor, `typed` digits of a new one.

    `fresh` says that the next digit starts the quantity anew. `moving` is the order that is to get
    another price or size, 0 for a new order; `halting` that the market is to be halted, or resumed
    where it is halted. `resume` is what the quantity and the kind were
    before this ticket was filled in for its trader; a quantity that was not filled in is None.
    """

    side: Side | None = None
    qty: int = 10
    kind: Kind = Kind.LIMIT
    typed: str | None = None
    fresh: bool = True
    reduce_only: bool = False
    moving: int = 0
    halting: bool = False
    resume: tuple[int | None, Kind] | None = None

    @property
    def prepared(self) -> bool:
        return self.side is not None or self.halting

    @property
    def typing_price(self) -> bool:
        return self.typed is not None

    def prepare(self, side: Side) -> "Ticket":
        ticket = self._resumed()
        return replace(ticket, side=side, typed=None, fresh=not self.prepared or self.fresh)

    def take(self, side: Side) -> "Ticket":
        """Prepared to take what stands there, and to leave nothing behind."""
        ticket = self.prepare(side)
        return replace(ticket, kind=Kind.IOC, resume=(None, ticket.kind))

    def join(self, side: Side) -> "Ticket":
        """Prepared to rest: what takes at once, or at any price, would not join anybody."""
        ticket = self.prepare(side)
        if ticket.kind in (Kind.LIMIT, Kind.POST_ONLY):
            return ticket
        return replace(ticket, kind=Kind.LIMIT, resume=(None, ticket.kind))

    def close(self, side: Side, qty: int, *, reduce_only: bool) -> "Ticket":
        """Prepared to end a position at the market's price, or to turn it over."""
        ticket = self._resumed()
        return replace(
            ticket,
            side=side,
            qty=qty,
            kind=Kind.MARKET,
            typed=None,
            fresh=True,
            reduce_only=reduce_only,
            resume=(ticket.qty, ticket.kind),
        )

    def move(self, order: Order) -> "Ticket":
        """Prepared to change an open order; the quantity is what is to be left of it."""
        ticket = self._resumed()
        return replace(
            ticket,
            side=order.side,
            qty=order.leaves_qty,
            kind=Kind.LIMIT,
            typed=None,
            fresh=True,
            moving=order.id,
            resume=(ticket.qty, ticket.kind),
        )

    def halt(self) -> "Ticket":
        """Prepared to halt the market, or to resume it."""
        return replace(self._resumed(), side=None, typed=None, fresh=True, halting=True)

    def drop(self) -> "Ticket":
        return replace(self._resumed(), side=None, typed=None, fresh=True)

    def _resumed(self) -> "Ticket":
        qty, kind = self.resume or (None, self.kind)
        return Ticket(self.side, self.qty if qty is None else qty, kind, self.typed, self.fresh)

    def digit(self, digit: str) -> "Ticket":
        if self.typed is not None:
            return replace(self, typed=(self.typed + digit).lstrip("0")[:_LONGEST])
        text = digit if self.fresh else f"{self.qty}{digit}"
        return replace(self, qty=min(int(text), MAX_QTY), fresh=False)

    def erase(self) -> "Ticket":
        if self.typed is not None:
            return replace(self, typed=self.typed[:-1])
        return replace(self, qty=self.qty // 10, fresh=False)

    def preset(self, up: bool) -> "Ticket":
        """The next larger or smaller of the preset quantities."""
        if up:
            qty = next((preset for preset in PRESETS if preset > self.qty), self.qty)
        else:
            qty = next((p for p in reversed(PRESETS) if p < self.qty), self.qty)
        return replace(self, qty=qty, fresh=True)

    def next_kind(self) -> "Ticket":
        if self.moving or self.reduce_only:
            return self
        kinds = list(Kind)
        return replace(self, kind=kinds[(kinds.index(self.kind) + 1) % len(kinds)])

    def type_price(self) -> "Ticket":
        return replace(self, typed="" if self.typed is None else None)

    def order(self, market: str, price: int, trader: str, key: str, time: int) -> NewOrder | None:
        """The order that this ticket asks for, None where it asks for none."""
        if self.side is None or self.moving:
            return None
        is_market = self.kind is Kind.MARKET
        immediate = self.kind in (Kind.IOC, Kind.MARKET)
        return NewOrder(
            order_id=0,
            market=market,
            side=self.side,
            type=OrderType.MARKET if is_market else OrderType.LIMIT,
            price=0 if is_market else price,
            qty=self.qty,
            timestamp=time,
            trader=trader,
            time_in_force=TimeInForce.IOC if immediate else TimeInForce.GTC,
            post_only=self.kind is Kind.POST_ONLY,
            reduce_only=self.reduce_only,
            client_order_id=key,
        )


def refusal(order: NewOrder, book: OrderBook) -> Reason | None:
    """Why the venue would refuse the order whatever else happens, or None."""
    numbered = NewOrder(
        order_id=1,
        market=order.market,
        side=order.side,
        type=order.type,
        price=order.price,
        qty=order.qty,
        timestamp=order.timestamp,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        reduce_only=order.reduce_only,
    )
    return refusal_of_terms(numbered, book.market)


def preview(order: NewOrder, book: OrderBook) -> str:
    """What would happen if the order came first. O(levels it would take), a few hundred at most."""
    reason = refusal(order, book)
    if reason is not None:
        return reason.words
    takes = _takes(order, book)
    taken, value = takes.qty, takes.value
    left = order.qty - taken
    if not takes.whole:
        return "takes many orders"
    if order.post_only:
        crosses = taken or takes.meets_own
        return Reason.POST_ONLY_WOULD_CROSS.words if crosses else _joins(order, book)
    if not taken:
        if takes.meets_own:
            return "would be cancelled: meets your own order"
        if order.time_in_force is TimeInForce.IOC:
            return "nothing to take there: would expire"
        return _joins(order, book)
    average = thousandths(value * 1000 // taken) if value % taken else grouped(value // taken)
    words = f"takes {grouped(taken)} @ {average}"
    if takes.meets_own:
        words += f", meets your own order: {grouped(left)} would be cancelled"
    elif left:
        ends = order.time_in_force is TimeInForce.IOC
        words += f", {grouped(left)} would {'expire' if ends else 'rest'}"
    return words


def preview_move(order: Order, price: int, leaves: int, book: OrderBook) -> str:
    """What would happen to an open order if its change came first. O(levels it would take)."""
    if price == order.price and leaves == order.leaves_qty:
        return "the arrows choose its new price, digits its size"
    if price == order.price and leaves < order.leaves_qty:
        return "keeps its place in the queue"
    draft = NewOrder(
        order_id=order.id,
        market=order.market,
        side=order.side,
        price=price,
        qty=leaves,
        trader=order.message.trader,
        post_only=order.post_only,
    )
    return f"loses its place, {preview(draft, book)}"


@dataclass
class _Taken:
    """What an order would take: `whole` where all that matters was looked at."""

    qty: int = 0
    value: int = 0
    whole: bool = True
    meets_own: bool = False
    """Whether it would come upon an order of its own trader, which ends it."""


def _takes(order: NewOrder, book: OrderBook) -> _Taken:
    is_buy = order.side is Side.BUY
    limit = order.price if order.type is OrderType.LIMIT else None
    mine = book.by_trader.get(order.trader, {}) if order.trader else {}
    own = {one.price for one in mine.values() if one.side is not order.side}
    taken = _Taken()
    for looked, level in enumerate(book.side(order.side.opposite).best_first()):
        beyond = limit is not None and (level.price > limit if is_buy else level.price < limit)
        if beyond or taken.qty == order.qty:
            break
        if looked == _LOOKED_AT:
            taken.whole = False
            break
        left = order.qty - taken.qty
        qty = min(level.qty, left)
        if level.price in own:
            qty, taken.whole = _before_own(level, order.trader, left)
            taken.meets_own = taken.whole and qty < left
        taken.qty += qty
        taken.value += qty * level.price
        if taken.meets_own or not taken.whole:
            break
    return taken


def _before_own(level: Level, trader: str, most: int) -> tuple[int, bool]:
    """(contracts that stand before the trader's first order, `most` at most, whether all)."""
    ahead, maker = 0, level.head
    for _ in range(_LOOKED_AT):
        if maker is None or maker.message.trader == trader or ahead >= most:
            return min(ahead, most), True
        ahead += maker.leaves_qty
        maker = maker.next
    return min(ahead, most), ahead >= most


def _joins(order: NewOrder, book: OrderBook) -> str:
    ahead = book.depth_at(order.side, order.price)
    if ahead:
        return f"rests behind {plural(ahead, 'contract')}"
    best = book.best_bid if order.side is Side.BUY else book.best_ask
    if best is None or (order.price > best if order.side is Side.BUY else order.price < best):
        return "rests as the new best price"
    return "rests first at its price"
