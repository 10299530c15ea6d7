"""The options that several commands share; each has an environment variable."""

from pathlib import Path
from typing import Annotated

import typer

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
    typer.Option("--seed", envvar="MATCHBOX_SEED", help="The traders' chance.", metavar="N"),
]

DEFAULT_URL = "redis://127.0.0.1:6379"
