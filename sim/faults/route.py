"""A connection on its way through the proxy: one to the client, one to the server."""

import asyncio
import re
from collections import deque
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from sim.faults.proxy import Proxy

_NAME = re.compile(rb"SETNAME\r\n\$\d+\r\n([^\r\n]*)\r\n")
_TAIL = 512
"""Bytes of what was sent before that are kept, for a name or marker that comes in two pieces."""


class Held:
    """A request that was caught on its way and stays away from the server until `release`."""

    def __init__(self) -> None:
        self.caught: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        """The first bytes that the server answers after the release; b"" where it hung up."""
        self._route: Route | None = None

    def catch(self, route: "Route") -> None:
        self._route = route
        self.caught.set_result(None)

    def release(self) -> None:
        """Lets the request go on to the server; nothing where none was caught."""
        if self._route is not None:
            self._route.upward.release()


Prey = Held | asyncio.Future[None]
"""What waits for a request to fall into its trap: one to be held, or one to lose its reply."""


class Lane:
    """One direction of a route: passes on at once, later, or not until it is told to.

    b"" is the end, which takes its turn like everything else.
    """

    def __init__(self) -> None:
        self._to: asyncio.Transport | None = None
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._held = False
        self._timer: asyncio.TimerHandle | None = None

    def open(self, to: asyncio.Transport) -> None:
        self._to = to
        self._flush()

    def send(self, data: bytes, late: float) -> None:
        if self._to is not None and not self._waiting and not self._held and not late:
            self._pass(data)
            return
        self._waiting.append((asyncio.get_running_loop().time() + late, data))
        self._flush()

    def hold(self) -> None:
        self._held = True

    def release(self) -> None:
        self._held = False
        self._flush()

    def hurry(self) -> None:
        """What is late is on time."""
        self._waiting = deque((0.0, data) for _, data in self._waiting)
        self._flush()

    def abort(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._waiting.clear()
        if self._to is not None:
            self._to.abort()

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._to is None or self._held:
            return
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time():
            self._pass(self._waiting.popleft()[1])
        if self._waiting and self._waiting[0][0] < float("inf"):
            self._timer = loop.call_at(self._waiting[0][0], self._flush)

    def _pass(self, data: bytes) -> None:
        assert self._to is not None
        if data:
            self._to.write(data)
        else:
            self._to.close()


class Route:
    """One client's connection and the one to the server that goes with it."""

    def __init__(self, proxy: "Proxy", client: asyncio.Transport) -> None:
        self.proxy = proxy
        self.client = client
        self.server: asyncio.Transport | None = None
        self.name = ""
        self.swallowed = False
        self.left = False
        """Whether the client is gone, while what it sent may still be on its way."""
        self.upward, self.downward = Lane(), Lane()
        self.downward.open(client)
        self._tail = b""
        self._eating: asyncio.Future[None] | None = None
        self._held: Held | None = None
        self._connecting = asyncio.ensure_future(proxy.connect(self))

    def connected(self, server: asyncio.Transport) -> None:
        self.server = server
        self.upward.open(server)

    def request(self, data: bytes) -> None:
        tail = self._tail
        self._tail = (tail + data)[-_TAIL:]
        if not self.name and (match := _NAME.search(tail + data)):
            self.name = match[1].decode(errors="replace")
            self.proxy.check(self)
        if self.swallowed:
            return
        prey = self.proxy.trap(self.name, tail, data)
        if isinstance(prey, Held):
            self.upward.hold()
            self._held = prey
            prey.catch(self)
        elif prey is not None:
            self._eating = prey
        self.upward.send(data, self.proxy.lateness(self.name))

    def reply(self, data: bytes) -> None:
        if self.proxy.on_reply is not None:
            self.proxy.on_reply(self.name, data)
        if self._held is not None and not self._held.answer.done():
            self._held.answer.set_result(data)
        if self._eating is not None and not self._eating.cancelled():
            self.drop()
            return
        self.downward.send(data, self.proxy.lateness(self.name))

    def client_left(self) -> None:
        """What it has sent still arrives, however late, as it does on a real network."""
        self.left = True
        if self.swallowed or self.server is None:
            self.drop()
        elif self._held is not None and not self._held.answer.done():
            self._held.answer.add_done_callback(lambda _: self.upward.send(b"", 0))
        else:
            self.upward.send(b"", self.proxy.lateness(self.name))

    def server_left(self) -> None:
        self.proxy.leaves(self)
        if self._held is not None and not self._held.answer.done():
            self._held.answer.set_result(b"")
        self.downward.send(b"", self.proxy.lateness(self.name))

    def drop(self) -> None:
        """Cuts both connections at once; what is under way is lost."""
        self.proxy.leaves(self)
        self._connecting.cancel()
        self.upward.abort()
        self.client.abort()
        self.downward.abort()
        if self._eating is not None and not self._eating.done():
            self._eating.set_result(None)


class _End(asyncio.Protocol):
    """One end of a route. A reader that is slow slows the sender, not the proxy."""

    route: Route

    def pause_writing(self) -> None:
        if other := self._other():
            other.pause_reading()

    def resume_writing(self) -> None:
        if other := self._other():
            other.resume_reading()

    def _other(self) -> asyncio.Transport | None:
        raise NotImplementedError


class ClientEnd(_End):
    def __init__(self, proxy: "Proxy") -> None:
        self._proxy = proxy

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.route = Route(self._proxy, cast(asyncio.Transport, transport))
        self._proxy.joins(self.route)

    def data_received(self, data: bytes) -> None:
        self.route.request(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.route.client_left()

    def _other(self) -> asyncio.Transport | None:
        return self.route.server


class ServerEnd(_End):
    def __init__(self, route: Route) -> None:
        self.route = route

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.route.connected(cast(asyncio.Transport, transport))

    def data_received(self, data: bytes) -> None:
        self.route.reply(data)

    def connection_lost(self, error: Exception | None) -> None:
        self.route.server_left()

    def _other(self) -> asyncio.Transport | None:
        return self.route.client
