"""The embedded server: private, kept where it is told to, and never left behind."""

import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from matchbox_tui.store import Client, EmbeddedServer, Server, Unusable
from tests.store.build import buy
from tests.waiting import soon


def _running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        # A process that nobody has asked about since its end is still there in name.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return not Path("/proc/self").exists()
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _tcp_sockets(pid: int) -> list[str]:
    if not Path("/proc/self/net").exists():
        pytest.skip("only Linux tells which sockets a process has")
    process = Path(f"/proc/{pid}")
    own = {os.readlink(fd) for fd in (process / "fd").iterdir()}
    lines = (process / "net" / "tcp").read_text().splitlines()[1:]
    return [line for line in lines if f"socket:[{line.split()[9]}]" in own]


async def _ask(url: str, *command: str | int) -> object:
    link = Server(url).link()
    try:
        return await link.call(*command)
    finally:
        await link.close()


async def test_it_serves_a_venue_and_goes_away_with_all_it_has() -> None:
    with EmbeddedServer() as server:
        client = await Client.connect(server.url)
        assert await client.submit([buy()]) == [1]
        await client.close()
        assert server.alive()
        directory, pid = server.directory, server.pid
        assert _running(pid)
    assert not directory.exists()
    assert not _running(pid)
    assert not server.alive()


async def test_only_the_user_can_reach_it() -> None:
    with EmbeddedServer() as server:
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700
        assert stat.S_IMODE((server.directory / "server.sock").stat().st_mode) == 0o700
        assert await _ask(server.url, "CONFIG", "GET", "port") == [b"port", b"0"]
        assert _tcp_sockets(server.pid) == []


async def test_it_syncs_every_write_and_never_evicts() -> None:
    with EmbeddedServer() as server:
        for setting, value in (
            ("appendonly", b"yes"),
            ("appendfsync", b"always"),
            ("maxmemory-policy", b"noeviction"),
        ):
            assert await _ask(server.url, "CONFIG", "GET", setting) == [setting.encode(), value]


async def test_what_clients_dont_read_is_bounded() -> None:
    with EmbeddedServer() as server:
        told = await _ask(server.url, "CONFIG", "GET", "client-output-buffer-limit")
        assert isinstance(told, list)
        parts = told[1].decode().split()
        found = {parts[n]: [int(part) for part in parts[n + 1 : n + 4]] for n in (0, 4, 8)}
    assert found["normal"] == [512 << 20, 128 << 20, 60]
    assert all(found["pubsub"])


async def test_what_is_in_a_data_directory_is_there_after_a_restart(tmp_path: Path) -> None:
    data_dir = tmp_path / "new" / "data"
    with EmbeddedServer(data_dir) as server:
        await _ask(server.url, "SET", "kept", "yes")
        first = server.directory
    assert not first.exists()
    with EmbeddedServer(data_dir) as server:
        assert await _ask(server.url, "GET", "kept") == b"yes"
        os.kill(server.pid, signal.SIGKILL)
        soon(lambda: not server.alive())
    with EmbeddedServer(data_dir) as server:
        assert await _ask(server.url, "GET", "kept") == b"yes"


def test_a_second_server_on_the_same_data_directory_is_refused(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        second = EmbeddedServer(tmp_path)
        with pytest.raises(Unusable, match=r"another matchbox uses the data directory.*--data-dir"):
            second.start()
        assert not second.directory.exists()
        assert server.alive()
    with EmbeddedServer(tmp_path) as server:
        assert server.alive()


def test_a_second_server_is_refused_even_where_the_first_lost_its_guard(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path)
    server.start()
    assert server._guard is not None
    server._guard.kill()
    server._guard.wait()
    second, refused = EmbeddedServer(tmp_path), ""
    try:
        try:
            second.start()
        except Unusable as error:
            refused = str(error)
        # Where a server ends with its guard it may do so at any moment, now for example.
        assert "another matchbox uses" in refused or (not refused and not _running(server.pid))
    finally:
        second.stop()
        if _running(server.pid):
            os.kill(server.pid, signal.SIGKILL)
        server.stop()


@pytest.mark.parametrize("kind", ["file", "below a file"])
def test_a_data_directory_that_can_t_be_one_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" if kind == "file" else tmp_path / "file" / "below"
    server = EmbeddedServer(place)
    with pytest.raises(Unusable, match=f"can't write to --data-dir {place}"):
        server.start()
    assert not server.directory.exists()


async def test_on_a_port_it_is_reached_from_this_machine_only() -> None:
    with EmbeddedServer(port=_free_port()) as server:
        assert server.url.startswith("redis://127.0.0.1:")
        assert await _ask(server.url, "PING") == b"PONG"
        assert await _ask(server.url, "CONFIG", "GET", "bind") == [b"bind", b"127.0.0.1"]
        assert len(_tcp_sockets(server.pid)) >= 1


def test_a_port_in_use_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = EmbeddedServer(port=port)
        with pytest.raises(Unusable, match=f"port {port} can't be used .*choose another"):
            server.start()
        assert not server.directory.exists()


async def test_a_temporary_directory_with_a_long_or_odd_name_will_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("with space", "50%25#?", "long" * 30):
        place = tmp_path / name
        place.mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(place))
        with EmbeddedServer() as server:
            assert await _ask(server.url, "PING") == b"PONG"
        assert list(place.iterdir()) == []


