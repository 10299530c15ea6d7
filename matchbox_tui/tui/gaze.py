"""Where somebody looks in one market: the window, the cursor, and whether it is held.

The cursor is a price that an order may have, and always stands in a row that is shown. Moved by
rows it takes the price that is written there; sent to a price between them (the best bid, one that
was typed) it has that very price, and the row shows it. So grouping never changes an order's price.
"""

from dataclasses import dataclass

from matchbox_tui.engine import Market, OrderBook, Side
from matchbox_tui.tui.window import Window, points


@dataclass
class Gaze:
    """The cursor stays with the centre until it is moved.

    `side` says in whose row a cursor between two rows stands.
    """

    window: Window
    cursor: int
    side: Side = Side.BUY
    placed: bool = False
    held: bool = False

    @classmethod
    def at(cls, market: Market, rows: int) -> "Gaze":
        window = Window.of(market, rows)
        return cls(window, window.clamp(window.top - window.rows // 2 * window.step))

    @property
    def row(self) -> int:
        """The row of the cursor."""
        return self.window.row(self.cursor, self.side)

    def fit(self, rows: int) -> None:
        """Takes a new height; the cursor stays on its price and in the window."""
        self.window = self.window.resized(rows).revealing(self.cursor, self.side)

    def follow(self, book: OrderBook, last: int | None) -> None:
        """Lets the market move the window."""
        if not self.held:
            window = self.window.following(book, last)
            if window != self.window:
                self.window = window
                if not self.placed:
                    self._rest(book, last)
                self._stay_inside()

    def recentre(self, book: OrderBook, last: int | None) -> None:
        """Back to the market, cursor and all."""
        self.held = self.placed = False
        wanted = points(book, last, self.window.room)
        if wanted:
            self.window = self.window.around(wanted)
        self._rest(book, last)

    def go(self, price: int, side: Side | None = None) -> None:
        """Puts the cursor on a price; scrolling for it holds the window."""
        self.placed = True
        self._put(self.window.clamp(price), side)
        window = self.window.revealing(self.cursor, self.side)
        self.held = self.held or window != self.window
        self.window = window

    def step(self, rows: int) -> None:
        """Moves the cursor up by `rows`, down where negative."""
        self.go(self.window.moved(self.cursor, self.side, rows))

    def face(self, side: Side) -> None:
        """A cursor between two rows goes to the one where an order of this side would stand."""
        self.side = side
        self.window = self.window.revealing(self.cursor, side)

    def scroll(self, rows: int, *, pinned: bool) -> None:
        """Moves the window up by `rows` and holds it.

        The cursor is taken along at the edge; where it is `pinned`, the window stops there.
        """
        window = self.window.scrolled(rows)
        if pinned:
            window = window.revealing(self.cursor, self.side)
        if window != self.window:
            self.window, self.held = window, True
            self._stay_inside()

    def regroup(self, group: int) -> None:
        """Another number of prices a row; the cursor keeps its price and its place."""
        self.window = self.window.regrouped(group, self.cursor, self.side)
        self.window = self.window.revealing(self.cursor, self.side)

    def _put(self, price: int, side: Side | None = None) -> None:
        self.cursor = price
        self.side = side if side is not None else self.window.facing(price)

    def _stay_inside(self) -> None:
        row = self.row
        if not 0 <= row < self.window.rows:
            self._put(self.window.clamp(self.window.top if row < 0 else self.window.bottom))

    def _rest(self, book: OrderBook, last: int | None) -> None:
        wanted = points(book, last, self.window.room)
        self._put(*(wanted[0] if wanted else (self.cursor, self.side)))
        self.cursor = self.window.clamp(self.cursor)
        if not 0 <= self.row < self.window.rows:
            self._put(self.window.clamp(self.window.bottom))
