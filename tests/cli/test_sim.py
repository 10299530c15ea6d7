"""matchbox sim: scenarios listed, shown, run to a verdict, and refused."""

import json
import os
import pty
import re
import resource
import signal
import subprocess
from pathlib import Path

import pytest

from matchbox_tui.cli.progress import state_words
from sim.audit import Verdict, audit_recording
from sim.running import Progress
from sim.scenario import shipped_names, shipped_text
from tests.cli.command import Result, call, command_line, environment, run

SMALL = """\
title = "Small"
duration = "2s"
expect = ["lost = 0", "trades > 5"]
[[market]]
symbol = "RAIN"
[[agents]]
kind = "market-maker"
[[agents]]
kind = "noise"
count = 5
"""

ENDLESS = SMALL.replace('"2s"', '"20h"').replace("count = 5", 'count = 5\nevery = "50ms"')

FULL = 200_000
"""Bytes of a file beyond which the disk is full, so to speak."""


def ran(tmp_path: Path, text: str, *options: str) -> Result:
    path = tmp_path / "small.toml"
    path.write_text(text)
    return call("sim", "run", str(path), "--virtual", *options)


def test_the_list_tells_what_every_scenario_is() -> None:
    shown = call("sim", "list")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    names = shipped_names()
    assert lines[0].split() == ["name", "title", "duration", "markets", "agents", "faults"]
    assert [line.split()[0] for line in lines[1 : len(names) + 1]] == names
    assert all(f"\n{name}: " in shown.out for name in names)
    assert all(len(line) <= 80 for line in lines[len(names) + 1 :])


def test_the_list_as_json() -> None:
    rows = {row["name"]: row for row in call("sim", "list", "--json").json()}
    assert list(rows) == shipped_names()
    storm = rows["failover-storm"]
    assert (storm["duration"], storm["markets"], storm["faults"]) == ("1m", 2, 13)
    assert storm["agents"] == 80
    assert "lost = 0" in storm["expect"]
    assert "\n" not in storm["description"]


def test_a_shipped_scenario_is_shown_to_start_from(tmp_path: Path) -> None:
    shown = call("sim", "show", "quiet-day")
    assert (shown.code, shown.out, shown.err) == (0, shipped_text("quiet-day"), "")


def test_expectations_that_are_met_are_exit_code_0(tmp_path: Path) -> None:
    done = ran(tmp_path, SMALL)
    assert done.code == 0
    lines = done.out.splitlines()
    assert [line.split()[-1] for line in lines if line.startswith(("lost =", "trades >"))] == [
        "met",
        "met",
    ]
    assert lines[-1] == "As expected: 2 of 2 expectations are met."
    assert "--out DIR keeps it" in done.err.splitlines()[-1]


def test_one_that_is_not_met_is_exit_code_1(tmp_path: Path) -> None:
    done = ran(tmp_path, SMALL.replace("trades > 5", "trades > 5_000_000"))
    assert done.code == 1
    assert done.out.splitlines()[-1] == "Not as expected: 1 of 2 expectations are met."
    assert "NOT MET: trades is " in done.out


def test_the_same_seed_is_the_same_run_and_another_one_is_not(tmp_path: Path) -> None:
    first, same, other = (
        ran(tmp_path, SMALL, "--json", "--seed", seed).json() for seed in ("7", "7", "8")
    )
    assert first["measures"] == same["measures"] != other["measures"]
    assert (first["seed"], first["virtual"], first["verdict"]["ok"]) == (7, True, True)
    assert ran(tmp_path, SMALL, "--json").json()["seed"] == 1


