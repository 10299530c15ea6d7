"""The scenarios that come with the program."""

import asyncio
import runpy
import tomllib
from pathlib import Path

import pytest

from sim.agents.kinds import KINDS, Kind
from sim.running import run_scenario
from sim.scenario import Fault, Happening, load, parse, shipped_names, shipped_text
from sim.scenario.building import EVENTS
from sim.scenario.tables import AgentsTable, RepeatTable

DOCS = Path(__file__).parents[3] / "docs"

NAMES = [
    *("busy-day", "failover-storm", "flash-crash", "news-shock"),
    *("opening-rush", "quiet-day", "zombie-leader"),
]


def test_there_is_one_for_each_kind_of_day() -> None:
    assert shipped_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_shows_and_what_must_hold(name: str) -> None:
    scenario, text = load(name)
    assert scenario.name == name
    assert text == shipped_text(name)
    assert scenario.title
    assert 80 < len(scenario.description) < 400
    # A live run takes as long as it says.
    assert 15 <= scenario.duration / 10**9 <= 60
    expected = {one.measure for one in scenario.expectations}
    assert {"lost", "doubled", "audit_failed"} < expected
    if any(isinstance(one, Fault) for one in scenario.happenings):
        assert {"faults", "faults_unrecovered", "elections", "recovery_ms_max"} <= expected
    else:
        assert "spread_median" in expected or "RAIN.spread_median" in expected


@pytest.mark.parametrize("name", NAMES)
async def test_what_each_expects_holds_by_the_virtual_clock(name: str) -> None:
    scenario, text = load(name)
    report = await run_scenario(
        scenario,
        text,
        virtual=True,
        say=lambda _: None,
        progress=lambda _: None,
        stopping=asyncio.Event(),
    )
    assert report.ok, report.verdict
    assert report.measures["commands"]


def test_every_event_and_nearly_every_kind_of_agent_is_shown_somewhere() -> None:
    files = [tomllib.loads(shipped_text(name)) for name in NAMES]
    events = {event["do"] for file in files for event in file.get("event", ())}
    assert events == set(EVENTS)
    # A spoofer is for whoever asks for one.
    kinds = {agents["kind"] for file in files for agents in file["agents"]}
    assert kinds == set(KINDS) - {"spoofer"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_keys_that_share_a_table_have_different_names(kind: Kind) -> None:
    assert not set(AgentsTable.__struct_fields__) & set(kind.parameters.__struct_fields__)


@pytest.mark.parametrize("event", EVENTS.values(), ids=list(EVENTS))
def test_an_event_has_no_key_that_repeats_it(event: type[Happening]) -> None:
    assert not set(RepeatTable.__struct_fields__) & set(event.__struct_fields__)


def test_the_page_about_scenarios_is_made_from_what_the_loader_takes() -> None:
    made = runpy.run_path(str(DOCS / "make_scenarios.py"))
    assert (DOCS / "scenarios.md").read_text() == made["page"](), (
        "run python docs/make_scenarios.py"
    )
    assert made["EXAMPLE"] in made["page"]()
    example = parse(made["EXAMPLE"], "noon", "noon.toml")
    assert [type(one).__name__ for one in example.happenings] == ["News", "Cut"]