_OWNER = """
import sys, time
from matchbox_tui.store import EmbeddedServer
server = EmbeddedServer()
server.start()
print(server.pid, server.directory, flush=True)
time.sleep(600)
"""


@contextmanager
def _owner(program: str = _OWNER) -> Iterator[tuple[subprocess.Popen[str], int, Path]]:
    """A process that owns an embedded server."""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid, directory = process.stdout.readline().split()
        try:
            yield process, int(pid), Path(directory)
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_its_owner_is_killed(how: signal.Signals) -> None:
    with _owner() as (process, pid, directory):
        assert _running(pid)
        process.send_signal(how)
        process.wait()
        soon(lambda: not _running(pid))
        soon(lambda: not directory.exists())


def test_it_ends_when_its_guard_is_asked_to() -> None:
    with EmbeddedServer() as server:
        assert server._guard is not None
        server._guard.terminate()
        soon(lambda: not server.alive())
        assert not _running(server.pid)


@pytest.mark.parametrize("on_a_port", [False, True])
async def test_a_killed_server_starts_again_at_its_place_with_what_it_acknowledged(
    on_a_port: bool,
) -> None:
    with EmbeddedServer(port=_free_port() if on_a_port else None) as server:
        url, directory, first = server.url, server.directory, server.pid
        for number in range(3):
            await _ask(server.url, "SET", f"kept-{number}", "yes")
            before = server.pid
            server.kill()
            assert not _running(before)
            assert not server.alive()
            assert directory.exists()
            server.restart()
            assert server.alive()
            assert server.pid != before
        assert (server.url, server.directory) == (url, directory)
        assert await _ask(url, "MGET", "kept-0", "kept-1", "kept-2") == [b"yes"] * 3
        last = server.pid
    assert not any(_running(pid) for pid in (first, last))
    assert not directory.exists()


def test_a_killed_server_still_holds_its_data_directory(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path) as server:
        server.kill()
        with pytest.raises(Unusable, match="another matchbox uses"):
            EmbeddedServer(tmp_path).start()
        server.restart()
        assert server.alive()


def test_a_killed_server_that_is_not_started_again_leaves_nothing() -> None:
    with EmbeddedServer() as server:
        server.kill()
        assert server.directory.exists()
    assert not server.directory.exists()


def test_a_server_that_died_by_itself_is_not_started_again() -> None:
    with EmbeddedServer() as server:
        os.kill(server.pid, signal.SIGKILL)
        soon(lambda: not server.alive())
        for again in (server.kill, server.kill):
            with pytest.raises(Unusable, match="ended by itself"):
                again()
        assert not server.directory.exists()


@pytest.mark.parametrize("server_too", [False, True])
def test_where_its_guard_is_killed_it_ends_with_its_owner(server_too: bool) -> None:
    with EmbeddedServer() as server:
        assert server._guard is not None
        server._guard.kill()
        soon(lambda: not server.alive())
        if server_too:
            with contextlib.suppress(ProcessLookupError):
                os.kill(server.pid, signal.SIGKILL)
    soon(lambda: not _running(server.pid))
    assert not server.directory.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel must end the server")
def test_where_its_guard_and_its_owner_are_killed_together_it_ends_all_the_same() -> None:
    with _owner() as (process, pid, directory):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        guard = int(fields[1])
        assert guard != process.pid
        process.kill()
        os.kill(guard, signal.SIGKILL)
        process.wait()
        soon(lambda: not _running(pid))
        shutil.rmtree(directory)


_KILLER = _OWNER.replace("print(", "pid = server.pid; server.kill(); print(").replace(
    "print(server.pid", "print(pid"
)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_what_a_killed_server_left_goes_away_with_its_owner(how: signal.Signals) -> None:
    with _owner(_KILLER) as (process, pid, directory):
        assert not _running(pid)
        assert directory.exists()
        process.send_signal(how)
        process.wait()
        soon(lambda: not directory.exists())
