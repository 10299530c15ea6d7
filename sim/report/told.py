"""All that a report is about."""

from collections.abc import Sequence

import msgspec

from sim.measuring import Measures
from sim.recording import RunFacts
from sim.report.tables import Table
from sim.run_report import RunReport
from sim.scenario import Scenario


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page is about. `text` is the scenario as it was written; `more` are tables that
    others add, each with a heading.
    """

    report: RunReport
    measures: Measures
    facts: RunFacts
    scenario: Scenario
    text: str
    more: Sequence[Table] = ()
