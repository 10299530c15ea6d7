"""A recording may come from anybody: it is audited or refused, and nothing else happens."""

import asyncio
import gzip
import json
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matchbox_tui.engine import Exchange
from sim.audit import audit_recording
from sim.recording import BASE, MANIFEST, RecordingError
from tests.engine.workload import MARKETS, Workload
from tests.sim.audit.test_random import through_the_queue
from tests.sim.evidence import EVERYTHING, Story

calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.text(max_size=5),
        st.sampled_from(["5-0", "0-", "-", "9" * 5000, "MAIN"]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=3,
)


@cache
def files() -> dict[str, bytes]:
    """A recording with something in every file."""
    exchange = Exchange(MARKETS)
    for command in Workload(3, 60).commands(300):
        exchange.apply(command)
    told = Story(exchange, "c0ffee")
    commands = list(through_the_queue(Workload(4, 60).commands(60)))
    for start in range(0, 50, 10):
        told.commit(*commands[start : start + 10])
        told.hash()
    told.wait(told.buy(40, 1), told.sell(41, 1))
    told.answer(told.buy(40, 1))
    told.acknowledged([1, 4])
    with tempfile.TemporaryDirectory() as name:
        path = told.write(Path(name) / "run")
        return {file.name: file.read_bytes() for file in path.iterdir()}


def written(directory: Path) -> Path:
    for name, raw in files().items():
        (directory / name).write_bytes(raw)
    return directory


def audit(path: Path) -> None:
    try:
        verdict = asyncio.run(audit_recording(path))
    except RecordingError:
        return
    assert [check.name for check in verdict.checks] == EVERYTHING
    assert all(check.line() for check in verdict.checks)


def put(path: Path, name: str, raw: bytes) -> None:
    """Puts a file into the recording, and its facts into the manifest."""
    (path / name).write_bytes(raw)
    facts = json.loads((path / MANIFEST).read_text())
    facts["files"][name] |= {"bytes": len(raw), "crc32": zlib.crc32(raw)}
    (path / MANIFEST).write_text(json.dumps(facts))


NAMES = ["base.gz", "journal.gz", "after.gz", "fills.gz", "queue.gz", "hashes.gz", "record.json"]


@pytest.mark.parametrize("name", NAMES)
@calm
@given(data=st.data())
def test_any_byte_of_any_file(name: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = written(Path(place))
        raw = (path / name).read_bytes()
        plain = bytearray(gzip.decompress(raw) if name.endswith(".gz") else raw)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(plain) - 1), "byte")
            plain[at] ^= data.draw(st.integers(1, 255), "bits")
        changed = bytes(plain)
        put(path, name, gzip.compress(changed) if name.endswith(".gz") else changed)
        audit(path)


@calm
@given(data=st.data())
def test_any_value_of_the_manifest(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = written(Path(place))
        facts = json.loads((path / MANIFEST).read_text())
        replace_something(data, facts)
        (path / MANIFEST).write_text(json.dumps(facts))
        audit(path)


@calm
@given(data=st.data())
def test_any_value_of_the_base(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as place:
        path = written(Path(place))
        plain = gzip.decompress((path / BASE).read_bytes())
        frames = []
        while plain:
            size = int.from_bytes(plain[:4], "big")
            frames.append(json.loads(plain[4 : 4 + size]))
            plain = plain[4 + size :]
        replace_something(data, frames)
        parts = [json.dumps(frame).encode() for frame in frames]
        raw = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        put(path, BASE, gzip.compress(raw))
        audit(path)


def replace_something(data: st.DataObject, value: Any) -> None:
    """Walks down to some place in JSON and puts something else there."""
    while True:
        keys = list(value) if isinstance(value, dict) else range(len(value))
        key = data.draw(st.sampled_from(keys), "key")
        if not isinstance(value[key], dict | list) or not value[key]:
            break
        value = value[key]
    value[key] = data.draw(anything, "value")
