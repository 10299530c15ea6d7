"""The page about the simulator is made from what it tells of."""

import json
import runpy
from pathlib import Path

from sim.agents.kinds import KINDS
from sim.realism import FACTS
from sim.scenario import load
from sim.scenario.standard import STANDARD_VALUE, standard_population

DOCS = Path(__file__).parents[3] / "docs"
MS = 1_000_000


def test_the_page_is_made_from_the_kinds_of_agents_and_the_facts() -> None:
    text = (DOCS / "simulator.md").read_text()
    made = runpy.run_path(str(DOCS / "make_simulator.py"))["page"]()
    assert text == made, "run python docs/make_simulator.py"
    for kind in KINDS.values():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{kind.name}` |")]
        for name in kind.parameters.__struct_fields__:
            assert f"`{name}` " in row, (kind.name, name)
    assert "`qty` size of each quote, contracts (50)" in text
    assert "`hold` longest that its orders are shown (2s)" in text
    for fact in FACTS.values():
        assert fact.source in text


def test_the_figures_on_it_are_those_of_every_fact_for_some_seeds() -> None:
    found = json.loads((DOCS / "standard.json").read_text())
    assert len(found) >= 3
    assert all(list(figures) == list(FACTS) for figures in found.values())


def test_its_scenario_is_the_standard_population() -> None:
    scenario, _ = load(str(DOCS / "standard.toml"))
    assert scenario.populations == standard_population(100, 200 * MS)
    assert scenario.markets[0].value == STANDARD_VALUE
