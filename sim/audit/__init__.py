"""The auditor: I1 to I8, checked on a venue while it runs or on a recorded run.

A venue is recorded first, into a directory that goes away afterwards; what is audited is always a
recording.
"""

import asyncio
import tempfile
import time
from pathlib import Path

from sim.audit.auditor import Auditor
from sim.audit.collecting import Progress, collect
from sim.audit.verdict import Check, Offence, Status, Verdict
from sim.floor import FloorRecord
from sim.recording import evidence

__all__ = [
    "Auditor",
    "Check",
    "Offence",
    "Progress",
    "Status",
    "Verdict",
    "audit_recording",
    "audit_venue",
    "collect",
]

BREATH_SECONDS = 0.01
"""Longest time that the audit holds the loop for."""


async def audit_venue(
    url: str,
    prefix: str = "",
    record: FloorRecord | None = None,
    *,
    wait_s: float = 5.0,
    told: Progress | None = None,
) -> Verdict:
    """Audits a venue up to the journal's tip at this moment, while it goes on.

    `record` is what the traders were told before now; `wait_s` is how many seconds the publisher
    of fills may stand still behind the journal; `told` hears of the progress. Raises a
    `StoreError` where the server can't be reached, `RecordingError` where there is no room for
    the evidence, `ValueError` for a record that is none.
    """
    with tempfile.TemporaryDirectory(prefix="matchbox-audit-") as name:
        directory = Path(name)
        await collect(url, prefix, directory, record, wait_s=wait_s, told=told)
        return await audit_recording(directory, told=told)


async def audit_recording(
    directory: Path, record: FloorRecord | None = None, *, told: Progress | None = None
) -> Verdict:
    """Audits a recorded run. `record` goes before the one that was recorded with it.

    Of a run that was interrupted, what there is; the verdict's notes say what is not known.
    Raises `RecordingError` for a directory without a recording, `ValueError` for a record that is
    none.
    """
    auditor = Auditor(evidence(directory), record)
    last = auditor.last
    breath = time.monotonic()
    for seq in auditor.steps():
        if time.monotonic() - breath > BREATH_SECONDS:
            if told is not None:
                told(f"audited {seq:,} of {last:,} commands")
            await asyncio.sleep(0)
            breath = time.monotonic()
    return auditor.verdict()
