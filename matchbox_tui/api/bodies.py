"""Reads the JSON body of a request into its type, and calls the handler with it.

The framework's own way converts text to numbers where a body must be strict, and costs several
times as much: POST /orders is the route whose speed matters.
"""

from typing import Any

import msgspec
from litestar import Response
from litestar.middleware import DefineMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from matchbox_tui.api.errors import RETRY_SECONDS, Refusal
from matchbox_tui.api.wording import refused_body

_encode = msgspec.json.Encoder().encode

MOST_VALUES = 20_000
"""A body of more values is not looked through for fractions: that would hold everybody up."""


MOST_HELD = 64 * 1024 * 1024
"""Bytes of unfinished bodies, of all clients together: each may take its time, and there may be
many of them.
"""


class Room:
    """What is left for bodies that come in pieces, in bytes."""

    def __init__(self, size: int = MOST_HELD) -> None:
        self.left = size


class ClientGone(Exception):
    """The client left before it had sent its request."""


class JsonBody:
    """Around one handler: gives it `data`, and sends what it returns.

    `limit` is the longest body, in bytes; all wait for their other pieces in the same `room`.
    """

    def __init__(self, app: ASGIApp, kind: type[msgspec.Struct], limit: int, room: Room) -> None:
        self._kind = kind
        self._limit = limit
        self._room = room
        self._decoder = msgspec.json.Decoder(kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_headers(scope["headers"], self._limit)
        try:
            body = await read_body(receive, self._limit, self._room)
        except ClientGone:
            return
        data = self._decoded(body)
        handler: Any = scope["route_handler"]
        answer: Response[Any] = await handler.fn(data=data, **scope["path_params"])
        content = _encode(answer.content)
        await send(
            {
                "type": "http.response.start",
                "status": answer.status_code or 200,
                "headers": [
                    (b"content-type", b"application/json"),
                    (b"content-length", str(len(content)).encode()),
                ],
            }
        )
        await send({"type": "http.response.body", "body": content, "more_body": False})

    def _decoded(self, body: bytes) -> Any:
        try:
            try:
                return self._decoder.decode(body)
            except msgspec.ValidationError as error:
                if "got `float`" not in str(error) or _values(body) > MOST_VALUES:
                    raise
                return msgspec.convert(_whole(_plain(body, error)), self._kind)
        except msgspec.ValidationError as error:
            raise refused_body(error, self._kind) from None
        except UnicodeDecodeError:
            raise Refusal(422, "the body is not UTF-8: send JSON in UTF-8") from None
        except RecursionError:
            raise Refusal(422, "the body is nested too deep: send a plain JSON object") from None
        except msgspec.DecodeError as error:
            if not body.strip():
                raise Refusal(422, "the body is empty: send a JSON object") from None
            raise Refusal(422, f"the body is not JSON: {error}") from None


def _values(body: bytes) -> int:
    """At least so many as there are values in it. O(n), and a hundredth of decoding it."""
    return 1 + sum(map(body.count, (b",", b"[", b"{")))


def _plain(body: bytes, error: msgspec.ValidationError) -> Any:
    """The body, of whatever kind it is. Raises `error` where a number is beyond all bounds: that
    one names a field.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.ValidationError:
        raise error from None


def _whole(value: Any) -> Any:
    """The value with 10.0 as 10: JSON makes no difference between them, and some senders none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_whole(inner) for inner in value]
    return value


def json_body(kind: type[msgspec.Struct], limit: int, room: Room) -> DefineMiddleware:
    """For the `middleware` of a handler whose `data` is of that type."""
    return DefineMiddleware(JsonBody, kind=kind, limit=limit, room=room)


def check_headers(headers: Any, limit: int) -> None:
    """Raises `Refusal` for another content type than JSON, and for a body known to be too long."""
    declared = by_page = False
    for name, value in headers:
        if name == b"content-type":
            if value != b"application/json":
                _check_type(value)
            declared = bool(value)
        elif name == b"content-length" and value.isdigit() and int(value[:20]) > limit:
            raise too_long(limit)
        elif name == b"origin":
            by_page = True
    if by_page and not declared:
        # Browsers let every page send this to every address, and ask before they send JSON.
        raise Refusal(415, "Content-Type is missing: a page must say application/json")


def _check_type(value: bytes) -> None:
    kind, _, parameters = value.decode("latin-1").lower().partition(";")
    kind = kind.strip()
    charset = parameters.partition("charset=")[2].strip(' "')
    if kind in ("application/json", "") and charset in ("", "utf-8", "utf8", "us-ascii"):
        return
    raise Refusal(415, f"Content-Type {value[:80].decode('latin-1')!r}: use application/json")


async def read_body(receive: Receive, limit: int, room: Room) -> bytes:
    """The whole body. Raises `Refusal` once it is longer than `limit` or there is no room for it,
    or `ClientGone`.
    """
    parts: list[bytes] = []
    size = held = 0
    try:
        while True:
            message: Any = await receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > limit:
                raise too_long(limit)
            if not message.get("more_body"):
                return b"".join((*parts, part)) if parts else part
            if len(part) > room.left:
                raise _crowded()
            room.left -= len(part)
            held += len(part)
            parts.append(part)
    finally:
        room.left += held


def _crowded() -> Refusal:
    return Refusal(
        503,
        "too many long bodies are being sent: nothing was queued, try again",
        {"Retry-After": str(RETRY_SECONDS), "Connection": "close"},
    )


def too_long(limit: int) -> Refusal:
    # What is left of the body is not read, so the connection can't carry another request.
    return Refusal(
        413, f"the body is too long: send at most {limit // 1024} KiB", {"Connection": "close"}
    )
