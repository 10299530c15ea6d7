"""Expectations as they are written: `lost = 0`, `recovery_ms_p99 < 500`, `RAIN.trades > 10`."""

import re
from collections.abc import Sequence

from sim.scenario.errors import nearest, shown
from sim.scenario.form import Expectation

OPERATORS = ("=", "!=", "<", "<=", ">", ">=")
OTHERS = {"==": "=", "=>": ">=", "=<": "<=", "<>": "!="}

_WRITTEN = re.compile(r"([^\s=!<>]+)\s*([=!<>]+)\s*(\S+)")
_NUMBER = re.compile(r"-?[0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?")
_HOW = "write a measure, one of = != < <= > >=, and a number, as in 'lost = 0'"


def parse_expectation(text: str, markets: Sequence[str]) -> Expectation:
    """What a line expects of a run with these markets.

    Raises `ValueError`, whose words say what is wrong with it and what would be right.
    """
    # Measuring reads what the floor recorded, and the floor knows of scenarios.
    from sim.measuring.names import measure_of

    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{shown(text)} is no expectation: {_HOW}")
    measure, operator, bound = found.groups()
    if operator not in OPERATORS:
        raise ValueError(
            f"{shown(text)}: {shown(operator)} is no comparison; {_comparison(operator)}"
        )
    if _NUMBER.fullmatch(bound) is None or len(bound) > 20:
        raise ValueError(f"{shown(text)}: {shown(bound)} is no number; {_HOW}")
    if measure_of(measure, markets) is None:
        raise ValueError(f"{shown(text)}: {_unknown(measure, markets)}")
    if "." not in bound:
        return Expectation(measure, operator, int(bound))
    number = float(bound)
    return Expectation(measure, operator, int(number) if number.is_integer() else number)


def _comparison(written: str) -> str:
    """What was meant where it was written as other languages have it."""
    meant = OTHERS.get(written)
    return f"did you mean {meant!r}?" if meant else nearest(written, OPERATORS)


def _unknown(measure: str, markets: Sequence[str]) -> str:
    from sim.measuring.names import MEASURES, Scope, written_names

    market, _, name = measure.rpartition(".")
    if name not in MEASURES:
        near = nearest(measure, written_names(markets))
        words = near if near.startswith("did you") else "docs/scenarios.md lists them"
        return f"no measure {shown(measure)}; {words}"
    if MEASURES[name].scope is Scope.RUN:
        return f"{name} is of the whole run; write it without {market!r}"
    return f"no market {shown(market)}; {nearest(market, markets)}"
