"""The message line: the latest news, and the command line that asks for what was just done."""

from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment

from matchbox_tui.tui.cells import Segments, clean, left
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.model import Link, Model
from matchbox_tui.tui.outcome import Notice, Tone
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Row
from matchbox_tui.tui.recovery_rows import recovery_line

NOTICE_NS = 8_000_000_000
"""How long a notice stays on the message line."""

READ_NS = 1_500_000_000
"""How long news have the line for themselves, before what has no room beside them."""

TWIN_NS = 6_000_000_000
"""How long a command stands beside what came of it, and beside whatever else is told meanwhile."""


@dataclass(frozen=True)
class MessageLine:
    """The latest news, or what is not known yet; and beside it a command.

    `read` says that the command may take the place of the news where there is no room for both.
    """

    words: str
    tone: Tone
    open: bool = False
    twin: str = ""
    read: bool = False

    def paint(self, width: int, ink: Ink) -> Segments:
        styles = {Tone.ALARM: ink.alarm, Tone.FILL: ink.own, Tone.TWIN: ink.muted}
        style = ink.own if self.open else styles.get(self.tone, ink.plain)
        words, twin = f" {self.words}", f"  $ {self.twin}"
        if self.twin and (not self.words or cell_len(words) + cell_len(twin) <= width):
            if not self.words:
                return [Segment(left(twin[1:], width), ink.muted)]
            # Apart from the news, which may be of another order.
            return [
                Segment(left(words, width - cell_len(twin)), style),
                Segment(twin, ink.muted),
            ]
        if self.twin and self.read:
            return [Segment(left(twin[1:], width), ink.muted)]
        return [Segment(left(words, width), style)]


def message_line(desk: Desk) -> MessageLine:
    return _told(desk) or MessageLine(greeting(desk.model, desk), Tone.PLAIN)


def low_line(desk: Desk) -> Row | None:
    """The news for a screen that has no line of their own for them, None while there are none."""
    recovery, notice = desk.model.recoveries.current, _fresh(desk)
    if recovery is None or (recovery.committed is not None and recovery.over(desk.clock())):
        return _told(desk)
    if notice is None or notice.time < recovery.began or notice.words == recovery.words:
        # What was done to the venue is told by what comes of it.
        return recovery_line(recovery)
    unread = notice.tone is Tone.ALARM or desk.clock() - notice.time <= READ_NS
    return _told(desk) if unread else recovery_line(recovery)


def greeting(model: Model, desk: Desk) -> str:
    """What to say while there is nothing else to say."""
    if model.link is Link.CONNECTING:
        return "looking for the venue"
    if desk.book is None:
        return f"no market {clean(desk.symbol)} yet: {desk.key('markets')} looks at the others"
    if model.cluster is not None and model.leader is None:
        return "waiting for a leader"
    if not model.source.seq:
        return "waiting for the first order"
    if model.trader and not model.notices and model.link is Link.LIVE:
        words = f"{desk.key('arm')} arms trading, arrows choose a price, {desk.key('buy')} buys"
        return f"{words}, {desk.key('sell')} sells, {desk.key('send')} sends"
    return ""


def _fresh(desk: Desk) -> Notice | None:
    notices = desk.model.notices
    notice = notices[-1] if notices else None
    return notice if notice is not None and desk.clock() - notice.time < NOTICE_NS else None


def _told(desk: Desk) -> MessageLine | None:
    """What was asked for and what came of it, None while that is long ago."""
    now, notice, command = desk.clock(), _fresh(desk), desk.twin
    twin = clean(command.words) if command and now - command.time < TWIN_NS else ""
    if notice is not None and notice.tone is Tone.ALARM:
        return MessageLine(clean(notice.words), notice.tone, False, twin)
    waiting = list(desk.model.intents)
    if waiting:
        more = f" and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        words = f"? {clean(waiting[-1].words)}: {waiting[-1].standing.value}{more}"
        return MessageLine(words, Tone.PLAIN, True, twin)
    if notice is None:
        return None
    if notice.tone is Tone.TWIN:
        return MessageLine("", notice.tone, False, clean(notice.words))
    return MessageLine(clean(notice.words), notice.tone, False, twin, now - notice.time > READ_NS)
