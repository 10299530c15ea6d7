"""Mistakes in a scenario file: each is told with its line, its key, and what would be right."""

import re

import pytest

from sim.scenario import shipped_names, shipped_text
from sim.scenario.errors import MOST_TOLD
from tests.sim.scenario.files import PLAIN, changed, complaints


def test_the_plain_file_has_none() -> None:
    assert complaints(PLAIN) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # at the top
        ('"20s"', "20", '2: duration: 20; a length of time is text with a unit, as in "250ms"'),
        ('"20s"', '"20"', "2: duration: '20' is no length of time: write a number and its unit"),
        ('"20s"', '"1ms"', "2: duration: '1ms'; use a length of time from 10ms to 24h"),
        ('"20s"', '"25h"', "2: duration: '25h'; use a length of time from 10ms to 24h"),
        ('"20s"', '"\u0663s"', "2: duration: '\u0663s' is no length of time"),
        ('"20s"', f'"{"9" * 99}s"', f"2: duration: '{'9' * 57}...' is no length of time"),
        ("instances = 2", "n" * 99 + " = 2", f"3: {'n' * 57}...: no such key"),
        ("instances = 2", "instances = 10", "3: instances: 10; use a whole number from 1 to 9"),
        ("instances = 2", "instances = 2.5", "3: instances: 2.5; use a whole number from 1 to 9"),
        ("instances = 2", "instances = true", "3: instances: true; use a whole number"),
        ("instances = 2", 'instances = "2"', "3: instances: '2'; use a whole number"),
        ("instances = 2", "instanecs = 2", "3: instanecs: no such key; did you mean 'instances'?"),
        ("instances = 2", "seed = -1", "3: seed: -1; use a whole number >= 0"),
        ("instances = 2", f"seed = {2**53}", f"3: seed: {2**53}; use at most {2**53 - 1:_}"),
        ("instances = 2", 'lease = "10ms"', "3: lease: '10ms'; use a length of time from 100ms"),
        ('"Plain"', "1979-05-27", "1: title: 1979-05-27; use text in quotes"),
        ('"Plain"', f'"{"x" * 101}"', "1: title: 101 characters; use at most 100"),
        # lists of tables
        ("[[agents]]", "[[agent]]", "15: agent: no such table; did you mean 'agents'?"),
        ("[[agents]]", "[agents]", "15: agents: a table; write [[agents]] above each"),
        # markets
        ('symbol = "RAIN"', "", '6: market[1]: give it a symbol = "..." or a count = N'),
        ('"RAIN"', '"RAIN"\ncount = 2', '6: market[1]: give it a symbol = "..." or a count = N'),
        ('symbol = "RAIN"', "count = 0", "7: market[1].count: 0; use 1 to 1000"),
        ('symbol = "RAIN"', 'count = 2\ntitle = "?"', "8: market[1].title: made-up markets have"),
        ('symbol = "RAIN"', "count = 1000", "6: market: 1001 in all; use at most 1000"),
        ('"SNOW"\nopening', '"RAIN"\nopening', "10: market[2].symbol: 'RAIN' is there already"),
        ('"RAIN"', '"RA IN"', "7: market[1].symbol: 'RA IN'; use A to Z, a to z, digits"),
        ("opening = 20", "opening = 100", "11: market[2].opening: 100; use a price from 1 to 99"),
        (
            "opening = 20",
            "opening = 20\ntick = 3",
            "11: market[2].opening: 20; use a multiple of 3",
        ),
        ("opening = 20", "tick = 100", "11: market[2].tick: no multiple of 100 is from 1 to 99"),
        ("opening = 20", "min_price = 100", "11: market[2].min_price: 100 is above max_price"),
        ("opening = 20", "max_price = 0", "11: market[2].max_price: 0; use a whole number from 1"),
        ("volatility = 100", "sigma = 1", "13: market[2].value.sigma: no such key; use one of"),
        ("volatility = 100", 'step = "1us"', "13: market[2].value.step: '1us'; use a length"),
        (
            "[market.value]\nvolatility = 100",
            "value = 3",
            "12: market[2].value: 3; use a table with",
        ),
        # agents
        (
            '"noise"',
            '"noice"',
            "16: agents[1].kind: no kind of agents 'noice'; did you mean 'noise'?",
        ),
        ('"noise"', "5", "16: agents[1].kind: no kind of agents 5; use one of zero-intelligence,"),
        ('kind = "noise"', "", "15: agents[1].kind: is missing; use one of zero-intelligence,"),
        ("count = 4", "count = 0", "17: agents[1].count: 0; use a whole number from 1 to 100_000"),
        ("count = 4", 'markets = "RAIN"', "17: agents[1].markets: 'RAIN'; use a list of texts"),
        ("count = 4", "markets = []", "17: agents[1].markets: is empty; name a market, or leave"),
        ("count = 4", 'markets = ["SNOW", "RIAN"]', "17: agents[1].markets[2]: no market 'RIAN';"),
        ("count = 4", "latency = 5", "17: agents[1].latency: 5; a length of time is text"),
        ("count = 4", "latency = { least = 5 }", "17: agents[1].latency.least: 5; a length"),
        ("count = 4", 'latency = { most = "5s" }', "17: agents[1].latency.most: no such key;"),
        ("count = 4", "levels = 4", "17: agents[1].levels: no such key; use one of kind, count,"),
        ('every = "200ms"', 'every = "0s"', "18: agents[1].every: '0s'; use a length of time from"),
        ('every = "200ms"', "takes = 2000", "18: agents[1].takes: 2000; use a whole number"),
        (
            'kind = "noise"\ncount = 4\nevery = "200ms"',
            'kind = "momentum"\nslow = 9\nfast = 10',
            "18: agents[1].fast: fast = 10 is not faster than slow = 9; use a smaller fast or a"
            " larger slow",
        ),
        (
            'kind = "noise"\ncount = 4\nevery = "200ms"',
            'kind = "momentum"\nslow = 4',
            "17: agents[1].slow: fast = 4 is not faster than slow = 4; use a smaller fast",
        ),
        (
            'kind = "noise"\ncount = 4\nevery = "200ms"',
            'kind = "spoofer"\naway = 5\ndanger = 5',
            "18: agents[1].danger: away = 5 is not beyond danger = 5; use a larger away or a"
            " smaller danger",
        ),
        (
            'kind = "noise"\ncount = 4\nevery = "200ms"',
            'kind = "spoofer"\naway = 0',
            "17: agents[1].away: away = 0 is not beyond danger = 1; use a larger away",
        ),
        (
            'kind = "noise"\ncount = 4\nevery = "200ms"',
            'kind = "spoofer"\nlayers = 51',
            "17: agents[1].layers: 51; use a whole number from 1 to 50",
        ),
        (
            'kind = "noise"\ncount = 4\nevery = "200ms"',
            'kind = "spoofer"\nevery = "999us"',
            "17: agents[1].every: '999us'; use a length of time from 1ms to 24h",
        ),
        *(
            (
                'kind = "noise"\ncount = 4\nevery = "200ms"',
                f'kind = "{kind}"\nrest = "999us"',
                "17: agents[1].rest: '999us'; use a length of time from 1ms to 24h",
            )
            for kind in ("slicer", "spoofer")
        ),
        # events
        ('do = "news"', 'do = "nwes"', "22: event[1].do: no event 'nwes'; did you mean 'news'?"),
        ('do = "kill"', "", "26: event[2].do: is missing; use one of news, halt, resume, burst,"),
        ('do = "kill"', 'do = "kill"\nby = 3', "29: event[2].by: no such key; use one of at, who,"),
        ("by = -3", "", "20: event[1].by: is missing; use a whole number"),
        ('market = "SNOW"\nby', 'market = "SNOWY"\nby', "23: event[1].market: no market 'SNOWY';"),
        (
            'at = "9s"',
            'at = "20s"',
            "27: event[2].at: it would happen at 20s, and the run ends at 20s",
        ),
        ('at = "9s"', "at = 9", "27: event[2].at: 9; a length of time is text with a unit"),
        (
            'do = "kill"',
            'do = "cut"\nwho = "node-3"',
            "29: event[2].who: no instance 'node-3'; did",
        ),
        (
            'do = "kill"',
            'do = "kill"\ntimes = 2',
            '26: event[2].every: every = "..." and times = N',
        ),
        ('do = "kill"', 'do = "kill"\nevery = "1s"', '29: event[2].every: every = "..." and times'),
        (
            'do = "kill"',
            'do = "kill"\nevery = "6s"\ntimes = 3',
            "30: event[2].times: it would happen at 21s, and the run ends at 20s",
        ),
        (
            'do = "kill"',
            'do = "burst"\nmarket = "RAIN"\norders = 5\nside = "both"',
            '31: event[2].side: \'both\'; use "buy" or "sell"',
        ),
        (
            'do = "kill"',
            'do = "burst"\nmarket = "RAIN"\norders = 5\nside = ""',
            '31: event[2].side: \'\'; use "buy" or "sell"',
        ),
        (
            "instances = 2",
            "instances = 1",
            "28: event[2].do: with one instance nobody takes over; use instances = 2 or more",
        ),
        # expectations
        (
            '"lost = 0"',
            '"losst = 0"',
            "4: expect[1]: 'losst = 0': no measure 'losst'; did you mean",
        ),
        (
            '"lost = 0"',
            '\n\n"doubled = 0",\n"lost"',
            "7: expect[2]: 'lost' is no expectation: write",
        ),
        ('"lost = 0"', '"RIAN.trades > 0"', "4: expect[1]: 'RIAN.trades > 0': no market 'RIAN';"),
        ('["lost = 0"]', '"lost = 0"', "4: expect: 'lost = 0'; use a list of texts"),
        ('["lost = 0"]', "[0]", "4: expect: 0; use text in quotes"),
    ],
)
def test_a_mistake_is_told_where_it_stands(old: str, new: str, told: str) -> None:
    lines = complaints(changed(old, new))
    assert any(line.startswith(f"plain.toml:{told}") for line in lines), lines
    # A missing list of tables is a second one.
    assert len(lines) <= 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a = 5s", ':1: no valid TOML: .*; a length of time stands in quotes: "5s"'),
        ('a = 1\nb = "', ":2: no valid TOML: "),
        ("a = 1\na = 2", ":2: no valid TOML: cannot overwrite a value"),
        ("[[market]\n", ":1: no valid TOML: "),
        ("a = " + "[" * 100_000, ": too many brackets within one another"),
        ("a = " + "9" * 5_000, ": no valid TOML: a number of thousands of digits"),
        ("a = 2026-13-45", ":1: no valid TOML: "),
    ],
)
def test_what_is_no_toml_is_told_by_its_line(text: str, told: str) -> None:
    [line] = complaints(text)
    assert re.match(f"plain.toml{told}", line), line
    assert len(line) < 200