def test_a_run_is_kept_for_the_audit_and_not_written_over(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert ran(tmp_path, SMALL, "--out", str(out)).code == 0
    assert (out / "scenario.toml").read_text() == SMALL
    assert (out / "report.html").stat().st_size > 10_000
    assert json.loads((out / "verdict.json").read_bytes())
    assert call("audit", str(out)).code == 0
    again = ran(tmp_path, SMALL, "--out", str(out)).refusal(2)
    assert "holds a recording already: choose another directory" in again


def test_a_place_that_can_t_be_written_to_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """No server, no instance: there would be none to be reached by this address."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    interrupted = tmp_path / "run"
    interrupted.mkdir()
    (interrupted / "run.json").write_text("{}")
    for command in (("sim", "run", str(path)), ("drill",)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sim.private_venue.EmbeddedServer", None)
            said = call(*command, "--out", str(interrupted)).refusal(2)
        assert f"--out: {interrupted} holds a run that was interrupted: choose another" in said


def test_a_full_disk_is_told_and_what_was_written_is_kept(tmp_path: Path) -> None:
    path, out = tmp_path / "endless.toml", tmp_path / "run"
    path.write_text(ENDLESS)
    done = subprocess.run(
        command_line("sim", "run", str(path), "--virtual", "--out", str(out)),
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        check=False,
        preexec_fn=_no_large_files,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        f"matchbox: can't write the recording in {out} (File too large);"
        f" 'matchbox audit {out}' and 'matchbox replay {out}' read it as far as it went"
    )
    audited = call("audit", str(out), "--json")
    assert audited.code == 0
    assert audited.json()["last"] > 100


def _no_large_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, FULL))


@pytest.mark.parametrize("name", ["scenario.toml", "report.html"])
def test_what_somebody_wrote_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    said = ran(tmp_path, SMALL, "--out", str(tmp_path)).refusal(2)
    assert f"holds a file {name}, which a run would write over: choose another" in said
    assert (tmp_path / name).read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "small.toml"])


def test_all_mistakes_of_a_file_are_told_and_nothing_runs(tmp_path: Path) -> None:
    wrong = SMALL.replace('"2s"', "2").replace("noise", "nois").replace("lost", "lsot")
    done = ran(tmp_path, wrong, "--out", str(tmp_path / "run"))
    assert (done.code, done.out) == (2, "")
    path = tmp_path / "small.toml"
    lines = done.err.splitlines()
    assert lines[0].startswith(f"matchbox: {path}:2: duration: 2; a length of time is text")
    assert lines[1].startswith(f"matchbox: {path}:3: expect[1]: 'lsot = 0': no measure 'lsot';")
    assert lines[2].startswith(f"matchbox: {path}:9: agents[2].kind: no kind of agents 'nois'; did")
    assert len(lines) == 3
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("sim", "Missing command (see matchbox sim --help)"),
        ("sim nope", "No such command 'nope' (see matchbox sim --help)"),
        ("sim run", "Missing argument 'SCENARIO' (see matchbox sim run --help)"),
        ("sim run quiet-day --nope", "No such option: --nope (see matchbox sim run --help)"),
        ("sim run quiet-day --seed x", "Invalid value for '--seed'"),
        ("sim run quiet-day --seed -1", "--seed -1: use a number between 0 and"),
        ("sim run quite-day", "no such file; did you mean 'quiet-day'?"),
        ("sim run ./quiet-day", "quiet-day: can't read it (No such file or directory)"),
        ("sim run quiet-day --virtual --out /dev/null/x", "--out: "),
        ("sim run quiet-day --out=", "'--out' (env var: 'MATCHBOX_OUT'): it is empty; name a dir"),
        ("sim run quiet-day --out /proc", "--out: can't write into the directory /proc (No such"),
        ("sim show nothing", "nothing: no such scenario"),
    ],
)
def test_wrong_usage_is_told_in_a_line(arguments: str, words: str) -> None:
    assert words in call(*arguments.split()).refusal(2)


def test_options_come_from_the_environment_too(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    env = {"MATCHBOX_VIRTUAL": "1", "MATCHBOX_SEED": "5", "MATCHBOX_JSON": "1"}
    told = call("sim", "run", str(path), env=env).json()
    assert (told["virtual"], told["seed"]) == (True, 5)


@pytest.mark.parametrize(
    ("least", "told"),
    [
        ("5", "As expected: 2 of 2 expectations are met."),
        ("1000000000", "1 of 2 expectations are met."),
    ],
)
def test_ctrl_c_ends_a_run_with_a_report_of_what_was(least: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "endless.toml"
    path.write_text(ENDLESS.replace("trades > 5", f"trades > {least}"))
    process = subprocess.Popen(
        command_line("sim", "run", str(path), "--virtual"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    # The first line of progress: it runs.
    assert " of 72000 s, " in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Ended early." in out
    assert told in out
    assert "Stopping; the report comes next." in err


def test_ctrl_c_while_a_run_is_audited_is_told_that_it_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pressed(directory: Path) -> Verdict:
        os.kill(os.getpid(), signal.SIGINT)
        return await audit_recording(directory)

    monkeypatch.setattr("sim.running.audit_recording", pressed)
    shown = ran(tmp_path, SMALL.replace("trades > 5", "halted_ms > 5"))
    assert "The run is over; its report comes next. Another Ctrl-C does without it." in shown.err
    assert "Stopping" not in shown.err
    # It was not ended early, and is judged by the whole of it.
    assert shown.code == 1
    assert "Ended early." not in shown.out
    assert "NOT MET: RAIN.halted_ms is 0 ms, not > 5" in shown.out


def test_a_narrow_terminal_cuts_off_who_leads_before_the_faults() -> None:
    progress = Progress(at=9 * 10**9, duration=60 * 10**9, leader="node-1", epoch=2, commands=4)
    words = state_words(progress, [10**9, 2 * 10**9, 10 * 10**9])
    assert words == "9 of 60 s, 0/s, 0 waiting, 2 of 3 faults, node-1 leads (epoch 2), 4 commands"


def test_a_terminal_shows_a_bar_and_keeps_the_report_clean(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace('"2s"', '"60s"'))
    master, slave = pty.openpty()
    try:
        process = subprocess.Popen(
            command_line("sim", "run", str(path), "--virtual"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=slave,
            env=environment({"TERM": "xterm", "COLUMNS": "120"}),
        )
        os.close(slave)
        shown = b""
        while piece := _read(master):
            shown += piece
        out = process.communicate(timeout=60)[0].decode()
    finally:
        os.close(master)
    assert process.returncode == 0
    assert b"of 60 s" in shown
    # There is room for a ^C behind it, which would leave a copy of it where it was full.
    bars = [_plain(piece) for piece in shown.split(b"\r") if b"of 60 s" in piece]
    assert bars
    assert max(map(len, bars)) <= 120 - len("^C^C^C")
    assert b"node-1 leads (epoch 1)" in shown
    assert out.splitlines()[-1] == "As expected: 2 of 2 expectations are met."
    assert "\x1b" not in out


def _plain(drawn: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn.decode()).strip("\n")


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:
        # Linux says so where nobody has the other end any more.
        return b""


def test_a_run_by_the_virtual_clock_needs_no_server() -> None:
    done = run("sim", "run", "quiet-day", "--virtual", env={"REDIS_URL": "redis://127.0.0.1:1"})
    assert done.code == 0, done.err
