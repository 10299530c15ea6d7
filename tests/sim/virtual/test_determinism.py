"""The same scenario and seed, the same journal: in any process, on any Python there is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim.scenario import Burst, Kill, Latency, News
from sim.scenario.standard import standard_population
from tests.sim.virtual.stage import MS, RAIN, SNOW, Scenario, play, scene

ROOT = Path(__file__).parents[3]

PROGRAM = """
import sys
from pathlib import Path
from tests.sim.virtual.test_determinism import everything
from tests.sim.virtual.stage import play
print(play(Path(sys.argv[1]), everything(), seed=7).digest)
"""


def everything() -> Scenario:
    """Two markets, all kinds of the standard population, and something of every sort happens."""
    return scene(
        duration=2_000 * MS,
        markets=(RAIN, SNOW),
        populations=standard_population(60, 20 * MS),
        happenings=(
            News(at=300 * MS, market="RAIN", by=12),
            Burst(at=500 * MS, market="SNOW", orders=700),
            Kill(at=900 * MS),
        ),
    )


def in_another_process(python: str, hash_seed: str, directory: Path) -> str:
    env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [python, "-c", PROGRAM, str(directory)],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_twice_in_one_process_gives_the_same_bytes(tmp_path: Path) -> None:
    first = play(tmp_path / "a", everything(), seed=7)
    second = play(tmp_path / "b", everything(), seed=7)
    assert first.result.record.commands > 1000
    assert first.digest == second.digest
    assert first.journal_file == second.journal_file
    for name in ("fills.gz", "hashes.gz", "samples.gz", "record.json", "faults.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_the_order_of_hashes_does_not_matter(hash_seed: str, tmp_path: Path) -> None:
    here = play(tmp_path / "here", everything(), seed=7).digest
    assert in_another_process(sys.executable, hash_seed, tmp_path / "there") == here


def other_pythons() -> Iterator[str]:
    for version in ("3.11", "3.12", "3.13"):
        found = shutil.which(f"python{version}")
        if found is not None and version != f"{sys.version_info[0]}.{sys.version_info[1]}":
            yield found


def test_another_python_gives_the_same_bytes(tmp_path: Path) -> None:
    here = play(tmp_path / "here", everything(), seed=7).digest
    compared = 0
    for number, python in enumerate(other_pythons()):
        able = subprocess.run(
            [python, "-c", "import faker, msgspec, pytest, redis, sortedcontainers"],
            capture_output=True,
            timeout=30,
            check=False,
        )
        if able.returncode == 0:
            assert in_another_process(python, "random", tmp_path / str(number)) == here
            compared += 1
    if not compared:
        pytest.skip("no other Python with Matchbox's dependencies is on the PATH")


def test_another_seed_gives_another_journal(tmp_path: Path) -> None:
    first = play(tmp_path / "a", everything(), seed=7)
    assert play(tmp_path / "b", everything(), seed=8).digest != first.digest


def test_one_more_agent_leaves_the_others_latencies_alone(tmp_path: Path) -> None:
    from sim.hiring import hire

    few, more = (standard_population(20, 10 * MS), standard_population(20, 10 * MS))
    more = (*more, more[-1])
    names = [one.agent.trader for one in hire(scene(populations=few), 1, 0)]
    assert [one.agent.trader for one in hire(scene(populations=more), 1, 0)][: len(names)] == names


def test_latency_changes_the_journal(tmp_path: Path) -> None:
    import msgspec

    slow = tuple(
        msgspec.structs.replace(one, latency=Latency(least=30 * MS, jitter=MS))
        for one in standard_population(20, 10 * MS)
    )
    first = play(tmp_path / "a", scene())
    assert play(tmp_path / "b", scene(populations=slow)).digest != first.digest
