"""``matchbox consume list`` and ``remove``: who reads a venue by a consumer group."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.connected import with_client
from matchbox_tui.cli.output import print_json, print_line, print_table, printable
from matchbox_tui.cli.running import UsageError

if TYPE_CHECKING:
    from matchbox_tui.store import Client, ConsumerGroup
    from matchbox_tui.store.memory import MemoryStatus


def print_groups(groups: "Sequence[ConsumerGroup]") -> None:
    """A table of the groups, and for each abandoned one what removes it."""
    from matchbox_tui.store.groups import removal

    titles = ("consumer", "stream", "state", "read", "behind", "pending", "consumers", "idle_s")
    rows = [
        (
            *(group.name, group.stream, group.state, group.read_up_to, group.behind),
            *(group.pending, group.consumers),
            "-" if group.idle_ms is None else group.idle_ms // 1000,
        )
        for group in groups
    ]
    print_table(titles, rows)
    for group in groups:
        if group.state == "abandoned":
            held = f"; {group.stream} is kept for it" if group.holds_trimming else ""
            print_line(
                f"{printable(group.name)} on {group.stream} is abandoned{held}."
                f" To remove it: {printable(removal(group.name))}"
            )


def print_memory(memory: "MemoryStatus") -> None:
    """A line on what is used, and what to do before it is too much."""
    from matchbox_tui.store.memory import in_words, limit_in_words

    streams = "  ".join(
        f"{one.stream} {in_words(one.bytes)}, {one.entries:,} entries" for one in memory.streams
    )
    used = f"{in_words(memory.used_bytes)} of {limit_in_words(memory)}"
    print_line(f"memory {used}  {streams}")
    for words in memory.warnings:
        print_line(printable(f"warning: {words}"))


def list_groups(
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    json: options.Json = False,
) -> int:
    """List who reads the journal and the fills, and how far."""

    async def work(client: "Client") -> int:
        groups = await client.consumer_groups()
        if json:
            print_json(groups)
        else:
            print_groups(groups)
        return 0

    return with_client(redis_url, prefix, work)


def remove(
    name: Annotated[str, typer.Argument(help="As consume list names it.", metavar="NAME")],
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    force: Annotated[
        bool,
        typer.Option("--force", envvar="MATCHBOX_FORCE", help="Even if it is at work."),
    ] = False,
) -> int:
    """Remove a consumer that nobody runs any more.

    Nothing is kept for it any longer. Should it come back, it begins anew.
    """

    async def work(client: "Client") -> int:
        groups = await client.consumer_groups()
        found = [group for group in groups if group.name == name]
        if not found:
            names = ", ".join(sorted({group.name for group in groups})) or "none"
            raise UsageError(printable(f"NAME {name!r}: no such consumer; there are {names}"))
        if not force and any(group.state == "alive" for group in found):
            raise UsageError(
                printable(f"NAME {name!r}: it is at work; stop it first, or remove it with --force")
            )
        for group in found:
            gone = await client.remove_group(group)
            words = f"removed {group.name} from" if gone else f"{group.name} was no longer on"
            print_line(printable(f"{words} {group.stream}"))
        return 0

    return with_client(redis_url, prefix, work)
