"""What is said of a run: what was expected of it, whether it was so, and whether that is enough."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from sim.audit import Status, Verdict
from sim.measuring import MEASURES, Scope
from sim.scenario import Expectation

Value = int | float | None

_OPERATORS: dict[str, Callable[[int | float, int | float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Judged(msgspec.Struct, frozen=True):
    """An expectation, what was measured (None: there was nothing to measure), and the outcome.

    `words` say what is wrong, and are empty where nothing is.
    """

    measure: str
    operator: str
    bound: int | float
    value: Value
    ok: bool
    words: str = ""

    @property
    def expected(self) -> str:
        return f"{self.measure} {self.operator} {shown(self.bound)}"


class RunVerdict(msgspec.Struct, frozen=True):
    """`expectations` as the scenario has them; `problems` are wrong whatever it expects, in words.

    `interrupted` runs are judged by what was until then.
    """

    ok: bool
    interrupted: bool
    expectations: list[Judged]
    problems: list[str]


def judge(
    expectations: Iterable[Expectation],
    values: Mapping[str, Value],
    audited: Verdict | None,
    problems: Sequence[str] = (),
    *,
    market: str = "",
    interrupted: bool = False,
) -> RunVerdict:
    """Holds expectations against measures by their names. A run whose audit fails, that had
    problems, or whose positions or cash don't sum to zero is not fine, whatever is expected.

    `market` is the run's first: what is measured in it has plain names, and the words say which
    market that is.
    """
    judged = [held(one, values, market) for one in expectations]
    wrong = [*problems, *_broken(audited), *_unbalanced(values)]
    ok = not wrong and all(one.ok for one in judged)
    return RunVerdict(ok, interrupted, judged, wrong)


def held(one: Expectation, values: Mapping[str, Value], market: str = "") -> Judged:
    """One expectation against the measures."""
    value = values.get(one.measure)
    ok = value is not None and _OPERATORS[one.operator](value, one.bound)
    words = "" if ok else _words(one, value, market, known=one.measure in values)
    return Judged(one.measure, one.operator, one.bound, value, ok, words)


def shown(value: Value) -> str:
    """As people read a figure: whole where it is whole, else with what tells it apart."""
    if value is None:
        return "-"
    if isinstance(value, int) or value.is_integer():
        return f"{int(value):,}"
    if abs(value) < 0.001:
        return f"{value:.1g}"
    return f"{value:,.{3 if abs(value) < 10 else 1}f}".rstrip("0").rstrip(".")


def _words(one: Expectation, value: Value, market: str, *, known: bool) -> str:
    if not known:
        return f"{one.measure} is no measure of this run"
    name = one.measure
    if market and name in MEASURES and MEASURES[name].scope is Scope.MARKET:
        name = f"{market}.{name}"
    if value is None:
        return f"{name}: there was nothing to measure"
    return f"{name} is {shown(value)}{_unit(name)}, not {one.operator} {shown(one.bound)}"


def _unit(measure: str) -> str:
    unit = MEASURES[measure.rpartition(".")[2]].unit
    return f" {unit}" if unit else ""


def _broken(audited: Verdict | None) -> list[str]:
    if audited is None:
        return []
    return [f"audit: {check.line()}" for check in audited.checks if check.status is Status.FAIL]


def _unbalanced(values: Mapping[str, Value]) -> list[str]:
    return [
        f"{MEASURES[name].meaning}: {shown(values[name])}"
        for name in ("positions_sum", "cash_sum")
        if values.get(name)
    ]
