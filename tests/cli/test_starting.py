"""A signal while a command is still loading: no traceback, and nothing is left over.

When it comes is not left to the clock: the process sends it to itself where a module is first asked
for, any number of imports deep.
"""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Marked
from tests.cli.terminal import Terminal

SIGNALLER = """
import os, sys

class Place:
    def __set_name__(self, owner, name):
        os.kill(os.getpid(), int(os.environ["TEST_SIGNAL"]))

class Signaller:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["TEST_MODULE"]:
            sys.meta_path.remove(self)
            type("Signalled", (), {"place": Place()})

if os.environ["TEST_COMMAND"] in sys.orig_argv:
    sys.meta_path.insert(0, Signaller())
"""
"""Loaded by every Python that the test starts. The signal comes while a class is put together:
Python 3.11 wraps what is raised there into a RuntimeError.
"""

ANALYTICS = ("consume", "analytics", "--redis-url", "unix:///nowhere")
MARKET = ("play", "--headless", "--duration", "300")


@pytest.fixture
def signaller(tmp_path: Path) -> Path:
    (tmp_path / "sitecustomize.py").write_text(SIGNALLER)
    return tmp_path


@pytest.fixture
def marked(signaller: Path) -> Iterator[Marked]:
    with Marked({"PYTHONPATH": str(signaller)}) as started:
        yield started


def signalled(marked: Marked, number: int, module: str, command: str) -> Marked:
    marked.env |= {"TEST_SIGNAL": str(number), "TEST_MODULE": module, "TEST_COMMAND": command}
    return marked


@pytest.mark.parametrize(
    ("command", "module"),
    [
        pytest.param(ANALYTICS, "matchbox_tui.cli", id="first"),
        pytest.param(ANALYTICS, "typer", id="the-command-line"),
        pytest.param(ANALYTICS, "matchbox_tui.cli.options", id="a-command"),
        pytest.param(ANALYTICS, "redis", id="the-client"),
        pytest.param(ANALYTICS, "matchbox_tui.consumers.analytics.service", id="the-service"),
        pytest.param(("status",), "redis.asyncio", id="a-look"),
        pytest.param(("buy", "1", "1"), "matchbox_tui.store.client", id="an-order"),
        pytest.param(("serve",), "uvicorn", id="the-gateway"),
        pytest.param(("engine",), "matchbox_tui.node", id="an-engine"),
        pytest.param(("redis", "--port", "0"), "matchbox_tui.store.embedded", id="a-server"),
        pytest.param(MARKET, "sim.cluster", id="a-market"),
        pytest.param(MARKET, "matchbox_tui.cli.headless", id="a-market-without-a-screen"),
    ],
)
def test_ctrl_c_while_it_loads_ends_it_without_a_word(
    marked: Marked, command: tuple[str, ...], module: str
) -> None:
    process = signalled(marked, signal.SIGINT, module, command[0]).start(*command)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")
    marked.leave_nothing()


@pytest.mark.parametrize("module", ["typer", "redis"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_so_do_those_who_end_services(marked: Marked, module: str, number: signal.Signals) -> None:
    process = signalled(marked, number, module, ANALYTICS[0]).start(*ANALYTICS)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "")


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("textual.app", id="before-there-is-anything"),
        pytest.param("textual.drivers.linux_driver", id="with-engines-and-traders"),
    ],
)
def test_ctrl_c_while_the_screen_loads_ends_the_market(marked: Marked, module: str) -> None:
    env = signalled(marked, signal.SIGINT, module, "play").env
    with Terminal(["play"], env) as terminal:
        assert terminal.wait() == 130
        assert terminal.words().strip() == ""
    marked.leave_nothing()


def test_what_is_ignored_from_the_beginning_stays_ignored(marked: Marked) -> None:
    """As under nohup."""
    (Path(marked.env["PYTHONPATH"]) / "sitecustomize.py").write_text(
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + SIGNALLER
    )
    process = signalled(marked, signal.SIGHUP, "typer", "sim").start("sim", "list", "--json")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("[{")
