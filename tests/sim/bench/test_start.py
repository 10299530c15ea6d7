"""What is waited for at a start, beside an interpreter that does nothing."""

import os
import signal
import subprocess
import sys

import pytest

from sim.bench.machine import cpu_seconds, family_cpu_seconds
from sim.bench.start import Began, Took, start_rows


def test_a_start_is_compared_with_what_python_needs_in_the_same_round() -> None:
    nothing = [Took(10, 9), Took(20, 9), Took(40, 9)]
    helps = [Took(100, 150), Took(300, 160), Took(200, 170)]
    markets = [Began(500, 1000, 90), Began(600, 4000, 70), Began(700, 3000, 80)]
    shown, moving = start_rows(nothing, helps, markets)
    assert (shown.value, shown.base, shown.ratios, shown.ratio) == (200, 20, [10, 15, 5], 10)
    assert shown.more == {"ms of the processor": 160, "of python -c pass": 9}
    assert (moving.value, moving.ratios) == (3000, [100, 200, 75])
    assert moving.more == {
        "ms to the first frame": 600,
        "ms of the processor, all processes": 80,
    }


@pytest.mark.parametrize(("ms", "reached"), [(299.9, True), (300.0, False)])
def test_the_goal_is_a_time(ms: float, reached: bool) -> None:
    shown, moving = start_rows([Took(10, 9)], [Took(ms, 150)], [Began(1, 10 * ms, None)])
    assert (shown.reached, moving.reached) == (reached, reached)
    assert "ms of the processor, all processes" not in moving.more


def test_what_children_use_is_their_parent_s_too() -> None:
    program = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', sys.argv[1]])\n"
        "time.sleep(60)"
    )
    child = (
        "import time\n"
        "while time.process_time() < 0.3: pass\n"
        "print('done', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, child],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as parent:
        try:
            assert parent.stdout is not None
            while parent.stdout.readline() != "done\n":
                pass
            alone, family = cpu_seconds(parent.pid), family_cpu_seconds(parent.pid)
            if alone is not None and family is not None:
                assert family - alone > 0.25
        finally:
            os.killpg(parent.pid, signal.SIGKILL)
