"""The server with small apps of a few lines, good and bad ones."""

import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import AsyncIterator

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from matchbox_tui.web import Admission, App, WebServer
from tests.cli.processes import Marked
from tests.waiting import eventually

ECHO = """
import os, sys
def draw(data):
    os.write(1, b"D" + len(data).to_bytes(4, "big") + data)
os.write(1, b"__GANGLION__\\n")
draw(os.environ["COLUMNS"].encode() + b"x" + os.environ["ROWS"].encode() + b";")
while head := sys.stdin.buffer.read(5):
    draw(head[:1] + sys.stdin.buffer.read(int.from_bytes(head[1:], "big")) + b";")
"""
"""An app that draws its size and then what it is sent."""

FLOOD = """
import os
os.write(1, b"__GANGLION__\\n")
while True:
    os.write(1, b"D" + (60000).to_bytes(4, "big") + 60000 * b"x")
"""

DEAF = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"__GANGLION__\\nD\\0\\0\\0\\4deaf")
time.sleep(600)
"""

FAILS = """
import os, sys
os.write(1, b"__GANGLION__\\nM\\0\\0\\0\\x10{'type': 'exit'}")
print("x" * 200_000, file=sys.stderr)
sys.exit("matchbox: no\\x1b[31m such \\x07thing")
"""

NO_APP = "print('no driver here')"

KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


class Site:
    """A server in this process. Its apps' processes are known by a mark."""

    def __init__(self, server: WebServer, port: int, marked: Marked, told: list[str]) -> None:
        self.stop = server.stop
        self.port = port
        self.apps = marked.processes
        self.told = told

    async def apps_seen(self) -> dict[int, str]:
        return self.apps()

    @contextlib.asynccontextmanager
    async def page(self, query: str = "width=80&height=24") -> AsyncIterator[ClientConnection]:
        async with connect(
            f"ws://127.0.0.1:{self.port}/ws?{query}",
            origin=f"http://127.0.0.1:{self.port}",  # type: ignore[arg-type]  # a NewType of str
            max_size=None,
            compression=None,
            close_timeout=1,
        ) as connection:
            yield connection


