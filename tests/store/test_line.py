"""A server that says what nobody asked, stops reading or half hangs up; and a link that is closed
meanwhile: no call ever gets another one's answer.
"""

import asyncio
import time

import pytest

from matchbox_tui.store import InDoubt, Keys, Link, Server, Unreachable
from tests.servers import Conversation, listening
from tests.waiting import eventually

BIG = b"x" * 20_000_000


def _saying(first: bytes, unasked: bytes = b"", second: bytes = b"") -> Conversation:
    """Greets, answers the first command, goes on by itself, and answers the second one.

    Whoever connects again is answered `+new`.
    """
    connections: list[object] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await reader.read(1 << 16)
        writer.write(b"+OK\r\n")
        await reader.read(1 << 16)
        if len(connections) > 1:
            writer.write(b"+new\r\n")
        else:
            writer.write(first)
            if unasked:
                await asyncio.sleep(0.01)
                writer.write(unasked)
            await reader.read(1 << 16)
            writer.write(second)
        await reader.read()

    return talk


@pytest.mark.parametrize("more", [b"+more\r\n", b"-ERR more\r\n", b"$4\r\nmo"])
async def test_a_server_that_says_more_than_it_was_asked_answers_nobody_else(more: bytes) -> None:
    async with listening(_saying(b"+one\r\n" + more, second=b"re\r\n+two\r\n")) as port:
        link = Server(f"redis://127.0.0.1:{port}").link()
        with pytest.raises(InDoubt, match="said more than it was asked"):
            await link.call("PING")
        assert await link.call("PING") == b"new"
        await link.close()


@pytest.mark.parametrize("unasked", [b"+more\r\n", b"$4\r\nmo", b"HTTP/1.1 400"])
async def test_what_a_server_says_between_two_calls_answers_neither(unasked: bytes) -> None:
    async with listening(_saying(b"+one\r\n", unasked, b"re\r\n+two\r\n")) as port:
        link = Server(f"redis://127.0.0.1:{port}").link()
        first = await link.calls([("PING",)])
        line = link._line
        assert line is not None

        async def noticed() -> bool:
            return not line.usable

        await eventually(noticed)
        assert await link.calls([("PING",)]) == [b"new"]
        assert first == [b"one"]
        await link.close()


async def test_a_reply_that_python_can_t_hold_is_told_in_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with listening(_saying(b"%1\r\n*0\r\n+a\r\n")) as port:
        link = Server(f"redis://127.0.0.1:{port}").link()
        with pytest.raises(InDoubt, match="lost the server"):
            await link.call("PING")
        await link.close()
    assert not caplog.text


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (b"-LOADING it\r\n-LOADING it\r\n", Unreachable),
        (b"+OK\r\n-LOADING it\r\n", InDoubt),
        (b"-LOADING it\r\n+OK\r\n", InDoubt),
    ],
)
async def test_a_server_that_loads_has_done_nothing_only_if_it_says_so_of_every_command(
    said: bytes, kind: type[Exception]
) -> None:
    async with listening(_saying(said)) as port:
        link = Server(f"redis://127.0.0.1:{port}").link()
        with pytest.raises(kind):
            await link.calls([("SET", "a", 1), ("SET", "b", 1)])
        await link.close()


async def test_a_reply_that_comes_just_as_its_call_is_cancelled_is_nobody_s(
    link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    await link.call("PING")
    call = asyncio.ensure_future(link.call("ECHO", "old"))
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(call.cancel)
    # Holds up the loop, so that it hears of both at once.
    time.sleep(0.05)  # noqa: ASYNC251
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await link.call("ECHO", "new") == b"new"
    assert not caplog.text


async def test_the_time_of_a_call_ends_with_it(link: Link, keys: Keys) -> None:
    assert await link.call("PING", timeout_s=0.2) == b"PONG"
    assert await link.call("BLPOP", keys.queue, "0.3", timeout_s=9) is None


async def test_no_commands_have_no_replies() -> None:
    async with listening(_saying(b"+one\r\n")) as port:
        link = Server(f"redis://127.0.0.1:{port}").link()
        assert await link.calls([]) == []
        assert await link.call("PING") == b"one"
        await link.close()


async def test_what_was_given_up_is_not_sent_on() -> None:
    read_on, sent = asyncio.Event(), asyncio.get_running_loop().create_future()

    async def read_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"SETNAME")
        writer.write(b"+OK\r\n")
        await read_on.wait()
        size = 0
        try:
            while data := await reader.read(1 << 20):
                size += len(data)
        finally:
            sent.set_result(size)

    async with listening(read_late) as port:
        link = Server(f"redis://127.0.0.1:{port}", timeout_s=0.2).link()
        with pytest.raises(InDoubt, match="no answer in time"):
            await link.call("SET", "key", BIG)
        read_on.set()
        assert await sent < len(BIG)
        await link.close()


async def test_a_server_that_half_hangs_up_is_noticed_while_it_is_written_to() -> None:
    done = asyncio.Event()

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"SETNAME")
        writer.write(b"+OK\r\n")
        await reader.readuntil(b"key")
        writer.write_eof()
        await done.wait()

    async with listening(hang_up) as port:
        link = Server(f"redis://127.0.0.1:{port}", timeout_s=3).link()
        with pytest.raises(InDoubt, match="the server closed the connection"):
            await link.call("SET", "key", BIG)
        done.set()
        await link.close()


async def test_a_link_that_is_closed_while_it_opens_stays_closed() -> None:
    asked, answer, gone = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def think(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        asked.set()
        await answer.wait()
        writer.write(b"+OK\r\n")
        if not await reader.read():
            gone.set()

    async with listening(think) as port:
        link = Server(f"redis://127.0.0.1:{port}", timeout_s=10).link()
        call = asyncio.ensure_future(link.call("PING"))
        await asked.wait()
        await link.close()
        answer.set()
        with pytest.raises(Unreachable, match="was closed"):
            await call
        await gone.wait()
