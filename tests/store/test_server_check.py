"""What kind of server is there: each wrong one is told apart, in one line that says what to do."""

import asyncio
import socket
from pathlib import Path

import pytest

from matchbox_tui.store import (
    Client,
    Keys,
    Server,
    Unreachable,
    Unusable,
    check_server,
)
from tests.servers import Conversation, OwnServer, listening
from tests.store.build import buy


def _info(**facts: str) -> Conversation:
    """A server that knows INFO, CONFIG GET and CLIENT SETNAME."""
    text = "# Server\r\n" + "".join(f"{name}:{value}\r\n" for name, value in facts.items())

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            if b"SETNAME" in data:
                writer.write(b"+OK\r\n")
            if b"INFO" in data:
                writer.write(f"${len(text)}\r\n{text}\r\n".encode())
            if b"CONFIG" in data:
                writer.write(b"*2\r\n$11\r\nappendfsync\r\n$6\r\nalways\r\n")

    return talk


async def _check(url: str, timeout_s: float = 5) -> tuple[str, ...]:
    link = Server(url, timeout_s).link()
    try:
        return await check_server(link, Keys())
    finally:
        await link.close()


async def _check_stub(talk: Conversation, timeout_s: float = 5) -> tuple[str, ...]:
    async with listening(talk) as port:
        return await _check(f"redis://127.0.0.1:{port}", timeout_s)


@pytest.mark.parametrize(
    "facts",
    [
        {"redis_version": "5.0.14"},
        {"redis_version": "6.0.16"},
        {"redis_version": "7.2.4", "valkey_version": "7.1.9"},
        {"redis_version": "nonsense"},
        {},
    ],
    ids=lambda facts: "+".join(facts.values()) or "none",
)
async def test_an_old_server_is_refused(facts: dict[str, str]) -> None:
    with pytest.raises(Unusable, match=r"too old: use Redis 6.2 or newer, or Valkey 7.2 or newer"):
        await _check_stub(_info(**facts))


@pytest.mark.parametrize(
    "facts",
    [
        {"redis_version": "6.2.0"},
        {"redis_version": "10.0.1"},
        {"redis_version": "7.2.4", "valkey_version": "7.2.5"},
        {"redis_version": "7.2.4", "valkey_version": "9.1.2"},
    ],
    ids=lambda facts: "+".join(facts.values()),
)
async def test_a_new_enough_server_is_fine(facts: dict[str, str]) -> None:
    assert await _check_stub(_info(**facts, role="master", aof_enabled="1")) == ()


async def test_a_replica_is_refused() -> None:
    with pytest.raises(Unusable, match="connect to its primary"):
        await _check_stub(_info(redis_version="7.0.0", role="slave"))


async def test_the_embedded_server_has_nothing_to_warn_of(client: Client) -> None:
    assert client.warnings == ()


async def test_a_server_that_would_evict_the_journal_is_refused(tmp_path: Path) -> None:
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with (
        OwnServer(tmp_path, *options) as server,
        pytest.raises(Unusable, match=r"allkeys-lru.*CONFIG SET maxmemory-policy noeviction"),
    ):
        await Client.connect(server.url)


@pytest.mark.parametrize("policy", ["volatile-lru", "allkeys-lru"])
async def test_a_server_that_may_forget_keys_is_warned_of(tmp_path: Path, policy: str) -> None:
    with OwnServer(tmp_path, "--maxmemory-policy", policy) as server:
        (warning,) = await _check(server.url)
    assert policy in warning


async def test_a_server_without_append_only_file_is_warned_of(tmp_path: Path) -> None:
    with OwnServer(tmp_path, append=False) as server:
        (warning,) = await _check(server.url)
    assert "appendonly is off" in warning


async def test_a_server_that_syncs_once_a_second_is_warned_of(tmp_path: Path) -> None:
    with OwnServer(tmp_path, "--appendfsync", "everysec") as server:
        (warning,) = await _check(server.url)
    assert "appendfsync is everysec" in warning


