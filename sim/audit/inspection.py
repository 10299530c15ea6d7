"""What the eight inspections share: the first offence, and how far they could look."""

from typing import ClassVar

from sim.audit.verdict import TITLES, Check, Offence, Status


class Inspection:
    """One invariant, fed with the journal from its beginning; the first offence ends it.

    `halted` says from where on nothing could be judged, and why; `inspected` whether anything was.
    """

    name: ClassVar[str]

    def __init__(self) -> None:
        self.offence: Offence | None = None
        self.halted = ""
        self.inspected = False

    @property
    def active(self) -> bool:
        return self.offence is None and not self.halted

    def accuse(self, place: object, expected: str, found: str) -> None:
        """Notes what is wrong, if it is the first thing."""
        if self.offence is None:
            self.offence = Offence(str(place), expected, found)

    def halt(self, why: str) -> None:
        """Nothing can be judged from here on."""
        if self.active:
            self.halted = why

    def counts(self) -> dict[str, int]:
        raise NotImplementedError

    def words(self) -> str:
        """What was counted."""
        raise NotImplementedError

    def outcome(self) -> Check:
        status, counted = Status.OK, self.words()
        if self.offence is not None:
            status = Status.FAIL
        elif self.halted and not self.inspected:
            status, counted = Status.NOT_CHECKED, self.halted
        elif self.halted:
            counted = f"{counted}; no further: {self.halted}"
        return Check(self.name, TITLES[self.name], status, counted, self.counts(), self.offence)


def some(count: int, singular: str, plural: str = "") -> str:
    """A count with its noun: 1 order, 12,345 orders."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
