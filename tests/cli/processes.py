"""A command as a process whose every descendant can be found, wherever it has gone."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Mapping
from pathlib import Path

from tests.cli.command import Result, command_line, environment
from tests.places import SHORT
from tests.waiting import soon

_MARK = "MARK_OF_A_TEST"


class Marked:
    """A variable that only a test's processes have, and a directory for what they leave.

    Children in sessions and groups of their own still inherit both.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._mark = uuid.uuid4().hex
        # Short, since the path of a unix socket goes below it.
        self.temporary = Path(tempfile.mkdtemp(prefix="mb", dir=SHORT))
        self.env = environment(
            {_MARK: self._mark, "TMPDIR": str(self.temporary), "TERM": "xterm-256color"}
            | dict(env or {})
        )

    def processes(self) -> dict[int, str]:
        """The command lines of the processes that live, by process id.

        A server writes its title over its environment, but the title names its socket.
        """
        wanted = f"{_MARK}={self._mark}"
        looks = _from_proc if Path("/proc/self/environ").exists() else _from_ps
        return {
            pid: command
            for pid, (command, environ) in looks().items()
            if wanted in environ or str(self.temporary) in command
        }

    def count(self, word: str) -> int:
        """How many processes have this word in their command line."""
        return sum(word in line.split() for line in self.processes().values())

    def leave_nothing(self) -> None:
        """Fails where a process or a file is left over."""
        soon(self.processes, lambda left: not left)
        soon(lambda: list(self.temporary.iterdir()), lambda left: not left)

    def clean_up(self) -> None:
        """Ends what a failed test left."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.temporary, ignore_errors=True)

    def __enter__(self) -> "Marked":
        return self

    def __exit__(self, *_: object) -> None:
        self.clean_up()

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """The command as a child in a session of its own, without a terminal."""
        return subprocess.Popen(
            command_line(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env,
            start_new_session=True,
        )

    def market_runs(self, engines: int = 3) -> bool:
        """Whether a whole `matchbox play` is there: engines, traders, guard and server."""
        return (
            self.count("engine") == engines
            and self.count("traders") == 1
            and any("valkey-server" in line.split()[0] for line in self.processes().values())
        )


def traded(*options: str, env: Mapping[str, str]) -> Result:
    """A headless market that is interrupted once it has traded, which takes as long as it takes."""
    process = subprocess.Popen(
        command_line("--headless", "--duration", "300", "--json", *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
    )
    assert process.stderr is not None
    told = ""
    for line in process.stderr:
        told += line
        counts = re.search(r"  commands (\d+)  fills (\d+)  ", line)
        if counts is not None and int(counts[1]) > 100 and int(counts[2]) > 20:
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    return Result(process.returncode, out, told + err)


def _from_proc() -> dict[int, tuple[str, list[str]]]:
    found = {}
    for place in Path("/proc").iterdir():
        # A process may end while it is looked at.
        with contextlib.suppress(OSError, ValueError):
            pid = int(place.name)
            environ = (place / "environ").read_bytes().decode(errors="replace").split("\0")
            command = (place / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            # A process that has ended and was not waited for has no command line.
            if command.strip():
                found[pid] = (command.strip(), environ)
    return found


def _from_ps() -> dict[int, tuple[str, list[str]]]:
    listed = subprocess.run(
        ["ps", "-axEww", "-o", "pid=,command="], capture_output=True, text=True, check=True
    )
    found = {}
    for line in listed.stdout.splitlines():
        pid, _, command = line.strip().partition(" ")
        found[int(pid)] = (command, command.split())
    return found
