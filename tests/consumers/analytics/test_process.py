"""`matchbox consume analytics` as its users run it: killed, stopped, started on nothing."""

import asyncio
import contextlib
import random
import signal
import subprocess
from collections.abc import Iterator, Mapping

from matchbox_tui.consumers.analytics import Figures
from matchbox_tui.engine import Exchange
from tests.cli.command import call, command_line, environment, run
from tests.node.traded import mixed_orders
from tests.node.venue import QUIET, Venue
from tests.ports import free_port
from tests.waiting import eventually

KILLS = 3
PATIENCE = 20


@contextlib.contextmanager
def consuming(env: Mapping[str, str], *options: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        command_line("consume", "analytics", *options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(env),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


async def counted(venue: Venue) -> int:
    """How far the posted figures are."""
    found = await venue.client.analytics.stats("MAIN")
    return found[0].sequence if found is not None else -1


async def test_kills_at_any_moment_change_no_number(venue: Venue) -> None:
    env = {"REDIS_URL": venue.url, "MATCHBOX_KEY_PREFIX": venue.prefix}
    await venue.lead(settings=QUIET)
    chance = random.Random(3)
    for kill in range(KILLS):
        before = await counted(venue)
        for round_ in range(4):
            await venue.client.submit(mixed_orders(100 * kill + round_, 1000))
        with consuming(env, "--id", "one") as process:
            await eventually(lambda: counted(venue), lambda seq: seq > before)  # noqa: B023
            await asyncio.sleep(chance.uniform(0, 0.2))
            process.kill()
    await venue.client.submit(mixed_orders(99, 10))
    tip = await venue.handled()
    with consuming(env, "--id", "one") as process:
        await eventually(lambda: counted(venue), lambda seq: seq == tip)
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
    assert process.returncode == 0, err
    assert "Working as analytics (one)" in err
    assert "Traceback" not in err
    assert await venue.link.call("EXISTS", venue.keys.consumer("analytics")) == 0
    figures = Figures(Exchange())
    for entry in await venue.journal():
        figures.fold(entry)
    for symbol, market in figures.markets.items():
        found = await venue.client.analytics.stats(symbol)
        assert found is not None
        assert found[1] == market.stats()
        assert found[0].health == figures.health.stats()
    assert figures.markets["MAIN"].stats().prices.trades > 100


def test_a_server_that_is_not_there_is_one_line_and_exit_code_3() -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    assert "127.0.0.1" in run("consume", "analytics", "--redis-url", url).refusal(3)


def test_a_name_with_blanks_is_refused_in_words() -> None:
    assert "--id 'my copy'" in call("consume", "analytics", "--id", "my copy").refusal(2)
