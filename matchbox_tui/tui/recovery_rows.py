"""A recovery as plain rows: what was done, the steps since, the queue, and the score."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment

from matchbox_tui.tui.cells import Segments, clean, left, ruled
from matchbox_tui.tui.figures import duration, grouped, plural
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.recovery import Recovery

LEVELS = " ▁▂▃▄▅▆▇█"

Steps = tuple[tuple[str, int | None], ...]
"""(name, ns after the fault, None while it is to come)."""


@dataclass(frozen=True)
class RecoveryHead:
    """The rule above, with what was done."""

    words: str
    count: int
    hides: str

    def paint(self, width: int, ink: Ink) -> Segments:
        note = f"{self.hides} hides it"
        labels = [
            (0, f"failover {self.count}", ink.title),
            (12 + len(str(self.count)), left(clean(self.words), width - 32).rstrip(), ink.alarm),
            (width - len(note) - 2, note, ink.muted),
        ]
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class StepsRow:
    """When each step was seen, in ms after the fault; those to come are open."""

    steps: Steps

    def paint(self, width: int, ink: Ink) -> Segments:
        # Where there is little room, what it began with and what it ended with are told.
        first, *others = self.steps
        tries = [(" ── ", self.steps)]
        tries += [(" ", (first, *others[n:])) for n in range(len(others))]
        for between, steps in tries:
            segments = _joined(between, steps, ink)
            if sum(segment.cell_length for segment in segments) <= width:
                break
        return segments


@dataclass(frozen=True)
class QueueRow:
    """The order queue since the fault."""

    depths: tuple[int, ...]

    def paint(self, width: int, ink: Ink) -> Segments:
        peak = max(self.depths, default=0)
        words = f" queue up to {grouped(peak)} "
        room = max(width - len(words) - 1, 0)
        return [
            Segment(words, ink.muted),
            Segment(sparkline(self.depths, room), ink.own),
        ]


@dataclass(frozen=True)
class ScoreRow:
    """The score: good, bad, or not known yet."""

    words: str
    good: bool | None

    def paint(self, width: int, ink: Ink) -> Segments:
        style = ink.muted if self.good is None else ink.bid_strong if self.good else ink.alarm
        mark = "·" if self.good is None else "✓" if self.good else "✗"
        return [Segment(f" {mark} ", style), Segment(left(self.words, max(width - 3, 0)), style)]


def recovery_rows(
    recovery: Recovery, count: int, hides: str = "Esc"
) -> list[RecoveryHead | StepsRow | QueueRow | ScoreRow]:
    """The panel's rows; `hides` is the key that hides it. O(samples)."""
    began = recovery.began

    def after(time: int | None) -> int | None:
        return time - began if time is not None else None

    steps: list[tuple[str, int | None]] = [(recovery.fault.value, 0)]
    if recovery.changes_leader:
        who = f" {clean(recovery.leader)}" if recovery.leader else ""
        steps.append((f"elected{who}", after(recovery.elected)))
        steps.append(("caught up", after(recovery.leading)))
    steps.append(("first commit", after(recovery.committed)))
    rows: list[RecoveryHead | StepsRow | QueueRow | ScoreRow] = [
        RecoveryHead(recovery.words or recovery.fault.value, count, hides),
        StepsRow(tuple(steps)),
        QueueRow(tuple(recovery.depths)),
        _orders(recovery),
        _hashes(recovery),
    ]
    if recovery.refused:
        rows.append(ScoreRow(clean(f"refused: {recovery.refused}"), True))
    return rows


def _joined(between: str, steps: Steps, ink: Ink) -> Segments:
    segments: Segments = [Segment(" ", ink.plain)]
    for n, (name, after) in enumerate(steps):
        if n:
            segments.append(Segment(between, ink.rule))
        done = after is not None
        segments.append(Segment("● " if done else "○ ", ink.bid if done else ink.muted))
        segments.append(Segment(name, ink.plain if done else ink.muted))
        if after:
            segments.append(Segment(f" +{duration(after)}", ink.strong))
    return segments


def recovery_line(recovery: Recovery) -> ScoreRow:
    """All of it in one line, for a screen that has no room for a panel."""
    if recovery.different:
        return _hashes(recovery)
    if recovery.committed is None:
        return ScoreRow(f"{recovery.fault.value}: no commit since", None)
    return _orders(recovery)


def _orders(recovery: Recovery) -> ScoreRow:
    took = recovery.without_leader
    if took is None:
        return ScoreRow("no commit since", None)
    # What matters most comes first: a narrow screen cuts the end off.
    words = f"lost {recovery.lost}, doubled {recovery.doubled}"
    words += f" of {plural(recovery.orders, 'order')}"
    words += f", {duration(took)} without a leader" if recovery.changes_leader else ""
    words += ", thawed before its lease had ended" if recovery.went_on else ""
    words += f", epoch {recovery.epoch}"
    words += f" -> {recovery.new_epoch}" if recovery.new_epoch else ""
    return ScoreRow(words, not recovery.lost and not recovery.doubled)


def _hashes(recovery: Recovery) -> ScoreRow:
    if recovery.different:
        return ScoreRow(f"another book hash: {_places(recovery.different)}", False)
    if recovery.equal:
        return ScoreRow(f"book hash equal: {_places(recovery.equal)}", True)
    return ScoreRow("book hash: not compared yet", None)


def _places(told: dict[str, int]) -> str:
    return ", ".join(f"{clean(name)} at {grouped(seq)}" for name, seq in sorted(told.items()))


def sparkline(values: Sequence[int], width: int) -> str:
    """The newest values as blocks, the highest a full one; zero is blank."""
    shown = values[-width:] if width else ()
    peak = max(shown, default=0) or 1
    return "".join(LEVELS[-(-value * (len(LEVELS) - 1) // peak)] for value in shown)
