"""The lines on which a file's values stand."""

import tomllib
from typing import Any

import pytest

from sim.scenario import shipped_names, shipped_text
from sim.scenario.errors import Path
from sim.scenario.places import find_places

TRICKY = '''\
# [[no]] = "table"
"a # b" = 1   # c = 2
text = """
[x]
y = 1 \\"""" # more

literal = \'\'\'
q = 2\'\'\'
list = [ # first
  1, [2,
  3], { k = "]" },
  "a,b", ]
d . "e.f" = { g = 5, h = [
  6 ] }

[t]
u = '''
TRICKY += """'='

[[m]]
n = 1
  [m.o]
  p = 2
  [[m.q]]
  r = 3
  [[m.q]]
  r = 4
[[m]]
[m.o]
p = 5
[x.y.z]
w = 1979-05-27 07:32:00
"""


def paths(value: Any, path: Path = ()) -> list[Path]:
    """The ways to everything in a parsed file."""
    found = [path] if path else []
    if isinstance(value, dict):
        return found + [one for key, part in value.items() for one in paths(part, (*path, key))]
    if isinstance(value, list):
        return found + [one for n, part in enumerate(value) for one in paths(part, (*path, n))]
    return found


def test_every_value_of_a_tricky_file_has_its_line() -> None:
    places = find_places(TRICKY)
    lines = {
        ("a # b",): 2,
        ("text",): 3,
        ("literal",): 7,
        ("list",): 9,
        ("list", 0): 10,
        ("list", 1): 10,
        ("list", 1, 1): 11,
        ("list", 2): 11,
        ("list", 2, "k"): 11,
        ("list", 3): 12,
        ("d", "e.f"): 13,
        ("d", "e.f", "h", 0): 14,
        ("t",): 16,
        ("t", "u"): 17,
        ("m",): 19,
        ("m", 0): 19,
        ("m", 0, "n"): 20,
        ("m", 0, "o", "p"): 22,
        ("m", 0, "q", 0, "r"): 24,
        ("m", 0, "q", 1, "r"): 26,
        ("m", 1): 27,
        ("m", 1, "o", "p"): 29,
        ("x", "y", "z", "w"): 31,
    }
    assert {path: places.get(path) for path in lines} == lines
    # Tables that nobody has written, but whose parts are there.
    assert set(paths(tomllib.loads(TRICKY))) - set(places) == {("x",), ("x", "y")}


@pytest.mark.parametrize("name", shipped_names())
def test_every_key_of_a_shipped_scenario_is_on_the_line_that_is_told(name: str) -> None:
    text = shipped_text(name)
    places, lines = find_places(text), text.split("\n")
    found = paths(tomllib.loads(text))
    assert len(found) > 20
    for path in found:
        if isinstance(path[-1], str):
            assert path[-1] in lines[places[path] - 1], path


@pytest.mark.parametrize("text", ["[", "a = [", 'a = "', "= 1", "a.b.", "a = " + "[" * 100_000])
def test_what_can_not_be_followed_is_left_out(text: str) -> None:
    assert all(line == 1 for line in find_places(text).values())
