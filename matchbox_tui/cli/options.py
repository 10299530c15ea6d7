"""The options that several commands share; each has an environment variable."""

from pathlib import Path
from typing import Annotated

import typer


def directory(text: str) -> Path:
    """A directory by its name. Raises `BadParameter` for an empty one, which would be this one."""
    if not text.strip():
        raise typer.BadParameter("it is empty; name a directory")
    return Path(text)


RedisUrl = Annotated[
    str,
    typer.Option(
        "--redis-url", envvar="REDIS_URL", help="Where the venue's server is.", metavar="URL"
    ),
]
Prefix = Annotated[
    str,
    typer.Option(
        "--key-prefix",
        envvar="MATCHBOX_KEY_PREFIX",
        help="Put before every key; on a cluster a hash tag: {venue}:",
        metavar="TEXT",
    ),
]
LogLevel = Annotated[
    str,
    typer.Option(
        "--log-level", envvar="LOG_LEVEL", help="debug, info, warning or error.", metavar="LEVEL"
    ),
]
Json = Annotated[bool, typer.Option("--json", envvar="MATCHBOX_JSON", help="Print JSON.")]
Csv = Annotated[bool, typer.Option("--csv", envvar="MATCHBOX_CSV", help="Print CSV.")]
Since = Annotated[
    str | None,
    typer.Option(
        "--since",
        envvar="MATCHBOX_SINCE",
        help="A time, a date, nanoseconds since 1970, or so long ago: 90s, 15m, 1h, 7d.",
        metavar="TIME",
        show_default="the beginning",
    ),
]
LastRows = Annotated[
    int | None,
    typer.Option(
        "--limit", envvar="MATCHBOX_LIMIT", help="How many of the last.", show_default="all"
    ),
]
MarketName = Annotated[
    str,
    typer.Option("--market", "-m", envvar="MATCHBOX_MARKET", help="The market.", metavar="SYMBOL"),
]
AnyMarket = Annotated[
    str | None,
    typer.Option(
        "--market", "-m", envvar="MATCHBOX_MARKET", help="One market only.", metavar="SYMBOL"
    ),
]
DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="MATCHBOX_DATA_DIR",
        help="Keep the data there; without it they go at the end.",
        metavar="DIR",
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", envvar="MATCHBOX_SEED", help="What chance begins with.", metavar="N"),
]
Instances = Annotated[
    int, typer.Option("--instances", envvar="MATCHBOX_INSTANCES", help="Engine instances.")
]
Traders = Annotated[
    int, typer.Option("--traders", envvar="MATCHBOX_TRADERS", help="Random traders, at least.")
]
Rate = Annotated[
    int,
    typer.Option("--rate", envvar="MATCHBOX_RATE", help="Their commands a second, all together."),
]
Timeout = Annotated[
    int,
    typer.Option("--timeout", envvar="MATCHBOX_TIMEOUT", help="Seconds to wait for the outcome."),
]
DatabaseUrl = Annotated[
    str,
    typer.Option(
        "--database-url",
        envvar="DATABASE_URL",
        help="SQLite or PostgreSQL.",
        metavar="URL",
        show_default="sqlite:///matchbox.db in the data directory",
    ),
]
HistoryUrl = Annotated[
    str,
    typer.Option(
        "--database-url",
        envvar="DATABASE_URL",
        help="Where the API reads what is no longer in memory: persistence's database.",
        metavar="URL",
        show_default="nowhere",
    ),
]
DatabaseDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="MATCHBOX_DATA_DIR",
        help="Where matchbox.db is kept.",
        metavar="DIR",
        show_default="the user's",
    ),
]
UntilEof = Annotated[
    bool,
    typer.Option(
        "--until-eof",
        envvar="MATCHBOX_UNTIL_EOF",
        help="Stop when standard input closes (for whoever starts this as a child).",
    ),
]
Drain = Annotated[
    bool,
    typer.Option(
        "--drain",
        envvar="MATCHBOX_DRAIN",
        help="Asked to stop, first read what is in the journal; asked again, stop.",
    ),
]
Once = Annotated[
    bool,
    typer.Option(
        "--once", envvar="MATCHBOX_ONCE", help="Read what is in the journal now, and end."
    ),
]

# What an engine instance takes, alone or beside the gateway.
InstanceId = Annotated[
    str,
    typer.Option("--id", envvar="MATCHBOX_ID", help="The instance's name.", show_default="made up"),
]
OpenMarkets = Annotated[
    str,
    typer.Option(
        "--markets", envvar="MATCHBOX_MARKETS", help="Prediction markets (1..99) to open: A,B"
    ),
]
LeaseMs = Annotated[
    int,
    typer.Option("--lease-ms", envvar="MATCHBOX_LEASE_MS", help="The lead ends after that."),
]
RenewMs = Annotated[
    int, typer.Option("--renew-ms", envvar="MATCHBOX_RENEW_MS", help="The lead is renewed.")
]
PollMs = Annotated[
    int, typer.Option("--poll-ms", envvar="MATCHBOX_POLL_MS", help="Followers look so often.")
]
SnapshotMs = Annotated[
    int,
    typer.Option(
        "--snapshot-interval-ms",
        envvar="MATCHBOX_SNAPSHOT_INTERVAL_MS",
        help="A snapshot is taken so often, or sooner where the journal grows much.",
    ),
]
History = Annotated[
    int,
    typer.Option(
        "--history",
        envvar="MATCHBOX_HISTORY",
        help="Commands that stay in the journal.",
    ),
]
SnapshotDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="MATCHBOX_DATA_DIR",
        help="Write the snapshots to files there as well.",
        metavar="DIR",
    ),
]
HashEvery = Annotated[
    int,
    typer.Option(
        "--hash-every",
        envvar="MATCHBOX_HASH_EVERY",
        help="Publish the state hash every so many commands; 0: never.",
    ),
]

DEFAULT_URL = "redis://127.0.0.1:6379"
