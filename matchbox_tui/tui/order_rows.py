"""Open orders and the log as plain rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice

from rich.segment import Segment

from matchbox_tui.engine import Order, Side
from matchbox_tui.tui.cells import Segments, clean, left, raised, right, ruled, wrapped
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import age, clock_time, fitted, grouped, plural, short
from matchbox_tui.tui.model import Model
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.queue_places import Places

MEDIUM = 52
"""From this width on an order's row shows its market after its price."""

WIDE = 62
"""From this width on it shows its id as well."""

SIDE = 7
AT = 3


@dataclass(frozen=True)
class PanelHead:
    """A rule with a panel's name, and what can be said of it at the right."""

    name: str
    note: str = ""
    active: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        labels = [
            (0, f"▸ {self.name}" if self.active else self.name, ink.title),
            (width - len(self.note) - 2, self.note, ink.own if self.active else ink.muted),
        ]
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class Words:
    """A line of plain text."""

    words: str
    loud: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        return [Segment(left(self.words, width), ink.alarm if self.loud else ink.muted)]


@dataclass(frozen=True)
class OrderColumns:
    """The widths of an order row's columns; those that don't fit are 0."""

    size: int
    price: int
    market: int
    ahead: int
    age: int
    number: int

    @classmethod
    def of(cls, width: int) -> "OrderColumns":
        size, ahead, age = (9, 8, 5) if width >= MEDIUM else (7, 6, 4)
        market = 11 if width >= MEDIUM else 0
        number = 10 if width >= WIDE else 0
        room = width - SIDE - size - AT - market - ahead - age - number - 1
        return cls(size, max(room, 5), market, ahead, age, number)


@dataclass(frozen=True)
class OrderHead:
    """The rule above `count` open orders, with the columns' names and the id of the selected one.

    `selected` is None while the keys go elsewhere.
    """

    count: int
    selected: int | None = None

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = OrderColumns.of(width)
        if self.selected is not None:
            labels = [(0, "▸ orders", ink.title)]
            if self.count:
                labels.append((11, f"#{self.selected}", ink.own))
        else:
            labels = [(0, plural(self.count, "open order") if self.count else "orders", ink.title)]
        if self.count:
            names = ("ahead".rjust(columns.ahead) + "age".rjust(columns.age)).strip()
            labels.append((width - columns.number - len(names) - 2, names, ink.muted))
            labels.append((width - 4, "id" if columns.number else "", ink.muted))
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class OrderRow:
    """An open order of ours, or one that was sent and is not known yet (`order_id` 0).

    `ahead` and `age` are the contracts before it in its queue and how long it has been there.
    """

    order_id: int
    market: str
    side: Side
    leaves: int
    qty: int
    price: int
    unsure: bool = False
    standing: str = ""
    selected: bool = False
    ahead: str = ""
    age: str = ""

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = OrderColumns.of(width)
        is_buy = self.side is Side.BUY
        size = fitted(f"{self.leaves:,}", self.leaves, columns.size - 1)
        if self.leaves != self.qty:
            size = fitted(f"{self.leaves:,}/{self.qty:,}", self.leaves, columns.size - 1)
        # A price that loses its last digits would read as another one: rather no age.
        price, room, shown_age = (
            grouped(self.price) if self.price else "market",
            columns.price,
            columns.age,
        )
        if len(price) >= room:
            room, shown_age = room + shown_age, 0
            price = fitted(price, self.price, room - 1)
        segments = [
            Segment("▸" if self.selected else " ", ink.own_strong),
            Segment("▲ buy " if is_buy else "▼ sell", ink.side(is_buy)),
            Segment(right(size, columns.size), ink.plain),
            Segment(" @ ", ink.muted),
            Segment(left(price, room), ink.plain),
        ]
        if columns.market:
            segments.append(Segment(left(clean(self.market), columns.market - 1) + " ", ink.muted))
        room = columns.ahead + shown_age + columns.number
        if self.unsure:
            tail = f"? {self.standing}"
            segments.append(Segment(right(tail if len(tail) < room else "?", room), ink.own))
        else:
            segments.append(Segment(right(self.ahead, columns.ahead), ink.plain))
            since = right(self.age, shown_age) if shown_age else ""
            number = right(f"#{self.order_id}", columns.number) if columns.number else ""
            segments.append(Segment(since + number, ink.muted))
        if self.selected:
            segments.append(Segment(" ", ink.plain))
            segments = raised(segments, ink)
        return segments


_LOG_HEAD = 12
_LOG_LINES = 6


@dataclass(frozen=True)
class LogRow:
    """A line of a notice; what follows the first has no `time`."""

    time: str
    tone: Tone
    words: str

    def paint(self, width: int, ink: Ink) -> Segments:
        styles = {Tone.ALARM: ink.alarm, Tone.FILL: ink.own, Tone.TWIN: ink.muted}
        style = styles.get(self.tone, ink.plain)
        mark = {Tone.ALARM: "!", Tone.FILL: "◆", Tone.TWIN: "$"}.get(self.tone, "·")
        head = f" {self.time:8} {mark if self.time else ' '} "
        return [
            Segment(head[:-3], ink.muted),
            Segment(head[-3:], style),
            Segment(left(self.words, max(width - _LOG_HEAD, 0)), style),
        ]


def order_rows(desk: Desk, count: int, places: Places) -> list[OrderRow | Words]:
    """The open orders around the selected one, those not known yet first.

    O(open orders), and for the rows shown what `places` costs.
    """
    model = desk.model
    if not model.trader:
        return [Words(" only watching: no trader's name")]
    rows: list[OrderRow | Words] = [
        OrderRow(
            0,
            intent.market,
            intent.order.side,
            intent.order.qty,
            intent.order.qty,
            intent.resting_price,
            True,
            intent.standing.value,
        )
        for intent in model.intents
        if intent.order is not None
    ]
    orders = desk.orders
    selected = desk.selected
    at = next((i for i, order in enumerate(orders) if order.id == selected), 0)
    room = max(count - len(rows), 1)
    start = max(0, min(at - room // 2, len(orders) - room))
    shown = orders[start : start + room]
    places.keep({order.id for order in shown})
    now = desk.clock()
    rows += [_order_row(order, model, places, now, selected) for order in shown]
    return rows or [Words(" no open orders")]


def _order_row(order: Order, model: Model, places: Places, now: int, selected: int) -> OrderRow:
    book = model.book(order.market)
    place = places.of(order, book) if book is not None else None
    ahead = ""
    if place is not None:
        ahead = short(place.ahead) if place.exact else f"{short(place.ahead)}+"
    asked = _asked(model, order.id)
    return OrderRow(
        order.id,
        order.market,
        order.side,
        order.leaves_qty,
        order.qty,
        order.price,
        bool(asked),
        asked,
        order.id == selected,
        ahead,
        age(now - order.message.timestamp),
    )


def _asked(model: Model, order_id: int) -> str:
    """What was asked of an open order and is not known yet, or nothing."""
    if model.intents.ending(order_id):
        return "cancel"
    return "replace" if model.intents.moving(order_id) else ""


def log_rows(desk: Desk, width: int, count: int, zone: tzinfo | None) -> Iterator[LogRow]:
    """The newest notices first, each on as many lines as it needs: a command is to be typed off."""
    for notice in islice(reversed(desk.model.notices), max(count, 0)):
        time = clock_time(notice.time, zone)
        for words in wrapped(clean(notice.words), width - _LOG_HEAD, _LOG_LINES):
            yield LogRow(time, notice.tone, words)
            time = ""