async def test_a_server_that_hides_its_settings_is_used_without_a_word(tmp_path: Path) -> None:
    with OwnServer(tmp_path, "--rename-command", "CONFIG", "") as server:
        assert await _check(server.url) == ()


async def test_a_user_who_may_not_name_a_connection_can_trade(tmp_path: Path) -> None:
    rules = ("--user", "ada", "on", ">pw", "~*", "&*", "+@all", "-client")
    with OwnServer(tmp_path, *rules) as server:
        client = await Client.connect(server.url.replace("unix://", "unix://ada:pw@"))
        assert await client.submit([buy()]) == [1]
        await client.close()


@pytest.mark.parametrize("login", ["", ":wrong@", "ada:wrong@"])
async def test_a_missing_or_wrong_password_is_told(tmp_path: Path, login: str) -> None:
    with OwnServer(tmp_path, "--requirepass", "secret") as server:
        url = server.url.replace("unix://", f"unix://{login}")
        with pytest.raises(Unusable, match="put user and password into REDIS_URL"):
            await _check(url)
        with pytest.raises(Unusable):
            await Client.connect(url)
        assert await _check(server.url.replace("unix://", "unix://:secret@")) == ()


async def _http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1 << 16)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<h1>Bad</h1>\r\n")


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def test_a_web_server_is_no_server_of_ours() -> None:
    with pytest.raises(Unusable, match="is no Redis or Valkey server: check REDIS_URL"):
        await _check_stub(_http)


@pytest.mark.parametrize("talk", [_hang_up, _silence])
async def test_a_port_that_hangs_up_or_keeps_silent_is_unreachable(talk: Conversation) -> None:
    with pytest.raises(Unreachable, match=r"can't reach a server at redis://127\.0\.0\.1:"):
        await _check_stub(talk, timeout_s=0.2)


async def test_a_port_where_nobody_listens_is_unreachable() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        with pytest.raises(Unreachable, match="start one with 'matchbox redis'") as caught:
            await _check(f"redis://127.0.0.1:{port}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["unix:///nowhere/at/all", "redis://no-such-host.invalid"])
async def test_an_address_that_leads_nowhere_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable, match=url):
        await _check(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://localhost:6379",
        "redis://localhost:port",
        "redis://localhost?speed=fast",
        "redis://localhost?socket_timeout=soon",
        "redis://[::1",
    ],
)
def test_what_is_no_address_is_unusable(url: str) -> None:
    with pytest.raises(Unusable, match="set REDIS_URL to redis://HOST:PORT") as caught:
        Server(url)
    assert "\n" not in str(caught.value)


async def test_a_database_that_is_not_there_is_told(url: str) -> None:
    with pytest.raises(Unusable, match="refuses the connection"):
        await _check(f"{url}?db=99")


async def test_options_in_the_address_can_t_change_the_protocol(url: str) -> None:
    link = Server(f"{url}?protocol=3&decode_responses=true&retry_on_timeout=true").link()
    assert await link.call("CONFIG", "GET", "appendfsync") == [b"appendfsync", b"always"]
    await link.close()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://ada:secret@host:1/2", "redis://ada:***@host:1/2"),
        ("redis://:secret@host", "redis://:***@host"),
        ("redis://ada@host", "redis://ada@host"),
        ("unix:///a?username=u&password=secret&db=1", "unix:///a?username=u&password=***&db=1"),
        ("redis://a:se@cret@host", "redis://a:***@host"),
    ],
)
def test_a_password_is_never_shown(url: str, shown: str) -> None:
    assert Server(url).shown == shown


def test_a_password_is_not_shown_in_an_address_that_is_none() -> None:
    with pytest.raises(Unusable) as caught:
        Server("ada:secret@host:6379")
    assert "'ada:***@host:6379' is no server address" in str(caught.value)
