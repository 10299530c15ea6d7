"""engine, traders and redis: how they end, and with what words they refuse to begin."""

import asyncio
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from matchbox_tui.store import EmbeddedServer, Keys, Server
from tests.cli.command import call, command_line, environment, run
from tests.cli.processes import Marked, traded
from tests.cli.venue import Venue
from tests.servers import OwnServer
from tests.waiting import soon


@pytest.fixture
def empty(server: EmbeddedServer, prefix: str) -> Venue:
    """A venue where nothing runs yet."""
    return Venue(server.url, prefix)


@pytest.fixture
def marked(empty: Venue) -> Iterator[Marked]:
    with Marked(empty.env) as started:
        yield started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_engine_ends_on_a_signal(empty: Venue, marked: Marked, number: signal.Signals) -> None:
    process = marked.start("engine", "--id", "alpha")
    soon(lambda: empty.call("status", "--json").json()["leader"] == "alpha")
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "Became engine leader: alpha, epoch 1" in err
    assert "Traceback" not in err
    status = empty.call("status", "--json").json()
    assert (status["leader"], status["instances"]) == (None, [])
    marked.leave_nothing()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_traders_end_on_a_signal_and_tell_what_they_did(
    empty: Venue, marked: Marked, number: signal.Signals
) -> None:
    with empty.engine("--markets", "RAIN"):
        process = marked.start("traders", "--json")
        soon(lambda: empty.call("status", "--json").json()["seq"] > 20)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert '"acknowledged":' in out
    assert "Traceback" not in err
    marked.leave_nothing()


@pytest.mark.parametrize("command", [("engine",), ("traders",)])
def test_a_child_ends_with_its_standard_input(empty: Venue, command: tuple[str, ...]) -> None:
    process = subprocess.Popen(
        command_line(*command, "--until-eof"),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(empty.env),
    )
    assert process.stdin is not None
    assert process.stderr is not None
    process.stdin.write(b"not the end\n")
    process.stdin.flush()
    process.stdin.close()
    assert process.wait(30) == 0
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


def test_a_child_without_standard_input_ends_at_once(empty: Venue) -> None:
    for _ in range(3):
        done = run("engine", "--until-eof", env=empty.env, seconds=30)
        assert (done.code, "Traceback" in done.err) == (0, False)
    closed = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command_line("engine", "--until-eof")],
        env=environment(empty.env),
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert (closed.returncode, b"Traceback" in closed.stderr) == (0, False)


def test_traders_trade_for_a_time(empty: Venue) -> None:
    def bids(market: str) -> object:
        return empty.call("book", "--market", market, "--json").json()["bids"]

    def after_a_second() -> object:
        done = run("traders", "--duration", "1", "--markets", "SNOW", env=empty.env)
        assert (done.code, done.out) == (0, "")
        assert "commands acknowledged, 0 in doubt" in done.err
        return bids("SNOW")

    with empty.engine("--markets", "RAIN,SNOW"):
        # On a busy machine they come to little in a second.
        soon(after_a_second)
        assert bids("RAIN") == []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_redis_serves_keeps_and_ends(
    tmp_path: Path, marked: Marked, number: signal.Signals
) -> None:
    port = free_port()
    venue = Venue(f"redis://127.0.0.1:{port}", "")
    for order_id in (1, 2):
        process = marked.start("redis", "--port", str(port), "--data-dir", str(tmp_path))
        assert process.stderr is not None
        assert f"redis://127.0.0.1:{port}" in process.stderr.readline()
        with venue.engine():
            done = venue.call("buy", "5", "50", "--json").json()
            assert (done["order_id"], done["status"]) == (order_id, "open")
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (0, "")
        assert "Traceback" not in err
        marked.leave_nothing()


def test_redis_that_is_killed_leaves_nothing(marked: Marked) -> None:
    process = marked.start("redis", "--port", str(free_port()))
    assert process.stderr is not None
    process.stderr.readline()
    process.kill()
    process.communicate(timeout=30)
    marked.leave_nothing()


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = call("redis", "--port", str(port)).refusal(3)
    assert f"port {port} can't be used" in words
    assert "--port" in words


