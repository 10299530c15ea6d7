"""Loaded by schemathesis: what the OpenAPI document would say if a schema could tell the time, and
in which market an order is.
"""

import time
from typing import Any

import schemathesis
from schemathesis import Case, HookContext

HOUR = 3600 * 1_000_000_000

TOP_PRICE = 99
"""Every market takes the prices up to this one."""


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    """An expires_at that was later than now when the document was read may be over by now; a new
    price must be one that the order's market takes.
    """
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if not isinstance(case.body, dict):
        return
    if case.operation.method.upper() == "PATCH" and "price" in case.body:
        case.body["price"] = min(case.body["price"], TOP_PRICE)
    later = time.time_ns() + HOUR
    for order in case.body.get("orders", [case.body]):
        if "expires_at" in order:
            order["expires_at"] = max(order["expires_at"], later)
