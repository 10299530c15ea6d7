"""What a client asks for when it connects, and how it is told that it can't have it."""

import http
import re
from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

import msgspec
from websockets.http11 import Response

from matchbox_tui.api.trade_log import Place
from matchbox_tui.engine import DEFAULT_MARKET
from matchbox_tui.engine.values import MAX_NAME

FILLS = "/ws"
BOOK = "/ws/book"
ORDERS = "/ws/orders"

PARAMETERS = {FILLS: ("market", "after"), BOOK: ("market",), ORDERS: ("trader",)}

_TRADE_ID = re.compile(r"([0-9]{1,16})-([0-9]{1,16})")

_MORE_HEADERS = {
    401: "www-authenticate: Bearer\r\n",
    405: "allow: GET\r\n",
    426: "upgrade: websocket\r\nsec-websocket-version: 13\r\n",
    503: "retry-after: 1\r\n",
}


class Refused(Exception):
    """A handshake that fails with an HTTP status; `str()` names the field and the fix."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class WantsFills(msgspec.Struct, frozen=True):
    """The fills of a market, or (None) of all; those after a trade first."""

    market: str | None
    after: Place | None


class WantsBook(msgspec.Struct, frozen=True):
    market: str


class WantsOrders(msgspec.Struct, frozen=True):
    """The order events of a trader; "" is the anonymous one."""

    trader: str


Wish = WantsFills | WantsBook | WantsOrders


def read_wish(target: str, markets: Collection[str]) -> Wish:
    """What the target of a request asks for. Raises `Refused`."""
    path, _, query = target.partition("?")
    path = path.rstrip("/") or "/"
    if path not in PARAMETERS:
        raise Refused(404, f"nothing is at {path[:MAX_NAME]!r}: use {', '.join(PARAMETERS)}")
    given = _read_query(query, PARAMETERS[path])
    if path == ORDERS:
        return WantsOrders(_trader(given))
    market = given.get("market")
    if market is not None and market not in markets:
        raise Refused(422, f"market: {market[:MAX_NAME]!r} is unknown; GET /markets lists them")
    if path == BOOK:
        return WantsBook(DEFAULT_MARKET if market is None else market)
    return WantsFills(market, _after(given.get("after")))


def refusal(refused: Refused) -> bytes:
    """The HTTP answer to a handshake that failed."""
    body = msgspec.json.encode({"error": str(refused)})
    status = http.HTTPStatus(refused.status)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        f"connection: close\r\n{_MORE_HEADERS.get(refused.status, '')}\r\n"
    )
    return head.encode() + body


def as_refusal(response: Response, error: Exception | None) -> Refused:
    """The library's refusal of a handshake, in our words."""
    return Refused(response.status_code, f"this is no WebSocket handshake: {error}")


def _read_query(query: str, known: tuple[str, ...]) -> Mapping[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=8, errors="strict")
    except ValueError:
        raise Refused(422, f"the query can't be read: use {', '.join(known)}") from None
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            raise Refused(422, f"{name[:MAX_NAME]!r} is unknown here: use {', '.join(known)}")
        if name in given:
            raise Refused(422, f"{name}: give it once")
        given[name] = value
    return given


def _trader(given: Mapping[str, str]) -> str:
    trader = given.get("trader")
    if trader is None:
        raise Refused(422, "trader: say whose orders, ?trader=NAME (empty: the anonymous one)")
    if len(trader) > MAX_NAME:
        raise Refused(422, f"trader: a name has at most {MAX_NAME} characters")
    return trader


def _after(text: str | None) -> Place | None:
    if text is None:
        return None
    found = _TRADE_ID.fullmatch(text)
    if found is None:
        raise Refused(422, "after: use a trade_id, '<seq>-<n>'; 0-0 is before the first")
    return int(found[1]), int(found[2])
