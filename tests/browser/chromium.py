"""A real browser for the tests beside this file: Chromium, a server of the pages, and what a page must never do."""

from __future__ import annotations

import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "screenshots"
TENDER = ROOT / "examples" / "tender.json"
CHROMIUM = os.environ.get("GOODCOMMISSION_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-GB",
)
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WATCH = """
window.violations = [];
window.shifted = 0;
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
new PerformanceObserver((list) => { for (const one of list.getEntries()) { window.shifted += one.value; } })
  .observe({type: "layout-shift", buffered: true});
"""
PHONE, DESKTOP = (390, 844), (1280, 900)


def missing() -> str | None:
    """What these tests need and can't find."""
    if find_spec("playwright") is None or find_spec("axe_playwright_python") is None:
        return 'the packages of the extra "dev" are not installed: pip install -e ".[dev]"'
    if not Path(CHROMIUM).exists():
        return "Chromium is not installed: apt-get install chromium, or name it in GOODCOMMISSION_CHROMIUM"
    return None


def launched(playwright: Any) -> Any:
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))


@contextmanager
def served(settings: Any = None) -> Iterator[str]:
    """A server of the pages, and its address."""
    import uvicorn

    from goodcommission.web.app import create_app

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    assert server.started
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def visit(browser: Any, size: tuple[int, int], *, script: bool = True, scheme: str = "light") -> Iterator[Any]:
    """A page that says nothing on its console, asks nobody else, and breaks no policy."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        java_script_enabled=script,
        color_scheme=scheme,
        reduced_motion="reduce",
    )
    context.add_init_script(WATCH)
    page = context.new_page()
    said: list[str] = []
    asked: set[str] = set()
    # The browser notes each 404 and 422, which are pages here.
    page.on("console", lambda one: None if re.search("status of (404|422)", one.text) else said.append(one.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: asked.add(request.url.partition("#")[0].split("/")[2]))
    try:
        yield page
        assert said == []
        assert len(asked) == 1, asked
        # Without scripts nothing can be asked of the page either.
        assert page.evaluate("window.violations ?? []") == []
    finally:
        context.close()


@cache
def axe() -> str:
    import axe_playwright_python

    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")


def faults(page: Any, within: str = "html") -> list[tuple[str, str]]:
    """What axe finds with all that can be unfolded shown, in the whole page or in a part of it."""
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    page.evaluate(axe())
    found = page.evaluate("([within, rules]) => axe.run(within, {runOnly: rules})", [within, list(RULES)])
    assert found["passes"]
    return [(one["id"], node["html"][:300]) for one in found["violations"] for node in one["nodes"]]
