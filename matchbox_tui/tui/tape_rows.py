"""The tape as plain rows, newest first: prints, own fills, and a rule where the lead changed."""

from dataclasses import dataclass
from datetime import tzinfo
from itertools import islice

from rich.cells import cell_len
from rich.segment import Segment

from matchbox_tui.engine import Side, TradeExecuted
from matchbox_tui.tui.cells import Segments, clean, left, right, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import clock_time, duration, fitted, grouped, short
from matchbox_tui.tui.lead import Handover
from matchbox_tui.tui.palette import Ink

_LONGEST_SHORT = 6


def layout(width: int, digits: int) -> tuple[int, int, int]:
    """(columns of the time, blanks around the price, its digits) with which a print fits.

    Blanks give way first, then digits of the price, which is then told in short, then seconds.
    """
    for clock, pad, shown in (
        (8, 2, digits),
        (8, 1, digits),
        (8, 1, min(digits, _LONGEST_SHORT)),
    ):
        if 18 + clock + 2 * pad + shown <= width:
            return clock, pad, shown
    return 5, 1, min(digits, _LONGEST_SHORT)


@dataclass(frozen=True)
class TapeHead:
    """The rule above the tape, with the columns' names."""

    digits: int

    def paint(self, width: int, ink: Ink) -> Segments:
        clock, pad, digits = layout(width, self.digits)
        labels = [
            (0, "tape", ink.title),
            (clock + 5, "buys", ink.bid_strong),
            (clock + 8 + 2 * pad + digits, "sells", ink.ask_strong),
        ]
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class TapeRow:
    """One trade. The taker bought where `bought`; `own` is what we did in it."""

    time: str
    bought: bool
    qty: int
    price: int
    digits: int
    own: Side | None = None

    def paint(self, width: int, ink: Ink) -> Segments:
        tint = ink.side(self.bought)
        clock, pad, digits = layout(width, self.digits)
        size = short(self.qty)
        before = right(size, 7) + " ▲" if self.bought else " " * 9
        after = " " * 8 if self.bought else "▼ " + left(size, 6)
        done = "" if self.own is None else "bought" if self.own is Side.BUY else "sold"
        segments = [
            Segment("◆" if done else " ", ink.own_strong),
            Segment(self.time[:clock], ink.muted),
            Segment(before + " " * pad, tint),
            Segment(right(fitted(grouped(self.price), self.price, digits), digits), ink.plain),
            Segment(" " * pad + after, tint),
        ]
        if done and width - (19 + clock + 2 * pad + digits) >= len(done):
            segments.append(Segment(f" {done}", ink.own))
        return segments


@dataclass(frozen=True)
class HandoverRow:
    """The lead went from one epoch to the next.

    `gap` is how long nobody led in between, as words. Where there is no room for everything it
    stands closer, then without the word epoch. Then the gap goes, and last the name's end.
    """

    before: int
    epoch: int
    leader: str
    gap: str = ""

    def paint(self, width: int, ink: Ink) -> Segments:
        room = width - 5
        epochs, name = f"{self.before} → {self.epoch}", clean(self.leader)
        lead = " · ".join(filter(None, (epochs, name)))
        close = f"{lead.replace(' → ', '→', 1)} · {self.gap.replace(' ', '')}"
        timed = (f"epoch {lead} · {self.gap}", f"epoch {close}", close) if self.gap else ()
        words = next(
            (step for step in (*timed, f"epoch {lead}") if cell_len(step) <= room),
            lead if room >= len(epochs) + 6 else epochs,
        )
        return ruled(width, ink, [(2, left(words, min(cell_len(words), room)), ink.own)])


def tape_rows(
    desk: Desk, count: int, zone: tzinfo | None
) -> list[TapeHead | TapeRow | HandoverRow]:
    """The head and the newest `count` rows of the market's tape. O(count)."""
    model, trader = desk.model, desk.model.trader
    items = list(islice(reversed(model.tape(desk.symbol)), max(count, 0)))
    highest = max((item.price for item in items if isinstance(item, TradeExecuted)), default=0)
    digits = max(len(grouped(highest)), 3)
    rows: list[TapeHead | TapeRow | HandoverRow] = [TapeHead(digits)]
    for item in items:
        if isinstance(item, Handover):
            rows.append(handover_row(item, model.leaders.get(item.epoch, "")))
            continue
        own = None
        if trader and trader in (item.buyer, item.seller):
            own = Side.BUY if item.buyer == trader else Side.SELL
        bought = item.taker_side is Side.BUY
        time = clock_time(item.timestamp, zone)
        rows.append(TapeRow(time, bought, item.qty, item.price, digits, own))
    return rows


def handover_row(handover: Handover, leader: str) -> HandoverRow:
    """The rule of a change of leader, with its name where it is known."""
    gap = ""
    if handover.gap_ns is not None:
        gap = f"{'' if handover.exact else '≤ '}{duration(handover.gap_ns)}"
    return HandoverRow(handover.before, handover.epoch, leader, gap)
