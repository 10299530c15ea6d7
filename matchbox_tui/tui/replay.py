"""The screen on a recorded run: it looks as it does on a venue, and has keys to play it."""

import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import tzinfo
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from matchbox_tui.tui.app import Look, MatchboxApp
from matchbox_tui.tui.bars import Bar
from matchbox_tui.tui.desk import Desk
from matchbox_tui.tui.feed import Feed
from matchbox_tui.tui.keys import REPLAY, KeyTable
from matchbox_tui.tui.ladder import Ladder
from matchbox_tui.tui.news import MessageLine, greeting, low_line, message_line
from matchbox_tui.tui.outcome import Tone
from matchbox_tui.tui.palette import Ink
from matchbox_tui.tui.panel import Row
from matchbox_tui.tui.places import SHORT_EXAMPLES, parse_place
from matchbox_tui.tui.player import OFF, Player, Recorded
from matchbox_tui.tui.recovery import Recoveries
from matchbox_tui.tui.replay_rows import player_line, recorded_line
from matchbox_tui.tui.roster import Roster
from matchbox_tui.tui.screen import TradeScreen

SAID_SECONDS = 4.0
"""How long words stay, by the clock on the wall: the run's own may stand still, or fly."""

GREETING = "space pauses, s steps, + - change the speed, t finds a trade, p goes anywhere"


class ReplayApp(MatchboxApp):
    """A recorded run in a terminal; with a trader's name it shows what that one held.

    It begins after the command and at the time of `begin`, else at the beginning.
    """

    def __init__(
        self,
        source: Recorded,
        trader: str = "",
        market: str | None = None,
        *,
        speed: float = 1.0,
        paused: bool = False,
        begin: tuple[int, int | None] | None = None,
        zone: tzinfo | None = None,
        look: Look | None = None,
    ) -> None:
        self.player = Player(source, speed=speed, paused=paused)
        feed = Feed(self.player.connect, trader, self.player.clock)
        super().__init__(
            "", "", trader, market, feed=feed, clock=self.player.clock, zone=zone, look=look
        )
        self.desk.model.analytics.trouble = "a recorded run has none"
        self.desk.model.roster = leaders_only()
        self.desk.model.named = source.markets
        if begin is not None:
            self.player.go(*begin)
        self.player.when_moved = self._moved

    def get_default_screen(self) -> Screen[None]:
        return replay_screen(self.player, self.desk, self._ink, self._zone, self.look.keys)

    def _moved(self) -> None:
        """What comes next doesn't follow on what was shown."""
        model = self.desk.model
        model.notices.clear()
        model.leaders.clear()
        model.roster, model.recoveries, model.cluster = leaders_only(), Recoveries(), None
        self.feed.begin_anew()


def leaders_only() -> Roster:
    """A recording tells who leads: what became of who led before is not known."""
    return Roster(stays_ns=0)


def replay_screen(
    player: Player, desk: Desk, ink: Ink, zone: tzinfo | None, keys: KeyTable
) -> "ReplayScreen":
    """A screen with these keys; those that trade say that they don't."""
    here, idle = keys.on(REPLAY), keys.idle(REPLAY)

    class WithKeys(ReplayScreen):
        BINDINGS: ClassVar[list[BindingType]] = [
            *here.bindings(),
            *(Binding(name, "off", show=False) for name in idle),
        ]

    return WithKeys(player, desk, ink, zone, here)