def test_a_list_of_no_markets_is_no_market() -> None:
    text = 'duration = "1s"\nmarket = []\n[[agents]]\nkind = "noise"\n'
    assert complaints(text) == [
        "plain.toml:2: market: is missing; add a [[market]] with its symbol"
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        PLAIN.replace('"20s"', '"20 parsecs"')
        .replace("lost", "lsot")
        .replace('"SNOW"\nopening = 20', '"SNOW"\nopening = 2000')
        .replace("by = -3", 'by = "down"')
        .replace('"9s"', '"nine"')
    )
    lines = complaints(text)
    assert [line.split(": ")[1] for line in lines] == [
        *("duration", "expect[1]", "market[2].opening", "event[1].by", "event[2].at")
    ]
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers)


def test_a_market_with_a_mistake_is_still_known_to_those_who_name_it() -> None:
    [line] = complaints(changed("opening = 20", "opening = 0"))
    assert "market[2].opening: 0" in line


def test_nobody_is_told_more_than_can_be_read() -> None:
    lines = complaints(PLAIN + "[[event]]\nat = 5\n" * 1000)
    assert len(lines) == MOST_TOLD


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ('[[agents]]\nkind = "noise"\ncount = 60_000\n' * 2, "agents: 120004 in all; use at most"),
        (
            '[[event]]\nat = "6s"\ndo = "kill"\nevery = "1ms"\ntimes = 9_000\n' * 2,
            "event[4].times: more than 10000 in all",
        ),
    ],
)
def test_too_much_of_everything_is_refused(tables: str, told: str) -> None:
    [line] = complaints(PLAIN + tables)
    assert told in line


def test_an_error_is_one_line_whatever_the_file_holds() -> None:
    key = '"a\\nb\\u001b[2J"'
    for text in (f"{key} = 1\n{PLAIN}", changed('"RAIN"', f"{key}"), changed('"news"', key)):
        [*lines] = complaints(text)
        assert lines
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("name", shipped_names())
def test_a_shipped_scenario_cut_anywhere_is_told_and_never_crashes(name: str) -> None:
    text = shipped_text(name)
    for end in range(0, len(text), 7):
        for line in complaints(text[:end]):
            assert line.startswith("plain.toml"), line
            assert line.isprintable()
