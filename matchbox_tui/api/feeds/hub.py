"""All WebSocket connections of one instance, and what feeds them."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from websockets.http11 import Request

from matchbox_tui.api.feeds.books import BookFeed
from matchbox_tui.api.feeds.connection import Connection
from matchbox_tui.api.feeds.fills import FillFeed
from matchbox_tui.api.feeds.handshake import Refused, WantsBook, WantsFills, read_wish
from matchbox_tui.api.feeds.history import History
from matchbox_tui.api.feeds.order_events import OrderFeed
from matchbox_tui.api.feeds.pacer import Pacer
from matchbox_tui.api.feeds.settings import FeedSettings
from matchbox_tui.api.gateway import Gateway
from matchbox_tui.api.token import token_matches
from matchbox_tui.api.view import Update
from matchbox_tui.engine import Event
from matchbox_tui.store import StoreError

log = logging.getLogger(__name__)

BEGUN_ANEW = 1012
ANEW = "the venue is read anew: connect again"

REACH_SECONDS = 5.0
RETRY_SECONDS = 0.1

BEATS_AT_ONCE = 500
"""Connections pinged before others get their turn."""


class Feeds:
    """The feeds of a gateway's venue. `connection` is what uvicorn makes for each client."""

    def __init__(self, gateway: Gateway, settings: FeedSettings | None = None) -> None:
        self.settings = settings if settings is not None else FeedSettings()
        self.closing_s = self.settings.closing_s
        self.bytes_sent = 0
        self.disconnected_slow = 0
        self._view = gateway.view
        self._gateway = gateway
        self._live = False
        self._settling: asyncio.Task[None] | None = None
        self._history = History(gateway.view, gateway.reader, gateway.client)
        pacer, backlog = Pacer(), self.settings.backlog
        self._fills = FillFeed(self._history, pacer, backlog)
        self._books = BookFeed(gateway.view, pacer, backlog)
        self._orders = OrderFeed(gateway.view, pacer, backlog)
        self._heart = _Heart(self.settings.heartbeat_s)
        gateway.view.on_event.append(self._note)
        gateway.view.on_update.append(self._update)
        gateway.view.on_reset.append(self._reset)

    def connection(self, config: Any, server_state: Any, app_state: Any) -> Connection:
        """A protocol for a client that asks for a WebSocket, as uvicorn asks for it."""
        return Connection(self, server_state.connections)

    @property
    def lets_in(self) -> bool:
        """Whether clients are let in: the view is, or was a moment ago, at the journal's tip."""
        return self._live

    @property
    def connected(self) -> Mapping[str, int]:
        """How many clients each feed has; those that replay the past are not counted."""
        return {"fills": len(self._fills), "book": len(self._books), "orders": len(self._orders)}

    def __len__(self) -> int:
        """How many clients are connected."""
        return len(self._heart)

    def admit(self, request: Request) -> None:
        """Raises `Refused` where the client may not connect."""
        headers = request.headers.get_all("Authorization")
        given = headers[0].encode("latin-1", "replace") if len(headers) == 1 else None
        if not token_matches(given, self.settings.token):
            raise Refused(401, "send the API's token: Authorization: Bearer TOKEN")
        if not self._live:
            raise Refused(503, "this instance is still reading the journal: try again")
        read_wish(request.path, self._view.exchange.books)
        if len(self) >= self.settings.connections:
            raise Refused(503, "too many connections: use another instance, or try again later")

    def opened(self, connection: Connection, request: Request) -> None:
        if not self._live:
            # Since it was let in the view has begun anew.
            connection.close(BEGUN_ANEW, ANEW)
            return
        self._heart.add(connection)
        wish = read_wish(request.path, self._view.exchange.books)
        if isinstance(wish, WantsFills):
            self._fills.subscribe(connection, wish)
        elif isinstance(wish, WantsBook):
            self._books.subscribe(connection, wish.market)
        else:
            self._orders.subscribe(connection, wish.trader)

    def lost(self, connection: Connection) -> None:
        self._heart.forget(connection)

    def _note(self, event: Event) -> None:
        try:
            self._books.note(event)
            self._orders.note(event)
        except Exception:
            log.exception("The feeds failed at %d, and begin anew", event.seq)
            self._reset()

    def _update(self, update: Update) -> None:
        self._fills.update(update.fills)
        self._books.update()

    def _reset(self) -> None:
        self._live = False
        if self._settling is not None:
            self._settling.cancel()
        self._settling = asyncio.get_running_loop().create_task(self._settle())
        self._history.reset()
        for connection in self._heart.all():
            connection.close(BEGUN_ANEW, ANEW)

    async def _settle(self) -> None:
        """Lets clients in once the view is at the tip: before that, the past would look live."""
        while not self._live:
            try:
                tip = (await self._gateway.cluster()).seq
                self._live = await self._gateway.reader.reach(tip, REACH_SECONDS)
            except StoreError:
                await asyncio.sleep(RETRY_SECONDS)


class _Heart:
    """Lets every connection beat once an interval, with one timer for all."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._due: OrderedDict[Connection, float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def all(self) -> tuple[Connection, ...]:
        return tuple(self._due)

    def add(self, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        self._due[connection] = loop.time() + self._interval_s
        if self._timer is None:
            self._timer = loop.call_later(self._interval_s, self._beat)

    def forget(self, connection: Connection) -> None:
        self._due.pop(connection, None)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for _ in range(BEATS_AT_ONCE):
            connection, due = next(iter(self._due.items()), (None, 0.0))
            if connection is None:
                self._timer = None
                return
            if due > now:
                break
            self._due.move_to_end(connection)
            self._due[connection] = now + self._interval_s
            connection.beat()
        due = next(iter(self._due.values()), now)
        self._timer = loop.call_later(max(0.0, due - now), self._beat)
