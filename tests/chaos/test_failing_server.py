"""The server fails in every way that it knows: the venue says so, and goes on when it is over."""

import asyncio

import pytest

from matchbox_tui.store import Client, Refused, Server, Unreachable, Unusable
from tests.chaos.going_on import QUICK, holds, opened, says
from tests.node.venue import PATIENT, Venue, buy, sell
from tests.servers import OwnServer


async def test_scripts_forgotten_again_and_again_hold_up_nothing(venue: Venue) -> None:
    await opened(venue, PATIENT)
    done = asyncio.Event()

    async def forget() -> None:
        while not done.is_set():
            await venue.link.call("SCRIPT", "FLUSH")
            await asyncio.sleep(0)

    forgetting = asyncio.ensure_future(forget())
    for n in range(50):
        assert len(await venue.client.submit([buy(40 + n % 9), sell(60)])) == 2
    await venue.handled()
    done.set()
    await forgetting
    await holds(venue)
    # Nobody lost the lead over it.
    assert {entry.epoch for entry in await venue.journal()} == {1}


async def test_a_server_out_of_memory_finishes_what_it_acknowledged(venue: Venue) -> None:
    await opened(venue)
    await venue.instances["a"].stop()
    await venue.instances["b"].stop()
    assert await venue.client.submit([buy(40), sell(60)]) == [3, 4]
    await venue.link.call("CONFIG", "SET", "maxmemory", 1)
    with pytest.raises(Refused, match=r"out of memory .* CONFIG SET maxmemory"):
        await venue.client.submit([buy(1), sell(99)])
    assert await venue.link.call("LLEN", venue.keys.queue) == 2

    await venue.lead("c", settings=QUICK)
    await venue.handled()
    assert {3, 4} <= set((await venue.replica()).exchange.orders)
    tenure = (await venue.client.cluster()).epoch
    await asyncio.sleep(2 * QUICK.lease_ms / 1000)
    assert (await venue.client.cluster()).epoch == tenure, "the lead was lost for want of memory"

    await venue.link.call("CONFIG", "SET", "maxmemory", 0)
    del venue.instances["a"], venue.instances["b"]
    venue.start("d", settings=QUICK)
    await holds(venue)


async def test_a_server_that_becomes_a_replica_is_waited_for(venue: Venue) -> None:
    await opened(venue)
    await venue.link.call("REPLICAOF", "127.0.0.1", 1)
    with pytest.raises(Refused, match=r"has become a replica .* REPLICAOF NO ONE"):
        await venue.client.submit([buy(1)])
    with pytest.raises(Unusable, match="is a replica"):
        await Client.connect(venue.url)
    await asyncio.sleep(2 * QUICK.lease_ms / 1000)
    await venue.link.call("REPLICAOF", "NO", "ONE")
    await holds(venue)


async def test_another_program_s_endless_script_is_waited_for(venue: Venue) -> None:
    await opened(venue)
    await venue.link.call("CONFIG", "SET", "lua-time-limit", 50)
    guilty = Server(venue.url).link()
    running = asyncio.ensure_future(guilty.call("EVAL", "while true do end", 0, timeout_s=60))
    await says(venue, Refused, "busy with another program's script: SCRIPT KILL")
    await venue.link.call("SCRIPT", "KILL")
    with pytest.raises(Refused):
        await running
    await guilty.close()
    await holds(venue)


async def test_a_password_that_is_set_while_everybody_is_connected_is_asked_for(
    venue: Venue,
) -> None:
    await opened(venue)
    await venue.link.call("CONFIG", "SET", "requirepass", "secret")
    # Who is connected stays so, until the connection is lost.
    assert await venue.client.submit([buy(40)]) == [3]
    await venue.link.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await venue.link.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    await says(venue, Unusable, "put user and password into REDIS_URL")
    await asyncio.sleep(2 * QUICK.lease_ms / 1000)
    await venue.link.call("CONFIG", "SET", "requirepass", "")
    await holds(venue)


async def test_a_server_that_is_still_reading_its_file_is_waited_for(
    venue: Venue, own: OwnServer
) -> None:
    await opened(venue)
    writes = [("SET", f"other:{n}", n) for n in range(8000)]
    await venue.link.calls(writes)
    own.kill()
    # Microseconds for each command in the file; the server answers after every thousand or so.
    own.options += ("--key-load-delay", "50")
    own.launch()
    await says(venue, Unreachable, "is not ready")
    await holds(venue)
