"""Instances as processes of their own, as somebody starts them with ``matchbox serve``."""

import contextlib
import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.cli.command import command_line, environment
from tests.waiting import soon


@dataclass
class Answer:
    """What an instance answered: the body as it was, and what it says."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Instance:
    """A running instance: where it listens, and the process that it is."""

    name: str
    base: str
    process: "subprocess.Popen[str]"

    @property
    def websocket(self) -> str:
        return self.base.replace("http://", "ws://")

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; a body that is no text is sent as JSON."""
        data = body if isinstance(body, str) else json.dumps(body)
        request = urllib.request.Request(
            self.base + path,
            None if body is None else data.encode(),
            {"Content-Type": "application/json"} | dict(headers or {}),
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, answer.headers, answer.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.headers, refused.read().decode())

    def get(self, path: str) -> Any:
        """What a path shows; fails where it shows nothing."""
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, side: str, qty: int, price: int, **more: object) -> int:
        """The id of a new order."""
        order = {"side": side, "price": price, "qty": qty} | more
        answer = self.ask("POST", "/orders", order)
        assert answer.status == 201, answer
        order_id: int = answer.json["order_id"]
        return order_id


@contextlib.contextmanager
def instances(url: str, prefix: str, *names: str, options: tuple[str, ...] = ()) -> Iterator[Any]:
    """Instances of one venue, ready to serve, as a list. They end with the block."""
    env = environment({"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix, "PORT": "0"})
    started: list[Instance] = []
    with contextlib.ExitStack() as ending:
        processes = [ending.enter_context(_process(name, env, options)) for name in names]
        for name, process in zip(names, processes, strict=True):
            started.append(Instance(name, _address(process), process))
        for instance in started:
            soon(lambda instance=instance: instance.ask("GET", "/ready").status, (200).__eq__)
        yield started


@contextlib.contextmanager
def _process(
    name: str, env: Mapping[str, str], options: tuple[str, ...]
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        command_line("serve", "--id", name, "--until-eof", "--log-level", "error", *options),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
    )
    try:
        yield process
    finally:
        process.communicate(timeout=30)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        if line.startswith("Serving at "):
            return line.removeprefix("Serving at ").partition(";")[0]
        said += line
    raise AssertionError(f"it ended before it served, saying {said!r}")
