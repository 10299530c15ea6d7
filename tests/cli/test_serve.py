"""`matchbox serve` as a process: where it listens, how it ends, and with what words it does not."""

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from matchbox_tui.cli import serve as module
from matchbox_tui.store import EmbeddedServer, Keys, Server
from tests.cli.command import call, command_line, environment, run
from tests.cli.venue import Venue
from tests.servers import OwnServer
from tests.waiting import soon

ROOT = Path(__file__).parents[2]
ORDER = b'{"side":"buy","price":50,"qty":1}'
POST = (
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n" % len(ORDER)
)
UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
WORDS_OF_A_CRASH = ("Traceback", "destroyed", "never retrieved", "never awaited", "Unclosed")


class Serving:
    """A process that serves."""

    def __init__(self, process: "subprocess.Popen[str]", address: str) -> None:
        self.process = process
        self.address = address
        host, _, port = address.rpartition(":")
        self.at = (host.strip("[]"), int(port))

    def ask(self, path: str) -> tuple[int, Any]:
        try:
            with urllib.request.urlopen(f"http://{self.address}{path}", timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def ready(self) -> bool:
        return self.ask("/ready")[0] == 200

    def connect(self) -> socket.socket:
        return socket.create_connection(self.at, timeout=30)

    def end(self, *signals: signal.Signals) -> tuple[int, str]:
        """The exit code and the log, after signals a moment apart."""
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.2)
        assert self.process.stderr is not None
        # Not by `communicate`, which would miss what was read ahead with the first line.
        log = self.process.stderr.read()
        self.process.wait(timeout=30)
        assert not [word for word in WORDS_OF_A_CRASH if word in log], log
        assert "uvicorn" not in log.lower()
        assert "Started server process" not in log
        return self.process.returncode, log


@contextlib.contextmanager
def serve(*options: str, env: Mapping[str, str], ready: bool = True) -> Iterator[Serving]:
    process = subprocess.Popen(
        command_line("serve", "--port", "0", *options),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert line.startswith("Serving at http://"), line + process.stderr.read()
        serving = Serving(process, line.split("//")[1].split(";")[0])
        if ready:
            soon(serving.ready)
        yield serving
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def empty(server: EmbeddedServer, prefix: str) -> Venue:
    """A venue where nothing runs yet."""
    return Venue(server.url, prefix)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it(empty: Venue, number: signal.Signals) -> None:
    with serve("--id", "alpha", env=empty.env) as serving:
        assert serving.ask("/ready")[1]["leader"] == "alpha"
        # Who is elected does not lead yet: it catches up first.
        soon(lambda: empty.call("status").out, lambda shown: " leading " in shown)
        code, log = serving.end(number)
    assert code == 0
    assert "Became engine leader: alpha, epoch 1" in log
    status = empty.call("status", "--json").json()
    assert (status["leader"], status["instances"]) == (None, [])


def test_the_end_of_its_standard_input_ends_it(empty: Venue) -> None:
    with serve("--until-eof", env=empty.env) as serving:
        assert serving.process.stdin is not None
        serving.process.stdin.close()
        serving.process.stdin = None
        assert serving.end()[0] == 0


def test_clients_of_all_kinds_do_not_hold_up_its_end(empty: Venue) -> None:
    with serve(env=empty.env) as serving, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(serving.connect()) for _ in range(40)]
        for client in clients[:10]:
            client.sendall(b"GET /he")
        for client in clients[10:20]:
            client.sendall(b"GET /health HTTP/1.1\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
        for client in clients[20:30]:
            client.sendall(UPGRADE)
            assert client.recv(1000).startswith(b"HTTP/1.1 101")
        slow = clients[-1]
        slow.sendall(POST + ORDER[:5])
        serving.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        slow.sendall(ORDER[5:])
        assert slow.recv(1000).startswith(b"HTTP/1.1 201")
        assert serving.end()[0] == 0
    assert empty.call("status", "--json").json()["leader"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_whoever_signals_twice_does_not_want_to_wait(empty: Venue, number: signal.Signals) -> None:
    with serve(env=empty.env) as serving, serving.connect() as slow:
        slow.sendall(POST + ORDER[:5])
        time.sleep(0.2)
        assert serving.end(number, number)[0] == 130


def test_a_signal_and_the_end_of_its_standard_input_are_not_two_signals(empty: Venue) -> None:
    with serve("--until-eof", env=empty.env) as serving:
        process = serving.process
        # It hears of both in the same moment.
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        process.send_signal(signal.SIGCONT)
        assert serving.end()[0] == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_its_first_moment(empty: Venue, number: signal.Signals) -> None:
    with serve(env=empty.env, ready=False) as serving:
        serving.process.send_signal(number)
        assert serving.end()[0] == 0


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ((), "127.0.0.1:"),
        (("--host", "0.0.0.0"), "0.0.0.0:"),
        (("--host", "localhost"), "127.0.0.1:"),
        (("--host", "127.0.0.2"), "127.0.0.2:"),
    ],
)
def test_where_it_listens(empty: Venue, options: tuple[str, ...], shown: str) -> None:
    with serve(*options, env=empty.env, ready=False) as serving:
        assert serving.address.startswith(shown)
        assert serving.ask("/health") == (200, {"status": "ok"})


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_it_listens_on_ipv6(empty: Venue, host: str) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with serve(env={**empty.env, "HOST": host}, ready=False) as serving:
        assert serving.address.startswith(f"[{host}]:")
        assert serving.ask("/health") == (200, {"status": "ok"})


