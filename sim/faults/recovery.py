"""A fault and what became of it."""

import msgspec

KINDS = ("kill", "pause", "stop", "redis", "cut", "reply-lost")
"""The faults that there are, by the names that a user gives."""


class Recovery(msgspec.Struct):
    """A fault and what became of it. Times in ms from the moment of the fault.

    `who` was hit. `elected_ms` is when another leader was there, `back_ms` when the server
    answered again (each where that belongs to the fault), `recovered_ms` when the first commit
    after it was seen; None: never. `commits_held` were caught on their way from the leader before
    it stood still, and arrived after its successor's first; `commits_refused` of them were
    refused, as they must be. `exit_code` is how an instance that was to end did so.
    """

    kind: str
    who: str
    old_leader: str
    new_leader: str
    old_epoch: int
    new_epoch: int
    elected_ms: float | None = None
    back_ms: float | None = None
    recovered_ms: float | None = None
    commits_held: int = 0
    commits_refused: int = 0
    exit_code: int | None = None

    def line(self) -> str:
        """What happened, in words."""
        parts = []
        if self.back_ms is not None:
            parts.append(f"server back after {self.back_ms:.0f} ms")
        if self.elected_ms is not None:
            parts.append(f"{self.new_leader} elected after {self.elected_ms:.0f} ms")
        if self.recovered_ms is None:
            parts.append("THE MARKET DID NOT GO ON")
        else:
            parts.append(f"first commit after {self.recovered_ms:.0f} ms")
        return f"{self.kind:<10}  {self.who:<7}  {', '.join(parts)}"
