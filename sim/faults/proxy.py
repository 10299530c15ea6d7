"""A network that can be made bad: a proxy in front of the venue's server.

It runs in the process of whoever injects the faults. Clients of the venue name their connections
with CLIENT SETNAME, which the proxy reads as it passes, so that a fault can hit one of them while
the others live.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from sim.faults.route import ClientEnd, Held, Prey, Route, ServerEnd

Who = Callable[[str], bool]
"""Whether a fault hits the connection of this name; one that has not told its name has ""."""

Target = Path | tuple[str, int]
"""The server: a unix socket, or a host and port."""


def everybody(name: str) -> bool:
    return True


def instance(instance_id: str, part: str = "") -> Who:
    """The connections of one engine instance, or of its `part`: main or wait."""
    own = f"matchbox:{instance_id}"

    def fits(name: str) -> bool:
        if part:
            return name == f"{own}:{part}"
        return name == own or name.startswith(f"{own}:")

    return fits


class Proxy:
    """Relays between the unix socket `listen` and the server, and loses what it is told to lose.

    An asynchronous context: it listens inside, and drops everybody at the end.
    """

    def __init__(self, target: Target, listen: Path) -> None:
        self._target = target
        self._listen = listen
        self._listener: asyncio.Server | None = None
        self._routes: set[Route] = set()
        self._cut: Who | None = None
        self._swallowing = False
        self._slow: tuple[Who, float] | None = None
        self._traps: list[tuple[Who, bytes, Prey]] = []
        self.on_reply: Callable[[str, bytes], None] | None = None
        """Sees each piece of a reply with the name of its connection, before it is passed on."""

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self._listen))}"

    async def __aenter__(self) -> "Proxy":
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_unix_server(lambda: ClientEnd(self), str(self._listen))
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for route in list(self._routes):
            route.drop()
        with contextlib.suppress(OSError):
            self._listen.unlink()

    def names(self) -> list[str]:
        """The names of the open connections."""
        return sorted(route.name for route in self._routes if not route.left)

    def cut(self, who: Who = everybody, *, swallow: bool = False) -> None:
        """Drops connections, and takes no new ones until `mend`.

        New ones are hung up on; with `swallow` they are taken and never answered. One that is
        known by its name only is dropped as soon as it tells it.
        """
        self._cut, self._swallowing = who, swallow
        for route in [route for route in self._routes if who(route.name)]:
            route.drop()

    def silence(self, who: Who = everybody) -> None:
        """Nothing passes any more, and nobody is told: what is sent arrives after `mend`."""
        self.delay(float("inf"), who)

    def delay(self, seconds: float, who: Who = everybody) -> None:
        """What is sent from now on, either way, arrives so much later, until `mend`."""
        self._slow = (who, seconds)

    def mend(self) -> None:
        """Ends `cut`, `silence` and `delay`. What was held back arrives, in its order."""
        self._cut = self._slow = None
        for route in list(self._routes):
            if route.swallowed:
                route.drop()
            else:
                route.upward.hurry()
                route.downward.hurry()

    def lose_reply(self, who: Who, marker: bytes) -> asyncio.Future[None]:
        """The next request that holds `marker` passes; its reply is eaten, its connection closed.

        The future is done when that has happened; cancelling it calls the fault off.
        """
        eaten: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._traps.append((who, marker, eaten))
        return eaten

    def hold(self, who: Who, marker: bytes) -> Held:
        """Catches the next request that holds `marker`, with all that its connection sends after.

        Cancelling `caught` calls the fault off.
        """
        held = Held()
        self._traps.append((who, marker, held))
        return held

    # What the routes ask

    def joins(self, route: "Route") -> None:
        self._routes.add(route)
        self.check(route)

    def leaves(self, route: "Route") -> None:
        self._routes.discard(route)

    def check(self, route: "Route") -> None:
        """Lets a cut hit a new connection, or one whose name has just become known."""
        if self._cut is None or not self._cut(route.name):
            return
        if self._swallowing:
            route.swallowed = True
        else:
            route.drop()

    def lateness(self, name: str) -> float:
        """Seconds by which something that is sent now is late."""
        return self._slow[1] if self._slow is not None and self._slow[0](name) else 0.0

    def trap(self, name: str, tail: bytes, request: bytes) -> Prey | None:
        """The trap into which this request falls, if there is one; each catches once.

        `tail` is what came before it, for a marker that arrives in two pieces.
        """
        self._traps = [trap for trap in self._traps if not _sprung(trap[2])]
        for who, marker, prey in self._traps:
            if who(name) and marker in tail[max(0, len(tail) - len(marker) + 1) :] + request:
                return prey
        return None

    async def connect(self, route: "Route") -> None:
        """Opens the way to the server; without one the client is hung up on."""
        loop = asyncio.get_running_loop()
        try:
            if isinstance(self._target, Path):
                await loop.create_unix_connection(lambda: ServerEnd(route), str(self._target))
            else:
                await loop.create_connection(lambda: ServerEnd(route), *self._target)
        except OSError:
            route.drop()


def _sprung(prey: Prey) -> bool:
    return (prey.caught if isinstance(prey, Held) else prey).done()