def test_the_token_of_the_environment(empty: Venue) -> None:
    with serve(env={**empty.env, "MATCHBOX_API_TOKEN": "secret"}) as serving:
        assert serving.ask("/ready")[0] == 200
        assert serving.ask("/orderbook")[0] == 401
        assert serving.ask("/cluster")[0] == 401
        with serving.connect() as client:
            client.sendall(UPGRADE)
            assert client.recv(1000).startswith(b"HTTP/1.1 401")
        code, log = serving.end(signal.SIGTERM)
        assert (code, "secret" in log) == (0, False)


def test_a_port_in_use(empty: Venue) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = empty.call("serve", "--port", str(port)).refusal(2)
        assert empty.call("serve", env={"PORT": str(port)}).refusal(2) == words
    assert f"can't listen on 127.0.0.1:{port}" in words
    assert "--port" in words


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--port", "65536"), "--port"),
        (("--port", "-1"), "--port"),
        (("--host", "256.1.1.1"), "--host"),
        (("--host", "no.such.host.invalid"), "--host"),
        (("--host", "a" * 300), "--host"),
        (("--rate-limit", "-1"), "--rate-limit"),
        (("--token", "two words"), "--token"),
        (("--lease-ms", "1"), "LEASE_MS"),
    ],
)
def test_what_can_not_be(empty: Venue, options: tuple[str, ...], named: str) -> None:
    assert named in empty.call("serve", *options).refusal(2)


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:secret@h/x"])
def test_a_database_that_can_not_be_is_said_before_anything_is_served(url: str) -> None:
    words = call("serve", "--port", "0", "--database-url", url).refusal(3)
    assert "set DATABASE_URL to sqlite:///FILE or postgresql://" in words
    assert "secret" not in words


def test_a_database_that_is_away_takes_history_alone_along(empty: Venue, tmp_path: Path) -> None:
    with serve("--database-url", f"sqlite:///{tmp_path / 'none.db'}", env=empty.env) as serving:
        assert serving.ask("/orders") == (200, [])
        assert serving.end(signal.SIGTERM)[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_without_a_database_nothing_of_one_is_loaded() -> None:
    program = (
        "import sys; from matchbox_tui.cli.serve import open_past; import matchbox_tui.api\n"
        "import matchbox_tui.cli.instance; assert open_past('', '') is None\n"
        "print([name for name in ('sqlalchemy', 'alembic', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


def test_no_server_to_reach() -> None:
    words = run("serve", "--port", "0", env={"REDIS_URL": "redis://127.0.0.1:1"}).refusal(3)
    assert "can't reach a server at redis://127.0.0.1:1" in words


async def test_a_journal_that_can_not_be_read_ends_the_whole_process(empty: Venue) -> None:
    keys = Keys(empty.prefix)
    link = Server(empty.url).link()
    await link.call("XADD", keys.log, "1-0", "v", "9", "e", "1", "c", "x", "b", "[]")
    await link.call("HSET", keys.cursor, "seq", 1, "chain", "x", "epoch", 1)
    await link.close()
    done = run("serve", "--port", "0", env=empty.env)
    assert (done.code, done.out) == (3, "")
    assert not [word for word in WORDS_OF_A_CRASH if word in done.err], done.err
    last = done.err.splitlines()[-1]
    assert last.startswith("matchbox: journal entry 1-0 has version 9")
    assert last.endswith("upgrade matchbox")


def test_a_server_that_hangs_does_not_hold_up_its_end(server_dir: Path) -> None:
    with OwnServer(server_dir) as own, serve(env={"REDIS_URL": own.url}) as serving:
        own.signal(signal.SIGSTOP)
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(serving.connect()) for _ in range(5)]
            for client in clients:
                client.sendall(POST + ORDER)
            time.sleep(0.1)
            serving.process.send_signal(signal.SIGTERM)
            statuses = {client.recv(1000)[9:12] for client in clients}
            assert statuses <= {b"503", b"504"}
            assert serving.end()[0] == 0
        own.signal(signal.SIGCONT)


def test_it_opens_as_many_files_as_it_may(empty: Venue) -> None:
    process = subprocess.Popen(
        ["sh", "-c", 'ulimit -S -n 64; exec "$@"', "sh", *command_line("serve", "--port", "0")],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(empty.env),
    )
    try:
        assert process.stderr is not None
        serving = Serving(process, process.stderr.readline().split("//")[1].split(";")[0])
        with contextlib.ExitStack() as stack:
            for _ in range(150):
                stack.enter_context(serving.connect())
            assert serving.ask("/health") == (200, {"status": "ok"})
        assert serving.end(signal.SIGTERM)[0] == 0
    finally:
        process.kill()
        process.communicate()


async def test_the_end_does_not_wait_for_a_server_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an instance still wants to ask of it when it is broken off would take its time."""
    monkeypatch.setattr(module, "STOP_SECONDS", 0.05)
    monkeypatch.setattr(module, "BREAK_SECONDS", 0.05)
    departing = asyncio.Event()

    class Hanging:
        def stop(self) -> None:
            pass

        async def run(self) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                departing.set()
                await asyncio.Event().wait()

    class Ended:
        def stop(self) -> None:
            pass

        async def run_until_stopped(self) -> None:
            pass

    reading = asyncio.create_task(asyncio.Event().wait())
    async with asyncio.timeout(20):
        await module._live(Ended(), Hanging(), reading)
    assert departing.is_set()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
