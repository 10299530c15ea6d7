"""`matchbox web` as a process, and what a page of it says and hears."""

import contextlib
import http.client
import json
import subprocess
import time
from collections.abc import Iterator

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.cli.processes import Marked
from tests.cli.terminal import words_of
from tests.waiting import PATIENCE


class Website:
    """A server that runs."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.host = f"127.0.0.1:{port}"

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
        """The status and the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    @contextlib.contextmanager
    def page(self, query: str = "width=120&height=40") -> "Iterator[Page]":
        """A page that is open for the time of the block."""
        with connect(
            f"ws://{self.host}/ws?{query}",
            origin=f"http://{self.host}",  # type: ignore[arg-type]  # a NewType of str
            max_size=None,
            compression=None,
            open_timeout=PATIENCE,
            close_timeout=PATIENCE,
        ) as socket:
            yield Page(socket)

    def said(self) -> str:
        """All that it said on stderr, once it has ended; stdout is to be empty."""
        out, err = self.process.communicate(timeout=PATIENCE)
        assert out == ""
        return err


@contextlib.contextmanager
def serving(marked: Marked, *options: str) -> Iterator[Website]:
    """The server on a free port; killed at the end, where the test has not ended it."""
    process = marked.start("web", "--port", "0", *options)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("Serving at http://127.0.0.1:"), line
        assert line.endswith("; Ctrl-C stops it.\n"), line
        yield Website(process, int(line.partition(";")[0].rpartition(":")[2]))
    finally:
        process.kill()
        process.communicate()


class Page:
    """Speaks as the terminal in the browser does. Everything drawn is kept in `drawn`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.drawn = b""

    def words(self) -> str:
        """All that was drawn, with single blanks."""
        return " ".join(words_of(self.drawn).split())

    def say(self, *message: object) -> None:
        self._socket.send(json.dumps(message))

    def press(self, keys: str) -> None:
        self.say("stdin", keys)

    def await_words(self, wanted: str) -> None:
        """Reads until these words were drawn."""
        deadline = time.monotonic() + PATIENCE
        while wanted not in self.words():
            assert time.monotonic() < deadline, f"no {wanted!r} in {self.words()[-2000:]!r}"
            assert self.read(), f"it ended, saying {self.words()[-2000:]!r}"

    def await_end(self) -> int:
        """Reads until the connection is closed; returns the code."""
        deadline = time.monotonic() + PATIENCE
        while self.read():
            assert time.monotonic() < deadline, "it did not end"
        code = self._socket.close_code
        assert code is not None
        return code

    def read(self) -> bool:
        """Takes in what comes; False once the connection is closed."""
        try:
            message = self._socket.recv(timeout=0.05)
        except TimeoutError:
            return True
        except ConnectionClosed:
            return False
        assert isinstance(message, bytes)
        self.drawn += message
        return True
