"""How many events a second persistence writes, beside a plain executemany of the same rows.

    python docs/measure_persistence.py [--events N] [--rounds N] [DATABASE_URL]

Without a URL into SQLite in a directory of its own. The database should be one for this purpose:
its tables are dropped before each round. Server, reading, folding and writing share this machine.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.engine import make_url

from matchbox_tui.consumers.persistence import Database, Persistence
from matchbox_tui.consumers.persistence.tables import metadata, orders, trades
from matchbox_tui.engine import CancelOrder, Event, NewOrder, Side, encode_events
from matchbox_tui.store import (
    Client,
    EmbeddedServer,
    Keys,
    Registration,
    Replica,
    Server,
)

COMMIT_COMMANDS = 50
OPEN_ORDERS = 2000


async def fill(url: str, events: int, seed: int) -> tuple[int, int]:
    """Puts a journal of so many events there; how many there are, and its last sequence."""
    keys, link = Keys(), Server(url, timeout_s=30).link()
    chance, replica, written, ids = random.Random(seed), Replica(), 0, 0
    while written < events:
        happened: list[Event] = []
        for _ in range(COMMIT_COMMANDS):
            if len(replica.exchange.orders) > OPEN_ORDERS:
                oldest = next(iter(replica.exchange.orders))
                happened += replica.exchange.apply(CancelOrder(oldest, timestamp=ids))
                continue
            ids += 1
            happened += replica.exchange.apply(
                NewOrder(
                    order_id=ids,
                    side=chance.choice(list(Side)),
                    price=round(chance.gauss(500, 20)),
                    qty=chance.randint(1, 20),
                    timestamp=ids,
                    trader=f"trader-{chance.randint(1, 100)}",
                )
            )
        blob = encode_events(happened)
        replica.advance(blob, 1)
        fields = ("v", "1", "e", "1", "c", replica.chain, "b", blob)
        await link.call("XADD", keys.log, f"{replica.seq}-0", *fields)
        written += len(happened)
    values = ("seq", replica.seq, "chain", replica.chain, "epoch", 1)
    await link.call("HSET", keys.cursor, *values)
    await link.close()
    return written, replica.seq


async def persist(server_url: str, database_url: str, seq: int) -> float:
    """Seconds from an empty database to the journal's tip."""
    client = await Client.connect(server_url)
    registration = Registration(client.server, client.keys, "measured", "one")
    database = Database(database_url)
    database.prepare()
    service = Persistence(client, registration, database)
    began = time.perf_counter()
    task = asyncio.ensure_future(service.run())
    while service.progress.place.seq < seq and not task.done():  # noqa: ASYNC110  # it tells nobody
        await asyncio.sleep(0.005)
    took = time.perf_counter() - began
    service.stop()
    await task
    await registration.close()
    await client.close()
    database.close()
    return took


def drop(database_url: str) -> None:
    engine = create_engine(_driven(database_url))
    with engine.begin() as connection:
        metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS alembic_version")
    engine.dispose()


def executemany(database_url: str) -> float:
    """Seconds for the rows that are there, written again by executemany in one transaction."""
    engine = create_engine(_driven(database_url))
    place = "?" if engine.dialect.name == "sqlite" else "%s"
    took = 0.0
    for table in (orders, trades):
        with engine.connect() as connection:
            rows = [tuple(row) for row in connection.execute(select(table))]
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table.name}")
        places = ", ".join([place] * len(table.columns))
        began = time.perf_counter()
        with engine.begin() as connection:
            connection.exec_driver_sql(f"INSERT INTO {table.name} VALUES ({places})", rows)
        took += time.perf_counter() - began
    engine.dispose()
    return took


def _driven(url: str) -> str:
    parsed = make_url(url)
    if parsed.drivername != "sqlite":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


async def measure(database_url: str, events: int, rounds: int) -> None:
    with EmbeddedServer() as server:
        written, seq = await fill(server.url, events, 1)
        _say(f"{written} events of {seq} commands")
        for _ in range(rounds):
            drop(database_url)
            took = await persist(server.url, database_url, seq)
            plain = executemany(database_url)
            _say(
                f"persistence {written / took:,.0f} events/s; executemany of its rows alone"
                f" {written / plain:,.0f} events/s; ratio {plain / took:.2f}"
            )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("url", nargs="?", metavar="DATABASE_URL")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = given.url or f"sqlite:///{Path(directory) / 'measured.db'}"
        asyncio.run(measure(url, given.events, given.rounds))


if __name__ == "__main__":
    main()
