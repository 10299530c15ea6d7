"""The page in a real browser: it needs nothing, and fits a phone and a desk, by day and night.

Needs a Chromium: Debian's packages `chromium` and `chromium-headless-shell` both do.
"""

from pathlib import Path

import pytest

from sim.report import write_page
from tests.cli.chromium import chromium, installed
from tests.sim.report.reported import told
from tests.waiting import soon

pytestmark = pytest.mark.skipif(installed() is None, reason="no chromium here")


def test_the_page_in_a_browser(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_page(told(), path)
    with chromium() as browser:
        browser.open(path.as_uri())
        soon(lambda: browser.value("document.readyState") == "complete")
        soon(lambda: browser.value("document.querySelectorAll('figure').length") == 10)
        assert [url for url in browser.requests if not url.startswith("data:")] == [path.as_uri()]
        assert browser.errors == []
        for width, shown, hidden in ((390, "narrow", "wide"), (1400, "wide", "narrow")):
            for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 23, 26)")):
                browser.look(width, 900, scheme)
                assert browser.value("document.documentElement.scrollWidth") <= width
                boxes = f"[...document.querySelectorAll('.{shown} svg')].map(s => s.clientWidth)"
                assert len(browser.value(boxes)) == 10
                assert min(browser.value(boxes)) > 300
                gone = f"[...document.querySelectorAll('.{hidden} svg')].map(s => s.clientWidth)"
                assert set(browser.value(gone)) == {0}
                style = "getComputedStyle(document.body).backgroundColor"
                assert browser.value(style) == paper
