"""A row of the ladder, and how it is drawn. Pure values."""

from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from matchbox_tui.engine import Side
from matchbox_tui.tui.cells import Segments, left, raised, right
from matchbox_tui.tui.figures import grouped, short
from matchbox_tui.tui.glow import glowing
from matchbox_tui.tui.palette import Ink

MARKS = 6
"""The cells around a price: the cursor before it, the last trade after it."""

MOVES = {1: "▲", -1: "▼", 0: "◆"}

WITH_VOLUME = 56
"""From this width on the volume at each price stands at the right."""


@dataclass(frozen=True)
class Columns:
    """The widths of a ladder's columns; the same ones on both sides of the price."""

    own: int
    bar: int
    qty: int
    price: int
    slack: int
    volume: int = 0

    @classmethod
    def of(cls, width: int, highest: int, peak: int = 0) -> "Columns":
        price = max(len(grouped(highest)), 3)
        volume = min(width // 5, 16) if width >= WITH_VOLUME else 0
        side = max((width - volume - price - MARKS) // 2, 0)
        qty = min(4 if peak < 1000 else 6, side)
        own = 8 if side >= 26 else 5 if side >= 11 else 1 if side >= 8 else 0
        bar = max(side - qty - own - (1 if side >= 14 else 0), 0)
        if bar < 3:
            bar = 0
        used = 2 * (own + bar + qty) + price + MARKS + volume
        return cls(own, bar, qty, price, max(width - used, 0), volume)

    @property
    def side(self) -> int:
        return self.own + self.bar + self.qty

    @property
    def pad(self) -> int:
        """Blank cells before the bids; as many, or one more, follow the asks."""
        return self.slack // 2

    @property
    def asks(self) -> int:
        """Where the asks begin."""
        return self.pad + self.side + self.price + MARKS

    def side_at(self, x: int) -> Side | None:
        """The side whose column a cell belongs to, None for a cell of the others."""
        if self.pad <= x < self.pad + self.side:
            return Side.BUY
        return Side.SELL if self.asks <= x < self.asks + self.side else None


@dataclass(frozen=True)
class Half:
    """One side of a row: what rests, and what of it is ours, asked for, or prepared.

    `bar` is in half cells. `ahead` counts the contracts before the first order of ours.
    """

    qty: int = 0
    bar: int = 0
    mine: int = 0
    ahead: int = 0
    asked: int = 0
    draft: int = 0


_NOTHING = Half()


@dataclass(frozen=True)
class LadderRow:
    """One price or group of prices, None where the row is blank.

    `last` is the move of the last trade here, `heat` how warm it still is; `volume` was traded
    here, with a bar in eighths of a cell.
    """

    columns: Columns
    price: int | None
    bid: Half = Half()
    ask: Half = Half()
    best: bool = False
    last: int | None = None
    heat: int = 0
    cursor: bool = False
    volume: int = 0
    volume_bar: int = 0

    def paint(self, width: int, ink: Ink) -> Segments:
        columns = self.columns
        if self.price is None:
            return [Segment(" " * width, ink.plain)]
        after = columns.slack - columns.pad if self.cursor or columns.volume else 0
        below = _half(self.bid, columns, ink, columns.pad, is_bid=True)
        above = _half(self.ask, columns, ink, after, is_bid=False)
        if columns.volume:
            above += self._volume(columns, ink)
        if self.cursor:
            below, above = raised(below, ink), raised(above, ink)
        return [*below, *self._middle(columns, ink), *above]

    def _middle(self, columns: Columns, ink: Ink) -> Segments:
        tint = (
            ink.side(bool(self.bid.qty), self.best) if self.bid.qty or self.ask.qty else ink.muted
        )
        assert self.price is not None
        price = right(grouped(self.price), columns.price)
        if self.last is None and not self.cursor:
            return [Segment(f"   {price}   ", tint)]
        if self.last is not None:
            tint = ink.strong
        mark = MOVES[self.last] if self.last is not None else " "
        moved = ink.own_strong if not self.last else ink.side(self.last > 0, True)
        if self.heat:
            # On a lit ground a colour would be hard to see.
            moved = ink.strong
        # What glows does so on a raised row as well.
        ground = ink.raised if self.cursor else Style()
        glow = glowing(ink.palette.own, ink.palette.ground, self.heat) if self.heat else ground
        return [
            Segment(" ▸ " if self.cursor else "   ", ink.own_strong + ground),
            Segment(price, tint + glow),
            Segment(f" {mark}", moved + glow),
            Segment(" ", ink.plain + ground),
        ]

    def _volume(self, columns: Columns, ink: Ink) -> Segments:
        size = short(self.volume) if self.volume else ""
        room = max(columns.volume - 8, 0)
        bar = ("█" * (self.volume_bar // 8) + " ▏▎▍▌▋▊▉"[self.volume_bar % 8])[:room]
        return [
            Segment(right(size, columns.volume - room - 1) + " ", ink.muted),
            Segment(bar.ljust(room), ink.rule),
        ]


def _half(half: Half, columns: Columns, ink: Ink, pad: int, *, is_bid: bool) -> Segments:
    """Bar and size beside the price, and ours at the outer edge, over the end of a long bar.

    `pad` blank cells lie further out. Blanks go with what they stand beside: a terminal is told
    less, and to paint costs by the segment.
    """
    if half == _NOTHING:
        return [Segment(" " * (pad + columns.side), ink.plain)]
    zone = columns.own + columns.bar
    # A blank keeps it apart from the size: two numbers that touch would read as one.
    own = _own(half, zone - 1 if zone > 1 else zone)
    taken = sum(len(part) for part, _ in own) + len(own)
    cells = zone - max(taken, columns.own) - 1
    bar = _bar(half.bar, min(-(-half.bar // 2), cells), is_bid) if cells > 0 else ""
    blank = zone - max(taken - 1, 0) - len(bar)
    marks: Segments = []
    for number, (part, is_sure) in enumerate(own):
        marks.append(Segment(" " * (number > 0) + part, ink.own_strong if is_sure else ink.own))
    if marks:
        marks.insert(0 if is_bid else len(marks), Segment(" " * pad, ink.plain))
    else:
        blank += pad
    size = short(half.qty) if half.qty else ""
    tint = ink.side(is_bid)
    if is_bid:
        dim = Segment(" " * blank + bar, ink.bid_bar)
        segments = [*marks, dim, Segment(right(size, columns.qty), tint)]
    else:
        dim = Segment(bar + " " * blank, ink.ask_bar)
        segments = [Segment(left(size, columns.qty), tint), dim, *marks]
    return [segment for segment in segments if segment.text]


def _own(half: Half, width: int) -> list[tuple[str, bool]]:
    """What there is to say of our orders, the most urgent first, as far as it fits."""
    parts = []
    if half.draft:
        parts.append((f"+{short(half.draft)}", True))
    if half.asked:
        parts.append((f"?{short(half.asked)}", False))
    elif half.mine:
        place = f"<{short(half.ahead)}"
        mine = f"◆{short(half.mine)}"
        room = width - sum(len(part) + 1 for part, _ in parts)
        parts.append((mine + place if len(mine + place) <= room else mine, True))
    shown: list[tuple[str, bool]] = []
    for part in parts:
        used = sum(len(text) + 1 for text, _ in shown)
        if used + len(part[0]) <= width:
            shown.append(part)
    if parts and not shown and width:
        shown = [(parts[0][0][0], parts[0][1])]
    return shown


def _bar(halves: int, cells: int, is_bid: bool) -> str:
    """The end of a bar beside its size, at most so many cells of it, and a blank."""
    body = "█" * min(halves // 2, cells)
    odd = halves % 2 and len(body) < cells
    if is_bid:
        return ("▐" if odd else "") + body + " "
    return " " + body + ("▌" if odd else "")
