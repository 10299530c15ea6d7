"""A whole venue of processes: a server, instances, and a screen that looks at it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping

import msgspec

from matchbox_tui.store import Client, EmbeddedServer
from sim.bench.flow import MARKET, PERSON
from sim.bench.processes import Failed, Process, Processes
from sim.bench.terminal import Terminal, screen_environment
from sim.bench.venue import environment

START_SECONDS = 30.0
LOOK_SECONDS = 0.02

SERVER, SCREEN = "the server", "the screen"


class FullVenue(msgspec.Struct, frozen=True):
    """What runs. `parts` are the process ids of what is measured, by name; the first of the
    instances leads.
    """

    url: str
    client: Client
    processes: Processes
    instances: dict[str, Process]
    screen: Terminal
    parts: dict[str, int]

    def check(self) -> None:
        """Raises `Failed` where one of them has ended."""
        self.screen.check()
        for instance in self.instances.values():
            instance.check()

    async def drain(self, seconds: float) -> None:
        """Waits until nothing is queued. Raises `Failed` where that takes longer."""
        deadline = time.monotonic() + seconds
        while (await self.client.cluster()).queue_depth:
            self.check()
            if time.monotonic() > deadline:
                raise Failed("the engine did not work off its queue in time")
            await asyncio.sleep(LOOK_SECONDS)


@contextlib.asynccontextmanager
async def open_full_venue(instances: Mapping[str, str]) -> AsyncIterator[FullVenue]:
    """A venue of instances, each by name and the command that it runs as; at the end nothing is
    left.

    Raises `Failed`, or a `StoreError` where there is no server to be had.
    """
    with EmbeddedServer() as server:
        env = screen_environment(environment(server.url), server.directory)
        with Processes(env, server.directory) as processes:
            client = await Client.connect(server.url, name="bench")
            try:
                started: dict[str, Process] = {}
                for name, command in instances.items():
                    options = ["--port", "0"] if command == "serve" else []
                    started[name] = processes.start(
                        *(name, "matchbox_tui", command, "--until-eof", *options),
                        *("--id", name.replace(" ", "-"), "--markets", MARKET.symbol),
                    )
                    # The first one leads.
                    await _await_leader(client, started[name])
                app = ("matchbox_tui", "tui", "--trader", PERSON, "--market", MARKET.symbol)
                with Terminal(SCREEN, app, env) as screen:
                    await screen.first_frame()
                    pids = {name: process.pid for name, process in started.items()}
                    parts = {**pids, SERVER: server.pid, SCREEN: screen.pid}
                    yield FullVenue(server.url, client, processes, started, screen, parts)
            finally:
                await client.close()


async def _await_leader(client: Client, instance: Process) -> None:
    """Waits until somebody leads and has opened the market. Raises `Failed`."""
    deadline = time.monotonic() + START_SECONDS
    while not (await client.cluster()).seq:
        instance.check()
        if time.monotonic() > deadline:
            raise Failed("nobody became leader in time")
        await asyncio.sleep(LOOK_SECONDS)
