"""Settings of all tests: the same draws each time in CI, no limit on time, and a way to run without durable-rules."""

from __future__ import annotations

import contextlib
import gc
import importlib.metadata
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Machines differ in speed: a slow one must not turn a true statement into a failing test.
_SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large)
settings.register_profile("dev", deadline=None, suppress_health_check=_SLOW)
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, print_blob=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


# Packs, reports and their models stay to the end: looking through them again and again for garbage takes a tenth.
gc.set_threshold(100_000, 50, 100)


# Each of these shares something that is slow to start or that others would disturb, and stays in one process. (The
# marks of pytest-xdist for that, `xdist_group`, have no effect with pytest 9.)
_TOGETHER = ("tests/browser/", "tests/test_drills.py", "tests/test_scan_spark.py", "tests/test_wheel.py")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from xdist.scheduler import LoadScopeScheduling

    class InGroups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return next((group for group in _TOGETHER if nodeid.startswith(group)), nodeid)

    return InGroups(config, log)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without-durable",
        action="store_true",
        help="Hide durable-rules, as on a computer on which it is not installed.",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--without-durable"):
        installed = importlib.metadata.version

        def version(name: str) -> str:
            if name == "durable_rules":
                raise importlib.metadata.PackageNotFoundError(name)
            return installed(name)

        importlib.metadata.version = version
        return
    from goodcommission.engine.durable import available

    if os.environ.get("CI") and sys.version_info < (3, 13) and not available()[0]:
        raise pytest.UsageError(f"In CI both engines are tested. {available()[1]}")


@contextlib.contextmanager
def _served(*options: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server on a free port: its address, and its process."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "goodcommission", "serve", "--port", str(port), *options],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(600):
            with contextlib.suppress(OSError):
                direct.open(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
                break
            assert server.poll() is None, server.communicate()[1]
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", server
    finally:
        if server.poll() is None:
            server.terminate()
        server.communicate(timeout=60)


@pytest.fixture(scope="session")
def serving() -> Any:
    """Starts `goodcommission serve` with the options that are given; a context of its address and its process."""
    return _served
