"""The moments that --since takes."""

import time
from collections.abc import Iterator

import pytest

from matchbox_tui.cli.running import UsageError
from matchbox_tui.cli.since import parse_since

NOW = 1_800_000_000 * 10**9
NEW_YEAR = 1_767_225_600 * 10**9


@pytest.fixture(autouse=True)
def _five_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "XYZ-5")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        (str(NEW_YEAR + 1), NEW_YEAR + 1),
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01T01:00:00.000001+01:00", NEW_YEAR + 1_000),
        ("2026-01-01 05:00", NEW_YEAR),
        ("2026-01-01", NEW_YEAR - 5 * 3_600 * 10**9),
        ("90s", NOW - 90 * 10**9),
        ("15m", NOW - 900 * 10**9),
        ("1h", NOW - 3_600 * 10**9),
        ("7d", NOW - 7 * 86_400 * 10**9),
        ("2w", NOW - 14 * 86_400 * 10**9),
        ("99999999999w", 0),
    ],
)
def test_a_moment(text: str, expected: int) -> None:
    assert parse_since(text, NOW) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "use a time"),
        ("yesterday", "use a time"),
        ("1 h", "use a time"),
        ("-1h", "use a time"),
        ("1.5h", "use a time"),
        ("²", "use a time"),
        ("2026-02-30", "use a time"),
        ("0001-01-01", "1970"),
        ("1969-12-31T23:59:59Z", "between 1970 and 2262"),
        ("9999-12-31", "2262"),
        (str(2**63), "between 1970 and 2262"),
        ("9" * 5_000, "use a time"),
        ("9" * 5_000 + "d", "use a time"),
    ],
)
def test_what_is_no_moment(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words) as error:
        parse_since(text, NOW)
    assert str(error.value).startswith(f"--since {text!r}: ")
