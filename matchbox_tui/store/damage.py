"""Why the embedded server can't read its data, and what its owner can do about it."""

import re
import subprocess
from pathlib import Path

_CHECK_SECONDS = 60.0


def explain(complaint: str, data_dir: Path, program: str) -> str:
    """One line: what the server said when it ended, where its data is damaged, and the way out.

    `program` is the server's, which checks a file instead where it goes by another name.
    """
    if "AOF write error" in complaint:
        return f"it can't write to its disk ({complaint}): make room for {data_dir}"
    file = _last_file(data_dir)
    found = _readable(file, program) if file is not None else None
    if file is not None and found is not None and found[0] < found[1]:
        readable, size = found
        return (
            f"its data is damaged, {file} can be read up to byte {readable} of {size}: put a"
            f" backup in its place, or give up all that comes later: truncate -s {readable} {file}"
        )
    # A length that was damaged is one that no memory could hold.
    if re.search(r"AOF|append only|RDB|Out Of Memory allocating \d{11}", complaint):
        return (
            f"{complaint}: put a backup in the place of {data_dir}, or move it away to begin anew"
        )
    return complaint


def _last_file(data_dir: Path) -> Path | None:
    """The one that the server writes to; it can do without the end of that one only."""
    files = list((data_dir / "appendonlydir").glob("*.incr.aof"))
    return max(files, key=lambda file: int(file.name.split(".")[-3]), default=None)


def _readable(file: Path, program: str) -> tuple[int, int] | None:
    """How many bytes make sense, and how many there are; None where that can't be told."""
    try:
        check = subprocess.run(
            ["valkey-check-aof", str(file)],
            executable=program,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_CHECK_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"size=(\d+), ok_up_to=(\d+)", check.stdout)
    return (int(found[2]), int(found[1])) if found is not None else None
