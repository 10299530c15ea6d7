"""Which prices the ladder shows: one a row, or one group of neighbouring prices a row.

Grouping rounds away from the market: a bid stands in the row at or below its price, an ask in the
row at or above it. So nobody seems to bid or to ask a better price than they do, and groups can't
cross. Where a group reaches over the end of the market's range, its row has the last price in it.
"""

from dataclasses import dataclass, replace

from matchbox_tui.engine import MAX_PRICE, Market, OrderBook, Side

UNBOUNDED_START = 50
"""Where an empty ladder without an upper bound starts."""


@dataclass(frozen=True)
class Window:
    """`rows` groups downwards from `top`, each of `group` prices that are `tick` apart.

    `top` is a multiple of the step from row to row, and may lie outside `low` to `high`: rows
    that have no price in between are blank.
    """

    top: int
    rows: int
    low: int = 1
    high: int = MAX_PRICE
    tick: int = 1
    group: int = 1

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
    def step(self) -> int:
        """From one row to the next."""
        return self.tick * self.group

    @property
    def first(self) -> int:
        """Where the lowest row of all stands, at or below `low`."""
        return self.low - self.low % self.step

    @property
    def last(self) -> int:
        """Where the highest row of all stands, at or above `high`."""
        return self.high + -self.high % self.step

    @property
    def bottom(self) -> int:
        return self.top - (self.rows - 1) * self.step

    def round(self, price: int, side: Side = Side.BUY) -> int:
        """Where the row of a price stands: bids go down to it, asks up."""
        return price - price % self.step if side is Side.BUY else price + -price % self.step

    def price(self, row: int) -> int | None:
        """The price that is written in a row, None where the row is blank."""
        at = self.top - row * self.step
        if 0 <= row < self.rows and self.first <= at <= self.last:
            return min(max(at, self.low), self.high)
        return None

    def row(self, price: int, side: Side = Side.BUY) -> int:
        """The row of a price, below 0 or from `rows` on where it is not shown."""
        return (self.top - self.round(price, side)) // self.step

    def shows(self, price: int, side: Side = Side.BUY, margin: int = 0) -> bool:
        return margin <= self.row(price, side) < self.rows - margin

    def clamp(self, price: int) -> int:
        """The nearest price that an order may have."""
        price = min(max(price, self.low), self.high)
        return price - (price - self.low) % self.tick

    def moved(self, price: int, side: Side, rows: int) -> int:
        """The price that is written so many rows above the row of a price."""
        at = self.round(price, side) + rows * self.step
        return min(max(at, self.low), self.high)

    def facing(self, price: int) -> Side:
        """The side whose rounding puts a price that is written in a row into that row."""
        return Side.SELL if price == self.high and price % self.step else Side.BUY

    def centred(self, price: int) -> "Window":
        return self._with_top(self.round(self.clamp(price)) + self.rows // 2 * self.step)

    def revealing(self, price: int, side: Side = Side.BUY) -> "Window":
        """The window moved as little as shows the price."""
        row = self.row(self.clamp(price), side)
        if row < 0:
            return self.scrolled(-row)
        if row >= self.rows:
            return self.scrolled(self.rows - 1 - row)
        return self

    def scrolled(self, rows: int) -> "Window":
        """So many rows further up, as far as there are prices."""
        return self._with_top(self.top + rows * self.step)

    def resized(self, rows: int) -> "Window":
        """As many rows as there are now, around the same middle."""
        rows = max(rows, 1)
        if rows == self.rows:
            return self
        middle = self.top - self.rows // 2 * self.step
        return replace(self, rows=rows)._with_top(middle + rows // 2 * self.step)

    def regrouped(self, group: int, price: int, side: Side) -> "Window":
        """Another number of prices a row, with one price in the same place of the screen."""
        row = min(max(self.row(price, side), 0), self.rows - 1)
        made = replace(self, group=group)
        return made._with_top(made.round(price, side) + row * made.step)

    def coarser(self) -> int:
        """The next larger group: 1, 2, 5, 10, 20, 50, ...; this one where it spans all prices."""
        group = self.group * 5 // 2 if str(self.group)[0] == "2" else self.group * 2
        return group if group * self.tick <= self.high - self.low else self.group

    def finer(self) -> int:
        """The next smaller group, at the least 1."""
        return max(self.group * 2 // 5 if str(self.group)[0] == "5" else self.group // 2, 1)

    def following(self, book: OrderBook, last: int | None) -> "Window":
        """The window that the market asks for: this one until its best prices near the edge."""
        wanted = points(book, last, self.room)
        if not wanted or all(self.shows(price, side, self.margin) for price, side in wanted):
            return self
        return self.around(wanted)

    def around(self, wanted: "tuple[Point, ...]") -> "Window":
        """Centred on one point, or between two."""
        return self.centred(sum(price for price, _ in wanted) // len(wanted))

    @property
    def margin(self) -> int:
        return min(2, self.rows // 5)

    @property
    def room(self) -> int:
        """How far apart two prices may be and still both be shown inside the margins."""
        rounding = 2 if self.group == 1 else 3
        return max(self.rows - 2 * self.margin - rounding, 0) * self.step

    def _with_top(self, top: int) -> "Window":
        first, last = self.first, self.last
        span = (last - first) // self.step + 1
        if span <= self.rows:
            top = last + (self.rows - span) // 2 * self.step
        else:
            top = min(max(top, first + (self.rows - 1) * self.step), last)
        return replace(self, top=top)


Point = tuple[int, Side]
"""A price, and the side on which it is one."""


def points(book: OrderBook, last: int | None, room: int) -> tuple[Point, ...]:
    """The prices that should be in view: both best ones, or one anchor where they lie far apart."""
    bid, ask = book.best_bid, book.best_ask
    if bid is not None and ask is not None:
        if ask - bid <= room:
            return ((bid, Side.BUY), (ask, Side.SELL))
        return ((last if last is not None and bid <= last <= ask else bid, Side.BUY),)
    if bid is not None:
        return ((bid, Side.BUY),)
    if ask is not None:
        return ((ask, Side.SELL),)
    return ((last, Side.BUY),) if last is not None else ()
