"""Makes the pictures of the README from the app as it runs on a real, private venue.

Run it from the repository's root: ``python docs/screenshots/make.py``.
"""

import asyncio
import re
from pathlib import Path

from textual.pilot import Pilot

from matchbox_tui.store import EmbeddedServer
from matchbox_tui.tui import MatchboxApp
from sim import Cluster, make_markets

HERE = Path(__file__).parent
SIZES = {"ladder": (120, 36), "small": (80, 24)}


async def trade(pilot: Pilot[None]) -> None:
    """What a person would do: join both sides, take a little, prepare one more."""
    for keys in ("right", "s", "enter", "up", "up", "s", "enter"):
        await pilot.press(keys)
        await pilot.pause(0.2)
    for keys in ("left", "b", "enter", "down", "down", "b", "plus", "enter"):
        await pilot.press(keys)
        await pilot.pause(0.2)
    await pilot.press("right", "b", "5")
    await pilot.pause(0.5)
    await pilot.press("enter")
    await pilot.pause(2.0)
    await pilot.press("c", "left", "b")
    await pilot.pause(1.0)


def without_fonts(svg: str) -> str:
    """A picture should not send its reader to another site for a font."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)


async def picture(url: str, name: str, size: tuple[int, int], market: str) -> None:
    app = MatchboxApp(url, trader="you", market=market)
    async with app.run_test(size=size) as pilot:
        await pilot.pause(3.0)
        await trade(pilot)
        (HERE / f"{name}.svg").write_text(without_fonts(app.export_screenshot()))
        await pilot.press("escape", "X")
        await pilot.pause(0.5)


def main() -> None:
    markets = make_markets(3, seed=1)
    with EmbeddedServer() as server:
        cluster = Cluster(server.url, server.directory, markets=markets)
        try:
            cluster.start(instances=3, traders=20, rate=200, seed=1)
            for name, size in SIZES.items():
                asyncio.run(picture(server.url, name, size, markets[0].symbol))
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
