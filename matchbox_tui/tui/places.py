"""Places in a recorded run, as they are typed and shown."""

import re

NS = 1_000_000_000

EXAMPLES = "a sequence such as 12345, or a time since the start such as 90s, 1:30 or 1:02:03.5"

SHORT_EXAMPLES = "12345, 90s, 1:30 or 1:02:03.5"

_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})(?:\.(\d{1,9}))?")
_SECONDS = re.compile(r"(\d{1,9})(?:\.(\d{1,9}))? ?(ms|s|m|h)")
_UNITS = {"ms": NS // 1000, "s": NS, "m": 60 * NS, "h": 3600 * NS}


def parse_place(text: str) -> tuple[int | None, int | None]:
    """What was typed as a command's number or as a time, in ns since the start.

    Raises `ValueError` with examples where it is neither.
    """
    text = text.strip()
    digits = text.replace(",", "").replace("_", "").removeprefix("#")
    if digits.isascii() and digits.isdigit() and len(digits) <= 18:
        return int(digits), None
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hours, minutes, seconds, part = clock.groups()
        whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
        return None, whole * NS + _part(part, NS)
    length = _SECONDS.fullmatch(text)
    if length is not None:
        whole_units, part, unit = length.groups()
        return None, int(whole_units) * _UNITS[unit] + _part(part, _UNITS[unit])
    raise ValueError(f"{text!r}: use {EXAMPLES}")


def _part(digits: str | None, unit: int) -> int:
    """A decimal part of a unit."""
    return int(digits) * unit // 10 ** len(digits) if digits else 0


def stopwatch(time: int) -> str:
    """A time since the start, in ns, to a tenth of a second: 0:01:23.4."""
    tenths = max(time, 0) // (NS // 10)
    seconds = tenths // 10
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{tenths % 10}"
