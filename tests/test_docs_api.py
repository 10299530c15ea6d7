"""What docs/api.md and the README say of the API is executed, and answers as they show it.

Blocks marked `sh` start servers, `console` shows commands and their answers, and the output of a
`python` block is the `text` block after it. Ports and times are this run's.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import command_line, environment
from tests.ports import free_port
from tests.waiting import soon

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "api.md"
README = ROOT / "README.md"

FIRST_PORT = 8080
PORTS = 4

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIME = re.compile(r"(?<=time.:)\d{19}|(?<=timestamp.: )\d{19}|(?<=timestamp.:)\d{19}")

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")


class Reader:
    """Somebody who does what a page says, from top to bottom, on a machine of their own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.first = free_port(PORTS + 1)
        redis = self.first + PORTS
        self.env = environment(
            {
                "MATCHBOX_REDIS_PORT": str(redis),
                "REDIS_URL": f"redis://127.0.0.1:{redis}",
                "LOG_LEVEL": "error",
            }
        )
        self._running: list[subprocess.Popen[str]] = []
        self.done = {"sh": 0, "console": 0, "python": 0}

    def stop(self) -> None:
        """Ends the servers, the last one first."""
        for process in reversed(self._running):
            process.terminate()
            process.communicate(timeout=30)

    def follow(self, text: str) -> None:
        """Does every block of the text. Fails where one doesn't do what is shown."""
        blocks = BLOCK.findall(self._here(text))
        for number, (kind, content) in enumerate(blocks):
            match kind:
                case "sh":
                    self._start(content)
                case "console":
                    self._converse(content)
                case "python":
                    after, shown = blocks[number + 1]
                    assert after == "text", f"no output is shown of {content!r}"
                    self._run_python(content, shown)
                case "text":
                    assert blocks[number - 1][0] == "python"
                    continue
                case _:
                    pytest.fail(f"a block of kind {kind!r}: use sh, console, python or text")
            self.done[kind] += 1

    def get(self, port: int, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as answer:
            return json.load(answer)

    def _here(self, text: str) -> str:
        for number in range(PORTS):
            text = re.sub(rf"\b{FIRST_PORT + number}\b", str(self.first + number), text)
        return text

    def _start(self, content: str) -> None:
        started = []
        for line in content.splitlines():
            command, ampersand, _ = line.partition(" &")
            assert ampersand, f"{line}: the page would wait for its end"
            started.append(self._launch(shlex.split(command)))
        for port in filter(None, started):
            # Somebody leads, and what it opens at its beginning is there.
            soon(lambda port=port: self._sequence(port))

    def _launch(self, words: list[str]) -> int:
        """Starts a command in the background; the port of its API, or 0."""
        settings = {}
        while "=" in words[0]:
            name, _, settings[name] = words.pop(0).partition("=")
        assert words.pop(0) == "matchbox"
        process = subprocess.Popen(
            command_line(*words),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env=self.env | settings,
            cwd=self._directory,
        )
        self._running.append(process)
        if words[0] == "consume":
            # Says nothing while all is well; what it does shows itself later.
            return 0
        assert process.stderr is not None
        said = process.stderr.readline()
        assert said.startswith("Serving at "), said
        return int(said.partition(";")[0].rpartition(":")[2]) if words[0] == "serve" else 0

    def _sequence(self, port: int) -> int:
        try:
            sequence: int = self.get(port, "/ready")["sequence"]
        except OSError:
            return 0
        return sequence

    def _converse(self, content: str) -> None:
        for command, shown in _conversation(content):

            def answer(command: str = command) -> str:
                done = subprocess.run(
                    ["sh", "-c", command],
                    capture_output=True,
                    text=True,
                    timeout=30,
                    env=self.env,
                    check=True,
                )
                return _timeless(done.stdout)

            if " -X " in command:
                assert answer() == shown, command
            else:
                # A person is slower than the leader, this is not.
                soon(answer, shown.__eq__, 10)

    def _run_python(self, program: str, shown: str) -> None:
        file = self._directory / "example.py"
        file.write_text(program)
        done = subprocess.run(
            [sys.executable, file],
            capture_output=True,
            text=True,
            timeout=60,
            env=self.env | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            cwd=self._directory,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert _timeless(done.stdout) == _timeless(shown)


def _conversation(content: str) -> Iterator[tuple[str, str]]:
    """Commands, each with what it is answered."""
    lines = content.splitlines()
    while lines:
        prompt, command = lines[0][:2], lines.pop(0)[2:]
        assert prompt == "$ "
        while not _is_whole(command):
            command += "\n" + lines.pop(0)
        shown = []
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        yield command, _timeless("\n".join(shown))


def _is_whole(command: str) -> bool:
    if command.endswith("\\"):
        return False
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


def _timeless(text: str) -> str:
    return TIME.sub("0", text).strip()


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    someone = Reader(tmp_path)
    yield someone
    someone.stop()


def test_the_page_does_what_it_says(reader: Reader) -> None:
    text = PAGE.read_text()
    reader.follow(text)
    assert all(count >= 2 for count in reader.done.values()), reader.done
    routes = reader.get(reader.first, "/docs/openapi.json")["paths"]
    assert len(routes) > 8
    for path in routes:
        assert re.search(rf"(?<=[\w` ]){re.escape(path.partition('/{')[0])}\b", text), (
            f"the page says nothing of {path}"
        )


def test_the_readme_does_what_it_says(reader: Reader) -> None:
    section = README.read_text().partition("\n## By HTTP\n")[2].partition("\n## ")[0]
    reader.follow(section)
    assert reader.done["sh"] == 1
    assert reader.done["console"] >= 1


def test_a_page_that_says_something_else_fails(reader: Reader) -> None:
    start = "```sh\nmatchbox redis &\nmatchbox serve --port 8080 --markets RAIN &\n```\n"
    reader.follow(start)
    wrong = [
        "```console\n$ curl -s -X GET http://127.0.0.1:8080/health\nfine\n```\n",
        "```python\nprint(1)\n```\n\n```text\n2\n```\n",
        "```python\nraise SystemExit(1)\n```\n\n```text\n```\n",
        "```ruby\nputs 1\n```\n",
    ]
    for block in wrong:
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            reader.follow(block)
