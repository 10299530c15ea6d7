"""What a decoder says of a wrong request, in words that name the field and the fix."""

import re
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.enums import ParamType
from litestar.exceptions import ValidationException

from matchbox_tui.api.answers import CandleInterval, OrderStatus, Problem
from matchbox_tui.api.errors import Refusal, answer_refusal
from matchbox_tui.api.requests import BatchRequest, OrderRequest
from matchbox_tui.engine import (
    MAX_NAME,
    OrderType,
    Reason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from matchbox_tui.store import MAX_BATCH


def _one_of(words: type) -> str:
    *others, last = list(words)  # type: ignore[call-overload]
    return f"{', '.join(others)} or {last}"


FIXES = {
    "side": f"side must be {_one_of(Side)}",
    "qty": Reason.INVALID_QTY.words,
    "price": Reason.INVALID_PRICE.words,
    "market": f"market must have at most {MAX_NAME} characters",
    "type": f"type must be {_one_of(OrderType)}",
    "time_in_force": f"time_in_force must be {_one_of(TimeInForce)}",
    "expires_at": "expires_at must be a time in ns since the epoch, at most 2**63 - 1",
    "trader": f"trader must have at most {MAX_NAME} characters",
    "client_order_id": f"client_order_id must have 1 to {MAX_NAME} characters",
    "self_trade_prevention": f"self_trade_prevention must be {_one_of(SelfTradePrevention)}",
    "orders": f"orders must hold 1 to {MAX_BATCH} orders",
    "after": "after must be between 0 and 2**53 - 1",
    "before": "before must be a trade_id: <sequence>-<number>",
    "history": "history must be true or false",
    "limit": "limit must be between 1 and 1000",
    "depth": "depth must be between 1 and 10000",
    "interval": f"interval must be {_one_of(CandleInterval)}",
    "status": f"status must be {_one_of(OrderStatus)}",
}
"""What would be right in a field, or in a parameter of a query."""

KINDS = {
    "int": "a whole number",
    "float": "a number with a fraction",
    "str": "text",
    "bool": "true or false",
    "null": "null",
    "object": "an object",
    "array": "an array",
}

_PLACE = " - at `$"

MAX_PLACE = 80
"""How much is repeated of what the client sent, in characters."""

_WRONG_TYPE = re.compile(r"Expected `([\w |]+)`, got `(\w+)`")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`$", re.DOTALL)


def refused_body(error: msgspec.ValidationError, kind: type[msgspec.Struct]) -> Refusal:
    """The refusal of a body that is JSON and not of this kind: 422, or 400 for a value that is
    out of bounds.
    """
    # From the back: what the client sent may look like this, too.
    words, at, path = str(error).rpartition(_PLACE)
    if at:
        path = path.removeprefix(".").removesuffix("`")[:MAX_PLACE]
    else:
        words, path = path, ""
    missing = _MISSING.match(words)
    if missing is not None:
        place = f"{path}." if path else ""
        field = missing[1]
        return Refusal(422, f"{place}{field} is missing: {FIXES[field]}")
    unknown = _UNKNOWN.match(words)
    if unknown is not None:
        place = f"{path}." if path else ""
        inner = OrderRequest if path and kind is BatchRequest else kind
        fields = ", ".join(inner.__struct_fields__)
        return Refusal(422, f"{place}{unknown[1][:MAX_PLACE]}: unknown field; use {fields}")
    head, dot, field = path.rpartition(".")
    return _refused_value(head + dot, field, words)


def refused_query(error: ValidationException) -> Refusal:
    """The refusal of what the framework found wrong in a path or a query."""
    problems: Any = error.extra
    problem = problems[0]
    if problem.get("source") == ParamType.PATH:
        return Refusal(404, f"{problem['key']}: nothing has such a number")
    return _refused_value("", problem["key"], problem["message"])


def answer_query(request: Request[Any, Any, Any], error: ValidationException) -> Response[Problem]:
    return answer_refusal(request, refused_query(error))


def refused_value(name: str) -> Refusal:
    """The refusal of a query parameter that has another type than it must."""
    return Refusal(422, FIXES[name])


def _refused_value(place: str, field: str, message: str) -> Refusal:
    fix = FIXES.get(field)
    wrong = _WRONG_TYPE.match(message)
    if wrong is not None:
        what = f"{place}{field}" or "the body"
        words = f"{what} must be {_expected(wrong[1])}, not {KINDS.get(wrong[2], wrong[2])}"
        return Refusal(422, words)
    out_of_bounds = message.startswith(("Expected", "Integer value out of range"))
    # No market has a name that is too long, so it is as unknown as any other.
    status = 400 if out_of_bounds and field != "market" else 422
    return Refusal(status, f"{place}{fix}" if fix else f"{place}{field}: {message[:MAX_PLACE]}")


def _expected(kinds: str) -> str:
    return " or ".join(KINDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null")
