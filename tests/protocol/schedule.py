"""A schedule: who takes part, what they do, and what befalls them, all drawn from a seed."""

import random
from dataclasses import dataclass
from enum import Enum, auto

from matchbox_tui.engine import Market
from matchbox_tui.node import Settings
from tests.protocol.network import Effect, Trap

LEASE = 0.4
"""Seconds; the other times follow from it, so that as little as possible happens in one."""

TARGETS = (None, None, None, "a", "b")
"""Whom a fault befalls: mostly whoever leads."""

KINDS = (*("COMMIT",) * 8, *("PUBLISH",) * 3, "ELECT", "USURP", "RENEW", "RELEASE", "PEEK", None)
"""Which message a trap waits for; None for any."""

UNREPEATABLE = ("HSET", "PEEK")


class Act(Enum):
    """What happens at a time, whatever is on its way then."""

    CRASH = auto()
    STOP = auto()
    PAUSE = auto()
    CUT = auto()
    SLOW = auto()
    """For a while every request may be on its way longer than its sender waits."""
    RESTART_SERVER = auto()
    BACKUP = auto()
    REWIND = auto()
    FORGET_LEADER = auto()
    """The leader's key is lost, so that another is elected while the first believes to lead."""
    TRAP = auto()


@dataclass(frozen=True)
class Happening:
    """`who` is a name, or None for whoever leads; `seconds` is how long."""

    at: float
    act: Act
    who: str | None
    seconds: float
    trap: Trap | None = None


@dataclass(frozen=True)
class Schedule:
    """All that a seed decides beforehand."""

    seed: int
    settings: Settings
    names: tuple[str, ...]
    markets: tuple[Market, ...]
    max_batch: int
    timeout_s: float
    skew_ns: int
    traders: int
    submits: int
    strangers: int
    seconds: float
    happenings: tuple[Happening, ...]
    ends_cleanly: bool

    @property
    def rewinds(self) -> bool:
        return any(one.act is Act.REWIND or is_rewind(one.trap) for one in self.happenings)


def is_rewind(trap: Trap | None) -> bool:
    return trap is not None and trap.effect is Effect.REWIND


def draw(seed: int) -> Schedule:
    """The schedule of a seed: the same in every process."""
    chance = random.Random(seed)
    lease_ms = int(LEASE * 1000)
    seconds = LEASE * chance.uniform(1.5, 4.5)
    rewinds = chance.random() < 0.4
    settings = Settings(
        lease_ms=lease_ms,
        renew_ms=lease_ms // 2,
        poll_ms=chance.choice((70, 110, 160)),
        snapshot_ms=chance.choice((1000, *(1_000_000,) * 3)),
        history=chance.choice((0, 5, 1000)),
        hash_every=chance.choice((0, 7)),
        fills_kept=0,
    )
    return Schedule(
        seed=seed,
        settings=settings,
        names=("a", "b", "c")[: chance.choice((2, 3))],
        markets=(Market("RAIN", min_price=40, max_price=60),) if chance.random() < 0.2 else (),
        max_batch=chance.choice((1, 2, 3, 512)),
        timeout_s=LEASE * chance.choice((0.4, 0.75)),
        skew_ns=chance.randrange(-50_000_000, 50_000_000),
        traders=chance.choice((1, 2, 2)),
        submits=chance.randrange(3, 7),
        strangers=chance.choice((0, 1)),
        seconds=seconds,
        happenings=tuple(_happenings(chance, seconds, rewinds)),
        ends_cleanly=chance.random() < 0.3,
    )


def _happenings(chance: random.Random, seconds: float, rewinds: bool) -> list[Happening]:
    found = [_happening(chance, seconds) for _ in range(chance.randrange(1, 6))]
    if rewinds:
        for _ in range(chance.randrange(2, 7)):
            at = chance.uniform(0, seconds)
            found.append(_at_a_message(chance, at, Effect.BACKUP, Act.BACKUP))
        for _ in range(chance.choice((1, 1, 2))):
            at = chance.uniform(0.2, 1) * seconds
            found.append(_at_a_message(chance, at, Effect.REWIND, Act.REWIND))
    return sorted(found, key=lambda one: one.at)


def _at_a_message(chance: random.Random, at: float, effect: Effect, act: Act) -> Happening:
    """At a time, or when the leader's next message of some kind is on its way."""
    if chance.random() < 0.4:
        return Happening(at, act, None, 0.0)
    kind = chance.choice(("COMMIT", "COMMIT", "PUBLISH"))
    trap = Trap(effect, None, kind, chance.choice((0, 0, 1)), 0.0)
    return Happening(at, Act.TRAP, None, 0.0, trap)


def _happening(chance: random.Random, seconds: float) -> Happening:
    at, who = chance.uniform(0, seconds), chance.choice(TARGETS)
    for_long = LEASE * chance.choice((0.1, 0.5, 1.1, 1.5, 2.5))
    act = chance.choice(
        (
            *(Act.CRASH, Act.STOP, Act.PAUSE, Act.PAUSE, Act.CUT),
            *(Act.RESTART_SERVER, Act.FORGET_LEADER, Act.SLOW, *(Act.TRAP,) * 9),
        )
    )
    if act is not Act.TRAP:
        return Happening(at, act, who, for_long)
    kind = chance.choice(KINDS)
    if chance.random() < 0.15:
        return Happening(at, act, who, 0.0, _trap_for_trader(chance))
    effects = [one for one in Effect if one not in (Effect.BACKUP, Effect.REWIND)]
    if kind is None or kind in UNREPEATABLE:
        effects.remove(Effect.REPEATED)
    skip = chance.choice((0, 0, 1, 2))
    return Happening(
        at, act, who, for_long, Trap(chance.choice(effects), who, kind, skip, for_long)
    )


def _trap_for_trader(chance: random.Random) -> Trap:
    # Never repeated: no connection does so, only a client that must not.
    effects = (Effect.LOST, Effect.UNANSWERED, Effect.SILENT, Effect.MUTE, Effect.LATE)
    who = chance.choice(("t0", "t1", "s0"))
    kind = "RPUSH" if who == "s0" else "SUBMIT"
    return Trap(chance.choice(effects), who, kind, 0, LEASE * chance.choice((0.05, 0.5, 2)))