@contextlib.asynccontextmanager
async def serving(*command: str, limit: int = 4) -> AsyncIterator[Site]:
    """Stops the server at the end, and then no process may be left."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    told: list[str] = []
    with Marked() as marked:
        server = WebServer(
            App(command, marked.env), Admission(), title="T", limit=limit, tell=told.append
        )
        site = Site(server, listener.getsockname()[1], marked, told)
        await server.start(listener)
        try:
            yield site
        finally:
            await server.stop()
            assert site.apps() == {}


def script(text: str) -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", "-c", text)


async def words(page: ClientConnection, wanted: str) -> None:
    """Reads until these words were drawn."""
    drawn = ""
    async with asyncio.timeout(30):
        while wanted not in drawn:
            data = await page.recv()
            assert isinstance(data, bytes)
            drawn += data.decode()


async def end(page: ClientConnection) -> tuple[int, str]:
    """The code with which a connection was closed, and what was drawn before."""
    drawn = ""
    async with asyncio.timeout(30):
        with contextlib.suppress(ConnectionClosed):
            while True:
                data = await page.recv()
                drawn += data.decode() if isinstance(data, bytes) else ""
    assert page.close_code is not None
    return page.close_code, drawn


async def test_what_the_page_sends_gets_to_the_app() -> None:
    async with serving(*script(ECHO)) as site, site.page("width=100&height=30") as page:
        await words(page, "100x30;")
        await page.send(json.dumps(["stdin", "q\x1b[A\ud800é"]))
        await words(page, "Dq\x1b[A?é;")
        await page.send(json.dumps(["resize", {"width": 7, "height": 9}]))
        await words(page, 'M{"type": "resize", "width": 7, "height": 9};')
        await page.send(json.dumps(["resize", {"width": 10**30, "height": -1}]))
        await words(page, 'M{"type": "resize", "width": 1000, "height": 1};')
        await page.send(json.dumps(["focus"]))
        await words(page, 'M{"type": "focus"};')
        await page.send(json.dumps(["blur"]))
        await words(page, 'M{"type": "blur"};')
        await page.send(json.dumps(["ping", "17"]))
        assert json.loads(await page.recv()) == ["pong", "17"]


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("", "80x24;"),
        ("width=x&height=-1", "80x24;"),
        (f"width={9 * '9'}&height=%D9%A3", "80x24;"),
        ("width=0&height=9999", "1x1000;"),
    ],
)
async def test_a_size_that_is_none(query: str, size: str) -> None:
    async with serving(*script(ECHO)) as site, site.page(query) as page:
        await words(page, size)


@pytest.mark.parametrize(
    "nonsense",
    [
        *("no JSON", 9999 * "[", "null", "[]", '["stdin"]', '["stdin", 7]', '["resize", {}]'),
        *('["resize", {"width": 1.5, "height": "8"}]', '["ping", {}]', '["exit"]', b"stdin"),
        '["stdin", "' + 300_000 * "x" + '"]',
    ],
    ids=range(12),
)
async def test_what_no_page_says_closes_it(nonsense: str | bytes) -> None:
    async with serving(*script(ECHO)) as site:
        async with site.page() as page:
            await words(page, ";")
            await page.send(nonsense)
            assert (await end(page))[0] in (1008, 1009)
        await eventually(site.apps_seen, lambda left: not left)
        assert site.told == []


@pytest.mark.parametrize("app", [FLOOD, DEAF], ids=["flood", "deaf"])
async def test_a_page_that_reads_nothing_holds_nothing_up(app: str) -> None:
    async with serving(*script(app)) as site, site.page() as page:
        assert await page.recv()
        # The flood fills every buffer on its way, since nobody reads on.
        await asyncio.sleep(1)
        await asyncio.wait_for(site.stop(), 10)
        assert site.apps() == {}


async def test_why_an_app_ended() -> None:
    async with serving(*script(FAILS)) as site, site.page() as page:
        code, drawn = await end(page)
    assert code == 1000
    assert drawn == "\x1b[?1049l\x1b[2J\x1b[H\x1b[?25lmatchbox: no [31m such  thing\r\n"
    assert site.told == ["matchbox: no\x1b[31m such \x07thing"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (script(KILLED), "the screen ended with exit code -9"),
        (("/no/such/program",), "can't start the screen: No such file or directory"),
    ],
    ids=["killed", "absent"],
)
async def test_an_app_that_never_came_up(command: tuple[str, ...], why: str) -> None:
    async with serving(*command) as site, site.page() as page:
        code, drawn = await end(page)
    assert code in (1000, 1011)
    assert why in drawn
    assert site.told == [why]


async def test_what_is_no_app_ends_quietly() -> None:
    async with serving(*script(NO_APP)) as site, site.page() as page:
        assert await end(page) == (1000, "")
    assert site.told == []


async def test_the_apps_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's settings for Textual's developers are not the apps'."""
    monkeypatch.setenv("TEXTUAL", "debug,devtools")
    monkeypatch.setenv("TEXTUAL_LOG", "textual.log")
    monkeypatch.setenv("MATCHBOX_MARKET", "RAIN")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("KEPT", "1")
    found = App(("app",), {"MATCHBOX_MARKET": None, "REDIS_URL": "r"}).environment(80, 24)
    assert {name: found.get(name) for name in ("TEXTUAL", "TEXTUAL_LOG", "MATCHBOX_MARKET")} == {
        "TEXTUAL": None,
        "TEXTUAL_LOG": None,
        "MATCHBOX_MARKET": None,
    }
    assert (found["KEPT"], found["REDIS_URL"], found["TERM"]) == ("1", "r", "xterm-256color")
    assert found["TEXTUAL_DRIVER"] == "textual.drivers.web_driver:WebDriver"


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n\r\n"
)


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"GET /" + 100_000 * b"a",
        UPGRADE % b"short",
        UPGRADE % b"AAAAAAAAAAAAAAAAAAAAAA==" + b"\xff\xff\xff\xff",
        UPGRADE % b"AAAAAAAAAAAAAAAAAAAAAA==",
    ],
    ids=range(9),
)
async def test_a_broken_client_is_no_news(sent: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    async with serving(*script(ECHO)) as site:
        reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
        writer.write(sent)
        writer.write_eof()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(30):
                while await reader.read(1 << 16):
                    pass
        writer.close()
        async with site.page() as page:
            await words(page, ";")
    assert site.told == []
    assert capfd.readouterr().err == ""


async def test_more_pages_than_may_be() -> None:
    async with serving(*script(ECHO), limit=2) as site, site.page() as one, site.page() as other:
        await words(one, ";")
        await words(other, ";")
        async with site.page() as late:
            code, drawn = await end(late)
        assert code == 1013
        assert "All 2 screens that may be open at a time are taken." in drawn
        assert len(site.apps()) == 2
        await one.close()
        # Loaded again: the place is free as soon as the app has ended.
        async with site.page() as again:
            await words(again, ";")
    assert site.told == []
