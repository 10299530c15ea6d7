"""What a run ends with: its measures, its audit, and what is said of them."""

import msgspec

from sim.audit import Verdict
from sim.measuring import KindFigures
from sim.realism import Scorecard
from sim.verdict import RunVerdict, Value


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """A run in numbers, and what is said of them. `measures` by the names of `sim.measuring`;
    `wall_seconds` is what the run took on the wall's clock; `directory` is where it was kept, ""
    for nowhere. `audit` is None where the recording is not whole, `realism` where nobody asked; the
    verdict doesn't depend on the latter.
    """

    scenario: str
    title: str
    seed: int
    virtual: bool
    interrupted: bool
    wall_seconds: float
    directory: str
    measures: dict[str, Value]
    kinds: list[KindFigures]
    audit: Verdict | None
    verdict: RunVerdict
    realism: Scorecard | None = None

    @property
    def ok(self) -> bool:
        """Whether everything was as it must be, and as the scenario expects it."""
        return self.verdict.ok
