"""The moment that ``--since`` names."""

import datetime
import re

from matchbox_tui.cli.running import UsageError

LATEST = 2**63 - 1
"""In nanoseconds since 1970, as all times of the venue."""

_EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def parse_since(text: str, now: int) -> int:
    """The time in nanoseconds since 1970; `now`, in the same, is what a length counts back from.

    Without an offset a time is that of the machine's zone. Raises `UsageError`.
    """
    # Python refuses to read a number of some thousand digits.
    if re.fullmatch("[0-9]{1,99}", text):
        return _within(int(text), text)
    length = re.fullmatch("([0-9]{1,99})([smhdw])", text)
    if length:
        back = int(length[1]) * _SECONDS[length[2]] * 1_000_000_000
        return max(0, now - back)
    try:
        moment = datetime.datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise UsageError(
            f"--since {text!r}: use a time (2026-01-31T09:30, 2026-01-31T09:30:00Z), a date"
            " (2026-01-31), nanoseconds since 1970 or a length back from now (90s, 15m, 1h, 7d)"
        ) from None
    return _within((moment - _EPOCH) // _MICROSECOND * 1_000, text)


def _within(time: int, text: str) -> int:
    if not 0 <= time <= LATEST:
        raise UsageError(f"--since {text!r}: use a time between 1970 and 2262")
    return time
