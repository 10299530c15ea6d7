"""A headless Chromium, driven over its own debugging protocol, and the pictures it takes."""

import base64
import collections
import contextlib
import http.client
import itertools
import json
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.waiting import PATIENCE, soon

PROGRAMS = ("chromium", "chromium-headless-shell", "chromium-browser", "google-chrome")
"""What it is called, by one distribution or another."""

WIDTH, HEIGHT = 800, 504
"""Of the page, in dots: room for 80 columns and 24 rows."""


def installed() -> str | None:
    """The first of its programs that is there; `CHROMIUM` may name another."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextlib.contextmanager
def chromium() -> Iterator["Browser"]:
    """A browser with one empty page."""
    program = installed()
    assert program is not None
    profile = Path(tempfile.mkdtemp(prefix="mb", dir="/tmp"))
    process = subprocess.Popen(
        [
            *(program, "--headless", "--no-first-run", "--hide-scrollbars"),
            *(f"--user-data-dir={profile}", "--remote-debugging-port=0"),
            *("--disable-dev-shm-usage", "--disable-background-networking"),
            # The sandbox does not work for root; the only pages here are our own.
            *("--no-sandbox", "--enable-unsafe-swiftshader", "about:blank"),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        told = profile / "DevToolsActivePort"
        soon(lambda: told.exists() and "\n" in told.read_text())
        port = int(told.read_text().split()[0])
        with connect(_debugged_page(port), max_size=None) as socket:
            yield Browser(socket)
    finally:
        # The group, since the browser has processes of its own.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(profile, ignore_errors=True)


def _debugged_page(port: int) -> str:
    """Where the browser's only page is talked to."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/json/list")
    pages = json.loads(connection.getresponse().read())
    connection.close()
    return next(str(page["webSocketDebuggerUrl"]) for page in pages if page["type"] == "page")


class Browser:
    """Its one page."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self.requests: list[str] = []
        """The URLs of everything that the page asked for."""
        self.errors: list[str] = []
        """What went wrong in the page: errors of scripts, and what a policy forbade."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            self._do(f"{domain}.enable")
        self.look(WIDTH, HEIGHT)

    def look(self, width: int, height: int, scheme: str = "light") -> None:
        """How large its window is, in dots, and whether its user likes it light or dark."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._do("Emulation.setDeviceMetricsOverride", **size)
        liked = {"name": "prefers-color-scheme", "value": scheme}
        self._do("Emulation.setEmulatedMedia", features=[liked])

    def open(self, url: str) -> None:
        self._do("Page.navigate", url=url)

    def value(self, script: str) -> Any:
        """What a piece of JavaScript evaluates to in the page."""
        found = self._do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """A key of the keyboard: a letter, a digit or Enter."""
        text = "\r" if key == "Enter" else key
        code = {"key": key, "text": text, "windowsVirtualKeyCode": ord(text.upper())}
        self._do("Input.dispatchKeyEvent", type="keyDown", **code)
        self._do("Input.dispatchKeyEvent", type="keyUp", **code)

    def picture(self, path: Path) -> "Picture":
        """Takes a screenshot and keeps it there."""
        path.write_bytes(base64.b64decode(self._do("Page.captureScreenshot")["data"]))
        return Picture.read(path)

    def _do(self, method: str, **parameters: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        deadline = time.monotonic() + PATIENCE
        while True:
            message = json.loads(self._socket.recv(timeout=deadline - time.monotonic()))
            if message.get("id") == number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, event: dict[str, Any]) -> None:
        found = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(found["request"]["url"])
            case "Network.webSocketCreated":
                self.requests.append(found["url"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(found["exceptionDetails"]))
            case "Log.entryAdded" if found["entry"]["level"] == "error":
                self.errors.append(str(found["entry"]))


@dataclass(frozen=True)
class Picture:
    """A PNG of 8 bits a colour, as browsers make them."""

    width: int
    height: int
    colours: collections.Counter[str]
    """How many dots have each colour, `#rrggbb`."""

    @classmethod
    def read(cls, path: Path) -> "Picture":
        data = path.read_bytes()
        assert data[:8] == b"\x89PNG\r\n\x1a\n"
        width, height, bits, kind, *rest = struct.unpack(">IIBBBBB", data[16:29])
        assert (bits, rest) == (8, [0, 0, 0])
        size = {2: 3, 6: 4}[kind]
        colours: collections.Counter[str] = collections.Counter()
        for row in _rows(zlib.decompress(_pixels(data)), width * size, size):
            dots = (bytes(row[n : n + 3]) for n in range(0, len(row), size))
            colours.update(collections.Counter(dots))  # type: ignore[arg-type]  # named below
        named = {f"#{dot.hex()}": n for dot, n in colours.items()}  # type: ignore[attr-defined]
        return cls(width, height, collections.Counter(named))

    def share(self, colour: str) -> float:
        """The part of the dots that has a colour, `#rrggbb`."""
        return self.colours[colour] / (self.width * self.height)


def _pixels(data: bytes) -> bytes:
    place, found = 8, b""
    while place < len(data):
        length, name = struct.unpack(">I4s", data[place : place + 8])
        if name == b"IDAT":
            found += data[place + 8 : place + 8 + length]
        place += length + 12
    return found


def _rows(data: bytes, width: int, size: int) -> Iterator[bytearray]:
    """The rows of a picture: each is stored as its difference from what is near."""
    above = bytearray(width)
    for start in range(0, len(data), width + 1):
        how, row = data[start], bytearray(data[start + 1 : start + 1 + width])
        for n in range(width):
            left = row[n - size] if n >= size else 0
            corner = above[n - size] if n >= size else 0
            row[n] = (row[n] + _guess(how, left, above[n], corner)) & 255
        yield row
        above = row


def _guess(how: int, left: int, up: int, corner: int) -> int:
    if how < 3:
        return (0, left, up)[how]
    if how == 3:
        return (left + up) // 2
    guess = left + up - corner
    return min((left, up, corner), key=lambda near: abs(guess - near))
