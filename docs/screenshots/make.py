"""Makes the pictures of the README from the app as it runs on a real, private venue.

Run it from the repository's root: ``python docs/screenshots/make.py``.
"""

import asyncio
import re
from pathlib import Path

from textual.pilot import Pilot

from matchbox_tui.cli.operator import PlayOperator
from matchbox_tui.store import EmbeddedServer
from matchbox_tui.tui import MatchboxApp
from sim import Cluster, make_markets

HERE = Path(__file__).parent
HASH_EVERY = 50
"""Often enough that the hashes are compared while the change of leader still is on the tape."""

SIZES = {"ladder": (160, 44), "small": (80, 24)}


class Operator(PlayOperator):
    hash_every = HASH_EVERY


async def trade(pilot: Pilot[None]) -> None:
    """What a person would do: join both sides, take a little, prepare one more."""
    for keys in ("a", "right", "s", "enter", "up", "up", "s", "enter"):
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


async def failover(url: str, market: str, operator: PlayOperator) -> None:
    """The leader is killed, and another leads."""
    app = MatchboxApp(url, trader="you", market=market, operator=operator)
    async with app.run_test(size=(120, 36)) as pilot:
        await pilot.pause(4.0)
        await pilot.press("c", "K")
        for _ in range(200):
            await pilot.pause(0.05)
            recovery = app.desk.model.recoveries.current
            if recovery is not None and len(recovery.equal) == 2:
                break
        (HERE / "failover.svg").write_text(without_fonts(app.export_screenshot()))


def main() -> None:
    markets = make_markets(3, seed=1)
    with EmbeddedServer() as server:
        settings = {"MATCHBOX_HASH_EVERY": str(HASH_EVERY)}
        cluster = Cluster(server.url, server.directory, markets=markets, settings=settings)
        try:
            cluster.start(instances=3, traders=20, rate=200, seed=1)
            for name, size in SIZES.items():
                asyncio.run(picture(server.url, name, size, markets[0].symbol))
            asyncio.run(failover(server.url, markets[0].symbol, Operator(cluster, server)))
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
