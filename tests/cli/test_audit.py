"""matchbox audit: lines, numbers and exit codes, on venues and on recordings."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
import redis

from matchbox_tui.store import EmbeddedServer, Keys
from tests.cli.command import Result, call, command_line, environment
from tests.cli.venue import Venue
from tests.sim.evidence import EVERYTHING, Story
from tests.waiting import soon


def recorded(tmp_path: Path) -> Story:
    told = Story()
    told.commit(told.sell(50, 5), told.buy(50, 2))
    told.acknowledged([1, 2])
    return told


def audited(told: Story, tmp_path: Path, *options: str) -> Result:
    return call("audit", str(told.write(tmp_path / "run")), *options)


def test_a_recorded_run_has_a_line_an_invariant(tmp_path: Path) -> None:
    done = audited(recorded(tmp_path), tmp_path)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "ok"] for name in EVERYTHING]
    assert lines[2].startswith("I3 ok  2 commands in 1 commit, 1 epoch, chain verified to 2")
    assert "2 acknowledged, 0 lost, 0 doubled" in lines[0]


def test_a_recorded_run_as_json(tmp_path: Path) -> None:
    verdict = audited(recorded(tmp_path), tmp_path, "--json").json()
    assert (verdict["ok"], verdict["first"], verdict["last"]) == (True, 0, 2)
    assert [check["name"] for check in verdict["checks"]] == EVERYTHING
    assert {check["status"] for check in verdict["checks"]} == {"ok"}
    assert verdict["checks"][0]["counts"]["acknowledged"] == 2
    assert verdict["checks"][0]["offence"] is None


def test_a_violation_is_exit_code_1_with_its_place(tmp_path: Path) -> None:
    told = recorded(tmp_path)
    told.fills.clear()
    done = audited(told, tmp_path)
    assert (done.code, done.err) == (1, "")
    lines = done.out.splitlines()
    assert len(lines) == 8
    assert lines[4].startswith("I5 FAIL  at 2-0: expected fill 2-0, found the stream's end")
    verdict = call("audit", str(tmp_path / "run"), "--json")
    assert verdict.code == 1
    offence = verdict.json()["checks"][4]["offence"]
    assert offence == {"place": "2-0", "expected": "fill 2-0", "found": "the stream's end"}


def test_a_journal_that_breaks_leaves_the_rest_unchecked(tmp_path: Path) -> None:
    told = recorded(tmp_path)
    told.alter(0, lambda events: events[:-1])
    done = audited(told, tmp_path)
    assert done.code == 1
    assert [line[:14] for line in done.out.splitlines() if "I3" not in line[:2]] == [
        f"{name} not checked" for name in EVERYTHING if name != "I3"
    ]


def test_a_name_in_an_offence_can_not_drive_the_terminal(tmp_path: Path) -> None:
    told = Story()
    told.append(told.exchange.apply(told.buy(50, 5, trader="a\x1b[2J\x9bb")) * 2)
    done = audited(told, tmp_path)
    assert done.code == 1
    assert all(line.isprintable() for line in done.out.splitlines())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "is no directory"),
        (lambda path: path.write_text(""), "is no directory"),
        (lambda path: path.mkdir(), "manifest.json is missing"),
    ],
)
def test_what_is_no_recording_is_exit_code_2(make: object, words: str, tmp_path: Path) -> None:
    assert callable(make)
    make(tmp_path / "run")
    assert words in call("audit", str(tmp_path / "run")).refusal(2)


def test_a_torn_recording_is_exit_code_2(tmp_path: Path) -> None:
    path = recorded(tmp_path).write(tmp_path / "run")
    (path / "journal.gz").write_bytes((path / "journal.gz").read_bytes()[:-1])
    assert "torn or was altered" in call("audit", str(path)).refusal(2)


def test_a_record_goes_before_the_recorded_one(tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    record.write_text('{"commands":3,"acknowledged":3,"order_ids":[[1,3]]}\n')
    done = audited(recorded(tmp_path), tmp_path, "--record", str(record))
    assert done.code == 1
    assert done.out.startswith("I1 FAIL  at order 3: expected an outcome")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "No such file"),
        ("", "matchbox traders --json"),
        ("[]", "matchbox traders --json"),
        ('{"order_ids":[[3,1]]}', "no range"),
        ('{"order_ids":["x"]}', "order_ids"),
    ],
)
def test_a_record_that_is_none_is_exit_code_2(text: str | None, words: str, tmp_path: Path) -> None:
    record = tmp_path / "record.json"
    if text is not None:
        record.write_text(text)
    shown = audited(recorded(tmp_path), tmp_path, "--record", str(record)).refusal(2)
    assert f"--record {record}" in shown
    assert words in shown


def test_a_venue_that_runs_passes(venue: Venue, market: str) -> None:
    venue.call("sell", "5", "50", "--market", market)
    venue.call("buy", "3", "50", "--market", market)
    done = venue.call("audit")
    assert (done.code, done.err) == (0, "")
    assert len(done.out.splitlines()) == 8
    verdict = venue.call("audit", "--json").json()
    assert verdict["ok"] is True
    assert verdict["last"] > 2


def test_an_empty_venue_passes_with_zero_counts(server: EmbeddedServer) -> None:
    done = call("audit", "--redis-url", server.url, "--key-prefix", "audit-of-nothing:")
    assert (done.code, done.err) == (0, "")
    assert "I3 ok  0 commands in 0 commits" in done.out


def test_a_journal_that_is_none_is_a_failed_line(server: EmbeddedServer, tmp_path: Path) -> None:
    keys = Keys("audit-of-nonsense:")
    with redis.Redis.from_url(server.url) as raw:
        raw.set(keys.log, "x")
    done = call("audit", "--redis-url", server.url, "--key-prefix", keys.prefix)
    assert (done.code, done.err) == (1, "")
    assert "I3 FAIL  at its beginning: expected a journal that can be read" in done.out


def test_no_server_is_exit_code_3() -> None:
    words = call("audit", "--redis-url", "redis://127.0.0.1:1").refusal(3)
    assert "can't reach a server" in words
    assert "redis://" in call("audit", "--redis-url", "nonsense").refusal(3)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_audit_ends_with_130_and_leaves_nothing_behind(
    number: signal.Signals, server: EmbeddedServer, tmp_path: Path
) -> None:
    """It waits for a publisher that will never come, behind a leader that is none."""
    keys = Keys(f"audit-interrupted-{number.name}:")
    told = recorded(tmp_path)
    with redis.Redis.from_url(server.url) as raw:
        (entry,) = told.entries
        fields = dict(zip(entry.flat[::2], entry.flat[1::2], strict=True))
        raw.xadd(keys.log, fields, entry.id)
        raw.set(keys.leader, "somebody", px=600_000)
    process = subprocess.Popen(
        command_line("audit", "--redis-url", server.url, "--key-prefix", keys.prefix),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({"TMPDIR": str(tmp_path)}),
        text=True,
    )
    soon(lambda: list(tmp_path.glob("matchbox-audit-*/after.gz")))
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "", "")
    assert not list(tmp_path.glob("matchbox-audit-*"))


def test_the_json_of_a_verdict_is_one_line(tmp_path: Path) -> None:
    done = audited(recorded(tmp_path), tmp_path, "--json")
    assert len(done.out.splitlines()) == 1
    assert json.loads(done.out)["seconds"] >= 0
