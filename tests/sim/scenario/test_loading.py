"""Scenarios out of files: what a file says, and what is meant where it says nothing."""

from pathlib import Path

import pytest

from matchbox_tui.engine import Market
from sim.agents.noise import NoiseParameters
from sim.scenario import (
    Burst,
    Expectation,
    Kill,
    Latency,
    MarketPlan,
    News,
    Pause,
    Population,
    Scenario,
    ScenarioError,
    ValuePlan,
    load,
)
from tests.sim.scenario.files import PLAIN, changed, scenario

MS = 1_000_000
SECOND = 10**9


def test_a_file_says_everything() -> None:
    assert scenario() == Scenario(
        name="plain",
        title="Plain",
        seed=1,
        duration=20 * SECOND,
        instances=2,
        lease=2 * SECOND,
        markets=(
            MarketPlan(market=Market("RAIN", max_price=99), opening=50),
            MarketPlan(
                market=Market("SNOW", max_price=99), opening=20, value=ValuePlan(volatility=100)
            ),
        ),
        populations=(
            Population(kind="noise", count=4, parameters=NoiseParameters(every=200 * MS)),
        ),
        happenings=(
            News(at=5 * SECOND, market="SNOW", by=-3),
            Kill(at=9 * SECOND, who="leader"),
        ),
        expectations=(Expectation("lost", "=", 0),),
    )


def test_a_market_with_a_range_and_a_tick_opens_in_the_middle_of_it() -> None:
    text = changed('"RAIN"', '"OIL"\ntitle = "Oil"\nmin_price = 100\nmax_price = 1_000\ntick = 25')
    plan = scenario(text).markets[0]
    assert plan.market == Market("OIL", "Oil", min_price=100, max_price=1000, tick=25)
    assert plan.opening == 550


def test_made_up_markets_have_the_same_names_every_time() -> None:
    text = changed('symbol = "RAIN"', "count = 3\nopening = 30")
    plans = scenario(text).markets
    assert [plan.opening for plan in plans] == [30, 30, 30, 20]
    assert len({plan.market.symbol for plan in plans}) == 4
    assert all(plan.market.title for plan in plans[:3])
    assert plans == scenario(text).markets
    assert plans != scenario(f"seed = 2\n{text}").markets


def test_a_made_up_market_is_never_one_that_was_named() -> None:
    first = scenario(changed('symbol = "RAIN"', "count = 1")).markets[0].market.symbol
    plans = scenario(
        changed('symbol = "RAIN"', "count = 2").replace('"SNOW"', f'"{first}"')
    ).markets
    symbols = [plan.market.symbol for plan in plans]
    assert symbols.count(first) == 1
    assert symbols[2] == first


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("", Latency(least=MS, jitter=200_000)),
        ('latency = "5ms"', Latency(least=5 * MS, jitter=0)),
        ('latency = "0s"', Latency(least=0, jitter=0)),
        ('latency = { least = "3ms" }', Latency(least=3 * MS, jitter=200_000)),
        ('[agents.latency]\njitter = "1.5ms"', Latency(least=MS, jitter=1_500_000)),
    ],
)
def test_a_latency_is_a_length_of_time_or_a_table(written: str, meant: Latency) -> None:
    text = changed('every = "200ms"', f'every = "200ms"\n{written}')
    assert scenario(text).populations[0].latency == meant


def test_agents_may_be_in_some_of_the_markets() -> None:
    text = changed("count = 4", 'count = 4\nmarkets = ["SNOW"]')
    assert scenario(text).populations[0].markets == ("SNOW",)


def test_an_event_may_be_repeated_and_all_stand_in_the_order_of_their_times() -> None:
    text = changed(
        'do = "kill"',
        'do = "pause"\nwho = "node-2"\nevery = "500ms"\ntimes = 3\n'
        '[[event]]\nat = "1s"\ndo = "burst"\nmarket = "RAIN"\norders = 9\nside = "sell"\nqty = 7',
    )
    assert scenario(text).happenings == (
        Burst(at=SECOND, market="RAIN", orders=9, side="sell", qty=7),
        News(at=5 * SECOND, market="SNOW", by=-3),
        Pause(at=9 * SECOND, who="node-2"),
        Pause(at=9 * SECOND + 500 * MS, who="node-2"),
        Pause(at=10 * SECOND, who="node-2"),
    )


def test_events_of_the_same_time_stay_as_they_stand() -> None:
    text = changed('at = "9s"', 'at = "5s"')
    assert [type(one) for one in scenario(text).happenings] == [News, Kill]


def test_a_file_is_loaded_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "noon.toml"
    path.write_bytes(b"\xef\xbb\xbf" + PLAIN.replace("\n", "\r\n").encode())
    loaded, text = load(str(path))
    assert loaded.name == "noon"
    assert loaded.markets == scenario().markets
    assert text.splitlines() == PLAIN.splitlines()


def test_a_plain_word_is_a_shipped_scenario_before_it_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("quiet-day", "my-day"):
        (tmp_path / name).write_text(PLAIN)
    assert load("quiet-day")[0].title == "A quiet day"
    assert load("./quiet-day")[0].title == "Plain"
    assert load("my-day")[0].title == "Plain"


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    with pytest.raises(ScenarioError) as told:
        load("flash-crush")
    assert str(told.value) == (
        "flash-crush: no such scenario, and no such file; did you mean 'flash-crash'?"
    )
    with pytest.raises(ScenarioError, match=r"use one of busy-day, .*, zombie-leader"):
        load("xyzzy")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "can't read it (No such file or directory)"),
        (b"x" * (1024 * 1024 + 1), "more than 1 MiB: this is no scenario"),
        (b"title = 'a'\nduration = '\xff'", ":2: byte 0xff is no text; save the file as UTF-8"),
        (b"\x7fELF\x00\x01", ":1: no valid TOML: "),
        (b"", "duration: is missing; use a length of time"),
    ],
)
def test_a_file_that_is_no_scenario(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "file.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScenarioError) as told:
        load(str(path))
    assert str(path) in str(told.value)
    assert words in str(told.value)


@pytest.mark.parametrize("name", ["/", "/dev/zero", "a\0b/c", "/proc/self/mem", "x" * 5000 + "/y"])
def test_what_is_no_file_at_all(name: str) -> None:
    with pytest.raises(ScenarioError) as told:
        load(name)
    assert len(told.value.problems) == 1
