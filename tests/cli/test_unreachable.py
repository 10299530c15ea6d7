"""Wrong addresses, and things at them that are no server: exit code 3 and what to do."""

import asyncio

import pytest

from tests.cli.command import Result, call, run
from tests.servers import listening


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://127.0.0.1:1", "start one with 'matchbox redis', or set REDIS_URL"),
        ("unix:///nowhere/server.sock", "can't reach a server at unix:///nowhere/server.sock"),
        ("redis://nowhere.invalid", "can't reach a server at redis://nowhere.invalid"),
        ("http://127.0.0.1", "set REDIS_URL to redis://HOST:PORT"),
        ("127.0.0.1:6379", "set REDIS_URL to redis://HOST:PORT"),
        ("redis://127.0.0.1:port", "is no server address"),
        ("redis://127.0.0.1:99999", "is no server address"),
        ("redis://127.0.0.1?colour=red", "is no server address"),
        ("redis://[::1", "is no server address"),
    ],
)
def test_wrong_addresses(url: str, words: str) -> None:
    for command in (("status",), ("buy", "1", "5"), ("play", "--headless"), ("traders",)):
        assert words in call(*command, env={"REDIS_URL": url}).refusal(3)


@pytest.mark.parametrize(
    "command", [("engine",), ("traders",), ("fills", "--follow"), ("--headless",)]
)
def test_an_unreachable_server_as_a_process(command: tuple[str, ...]) -> None:
    words = run(*command, env={"REDIS_URL": "redis://127.0.0.1:1"}).refusal(3)
    assert "can't reach a server at redis://127.0.0.1:1" in words


def test_a_password_is_not_shown() -> None:
    words = call("status", env={"REDIS_URL": "redis://me:secret@127.0.0.1:1"}).refusal(3)
    assert "secret" not in words


async def web_server(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(100)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()


async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(100):
        pass


async def closed_door(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("talk", [web_server, silence, closed_door])
async def test_something_else_answers_there(talk: object) -> None:
    async with listening(talk) as port:  # type: ignore[arg-type]
        env = {"REDIS_URL": f"redis://127.0.0.1:{port}"}
        done: list[Result] = await asyncio.gather(
            *(
                asyncio.to_thread(run, *command, env=env)
                for command in (("status",), ("engine",), ("buy", "1", "5"))
            )
        )
        for result in done:
            assert f"127.0.0.1:{port}" in result.refusal(3)
