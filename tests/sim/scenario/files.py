"""A scenario file to change, and what is said of it then."""

from sim.scenario import Scenario, ScenarioError, parse

PLAIN = """\
title = "Plain"
duration = "20s"
instances = 2
expect = ["lost = 0"]

[[market]]
symbol = "RAIN"

[[market]]
symbol = "SNOW"
opening = 20
[market.value]
volatility = 100

[[agents]]
kind = "noise"
count = 4
every = "200ms"

[[event]]
at = "5s"
do = "news"
market = "SNOW"
by = -3

[[event]]
at = "9s"
do = "kill"
"""


def scenario(text: str = PLAIN) -> Scenario:
    return parse(text, "plain", "plain.toml")


def changed(old: str, new: str) -> str:
    """The plain file with one piece of it replaced."""
    assert PLAIN.count(old) == 1, old
    return PLAIN.replace(old, new)


def complaints(text: str) -> list[str]:
    """What is wrong with a file, a line each; none where nothing is."""
    try:
        scenario(text)
    except ScenarioError as error:
        return str(error).split("\n")
    return []
