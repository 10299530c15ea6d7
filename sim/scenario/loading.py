"""Scenarios from files, and those that come with the program."""

import re
import tomllib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from sim.scenario.building import Builder
from sim.scenario.errors import Findings, Problem, ScenarioError, nearest
from sim.scenario.form import Scenario
from sim.scenario.places import find_places

SUFFIX = ".toml"

MAX_SIZE = 1024 * 1024
"""Longest file of a scenario, in bytes."""

_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_BARE_LENGTH = re.compile(r"=\s*(\d[\d.]*\s*(?:ns|us|ms|s|m|h))\b")


def shipped_names() -> list[str]:
    """The scenarios that come with the program, in the order in which they are listed."""
    return sorted(
        one.name.removesuffix(SUFFIX) for one in _shelf().iterdir() if one.name.endswith(SUFFIX)
    )


def shipped_text(name: str) -> str:
    """The file of one of `shipped_names`."""
    return (_shelf() / f"{name}{SUFFIX}").read_text(encoding="utf-8")


def load(path_or_name: str) -> tuple[Scenario, str]:
    """A scenario and its text, from a file or by the name of one that comes with the program.

    What has a slash in it or ends in .toml is a file; another word is a file only where no
    scenario has that name. Raises `ScenarioError`.
    """
    is_path = "/" in path_or_name or path_or_name.endswith(SUFFIX)
    names = shipped_names()
    if not is_path and path_or_name in names:
        text = shipped_text(path_or_name)
        return parse(text, path_or_name, f"{path_or_name}{SUFFIX}"), text
    path = Path(path_or_name)
    if not is_path and not path.is_file():
        words = f"no such scenario, and no such file; {nearest(path_or_name, names)}"
        raise ScenarioError(path_or_name or "''", [Problem(None, "", words)])
    text = _read(path)
    return parse(text, path.name.removesuffix(SUFFIX), str(path)), text


def parse(text: str, name: str, source: str) -> Scenario:
    """The scenario that a text describes. Errors call it `source`. Raises `ScenarioError`."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(source, [_syntax(str(error), text)]) from None
    except RecursionError:
        words = "too many brackets within one another"
        raise ScenarioError(source, [Problem(None, "", words)]) from None
    except ValueError:
        # Python does not read them, so that nobody keeps it busy with them.
        words = "no valid TOML: a number of thousands of digits"
        raise ScenarioError(source, [Problem(None, "", words)]) from None
    return Builder(name, tables, Findings(find_places(text))).build(source)


def _read(path: Path) -> str:
    def wrong(words: str) -> ScenarioError:
        return ScenarioError(str(path), [Problem(None, "", words)])

    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise wrong(f"can't read it ({error.strerror})") from None
    except ValueError:
        raise wrong("no file has such a name") from None
    if len(raw) > MAX_SIZE:
        raise wrong("more than 1 MiB: this is no scenario")
    try:
        # Some editors put a mark before the text.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        words = f"byte {raw[error.start]:#04x} is no text; save the file as UTF-8"
        raise ScenarioError(str(path), [Problem(line, "", words)]) from None


def _syntax(said: str, text: str) -> Problem:
    """What the parser found, where, and what is most often meant."""
    where = _WHERE.search(said)
    words = _WHERE.sub("", said)
    lines = text.split("\n")
    line = len(lines)
    if where is not None and where[1] is not None:
        line = int(where[1])
        words += f" at column {where[2]}"
    bare = _BARE_LENGTH.search(lines[line - 1])
    if bare is not None:
        words += f'; a length of time stands in quotes: "{bare[1]}"'
    return Problem(line, "", f"no valid TOML: {words[:1].lower()}{words[1:]}")


def _shelf() -> Traversable:
    return resources.files("sim.scenario") / "shipped"
