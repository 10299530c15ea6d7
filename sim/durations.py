"""Lengths of time as people write them, `250us`, `20ms`, `1.5s`, `2m`, `1h`, in whole ns."""

import re
from typing import Annotated

import msgspec

UNITS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}

DURATION = "duration"
"""Marks a field of a Struct as a length of time, in the `extra` of its `msgspec.Meta`."""

Duration = Annotated[int, msgspec.Meta(ge=0, extra={"unit": DURATION})]
"""A length of time in ns. In a file it is text with a unit."""

_PATTERN = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?\s*(ns|us|ms|s|m|h)", re.ASCII)

SHOWN = 60
"""Longest text that an error repeats."""


def parse_duration(text: str) -> int:
    """The length of time in ns, exactly; what is below one ns is dropped.

    Raises `ValueError`, whose words say how to write one.
    """
    found = _PATTERN.fullmatch(text.strip())
    if found is None:
        shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
        raise ValueError(
            f"{shown!r} is no length of time: write a number and its unit, as in 250ms"
        )
    whole, fraction, unit = found.groups()
    fraction = fraction or ""
    scale = UNITS[unit]
    return int(whole) * scale + int(fraction.ljust(9, "0")) * scale // 10**9


def duration_text(ns: int) -> str:
    """As a person would write it: the largest unit in which it is a whole number."""
    for unit, scale in reversed(UNITS.items()):
        if ns and ns % scale == 0:
            return f"{ns // scale}{unit}"
    return "0s"
