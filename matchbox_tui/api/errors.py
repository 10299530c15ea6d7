"""Refusals in HTTP: a status, and one line that names the field and the fix."""

import logging
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import (
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
)

from matchbox_tui.api.answers import Problem
from matchbox_tui.store import InDoubt, PastUnknown, StoreError

log = logging.getLogger(__name__)

RETRY_SECONDS = 1
"""When to try again what could not be done now."""


class Refusal(Exception):
    """An answer other than success: its status, its words, and headers if it has some."""

    def __init__(self, status: int, words: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.headers = headers


def unavailable(words: str) -> Refusal:
    """A 503 that says when to come again."""
    return Refusal(503, words, {"Retry-After": str(RETRY_SECONDS)})


def refusal_of(error: StoreError) -> Refusal:
    """How a request ends where the server could not be asked. Nothing was queued."""
    return unavailable(f"{error}; nothing was queued")


def refusal_of_submit(error: StoreError) -> Refusal:
    """As `refusal_of`, for what was on its way to the queue."""
    if isinstance(error, InDoubt):
        return Refusal(
            504,
            f"{error}: the request may have been queued;"
            " an order with a client_order_id is safe to send again",
        )
    return refusal_of(error)


def answer_refusal(_: Request[Any, Any, Any], refusal: Refusal) -> Response[Problem]:
    return _answer(refusal.status, refusal.words, refusal.headers)


def answer_store_error(request: Request[Any, Any, Any], error: StoreError) -> Response[Problem]:
    refusal = unavailable(f"{error}; try again") if request.method == "GET" else refusal_of(error)
    return _answer(refusal.status, refusal.words, refusal.headers)


def answer_past_unknown(request: Request[Any, Any, Any], error: PastUnknown) -> Response[Problem]:
    words = f"history can't be read now: {error}"
    if "history" in request.route_handler.parsed_fn_signature.parameters:
        words += "; history=false asks for what is in memory alone"
    refusal = unavailable(words)
    return _answer(refusal.status, refusal.words, refusal.headers)


def answer_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """What the framework refuses by itself: unknown paths and methods above all."""
    path = request.scope["path"]
    match error:
        case NotFoundException():
            words = f"{path}: no such path; /docs lists those that there are"
        case MethodNotAllowedException():
            allowed = (error.headers or {}).get("allow", "")
            words = f"{request.method} {path}: use one of {allowed}"
        case _:
            words = error.detail
    if error.status_code >= 500:
        return answer_unexpected(request, error)
    return _answer(error.status_code, words, error.headers)


def answer_unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """An error of ours: the details go to the log and to nobody else."""
    log.error("Unexpected error at %s %s", request.method, request.scope["path"], exc_info=error)
    return _answer(500, "internal error; the server's log has the details", None)


def _answer(status: int, words: str, headers: Mapping[str, str] | None) -> Response[Problem]:
    return Response(
        Problem(words),
        status_code=status,
        headers=dict(headers or {}),
        media_type="application/json",
    )


HANDLERS: dict[int | type[Exception], Any] = {
    Refusal: answer_refusal,
    StoreError: answer_store_error,
    PastUnknown: answer_past_unknown,
    HTTPException: answer_framework,
    Exception: answer_unexpected,
}
