"""What an audit ends with: one line for each of the eight invariants."""

from enum import StrEnum

import msgspec

TITLES = {
    "I1": "every acknowledged order has one id and exactly one first outcome",
    "I2": "journal order = queue order = id order",
    "I3": "no gap in the sequence, the chain verifies, the cursor is the tip, epochs never fall",
    "I4": "outcomes equal those of a naive model that re-executes the commands",
    "I5": "events_stream = the fills of the journal, each exactly once, in order",
    "I6": "for each order: filled + cancelled + expired + resting = qty",
    "I7": "no book is crossed at rest; positions sum to zero in each market",
    "I8": "standby, leader and offline replay have the same state hash",
}


class Status(StrEnum):
    OK = "ok"
    FAIL = "FAIL"
    NOT_CHECKED = "not checked"


class Offence(msgspec.Struct, frozen=True):
    """The first thing that is wrong: where, what should be there, what is.

    `place` is a sequence number or the id of a stream entry.
    """

    place: str
    expected: str
    found: str


class Check(msgspec.Struct, frozen=True):
    """One invariant's outcome: what was counted, in words and as numbers."""

    name: str
    title: str
    status: Status
    counted: str
    counts: dict[str, int]
    offence: Offence | None = None

    @property
    def ok(self) -> bool:
        """Whether nothing was found wrong."""
        return self.status is not Status.FAIL

    def line(self) -> str:
        text = f"{self.name} {self.status}"
        if self.offence is None:
            return f"{text}  {self.counted}"
        wrong = self.offence
        said = f"{text}  at {wrong.place}: expected {wrong.expected}, found {wrong.found}"
        return f"{said} ({self.counted})" if self.counted else said


class Verdict(msgspec.Struct, frozen=True):
    """The eight checks, and the part of the journal that they are about: after `first`, to `last`.

    `seconds` is how long the audit took once it had read the evidence; `notes` say what the
    evidence could not tell.
    """

    ok: bool
    first: int
    last: int
    checks: list[Check]
    seconds: float
    notes: list[str] = []

    def check(self, name: str) -> Check:
        """The outcome of one invariant, `I1` to `I8`."""
        return next(check for check in self.checks if check.name == name)

    def lines(self) -> list[str]:
        return [*(check.line() for check in self.checks), *self.notes]
