"""``matchbox serve``: an engine instance and the HTTP + WebSocket API in one process."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from matchbox_tui.cli import options
from matchbox_tui.cli.running import EXIT_USAGE, UsageError, fail, on_stop, run, say, set_up_logging

if TYPE_CHECKING:
    import socket

    from matchbox_tui.cli.instance import Instance


def serve(
    port: Annotated[
        int, typer.Option("--port", "-p", envvar="PORT", help="Where the API listens.")
    ] = 8080,
    host: Annotated[
        str, typer.Option("--host", envvar="HOST", help="On which of this machine's addresses.")
    ] = "127.0.0.1",
    redis_url: options.RedisUrl = options.DEFAULT_URL,
    prefix: options.Prefix = "",
    instance_id: options.InstanceId = "",
    markets: options.OpenMarkets = "",
    lease_ms: options.LeaseMs = 2000,
    renew_ms: options.RenewMs = 500,
    poll_ms: options.PollMs = 20,
    snapshot_ms: options.SnapshotMs = 10_000,
    history: options.History = 100_000,
    data_dir: options.SnapshotDir = None,
    hash_every: options.HashEvery = 0,
    until_eof: options.UntilEof = False,
    log_level: options.LogLevel = "info",
) -> None:
    """Run one instance with the HTTP + WebSocket API."""
    from matchbox_tui.api import listen
    from matchbox_tui.cli.instance import Instance

    set_up_logging(log_level)
    if not 0 <= port <= 65535:
        raise UsageError(f"--port {port}: use a number between 1 and 65535")
    instance = Instance.of(
        *(redis_url, prefix, instance_id, markets, lease_ms, renew_ms, poll_ms, snapshot_ms),
        *(history, data_dir, hash_every),
    )
    try:
        listener = listen(host, port)
    except OSError as error:
        fail(f"can't listen on {host}:{port} ({error.strerror}): use another --port", EXIT_USAGE)
    run(_serve(instance, listener, until_eof))


async def _serve(instance: "Instance", listener: "socket.socket", until_eof: bool) -> None:
    from matchbox_tui.api import ApiServer, Gateway, create_app
    from matchbox_tui.store import Client

    node = await instance.start()
    client = await Client.connect(instance.url, instance.prefix, "api")
    gateway = Gateway(client)
    server = ApiServer(create_app(gateway), listener)

    def stop() -> None:
        server.stop()
        node.stop()

    on_stop(stop, until_eof=until_eof)
    reading = asyncio.create_task(gateway.run())
    host, port = listener.getsockname()[:2]
    say(f"Serving at http://{host}:{port}; Ctrl-C stops it.")
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run_until_stopped())
            running = tasks.create_task(node.run())
            running.add_done_callback(lambda _: server.stop())
        await gateway.finish()
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from None
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await client.close()
