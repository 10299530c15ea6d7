"""Who may ask, and how often: the token and the rate limit, for every request but the probes."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from matchbox_tui.api.answers import Problem
from matchbox_tui.api.token import token_matches

FREE_PATHS = frozenset(("/health", "/ready"))
"""What an orchestrator asks without a token, as often as it likes."""

CLIENTS_KEPT = 10_000
"""Client addresses whose rate is remembered; those not heard of for longest are forgotten."""


class RateLimit:
    """A bucket of tokens for each client address: `rate` requests a second, as many at once."""

    def __init__(self, rate: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait(self, client: str) -> float:
        """Takes a token of the client's: 0, or in how many seconds there is one. O(1)."""
        now = self._clock()
        left, at = self._buckets.pop(client, (float(self.rate), now))
        left = min(float(self.rate), left + (now - at) * self.rate)
        seconds = 0.0 if left >= 1 else (1 - left) / self.rate
        self._buckets[client] = (left if seconds else left - 1, now)
        if len(self._buckets) > CLIENTS_KEPT:
            self._buckets.popitem(last=False)
        return seconds


class Gate:
    """Stands before the application where there is a token or a rate limit.

    WebSocket handshakes pass: the feeds check the token themselves, since refusing differs there.
    """

    def __init__(self, app: ASGIApp, token: str, rate: int) -> None:
        self._app = app
        self._token = token
        self._limit = RateLimit(rate) if rate else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and scope["path"] not in FREE_PATHS:
            if self._limit is not None:
                client = scope["client"]
                seconds = self._limit.wait(client[0] if client else "")
                if seconds:
                    await _refuse(
                        send,
                        429,
                        f"more than {self._limit.rate} requests a second from this address",
                        (b"retry-after", str(math.ceil(seconds)).encode()),
                    )
                    return
            if not token_matches(_authorization(scope), self._token):
                await _refuse(
                    send,
                    401,
                    "Authorization: send 'Bearer' and the token of this server",
                    (b"www-authenticate", b"Bearer"),
                )
                return
        await self._app(scope, receive, send)


def _authorization(scope: Scope) -> bytes | None:
    return next((value for name, value in scope["headers"] if name == b"authorization"), None)


async def _refuse(send: Send, status: int, words: str, header: tuple[bytes, bytes]) -> None:
    content = msgspec.json.encode(Problem(words))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        header,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content, "more_body": False})
