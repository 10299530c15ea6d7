"""The ``matchbox`` command: in this process where many are needed, else as a process."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from matchbox_tui.cli import main


@dataclass
class Result:
    """How a command ended, and what it printed where."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """The one JSON value on stdout."""
        return json.loads(self.out)

    def lines(self) -> list[Any]:
        """One JSON value a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def refusal(self, code: int) -> str:
        """The words of a command that failed as it should: one or two lines, and no data."""
        assert self.code == code, self
        assert self.out == ""
        assert self.err.startswith("matchbox: ")
        assert 1 <= len(self.err.splitlines()) <= 2
        assert "Traceback" not in self.err
        return self.err


def call(*arguments: str, env: Mapping[str, str] | None = None) -> Result:
    """Runs a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["matchbox", *arguments])
        for name, value in (env or {}).items():
            patch.setenv(name, value)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                code = end.code
    assert isinstance(code, int)
    return Result(code, out.getvalue(), err.getvalue())


def run(*arguments: str, env: Mapping[str, str] | None = None, seconds: float = 60) -> Result:
    """Runs a command as a process of its own, without a terminal."""
    done = subprocess.run(
        command_line(*arguments),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment(env),
        timeout=seconds,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def command_line(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "matchbox_tui", *arguments]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would steer the command, and with `more`."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MATCHBOX_")
        and name not in ("REDIS_URL", "DATABASE_URL", "LOG_LEVEL")
    }
    return plain | dict(more or {})
