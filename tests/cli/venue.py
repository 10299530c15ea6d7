"""A venue for commands: keys of its own on the shared server, and engines as processes."""

import contextlib
import itertools
import json
import subprocess
from collections.abc import Iterator, Mapping

from tests.cli.command import Result, call, command_line, environment
from tests.waiting import soon

MARKETS = 100

_numbers = itertools.count(1)


class Venue:
    """Where the commands of a test go. `env` says so to a process."""

    def __init__(self, url: str, prefix: str) -> None:
        self.url = url
        self.prefix = prefix
        self.env = {"REDIS_URL": url, "MATCHBOX_KEY_PREFIX": prefix}

    def call(self, *arguments: str, env: Mapping[str, str] | None = None) -> Result:
        return call(*arguments, env=self.env | dict(env or {}))

    def leads(self) -> bool:
        """Whether there is a leader that has opened its markets."""
        status = json.loads(self.call("status", "--json").out)
        return status["leader"] is not None and status["seq"] > 0

    @contextlib.contextmanager
    def engine(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """An engine process, which ends with the block."""
        process = subprocess.Popen(
            command_line("engine", "--until-eof", *options),
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(self.env),
        )
        assert process.stdin is not None
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(20)


@contextlib.contextmanager
def running(url: str, prefix: str) -> Iterator[Venue]:
    """A venue with a leader and so many markets that every test has one of its own."""
    venue = Venue(url, prefix)
    markets = ",".join(f"M{number}" for number in range(MARKETS))
    with venue.engine("--id", "alpha", "--markets", markets):
        soon(venue.leads)
        yield venue


def fresh_market() -> str:
    """A market of a running venue that no test has used."""
    number = next(_numbers)
    assert number < MARKETS, "more tests than markets: raise MARKETS"
    return f"M{number}"
