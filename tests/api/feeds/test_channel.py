"""A channel and its members, whatever the order in which they come, stall and go."""

import asyncio
import random
from collections import deque
from typing import Any

import pytest

from matchbox_tui.api.feeds.channel import MOST_PENDING, Channel
from matchbox_tui.api.feeds.connection import CHUNK, TOO_SLOW
from matchbox_tui.api.feeds.pacer import Pacer
from tests.api.feeds.member import Member
from tests.waiting import eventually


class Venue:
    """A channel, and everything that was pushed to it."""

    def __init__(self, backlog: int = 1 << 20) -> None:
        self.pushed: list[bytes] = []
        self.emptied = 0
        self.channel = Channel(Pacer(), backlog, self._empty)

    def _empty(self) -> None:
        self.emptied += 1

    def push(self, frame: bytes) -> None:
        self.pushed.append(frame)
        self.channel.push(frame)

    def join(self, member: Any) -> int:
        """Which frame is the member's first."""
        self.channel.join(member)
        return len(self.pushed)

    def since(self, first: int) -> bytes:
        return b"".join(self.pushed[first:])


async def has(member: Member, expected: bytes) -> None:
    async def got() -> bool:
        return member.got == expected

    await eventually(got)


async def test_who_joins_while_something_waits_gets_what_comes_after_it() -> None:
    venue = Venue()
    early, late = Member(), Member()
    venue.join(early)
    venue.push(b"one")
    venue.push(b"two")
    first = venue.join(late)
    assert early.got == b""
    venue.push(b"three")
    await has(early, b"onetwothree")
    await has(late, b"three")
    assert venue.since(first) == b"three"


async def test_what_comes_together_is_one_write() -> None:
    venue = Venue()
    writes = []

    class Counting(Member):
        def write(self, frames: bytes) -> None:
            writes.append(frames)

    venue.join(Counting())
    for number in range(100):
        venue.push(b"%d," % number)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert writes == [venue.since(0)]


async def test_everybody_has_everything_in_any_course_of_events() -> None:
    chance = random.Random(5)
    for _ in range(30):
        venue = Venue()
        members: dict[Any, int] = {}
        for number in range(chance.randint(1, 300)):
            match chance.randrange(8):
                case 0:
                    member = Member(chance.choice((1 << 40, 1, 200, 5000)))
                    members[member] = venue.join(member)
                case 1 if members:
                    chance.choice(list(members)).read(chance.randint(1, 5000))
                case 2:
                    await asyncio.sleep(0)
                case 3 if chance.random() < 0.1:
                    await asyncio.sleep(0.012)
                case 4 if members and chance.random() < 0.2:
                    gone = chance.choice(list(members))
                    seen = len(gone.got)
                    gone.close(1000, "")
                    assert venue.since(members.pop(gone))[:seen] == gone.got
                case _:
                    size = chance.choice((1, 30, 300, 20_000))
                    venue.push(b"%06d" % number + b"x" * size)
        for member in members:
            member.read(1 << 40)
        for member, first in members.items():
            await has(member, venue.since(first))


async def test_who_is_too_far_behind_is_disconnected_and_nobody_else() -> None:
    venue = Venue(backlog=1000)
    reading, near, far = Member(), Member(room=1), Member(room=1)
    for member in (reading, near, far):
        venue.join(member)
    for number in range(20):
        venue.push(b"%03d" % number + b"x" * 97)
        await asyncio.sleep(0.011)
        if number == 10:
            # What it missed is less than what is kept.
            near.read(1000)
    assert (far.closed, near.closed, reading.closed) == (TOO_SLOW, None, None)
    near.read(1 << 40)
    await has(near, venue.since(0))
    await has(reading, venue.since(0))


async def test_what_everybody_has_is_not_kept() -> None:
    venue = Venue(backlog=10_000)
    reading, stalled = Member(), Member(room=1)
    venue.join(reading)
    for frame in (b"one", b"two"):
        venue.push(frame)
        await asyncio.sleep(0.02)
    assert venue.channel.reaches_back_to(6)
    assert not venue.channel.reaches_back_to(5)
    venue.join(stalled)
    for frame in (b"x", b"three", b"four"):
        venue.push(frame)
        await asyncio.sleep(0.02)
    # It has the first of them, and is behind from there on.
    assert venue.channel.reaches_back_to(7)
    stalled.read(1 << 40)
    venue.push(b"five")
    await has(stalled, b"xthreefourfive")
    assert not venue.channel.reaches_back_to(7)


async def test_the_channel_tells_when_the_last_one_leaves() -> None:
    venue = Venue()
    one, other = Member(), Member()
    for member in (one, other):
        venue.join(member)
    venue.push(b"x")
    one.close(1000, "")
    assert venue.emptied == 0
    other.close(1000, "")
    assert venue.emptied == 1
    await asyncio.sleep(0.02)
    assert other.got == b""


async def test_nothing_is_kept_that_nobody_can_keep_up_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("matchbox_tui.api.feeds.channel.MOST_PENDING", 3 * CHUNK)
    assert MOST_PENDING > 3 * CHUNK
    venue = Venue()
    member = Member()
    venue.join(member)
    for _ in range(5):
        venue.push(b"x" * (CHUNK - 1))
    await asyncio.sleep(0.02)
    assert member.closed == TOO_SLOW


async def test_an_error_of_ours_ends_the_channel_and_not_the_others() -> None:
    pacer = Pacer()
    broken, fine = (Channel(pacer, 1000, lambda: None) for _ in range(2))

    class Failing(Member):
        def write(self, frames: bytes) -> None:
            raise ValueError("no")

    victim, other = Failing(), Member()
    for channel, member in ((broken, victim), (fine, other)):
        channel.join(member)  # type: ignore[arg-type]
        channel.push(b"x")
    await has(other, b"x")
    assert victim.closed == 1011
    fine.push(b"y")
    await has(other, b"xy")


async def test_a_long_flush_lets_others_have_their_turn() -> None:
    """Of many members that take long, some are written to, then the loop goes on."""
    venue = Venue()
    order: deque[str] = deque()

    class Slow(Member):
        def write(self, frames: bytes) -> None:
            super().write(frames)
            order.append("write")
            deadline = asyncio.get_running_loop().time() + 0.002
            while asyncio.get_running_loop().time() < deadline:
                pass

    members = [Slow() for _ in range(12)]
    for member in members:
        venue.join(member)
    venue.push(b"x")

    async def other() -> None:
        while len(order) < 12:
            order.append("other")
            await asyncio.sleep(0)

    await other()
    for member in members:
        await has(member, b"x")
    writes = [index for index, what in enumerate(order) if what == "write"]
    assert "other" in list(order)[writes[0] : writes[-1]]
