"""The cluster as plain rows: its instances, the queue, and how long requests took."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.segment import Segment

from matchbox_tui.tui.cells import Segments, clean, left, right, ruled
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import age, duration, grouped, plural, short
from matchbox_tui.tui.latency import Summary
from matchbox_tui.tui.order_rows import Words
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Row
from matchbox_tui.tui.roster import LATE_NS, Member

WIDE = 56
"""From this width on an instance needs one line, below it two."""

SPARKS = "▁▂▃▄▅▆▇█"

_ROLES = {"leading": "led", "follower": "follows", "catching_up": "catches up"}
_MARKS = {"leads": "●", "follows": "○", "catches up": "◌"}

_COLUMNS = (("role", 11), ("epoch", 6), ("seq", 13), ("lag", 7), ("pid", 8), ("beat", 7))
"""What stands right of an instance's name, and how wide."""


@dataclass(frozen=True)
class ClusterHead:
    """The rule above the instances, with the columns' names where there are columns."""

    def paint(self, width: int, ink: Ink) -> Segments:
        labels = [(0, "cluster", ink.title)]
        end = width - 1 - sum(columns for _, columns in _COLUMNS)
        for name, columns in _COLUMNS if width >= WIDE else ():
            start = end if name == "role" else end + columns - len(name) - 1
            labels.append((start, name, ink.muted))
            end += columns
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class InstanceRow:
    """One instance; `part` is 0 where one line tells all, else 1 or 2 of two."""

    name: str
    role: str
    epoch: int
    seq: int
    lag: int | None
    pid: int
    beat: str
    late: bool = False
    part: int = 0

    def paint(self, width: int, ink: Ink) -> Segments:
        mark = _MARKS.get(self.role, "!")
        known = self.role in _MARKS and not self.late
        loud = ink.plain if known else ink.alarm
        style = ink.own_strong if self.role == "leads" else loud
        head = [Segment(f" {mark} ", style)]
        lag = ink.muted if not self.lag else ink.own
        behind = "?" if self.lag is None else short(self.lag)
        if self.part == 2:
            behind = f" lag {behind}"
            facts = f"   epoch {self.epoch} seq {short(self.seq)}"
            if len(facts) + len(behind) + len(self.beat) + 2 > width:
                facts = f"   epoch {self.epoch} {short(self.seq)}"
            return [
                Segment(facts, ink.muted),
                Segment(behind, lag),
                Segment(right(f" {self.beat}", max(width - len(facts) - len(behind) - 1, 0)), loud),
            ]
        if self.part == 1:
            pid = f"pid {self.pid}" if self.pid else ""
            room = max(width - len(self.role) - len(pid) - 6, 0)
            name = clean(self.name)
            return [
                *head,
                Segment(left(name, room) + " ", ink.plain),
                Segment(f"{self.role} ", style),
                Segment(pid, ink.muted),
            ]
        widths = dict(_COLUMNS)
        room = width - sum(widths.values()) - 4
        return [
            *head,
            Segment(left(clean(self.name), room), ink.plain),
            Segment(left(f" {self.role}", widths["role"]), style),
            Segment(right(str(self.epoch), widths["epoch"]), ink.muted),
            Segment(right(grouped(self.seq), widths["seq"]), ink.muted),
            Segment(right(behind, widths["lag"]), lag),
            Segment(right(str(self.pid or ""), widths["pid"]), ink.muted),
            Segment(right(self.beat, widths["beat"]), loud),
        ]


@dataclass(frozen=True)
class QueueRow:
    """The order queue's depth from look to look, the newest at the right."""

    depths: tuple[int, ...]

    def paint(self, width: int, ink: Ink) -> Segments:
        now, peak = self.depths[-1], max(self.depths)
        words = f" queue {short(now)} "
        top = f" peak {short(peak)}"
        room = max(width - len(words) - len(top), 0)
        shown = self.depths[-room:] if room else ()
        sparks = "".join(spark(depth, peak) for depth in shown)
        return [
            Segment(words, ink.own if now else ink.muted),
            Segment(sparks.rjust(room), ink.own),
            Segment(top, ink.muted),
        ]


@dataclass(frozen=True)
class LatencyHead:
    """The rule above the latencies: how many requests they are made of."""

    count: int

    def paint(self, width: int, ink: Ink) -> Segments:
        words = f"your {plural(self.count, 'request')}" if self.count else "your requests"
        labels = [(0, words, ink.title)]
        if self.count:
            labels += [(width - 15, "p50", ink.muted), (width - 5, "p99", ink.muted)]
        return ruled(width, ink, labels)


@dataclass(frozen=True)
class LatencyRow:
    """p50 and p99 of one of the ways, in ns."""

    words: str
    half: int
    most: int

    def paint(self, width: int, ink: Ink) -> Segments:
        return [
            Segment(left(f" {self.words}", max(width - 22, 0)), ink.muted),
            Segment(right(duration(self.half), 11), ink.plain),
            Segment(right(duration(self.most), 10), ink.plain),
        ]


def cluster_rows(desk: Desk, width: int, height: int) -> list[Row]:
    """Instances, queue and latencies; what there is no room for is left out from the end."""
    model = desk.model
    rows: list[Row] = [ClusterHead()]
    if not model.roster.looks:
        return [*rows, Words(" not looked at yet")]
    for member in model.roster.members():
        rows += _instance_rows(member, width)
    if len(rows) == 1:
        rows.append(Words(" no instance"))
    if model.traders_ended:
        rows.append(Words(clean(f" ! traders ended: {model.traders_ended}"), loud=True))
    rows.append(QueueRow(tuple(model.roster.depths)[-max(width, 1) :]))
    if model.trader:
        rows += latency_rows(model.latencies.summary())
    return rows[:height]


def latency_rows(summary: Summary | None) -> list[Row]:
    """How long this person's requests took."""
    if summary is None:
        return [LatencyHead(0), Words(" none was sent yet")]
    return [
        LatencyHead(summary.count),
        LatencyRow("acknowledged", *summary.acknowledged),
        LatencyRow("painted", *summary.painted),
    ]


def spark(value: int, peak: int) -> str:
    """The lowest block for nothing, a higher one for anything, the highest for the peak."""
    if value <= 0:
        return SPARKS[0]
    return SPARKS[1 + (len(SPARKS) - 2) * value // peak]


def _instance_rows(member: Member, width: int) -> Sequence[InstanceRow]:
    instance = member.instance
    role = _ROLES.get(instance.role, clean(instance.role))
    if member.gone:
        role = "gone"
    elif member.leads:
        role = "leads"
    return [
        InstanceRow(
            instance.id,
            role,
            instance.epoch,
            instance.seq,
            member.lag,
            instance.pid,
            _beat(member.heard_ns),
            member.heard_ns > LATE_NS,
            part,
        )
        for part in ((0,) if width >= WIDE else (1, 2))
    ]


def _beat(heard_ns: int) -> str:
    """The age of a heartbeat: tenths of a second while it is young."""
    if heard_ns < 10_000_000_000:
        return f"{heard_ns // 1_000_000_000}.{heard_ns // 100_000_000 % 10}s"
    return age(heard_ns)
