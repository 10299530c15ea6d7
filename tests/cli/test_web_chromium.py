"""The page in a real browser: it paints the screen, takes keys, and asks nobody else for anything.

Needs a Chromium: Debian's packages `chromium` and `chromium-headless-shell` both do.
"""

from pathlib import Path

import pytest

from matchbox_tui.tui import PALETTES
from tests.cli.chromium import HEIGHT, WIDTH, chromium, installed
from tests.cli.processes import Marked
from tests.cli.venue import Venue
from tests.cli.website import serving
from tests.waiting import soon

pytestmark = pytest.mark.skipif(installed() is None, reason="no chromium here")


def test_a_browser_shows_the_screen_and_trades(venue: Venue, market: str, tmp_path: Path) -> None:
    for price in range(40, 48):
        venue.call("buy", "20", str(price), "--market", market, "--trader", "dealer")
    venue.call("sell", "30", "52", "--market", market, "--trader", "dealer")
    with (
        Marked(venue.env) as marked,
        serving(marked, "--market", market, "--trader", "alice") as website,
        chromium() as browser,
    ):
        palette = PALETTES["dark"]
        browser.open(f"http://{website.host}/")
        soon(lambda: browser.value("document.title") == "alice - Matchbox")
        soon(lambda: browser.value("document.body?.classList.contains('-first-byte')"))
        picture = soon(
            lambda: browser.picture(tmp_path / "screen.png"),
            lambda seen: seen.colours[palette.bid] > 50 and seen.colours[palette.ask] > 20,
        )
        assert (picture.width, picture.height) == (WIDTH, HEIGHT)
        assert picture.share(palette.ground) > 0.5
        assert len(picture.colours) > 50

        for key in ("a", "l", "b", "7", "Enter"):
            browser.press(key)
        soon(lambda: venue.call("fills", "--market", market, "--json").lines())
        (fill,) = venue.call("fills", "--market", market, "--json").lines()
        assert (fill["price"], fill["qty"], fill["taker_side"]) == (52, 7, "buy")
        soon(
            lambda: browser.picture(tmp_path / "traded.png"),
            lambda seen: seen.colours != picture.colours,
        )

        here = (f"http://{website.host}/", f"ws://{website.host}/ws?", "data:")
        assert [url for url in browser.requests if not url.startswith(here)] == []
        assert any(url.startswith("ws:") for url in browser.requests)
        assert browser.errors == []

        # The screen ends with the page, and says so where it ends by itself.
        browser.open("about:blank")
        soon(lambda: marked.count("tui") == 0)
        browser.open(f"http://{website.host}/")
        soon(lambda: browser.value("document.body?.classList.contains('-first-byte')"))
        website.process.terminate()
        assert website.said() == ""
        words = "document.body?.innerText ?? ''"
        soon(lambda: "This screen has ended." in browser.value(words))
        marked.leave_nothing()
