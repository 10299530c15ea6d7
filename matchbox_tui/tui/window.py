"""Which prices the ladder shows: one a row, on a centre of its own.

The centre stays where it is while the market moves inside the window. It follows only when the
best prices get near the edge, and never while somebody is preparing an order or has scrolled.
"""

from dataclasses import dataclass, replace

from matchbox_tui.engine import MAX_PRICE, Market, OrderBook

UNBOUNDED_START = 50
"""Where an empty ladder without an upper bound starts."""


@dataclass(frozen=True)
class Window:
    """`rows` prices downwards from `top`, `tick` apart; those outside `low` to `high` are blank."""

    top: int
    rows: int
    low: int = 1
    high: int = MAX_PRICE
    tick: int = 1

    @classmethod
    def of(cls, market: Market, rows: int, centre: int | None = None) -> "Window":
        """The window of a market around a price, or around the middle of its range."""
        tick = market.tick
        high = MAX_PRICE if market.max_price is None else market.max_price
        high -= high % tick
        low = max(-(-market.min_price // tick) * tick, tick)
        if centre is None:
            bounded = market.max_price is not None
            centre = (low + high) // 2 if bounded else max(low, UNBOUNDED_START)
        return cls(high, max(rows, 1), low, max(high, low), tick).centred(centre)

    def fits(self, market: Market) -> bool:
        """Whether this window was made for a market with these prices."""
        made = Window.of(market, self.rows)
        return (made.low, made.high, made.tick) == (self.low, self.high, self.tick)

    @property
    def bottom(self) -> int:
        return self.top - (self.rows - 1) * self.tick

    def price(self, row: int) -> int | None:
        """The price in a row, None where the row is blank."""
        price = self.top - row * self.tick
        return price if 0 <= row < self.rows and self.low <= price <= self.high else None

    def row(self, price: int) -> int:
        """The row of a price, below 0 or from `rows` on where it is not shown."""
        return (self.top - price) // self.tick

    def shows(self, price: int, margin: int = 0) -> bool:
        return margin <= self.row(price) < self.rows - margin

    def clamp(self, price: int) -> int:
        """The nearest price that an order may have."""
        price = min(max(price, self.low), self.high)
        return price - (price - self.low) % self.tick

    def centred(self, price: int) -> "Window":
        return self._with_top(self.clamp(price) + self.rows // 2 * self.tick)

    def revealing(self, price: int) -> "Window":
        """The window moved as little as shows the price."""
        price = self.clamp(price)
        if price > self.top:
            return self._with_top(price)
        if price < self.bottom:
            return self._with_top(price + (self.rows - 1) * self.tick)
        return self

    def resized(self, rows: int) -> "Window":
        """As many rows as there are now, around the same middle."""
        rows = max(rows, 1)
        if rows == self.rows:
            return self
        middle = self.top - self.rows // 2 * self.tick
        return replace(self, rows=rows)._with_top(middle + rows // 2 * self.tick)

    def following(self, book: OrderBook, last: int | None) -> "Window":
        """The window that the market asks for: this one until its best prices near the edge."""
        wanted = points(book, last, self.room)
        if not wanted or all(self.shows(price, self.margin) for price in wanted):
            return self
        return self.centred(sum(wanted) // len(wanted))

    @property
    def margin(self) -> int:
        return min(2, self.rows // 5)

    @property
    def room(self) -> int:
        """How far apart two prices may be and still both be shown inside the margins."""
        return max(self.rows - 2 * self.margin - 2, 0) * self.tick

    def _with_top(self, top: int) -> "Window":
        span = (self.high - self.low) // self.tick + 1
        if span <= self.rows:
            top = self.high + (self.rows - span) // 2 * self.tick
        else:
            top = min(max(top, self.low + (self.rows - 1) * self.tick), self.high)
        return replace(self, top=top)


def points(book: OrderBook, last: int | None, room: int) -> tuple[int, ...]:
    """The prices that should be in view: both best ones, or one anchor where they lie far apart."""
    bid, ask = book.best_bid, book.best_ask
    if bid is not None and ask is not None:
        if ask - bid <= room:
            return (bid, ask)
        return (last,) if last is not None and bid <= last <= ask else (bid,)
    only = bid if bid is not None else ask
    if only is not None:
        return (only,)
    return (last,) if last is not None else ()


@dataclass
class Gaze:
    """Where somebody looks in one market: the window, the cursor, and whether it is held.

    The cursor is always a price in the window. It stays with the centre until it is moved.
    """

    window: Window
    cursor: int
    placed: bool = False
    held: bool = False

    @classmethod
    def at(cls, market: Market, rows: int) -> "Gaze":
        window = Window.of(market, rows)
        return cls(window, window.clamp(window.top - window.rows // 2 * window.tick))

    def fit(self, rows: int) -> None:
        """Takes a new height; the cursor stays on its price and in the window."""
        self.window = self.window.resized(rows).revealing(self.cursor)

    def follow(self, book: OrderBook, last: int | None) -> None:
        """Lets the market move the window."""
        if not self.held:
            window = self.window.following(book, last)
            if window != self.window:
                self._look(window, book, last)

    def recentre(self, book: OrderBook, last: int | None) -> None:
        """Back to the market, cursor and all."""
        self.held = self.placed = False
        wanted = points(book, last, self.window.room)
        if wanted:
            self.window = self.window.centred(sum(wanted) // len(wanted))
        self.cursor = self._rest(book, last)

    def go(self, price: int) -> None:
        """Puts the cursor on a price; scrolling for it holds the window."""
        self.cursor = self.window.clamp(price)
        self.placed = True
        window = self.window.revealing(self.cursor)
        self.held = self.held or window != self.window
        self.window = window

    def step(self, rows: int) -> None:
        """Moves the cursor up by `rows` prices, down where negative."""
        self.go(self.cursor + rows * self.window.tick)

    def _look(self, window: Window, book: OrderBook, last: int | None) -> None:
        self.window = window
        if not self.placed:
            self.cursor = self._rest(book, last)
        row = window.row(self.cursor)
        if not 0 <= row < window.rows:
            self.cursor = window.clamp(window.top if row < 0 else window.bottom)

    def _rest(self, book: OrderBook, last: int | None) -> int:
        wanted = points(book, last, self.window.room)
        price = self.window.clamp(wanted[0] if wanted else self.cursor)
        return price if self.window.shows(price) else self.window.clamp(self.window.bottom)
