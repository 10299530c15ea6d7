"""`matchbox web`: a page trades as a terminal does, and nothing is left of it."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import command_line
from tests.cli.processes import Marked
from tests.cli.venue import Venue
from tests.cli.website import Website, serving
from tests.ports import free_port
from tests.servers import OwnServer
from tests.waiting import soon

ENTER = "\r"


@pytest.fixture
def marked(venue: Venue) -> Iterator[Marked]:
    with Marked(venue.env) as started:
        yield started


@pytest.fixture(scope="module")
def website(venue: Venue) -> Iterator[Website]:
    """For tests that leave it as it was. It has said nothing at the end."""
    with Marked(venue.env) as marked, serving(marked) as started:
        yield started
        started.process.terminate()
        assert started.said() == ""
        marked.leave_nothing()


def screens(marked: Marked) -> int:
    return marked.count("tui")


def test_a_page_trades(venue: Venue, marked: Marked, market: str) -> None:
    venue.call("sell", "5", "52", "--market", market, "--trader", "dealer")
    with (
        serving(marked, "--market", market, "--trader", "alice") as website,
        website.page() as page,
    ):
        page.await_words("live")
        page.await_words("ask 52")
        for key in ("a", "l", "b", "3", ENTER):
            page.press(key)
        page.await_words("bought 3 @ 52")
    fills = venue.call("fills", "--market", market, "--json").lines()
    assert [(fill["price"], fill["qty"], fill["taker_side"]) for fill in fills] == [(52, 3, "buy")]
    positions = venue.call("positions", "--market", market, "--json").json()
    assert {position["trader"]: position["qty"] for position in positions} == {
        "alice": 3,
        "dealer": -3,
    }
    marked.leave_nothing()


def test_a_page_that_grows_is_drawn_anew(website: Website) -> None:
    with website.page("width=30&height=8") as page:
        page.await_words("live")
        last_row = b"\x1b[50;1H"
        assert last_row not in page.drawn
        page.say("resize", {"width": 160, "height": 50})
        soon(lambda: page.read() and last_row in page.drawn)


def test_the_page_has_all_it_needs_from_here(marked: Marked) -> None:
    with serving(marked, "--trader", "<b>Al & Co</b>") as website:
        status, page = website.get("/")
        assert status == 200
        assert "<title>&lt;b&gt;Al &amp; Co&lt;/b&gt; - Matchbox</title>" in page
        paths = re.findall(r'(?:src|href)="([^"]+)"', page)
        paths.remove("data:,")
        assert {path.rpartition(".")[2] for path in paths} == {"css", "js"}
        _, style = website.get("/static/page.css")
        fonts = re.findall(r'url\("../([^"]+)"\)', style)
        assert len(fonts) == 2
        for path in paths + fonts:
            assert "//" not in path
            assert website.get(f"/{path}")[0] == 200, path
        for path in (
            "/static/",
            "/terminal/",
            "/static/../server.py",
            "/terminal/%2e%2e/server.py",
        ):
            assert website.get(path)[0] in (403, 404), path


def upgrade(**headers: str) -> dict[str, str]:
    """The headers of a browser that opens a WebSocket."""
    return {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    } | headers


def test_only_the_servers_own_page_gets_a_screen(website: Website) -> None:
    for origin in ("http://evil.example", "null", f"http://localhost:{website.port}"):
        refused = website.get("/ws", upgrade(Origin=origin))
        assert refused == (403, "only the server's own page may open this\n")
    assert website.get("/ws", upgrade())[0] == 403
    name = f"evil.example:{website.port}"
    for path in ("/", "/static/page.js"):
        assert website.get(path, {"Host": name})[0] == 403
    assert website.get("/ws", upgrade(Host=name, Origin=f"http://{name}"))[0] == 403
    assert website.get("/", {"Host": f"localhost:{website.port}"})[0] == 200


def test_a_closed_page_ends_its_app(marked: Marked) -> None:
    with serving(marked) as website:
        with website.page() as page:
            page.await_words("live")
            assert screens(marked) == 1
        soon(lambda: screens(marked) == 0)
        assert website.get("/")[0] == 200
        with website.page():
            # So early that the app is not up yet.
            soon(lambda: screens(marked) == 1)
        soon(lambda: screens(marked) == 0)


def test_quitting_the_app_closes_the_page(marked: Marked) -> None:
    with serving(marked) as website, website.page() as page:
        page.await_words("live")
        page.press("q")
        assert page.await_end() == 1000
        soon(lambda: screens(marked) == 0)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="ctrl-c"),
        pytest.param(signal.SIGTERM, 0, id="sigterm"),
        pytest.param(signal.SIGKILL, -9, id="sigkill"),
    ],
)
def test_every_app_ends_with_the_server(marked: Marked, number: signal.Signals, code: int) -> None:
    with serving(marked) as website:
        with website.page() as page:
            page.await_words("live")
            if number == signal.SIGKILL:
                website.process.kill()
            else:
                # As a terminal does it, to all of its processes.
                os.killpg(website.process.pid, number)
            assert website.process.wait(30) == code
            assert page.await_end() == (1006 if number == signal.SIGKILL else 1001)
        marked.leave_nothing()
        assert website.said() == ""


def test_odd_text_is_only_odd_keys(website: Website) -> None:
    with website.page() as page:
        page.await_words("live")
        page.press("\ud800\x00\x1b[200~pasted\x1b[201~\U0010ffff")
        page.press("?")
        page.await_words("quit")


def test_a_page_says_why_there_is_no_screen(server_dir: Path) -> None:
    """The venue's server went away after the start."""
    with OwnServer(server_dir) as server, Marked({"REDIS_URL": server.url}) as marked:
        with serving(marked) as website:
            server.stop()
            with website.page() as page:
                assert page.await_end() == 1000
                assert f"can't reach a server at {server.url}" in page.words()
            website.process.terminate()
            said = website.said()
            assert f"can't reach a server at {server.url}" in said
            assert len(said.splitlines()) == 1
        marked.leave_nothing()


def test_what_cannot_be_served_is_told_at_once(venue: Venue) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = venue.call("web", "--port", port).refusal(2)
        assert f"can't listen on 127.0.0.1:{port} (Address already in use)" in words
    for options, named in (
        (("--port", "65536"), "--port 65536"),
        (("--screens", "0"), "--screens 0"),
        (("--theme", "pink"), "--theme 'pink'"),
        (("--trader", "x" * 65), "--trader"),
        (("--host", "no.such.host.invalid"), "use another --host"),
        (("--host", "."), "use another --host"),
    ):
        assert named in venue.call("web", *options).refusal(2)
    nowhere = f"redis://127.0.0.1:{free_port()}"
    told = venue.call("web", "--port", "0", "--redis-url", nowhere).refusal(3)
    assert f"can't reach a server at {nowhere}" in told


def test_an_app_goes_quietly_when_nobody_reads_it(marked: Marked) -> None:
    """As where the server was killed while the app was about to draw.."""
    process = subprocess.Popen(
        command_line("tui"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=marked.env | {"TEXTUAL_DRIVER": "textual.drivers.web_driver:WebDriver"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    drawn = b""
    while b"live" not in drawn:
        data = os.read(process.stdout.fileno(), 1 << 16)
        assert data, "it ended"
        drawn += data
    process.stdout.close()
    keys = b"?"
    process.stdin.write(b"D" + len(keys).to_bytes(4, "big") + keys)
    process.stdin.close()
    process.stdout = None
    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(30) == 0
    marked.leave_nothing()
