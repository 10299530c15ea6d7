"""The lines of a screen that shows a recorded run: where the player is, and how the venue stood."""

from dataclasses import dataclass

from rich.segment import Segment

from matchbox_tui.tui.cells import Segments, clean, left, spread
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.figures import grouped
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Row
from matchbox_tui.tui.places import stopwatch
from matchbox_tui.tui.player import FULL_SPEED, Player

SHORTEST_BAR = 8


@dataclass(frozen=True)
class PlayerLine:
    """How the player does: playing or not, how fast, the time, the sequence, and how far that is.

    `done` is in thousandths of the run.
    """

    state: str
    alarming: bool
    speed: str
    time: str
    whole: str
    seq: int
    last: int
    done: int

    def paint(self, width: int, ink: Ink) -> Segments:
        state = Segment(f" {self.state} ", ink.alarm if self.alarming else ink.own_strong)
        parts = [
            state,
            Segment(f" {self.speed} ", ink.strong),
            Segment(f" {self.time}", ink.strong),
            Segment(f" of {self.whole} ", ink.muted),
            Segment(" seq ", ink.muted),
            Segment(grouped(self.seq), ink.strong),
            Segment(f" of {grouped(self.last)} ", ink.muted),
        ]
        used = sum(part.cell_length for part in parts)
        if used > width:
            # The totals go first.
            parts = [part for n, part in enumerate(parts) if n not in (3, 6)]
        room = width - used - 2
        if room >= SHORTEST_BAR:
            filled = room * self.done // 1000
            parts += [
                Segment(" ", ink.plain),
                Segment("━" * filled, ink.own),
                Segment("─" * (room - filled), ink.muted),
            ]
        return parts


@dataclass(frozen=True)
class RecordedLine:
    """What was recorded, and who led."""

    title: str
    interrupted: bool
    leader: str | None
    epoch: int
    queue: int
    trader: str
    news: Row | None = None

    def paint(self, width: int, ink: Ink) -> Segments:
        raised = ink.raised
        state = Segment(" ▷ recorded ", ink.own + raised)
        if self.news is not None:
            told = self.news.paint(max(width - state.cell_length, 0), ink)
            return [state, *(Segment(s.text, (s.style or ink.plain) + raised) for s in told)]
        segments = [state]
        for name, value, alarming in (
            ("leader", clean(self.leader) if self.leader else "none", self.leader is None),
            ("epoch", str(self.epoch), False),
            ("queue", grouped(self.queue), False),
        ):
            segments.append(Segment(f" {name} ", ink.muted + raised))
            segments.append(Segment(f"{value} ", (ink.alarm if alarming else ink.plain) + raised))
        if self.interrupted:
            segments.append(Segment(" interrupted ", ink.alarm + raised))
        room = width - sum(s.cell_length for s in segments) - 1
        words = clean(self.title) + (f"  {clean(self.trader)}" if self.trader else "")
        tail = [Segment(f"{left(words, room - 1).rstrip()} ", ink.muted + raised)]
        return spread(width, segments, tail if room > SHORTEST_BAR else [], raised)


def player_line(player: Player) -> PlayerLine:
    """The player as it is now."""
    source = player.source
    state, alarming = "▶ playing", False
    if player.seeking:
        state = "» seeking"
    elif player.ended:
        state = "■ the end"
    elif player.paused:
        state, alarming = "‖ paused", True
    position, end = player.position, max(source.end, 1)
    return PlayerLine(
        state,
        alarming,
        "full speed" if player.speed == FULL_SPEED else f"{player.speed:g}x",
        stopwatch(position),
        stopwatch(source.end),
        player.seq,
        source.last,
        1000 if player.ended else min(1000 * position // end, 1000),
    )


def recorded_line(desk: Desk, player: Player, news: Row | None = None) -> RecordedLine:
    """The venue as it was."""
    cluster = desk.model.cluster
    return RecordedLine(
        player.source.title,
        player.source.interrupted,
        desk.model.leader,
        desk.model.epoch,
        cluster.queue_depth if cluster is not None else 0,
        desk.model.trader,
        news,
    )
