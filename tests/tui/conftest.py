"""The same surroundings for every test of the app."""

import pytest


@pytest.fixture(autouse=True)
def plain_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests reaches what the app draws."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TEXTUAL", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
