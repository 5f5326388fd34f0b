"""The pages on the web server and its API: their commands work, their tables are complete, the image can be built."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from goodcommission.cli.serve import serve
from goodcommission.web.api import PROBLEMS
from goodcommission.web.service import MEDIA_TYPES

CHECKOUT = Path(__file__).parent.parent
API = (CHECKOUT / "docs" / "api.md").read_text("utf-8")
WEB = (CHECKOUT / "docs" / "web.md").read_text("utf-8")
BLOCKS = [block for block in re.findall(r"^```sh\n(.*?)^```$", API, re.MULTILINE | re.DOTALL) if "$ADDRESS" in block]
CLIENT = CHECKOUT / "examples" / "api_client.py"


@pytest.fixture(scope="module")
def address(serving: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("saved")
    with serving("--database", f"sqlite:///{folder / 'audits.db'}") as (address, _):
        yield address


def test_the_commands_of_the_page_work(address: str) -> None:
    if not shutil.which("curl") and not os.environ.get("CI"):
        pytest.skip("curl is not installed")
    said = []
    python = f'python() {{ "{sys.executable}" "$@" || [ $? = 1 ]; }}\n'
    for block in BLOCKS:
        run = subprocess.run(
            ["bash", "-e", "-c", python + block],
            cwd=CHECKOUT,
            env={**os.environ, "ADDRESS": address, "NO_PROXY": "127.0.0.1", "PYTHONUTF8": "1"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert run.returncode == 0, f"{block}\n{run.stdout[-2000:]}\n{run.stderr}"
        said.append(run.stdout)
    assert len(said) == 6
    assert json.loads(said[0])["score"]["grade"]
    assert said[1].startswith("#")
    beside = json.loads(said[2])
    assert beside["document"]["profile"]["name"] == "profile.yaml" and beside["regime"]["territory"] == "wales"
    assert said[3].startswith("Score: ")
    assert '"valid":true' in said[4] and "PP-03" in said[4]
    assert '"schema_version": "1.1"' in said[5]


def test_the_client_gives_what_is_wrong_and_passes_checks_of_types(address: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("kind: tender\nvalue: lots\n", "utf-8")
    run = subprocess.run(
        [sys.executable, str(CLIENT), address, str(wrong)], capture_output=True, encoding="utf-8", check=False
    )
    assert run.returncode == 2
    assert run.stderr.startswith("line 2: ") and "Traceback" not in run.stderr
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), "--config-file", "", str(CLIENT)],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_tables_are_complete() -> None:
    assert all(f"`{form}`" in API for form in MEDIA_TYPES)
    assert {str(status) for status in PROBLEMS} <= set(re.findall(r"^\| (\d{3}) \|", API, re.MULTILINE))
    options = {option for one in serve.params if isinstance(one, click.Option) for option in one.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", WEB)) - options <= {"--rm", "--read-only", "--tmpfs"}
    held = {one.opts[0]: one.default for one in serve.params if isinstance(one, click.Option)}
    for option, default in re.findall(r"^\| `(--[a-z-]+)` \| ([\d,]+) ", WEB, re.MULTILINE):
        assert float(default.replace(",", "")) == held[option], option


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile: the word and what follows, with continued lines joined."""
    lines = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines if line.strip()]


def test_the_image_is_made_of_what_is_there() -> None:
    held = instructions((CHECKOUT / "Dockerfile").read_text("utf-8"))
    stages = [rest.split(" AS ")[-1] for word, rest in held if word == "FROM" and " AS " in rest]
    assert all(rest.startswith("python:3.11-slim") for word, rest in held if word == "FROM")
    ignored = (CHECKOUT / ".dockerignore").read_text("utf-8").splitlines()
    assert ignored[0] == "*"
    copied: set[str] = set()
    for rest in (rest for word, rest in held if word == "COPY"):
        parts = shlex.split(rest)
        if parts[0].startswith("--from="):
            assert parts[0].removeprefix("--from=") in stages
        else:
            copied.update(parts[:-1])
    assert copied
    for one in copied:
        assert (CHECKOUT / one).exists(), one
        assert f"!{one.rstrip('/')}" in ignored, one
    # What the wheel is built of is copied, or the build fails.
    for one in ("pyproject.toml", "README.md", "LICENSE", "goodcommission", "rules", "schemas", "examples"):
        assert one in {name.rstrip("/") for name in copied}, one
    (user,) = (rest for word, rest in held if word == "USER")
    assert user.isdigit() and int(user) > 0
    command = json.loads(next(rest for word, rest in held if word == "ENTRYPOINT"))
    options = json.loads(next(rest for word, rest in held if word == "CMD"))
    assert command == ["goodcommission", "serve"]
    context = serve.make_context("serve", options)
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", 8000)
    assert any(word == "EXPOSE" and rest == "8000" for word, rest in held)
    (health,) = (rest for word, rest in held if word == "HEALTHCHECK")
    check = json.loads(health[health.index("CMD") + 3 :])
    assert check[0] == "python" and "/healthz" in check[2]
    compile(check[2], "HEALTHCHECK", "exec")


def test_the_health_check_of_the_image_holds(address: str) -> None:
    held = dict(instructions((CHECKOUT / "Dockerfile").read_text("utf-8")))["HEALTHCHECK"]
    script = json.loads(held[held.index("CMD") + 3 :])[2]
    for port, status in ((address.rpartition(":")[2], 0), ("1", 1)):
        run = subprocess.run([sys.executable, "-c", script.replace("8000", port)], capture_output=True, check=False)
        assert (run.returncode != 0) == status