class ReplayScreen(TradeScreen):
    """The trading screen without trading."""

    def __init__(
        self, player: Player, desk: Desk, ink: Ink, zone: tzinfo | None, keys: KeyTable
    ) -> None:
        super().__init__(desk, ink, send_nothing, zone, keys, None)
        self._player = player
        self._said = MessageLine(GREETING, Tone.PLAIN)
        self._said_at = time.monotonic()

    def compose(self) -> ComposeResult:
        mine: dict[str, Callable[[Desk], Row]] = {
            "ticket": lambda _: player_line(self._player),
            "message": self._message,
            "status": self._status,
        }
        for widget in super().compose():
            name = widget.id or ""
            yield Bar(self.desk, self.ink, mine[name], id=name) if name in mine else widget

    def say(self, words: str, tone: Tone = Tone.PLAIN) -> None:
        """Tells something of the replay, which is no news of the market's."""
        self._said, self._said_at = MessageLine(words, tone), time.monotonic()
        self.frame()

    def action_off(self) -> None:
        self.say(OFF, Tone.ALARM)

    def action_pause(self) -> None:
        self._player.pause()
        self.frame()

    def action_step(self) -> None:
        if not self._player.step():
            self.say("this is the end")
        self.frame()

    def action_speed(self, step: int) -> None:
        self._player.change_speed(step)
        self.frame()

    def action_full_speed(self) -> None:
        self._player.full_speed()
        self.frame()

    def action_next_trade(self) -> None:
        self._seek(self._to_trade())

    def action_next_leader(self) -> None:
        if not self._player.go_to_leader():
            self.say("nobody else leads after this")
        self.frame()

    def action_go_to(self) -> None:
        self.app.push_screen(GoToScreen(), self._typed)

    def action_rewind(self) -> None:
        self._player.rewind()
        self.frame()

    def action_to_end(self) -> None:
        self._player.go_to_end()
        self.frame()

    def on_ladder_picked(self, picked: Ladder.Picked) -> None:
        """A press on the ladder moves the cursor."""
        self.desk.pick(picked.price)
        self.frame()

    async def _to_trade(self) -> None:
        if not await self._player.go_to_trade():
            self.say("nothing trades after this")

    def _typed(self, text: str | None) -> None:
        if text is None:
            return
        seq, at = parse_place(text)
        if at is not None:
            self._seek(self._player.go_to_time(at))
        elif seq is not None:
            if seq > self._player.source.last:
                self.say(f"the last command is {self._player.source.last:,}")
            self._player.go(seq)
        self.frame()

    def _seek(self, work: Awaitable[None]) -> None:
        """Looks for a place; whoever asks again meanwhile doesn't wait for this one any more."""
        self.run_worker(self._sought(work), group="replay", exclusive=True, exit_on_error=False)

    async def _sought(self, work: Awaitable[None]) -> None:
        try:
            await work
        except Exception as error:
            # A file that was damaged or went away; what is shown is right all the same.
            self.say(str(error), Tone.ALARM)

    def _message(self, desk: Desk) -> Row:
        if time.monotonic() - self._said_at < SAID_SECONDS:
            return self._said
        line = message_line(desk)
        idle = line == MessageLine(greeting(desk.model, desk), Tone.PLAIN)
        return MessageLine("", Tone.PLAIN) if idle else line

    def _status(self, desk: Desk) -> Row:
        news: Row | None = None
        if self.has_class("-low"):
            fresh = time.monotonic() - self._said_at < SAID_SECONDS
            news = self._said if fresh else low_line(desk)
        return recorded_line(desk, self._player, news)


async def send_nothing(requests: Iterable[object]) -> None:
    """Nothing is sent: no key leads here."""


class GoToScreen(ModalScreen[str | None]):
    """Asks for a place; ends with one that can be parsed."""

    DEFAULT_CSS = """
    GoToScreen {
        align: center bottom;
        background: $background 40%;
    }

    #go-to {
        width: 84;
        max-width: 100%;
        height: 3;
        background: $background;
        border: round $rule;
        border-title-color: $foreground;
        border-subtitle-color: $muted;
    }

    #go-to Input, #go-to Input:focus {
        border: none;
        height: 1;
        background: $background;
        padding: 0 1;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False, priority=True),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        with Container(id="go-to") as box:
            box.border_title = "go to a sequence, or to a time since the start"
            box.border_subtitle = "Enter goes there, Esc goes back"
            yield Input(placeholder=SHORT_EXAMPLES)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        try:
            parse_place(event.value)
        except ValueError as error:
            # A plain text would be read as markup, which what was typed need not be.
            self.query_one("#go-to", Container).border_subtitle = Content(str(error))
            return
        self.dismiss(event.value)
