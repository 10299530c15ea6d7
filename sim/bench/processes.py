"""The processes of a benchmark: started together, ended together, none left over."""

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Self, TypeVar

import msgspec

T = TypeVar("T")

START_SECONDS = 30.0
STOP_SECONDS = 5.0
LOOK_SECONDS = 0.02

_SERVING = re.compile(rb"Serving at http://127\.0\.0\.1:(\d+)")


class Failed(Exception):
    """A part of a benchmark ended, or did not do its work; `str()` says which."""


class Process:
    """A child that ends when its standard input closes, so also when this process is killed."""

    def __init__(self, name: str, module: list[str], env: dict[str, str], logs: Path) -> None:
        self.name = name
        self._log = logs / f"{name}.log"
        with self._log.open("ab") as errors:
            self._child = subprocess.Popen(
                [sys.executable, "-m", *module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                # Ctrl-C is for the parent alone, which then ends its children in order.
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    async def port(self) -> int:
        """Where it serves, once it does. Raises `Failed`."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            found = _SERVING.search(self._log.read_bytes())
            if found:
                return int(found[1])
            await asyncio.sleep(LOOK_SECONDS)
        raise Failed(f"{self.name} did not start in {START_SECONDS:.0f} s")

    async def work(self, job: msgspec.Struct, kind: type[T]) -> T:
        """Has a worker do a job whose outcome is of that kind. Raises `Failed`."""
        line = await asyncio.to_thread(self._ask, msgspec.json.encode(job) + b"\n")
        if not line:
            raise Failed(f"{self.name} ended by itself: {self._last_words()}")
        return msgspec.json.decode(line, type=kind)

    def check(self) -> None:
        """Raises `Failed` where it has ended."""
        if self._child.poll() is not None:
            raise Failed(f"{self.name} ended by itself: {self._last_words()}")

    def ask_to_end(self) -> None:
        self._child.terminate()

    def end(self) -> None:
        """Waits for its end, and kills it where that takes too long."""
        try:
            self._child.communicate(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()

    def _ask(self, line: bytes) -> bytes:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(line)
            self._child.stdin.flush()
            return self._child.stdout.readline()
        except (OSError, ValueError):
            return b""

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return lines[-1].removeprefix("matchbox: ") if lines else "it left no word"


class Processes:
    """Some children with one environment; they end with the block."""

    def __init__(self, env: dict[str, str], logs: Path) -> None:
        self._env = env
        self._logs = logs
        self._started: list[Process] = []

    def start(self, name: str, *module: str) -> Process:
        """Starts `python -m MODULE...`."""
        process = Process(name, list(module), self._env, self._logs)
        self._started.append(process)
        return process

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._started:
            process.ask_to_end()
        for process in self._started:
            with contextlib.suppress(OSError, ValueError):
                process.end()
