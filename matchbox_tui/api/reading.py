"""What all reads share: they wait for the first view, say how old it is, and take turns."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from litestar import Request, Response
from litestar.typing import FieldDefinition

from matchbox_tui.api.errors import Refusal, unavailable
from matchbox_tui.api.order_log import OrderRecord
from matchbox_tui.api.view import VenueView
from matchbox_tui.api.wording import refused_value
from matchbox_tui.engine import Exchange

if TYPE_CHECKING:
    from matchbox_tui.api.gateway import Gateway

T = TypeVar("T")

SPANS_NAMED = 20
"""Most spans in one header; what is more counts as missing up to the end of the last."""

RECORDS_A_STEP = 1000
"""What one step of a long listing looks at, before others get their turn."""


def loaded(gateway: "Gateway") -> Exchange:
    """The venue as it is known. Raises `Refusal` where it was never known yet."""
    if not gateway.reader.caught_up.is_set():
        raise unavailable("the venue's journal is still being read: try again in a moment")
    return gateway.view.exchange


def answer(
    gateway: "Gateway",
    content: T,
    missing: Sequence[tuple[int, int]] = (),
    seq: int | None = None,
) -> Response[T]:
    """A read's answer, which says how fresh it is, and of which commands nothing is known.

    `seq` is the last command that it knows of; None: all that the view does.
    """
    headers = {
        "Matchbox-Sequence": str(gateway.view.seq if seq is None else seq),
        "Matchbox-Age": str(gateway.reader.age_ms or 0),
        **missing_header(missing),
    }
    return Response(content, headers=headers, media_type="application/json")


def missing_header(missing: Sequence[tuple[int, int]]) -> dict[str, str]:
    """The header that names commands, (first, last), if there are some."""
    if not missing:
        return {}
    if len(missing) > SPANS_NAMED:
        missing = [*missing[: SPANS_NAMED - 1], (missing[SPANS_NAMED - 1][0], missing[-1][1])]
    return {"Matchbox-Missing": ",".join(f"{first}-{last}" for first, last in missing)}


async def matching_orders(
    view: VenueView,
    after: int,
    limit: int,
    fits: Callable[[OrderRecord], bool],
    until: int | None = None,
) -> list[OrderRecord]:
    """The first `limit` orders after an id, up to another, that fit, by id; looks at all of them
    in steps.

    O(log n + orders looked at); no step holds the loop for more than a millisecond or so. What is
    returned is of the moment at the end, whenever an order was looked at.
    """
    found: list[OrderRecord] = []
    steps = 0
    while True:
        looked_at = 0
        for record in view.orders.after(after, until):
            looked_at += 1
            after = record.order.order_id
            if fits(record):
                found.append(record)
            if len(found) >= limit or looked_at >= RECORDS_A_STEP:
                break
        if len(found) >= limit or looked_at < RECORDS_A_STEP:
            orders = view.orders
            # A pending order has another record as soon as the journal tells of it.
            return [orders.get(old.order.order_id) or old for old in found] if steps else found
        steps += 1
        # The log may be another one afterwards, so the next step begins at the id.
        await asyncio.sleep(0)


async def in_order(items: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The items sorted, in steps. O(n log n)."""
    if len(items) <= RECORDS_A_STEP:
        return sorted(items)
    runs = []
    for start in range(0, len(items), RECORDS_A_STEP):
        runs.append(sorted(items[start : start + RECORDS_A_STEP]))
        await asyncio.sleep(0)
    merged = []
    for item in heapq.merge(*runs):
        merged.append(item)
        if len(merged) % RECORDS_A_STEP == 0:
            await asyncio.sleep(0)
    return merged


async def encoded(items: Sequence[T], shown: Callable[[T], Any]) -> Any:
    """A JSON array of what `shown` makes of each item, in steps, ready to be sent.

    Up to `RECORDS_A_STEP` items are of one moment.
    """
    parts = []
    for start in range(0, len(items), RECORDS_A_STEP):
        if start:
            await asyncio.sleep(0)
        step = [shown(item) for item in items[start : start + RECORDS_A_STEP]]
        parts.append(msgspec.json.encode(step)[1:-1])
    return b"[" + b",".join(parts) + b"]"


async def check_query(request: Request[Any, Any, Any]) -> None:
    """Raises `Refusal` for a parameter that the route does not have, or has twice."""
    if not request.scope["query_string"]:
        return
    parameters = request.route_handler.parsed_fn_signature.parameters
    known = parameters.keys() - request.path_params.keys() - {"request"}
    for name in request.query_params:
        if name not in known:
            use = f"use {', '.join(sorted(known))}" if known else "there are none here"
            raise Refusal(422, f"{name[:80]}: unknown query parameter; {use}")
        values = request.query_params.getall(name)
        if len(values) > 1:
            raise Refusal(422, f"{name}: given more than once")
        if values[0] == "null" and _takes_null(parameters[name]):
            raise refused_value(name)


async def check_bare_query(request: Request[Any, Any, Any]) -> None:
    """As `check_query`, and raises `Refusal` for a body, of which nothing would be read."""
    await check_query(request)
    headers = request.headers
    if headers.get("content-length", "0") != "0" or "transfer-encoding" in headers:
        raise Refusal(422, "the body: nothing of it is read here; use ?trader= and ?market=")


def _takes_null(parameter: FieldDefinition) -> bool:
    """Whether the framework would read the text `null` as none."""
    return parameter.is_optional and str not in [kind.annotation for kind in parameter.inner_types]