def test_a_data_directory_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for command in ("redis", "play"):
        words = call(command, "--data-dir", str(tmp_path / "file" / "data")).refusal(3)
        assert "can't write to --data-dir" in words


def test_a_data_directory_that_another_uses(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path):
        words = call("play", "--headless", "--data-dir", str(tmp_path)).refusal(3)
    assert f"another matchbox uses the data directory {tmp_path}" in words


def test_a_market_in_a_data_directory_goes_on(tmp_path: Path) -> None:
    with Marked({"MATCHBOX_DATA_DIR": str(tmp_path)}) as marked:
        first = traded("--instances", "1", env=marked.env).json()
        again = traded("--instances", "1", env=marked.env).json()
        assert (first["epoch"], again["epoch"]) == (1, 2)
        assert (first["errors"], again["errors"]) == ([], [])
        (book, before) = (again["books"][1], first["books"][1])
        assert book["sequence"] > before["sequence"]
        marked.leave_nothing()


def test_a_server_that_forgets(server_dir: Path) -> None:
    with OwnServer(server_dir, "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru") as own:
        for command in (("status",), ("engine",), ("traders",), ("--headless",), ("buy", "1", "5")):
            words = call(*command, env={"REDIS_URL": own.url}).refusal(3)
            assert "CONFIG SET maxmemory-policy noeviction" in words


def test_a_server_that_may_lose_the_last_orders_is_used_with_a_warning(server_dir: Path) -> None:
    with OwnServer(server_dir, append=False) as own:
        done = run("status", "--json", env={"REDIS_URL": own.url})
        assert (done.code, done.json()["leader"]) == (0, None)
        assert done.err.startswith("matchbox: warning: appendonly is off")


def test_a_journal_of_another_version(empty: Venue) -> None:
    asyncio.run(_write_another_version(empty))
    for command in (("engine",), ("orders",), ("positions",), ("--headless",)):
        done = empty.call(*command)
        assert done.code == 3
        assert done.out == ""
        assert "Traceback" not in done.err
        last = done.err.splitlines()[-1]
        assert last.startswith("matchbox: journal entry 1-0 has version 9")
        assert last.endswith("upgrade matchbox")


async def _write_another_version(empty: Venue) -> None:
    keys = Keys(empty.prefix)
    link = Server(empty.url).link()
    await link.call("XADD", keys.log, "1-0", "v", "9", "e", "1", "c", "x", "b", "[]")
    await link.call("HSET", keys.cursor, "seq", 1, "chain", "x", "epoch", 1)
    await link.close()


def test_an_order_without_a_leader_waits_in_the_queue(empty: Venue) -> None:
    order = ("buy", "5", "50", "--client-order-id", "once", "--timeout", "1")
    words = empty.call(*order).refusal(3)
    assert "order 1 is queued, but no leader took it within 1 s: start 'matchbox engine'" in words
    # Trying again must neither queue it again nor call it done.
    assert "order 1 is queued" in empty.call(*order).refusal(3)
    assert "the cancel is queued" in empty.call("cancel", "7", "--timeout", "1").refusal(3)
    assert empty.call("status", "--json").json()["queue_depth"] == 2
    with empty.engine():
        done = empty.call(*order[:5], "--json").json()
        assert (done["order_id"], done["status"], done["repeated"]) == (1, "open", True)
        assert [o["id"] for o in empty.call("orders", "--json").json()] == [1]


def test_an_engine_ends_in_its_time_on_a_server_that_hangs(server_dir: Path) -> None:
    with OwnServer(server_dir) as server:
        # With this lease a call waits for longer than the test does.
        env = environment({"REDIS_URL": server.url, "MATCHBOX_LEASE_MS": "60000"})
        process = subprocess.Popen(
            command_line("engine"), stderr=subprocess.PIPE, env=env, text=True
        )
        assert process.stderr is not None
        while "Became engine leader" not in process.stderr.readline():
            pass
        server.signal(signal.SIGSTOP)
        try:
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=20)
        finally:
            server.signal(signal.SIGCONT)
        assert process.returncode == 0
        assert "Traceback" not in said
