"""A process that stands still does so only as long as there is somebody to wake it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from sim.faults.standstill import Stopped
from tests.waiting import soon

OWNER = """
import sys, time
from sim.faults.standstill import Stopped
Stopped(int(sys.argv[1])).stop()
print("stopped", flush=True)
time.sleep(600)
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def stands_still(process: subprocess.Popen[bytes]) -> bool:
    shown = subprocess.run(
        ["ps", "-o", "state=", "-p", str(process.pid)], capture_output=True, text=True, check=True
    )
    return shown.stdout.strip().startswith("T")


def test_it_stands_still_until_it_is_resumed(sleeper: subprocess.Popen[bytes]) -> None:
    stopped = Stopped(sleeper.pid)
    assert not stands_still(sleeper)
    stopped.stop()
    soon(lambda: stands_still(sleeper))
    stopped.resume()
    soon(lambda: not stands_still(sleeper))


def test_it_goes_on_when_the_one_who_stopped_it_is_killed(
    sleeper: subprocess.Popen[bytes],
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(sleeper.pid)], stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"stopped\n"
        soon(lambda: stands_still(sleeper))
        owner.kill()
    soon(lambda: not stands_still(sleeper))


def test_one_that_is_killed_meanwhile_is_no_trouble(sleeper: subprocess.Popen[bytes]) -> None:
    stopped = Stopped(sleeper.pid)
    stopped.stop()
    sleeper.kill()
    sleeper.wait()
    stopped.resume()
