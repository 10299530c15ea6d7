"""``docker-compose.yml``: Docker doesn't run here, so each part is held against what it names."""

import json
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from matchbox_tui.store import Client
from tests.cli.command import call
from tests.servers import OwnServer

ROOT = Path(__file__).parent.parent
FILE = ROOT / "docker-compose.yml"
SERVERS = {"server-a": 8080, "server-b": 8081}


@pytest.fixture
def services() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(FILE.read_text())["services"]
    return content


def recipe(service: dict[str, Any]) -> list[list[str]]:
    """The inline Dockerfile's instructions, in words."""
    return [line.split() for line in service["build"]["dockerfile_inline"].splitlines()]


def check_schema(file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", str(file)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_is_what_the_compose_specification_allows(tmp_path: Path) -> None:
    done = check_schema(FILE)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "docker-compose.yml"
    wrong.write_text(FILE.read_text().replace("    ports:", "    harbours:"))
    assert check_schema(wrong).returncode == 1


def test_there_are_redis_and_two_servers(services: dict[str, Any]) -> None:
    assert set(services) == {"redis", *SERVERS}
    for name, port in SERVERS.items():
        service = services[name]
        assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert service["environment"] == {
            "HOST": "0.0.0.0",
            "PORT": str(port),
            "REDIS_URL": "redis://redis:6379",
            "MATCHBOX_API_TOKEN": "${MATCHBOX_API_TOKEN:-}",
        }
        assert service["depends_on"] == {"redis": {"condition": "service_healthy"}}
        assert service["image"] == services["server-a"]["image"]
        assert service["build"] == services["server-a"]["build"]


def test_the_servers_run_a_command_that_knows_their_variables(services: dict[str, Any]) -> None:
    command = recipe(services["server-a"])[-1]
    assert command[0] == "CMD"
    program, *arguments = json.loads(" ".join(command[1:]))
    assert program in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    shown = call(*arguments, "--help")
    assert shown.code == 0
    for variable in services["server-a"]["environment"]:
        assert re.search(rf"\[env\s+var:\s+{variable}[;\]]", shown.out), variable


def test_the_image_gets_all_that_the_installation_needs(services: dict[str, Any]) -> None:
    copied = {
        word for line in recipe(services["server-a"]) if line[0] == "COPY" for word in line[1:-1]
    }
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    about = project["project"]
    assert copied == {"pyproject.toml", about["readme"], *about["license-files"], *packages}


async def test_the_options_for_redis_draw_no_warning(services: dict[str, Any]) -> None:
    program, *options = shlex.split(services["redis"]["command"])
    assert program == "redis-server"
    # On top of a server that promises nothing, so that each of the options counts.
    weak = ("--appendfsync", "no", "--maxmemory-policy", "volatile-lru")
    for given, warned in ((options, 0), (options[2:], 1), (options[:2] + options[4:], 1)):
        with (
            tempfile.TemporaryDirectory(prefix="mb", dir="/tmp") as directory,
            OwnServer(Path(directory), *weak, *given, append=False) as own,
        ):
            client = await Client.connect(own.url)
            await client.close()
            assert len(client.warnings) == warned, client.warnings
