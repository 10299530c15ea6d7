"""The server keeps what its OpenAPI document promises, whatever it is sent: schemathesis."""

import asyncio
import os
import sys
from pathlib import Path

from tests.api.serving import Api

ROOT = Path(__file__).parents[2]


# Why that check is off is said in schemathesis.toml, which `--checks` overrules.
async def test_the_server_does_what_its_document_says(counted: Api, tmp_path: Path) -> None:
    api = counted
    await api.place("sell", 60, 5, trader="alice", market="RAIN")
    await api.place("buy", 60, 3, trader="bob", market="RAIN")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"),
        *("--config-file", str(ROOT / "tests" / "api" / "schemathesis.toml")),
        *("run", f"http://{api.address}/docs/openapi.json"),
        *("--checks", "all", "--exclude-checks", "use_after_free"),
        *("--seed", "1", "--max-examples", "10", "--no-color"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    output = (await process.stdout.read()).decode()
    assert await process.wait() == 0, output
    assert "No issues found" in output
    await api.settled()
    assert await api.get("/orders", limit=1000)
