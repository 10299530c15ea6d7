"""A cluster of real processes: engine instances and traders, started by command line."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from matchbox_tui.engine import Market
from sim.floor import FloorRecord

STOP_SECONDS = 5.0

API_HOST = "127.0.0.1"
"""Where instances with an API listen: a market that one person plays is for this machine."""

_OURS_ALONE = ("MATCHBOX_DURATION", "MATCHBOX_SCENARIO", "MATCHBOX_START_AT")
"""Variables that speak to who starts the cluster, and would mislead its members."""


class Member:
    """One child process. Its standard input stays open as long as we live."""

    def __init__(self, name: str, arguments: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._reading = threading.Lock()
        self._output: bytes | None = None
        with log.open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "matchbox_tui", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                # Ctrl-C is for the parent alone, which then ends its children in order.
                start_new_session=True,
            )

    def alive(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.alive():
            self.process.send_signal(number)

    def ask_to_stop(self) -> None:
        """A stopped (SIGSTOP) process must run to hear it."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)

    def wait(self, seconds: float) -> bytes:
        """What it printed, once it has ended; it is killed where that takes too long.

        Several threads may wait, as where an end is cut short while one of them already waits:
        they take turns, and all hear the same.
        """
        with self._reading:
            if self._output is None:
                # Two at once would close each other's pipe.
                self._output = self._communicate(seconds)
            return self._output

    def _communicate(self, seconds: float) -> bytes:
        # Not left to `communicate`, which fails when it is called again after an interruption.
        stdin, self.process.stdin = self.process.stdin, None
        if stdin is not None:
            stdin.close()
        try:
            output, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            output, _ = self.process.communicate()
        return output

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait()

    def ending(self) -> str:
        """How it ended: the signal, its last words or its exit code; nothing while it runs."""
        code = self.process.poll()
        if code is None:
            return ""
        if code < 0:
            return f"killed by {signal.Signals(-code).name}"
        return self.last_words() or f"exit code {code}"

    def last_words(self) -> str:
        """The last line of its log, for an error message."""
        try:
            lines = self.log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return lines[-1].removeprefix("matchbox: ") if lines else ""


class Cluster:
    """Engine instances on one venue, and the traders' process."""

    def __init__(
        self,
        url: str,
        log_dir: Path,
        *,
        prefix: str = "",
        markets: list[Market] | None = None,
        settings: dict[str, str] | None = None,
        log_level: str = "info",
        api_port: int = 0,
    ) -> None:
        """With an `api_port` the instances serve the API too, on that port and those after it."""
        self._log_dir = log_dir
        self._api_port = api_port
        self.markets = markets or []
        self._env = {
            **{name: value for name, value in os.environ.items() if name not in _OURS_ALONE},
            "REDIS_URL": url,
            "MATCHBOX_KEY_PREFIX": prefix,
            "MATCHBOX_UNTIL_EOF": "1",
            "LOG_LEVEL": log_level,
            **(settings or {}),
        }
        self.nodes: dict[str, Member] = {}
        self.traders: Member | None = None
        self._hire: Callable[[], Member] | None = None

    @property
    def symbols(self) -> list[str]:
        """The markets that the instances open."""
        return [market.symbol for market in self.markets]

    def start(self, instances: int, traders: int, rate: int, seed: int) -> None:
        """Starts instances `node-1` and up, and the traders where there are to be any."""
        for number in range(1, instances + 1):
            self.start_node(f"node-{number}")
        if traders:
            self.start_traders(traders, rate, seed)

    def start_node(self, name: str) -> Member:
        """Starts an instance; one of the same name that has ended is replaced."""
        markets = ",".join(f"{market.symbol}={_plain(market.title)}" for market in self.markets)
        member = Member(
            name,
            [*self._command(name), "--id", name, "--markets", markets],
            self._env,
            self._log_dir / f"{name}.log",
        )
        self.nodes[name] = member
        return member

    def _command(self, name: str) -> list[str]:
        if not self._api_port:
            return ["engine"]
        # One that is started again serves where it did before.
        place = list(self.nodes).index(name) if name in self.nodes else len(self.nodes)
        return ["serve", "--host", API_HOST, "--port", str(self._api_port + place)]

    def start_traders(
        self, count: int, rate: int, seed: int, *, client_order_ids: bool = False
    ) -> Member:
        """The standard population, in the cluster's markets."""
        return self._hire_traders(
            *("--traders", str(count), "--rate", str(rate)),
            *("--seed", str(seed), "--markets", ",".join(self.symbols)),
            *(["--client-order-ids"] if client_order_ids else []),
        )

    def start_scenario_traders(self, scenario: Path, seed: int, start: int) -> Member:
        """The agents of a scenario file, from `start` on, in ns since the epoch; every order has
        a name.
        """
        return self._hire_traders(
            *("--scenario", str(scenario), "--seed", str(seed)),
            *("--start-at", str(start), "--client-order-ids"),
        )

    def _hire_traders(self, *arguments: str) -> Member:
        log = self._log_dir / "traders.log"
        command = ["traders", "--json", *arguments]
        self._hire = partial(Member, "traders", command, self._env, log)
        self.traders = self._hire()
        return self.traders

    def start_service(self, name: str, arguments: list[str], settings: dict[str, str]) -> Member:
        """Starts another process on the venue, which is its caller's to end."""
        return Member(name, arguments, self._env | settings, self._log_dir / f"{name}.log")

    def restart(self) -> list[str]:
        """Starts anew every instance that has ended, and the traders; returns their names."""
        ended = [name for name, node in self.nodes.items() if not node.alive()]
        for name in ended:
            self.start_node(name)
        if self.traders is not None and not self.traders.alive() and self._hire is not None:
            self.traders = self._hire()
            ended.append(self.traders.name)
        return ended

    def failed(self) -> str | None:
        """Why the cluster can't work: every instance, or the traders, ended. None where it can."""
        if self.nodes and not any(node.alive() for node in self.nodes.values()):
            last = next(reversed(self.nodes.values()))
            return f"every engine instance ended: {last.last_words()}"
        if self.traders is not None and not self.traders.alive():
            return f"the traders ended: {self.traders.last_words()}"
        return None

    def stop_traders(self) -> FloorRecord | None:
        """Ends the traders and returns their record; None where they ended without one."""
        traders = self.traders
        if traders is None:
            return FloorRecord()
        traders.ask_to_stop()
        output = traders.wait(STOP_SECONDS)
        self.traders = None
        try:
            return msgspec.json.decode(output, type=FloorRecord)
        except msgspec.MsgspecError:
            return None

    def stop(self) -> None:
        """Ends every process: traders first, then all instances together."""
        self.stop_traders()
        for node in self.nodes.values():
            node.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for node in self.nodes.values():
            node.wait(max(0.0, deadline - time.monotonic()))

    def kill(self) -> None:
        """Ends every process at once."""
        for member in (*self.nodes.values(), *([self.traders] if self.traders else [])):
            member.kill()


def _plain(title: str) -> str:
    return title.replace(",", " ")
