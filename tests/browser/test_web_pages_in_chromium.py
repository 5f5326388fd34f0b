"""Checking a file and browsing the rules in a real browser: drop, paste, keyboard, print, without script; axe; weight.

As for the report, Chromium is needed (see test_html_in_chromium.py).
``python tests/browser/test_web_pages_in_chromium.py`` writes four of the pictures in docs/screenshots/ anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from goodcommission.web.app import create_app

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "screenshots"
TENDER = ROOT / "examples" / "tender.json"
CHROMIUM = os.environ.get("GOODCOMMISSION_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
WATCH = """
window.violations = [];
window.shifted = 0;
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
new PerformanceObserver((list) => { for (const one of list.getEntries()) { window.shifted += one.value; } })
  .observe({type: "layout-shift", buffered: true});
"""
PHONE, DESKTOP = (390, 844), (1280, 900)
WRONG = "kind: tender\nterm:\n  month: 3\n"
PAGES = ("/", "/rules", "/packs", "/coverage", "/sources", "/rules/PP-03", "/rules/P-01", "/rules/MQ-08", "/nothing")

pytestmark = pytest.mark.xdist_group("browser")


@contextmanager
def served() -> Iterator[str]:
    """A server of the pages, and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    there = all(find_spec(name) for name in ("playwright", "axe_playwright_python")) and Path(CHROMIUM).exists()
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium, or a package of the extra dev, is missing.")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield started
        started.close()


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
    page.on("request", lambda request: asked.add(request.url.split("/")[2]))
    try:
        yield page
        assert said == []
        assert len(asked) == 1, asked
        assert page.evaluate("window.violations ?? []") == []
    finally:
        context.close()


@cache
def axe() -> str:
    import axe_playwright_python

    return Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")


def faults(page: Any) -> list[tuple[str, str]]:
    """What axe finds with all that can be unfolded shown."""
    page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
    page.evaluate(axe())
    found = page.evaluate("(rules) => axe.run({runOnly: rules})", list(RULES))
    assert found["passes"]
    return [(one["id"], node["html"][:300]) for one in found["violations"] for node in one["nodes"]]


@pytest.mark.parametrize("path", [*PAGES, "wrong", "report"])
@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")])
def test_axe_finds_no_barrier_and_nothing_is_cut_off(
    browser: Any, address: str, path: str, size: tuple[int, int], scheme: str
) -> None:
    with visit(browser, size, scheme=scheme) as page:
        page.goto(address + (path if path.startswith("/") else "/"))
        if not path.startswith("/"):
            page.get_by_label("Or paste its text").fill(WRONG if path == "wrong" else TENDER.read_text("utf-8"))
            page.get_by_role("button", name="Check it").click()
            page.wait_for_url("**/check")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert page.evaluate("window.shifted") == 0
        assert faults(page) == []


def test_a_file_is_uploaded_and_its_report_downloaded(browser: Any, address: str) -> None:
    with visit(browser, DESKTOP) as page:
        page.goto(address)
        page.get_by_label("Choose a file").set_input_files(TENDER)
        page.get_by_role("button", name="Check it").click()
        page.wait_for_url("**/check")
        assert page.locator("article[data-verdict=fail]").count() > 5
        with page.expect_download() as got:
            page.locator("[formaction='/download/json']").click()
        assert got.value.suggested_filename == "report.json"
        report = json.loads(Path(got.value.path()).read_text("utf-8"))
        assert report["document"]["name"] == "tender.json"
        shown = page.locator("article[data-verdict]").evaluate_all(
            "(all) => all.map((one) => [one.id, one.dataset.verdict])"
        )
        verdicts = {one["rule"]["id"]: one["verdict"] for one in report["results"]}
        assert {id: verdict for id, verdict in shown if id in verdicts} == verdicts


def test_a_file_is_dropped(browser: Any, address: str) -> None:
    with visit(browser, DESKTOP) as page:
        page.goto(address)
        held = page.evaluate_handle(
            """(text) => {
              const held = new DataTransfer();
              held.items.add(new File([text], "dropped.json", {type: "application/json"}));
              return held;
            }""",
            TENDER.read_text("utf-8"),
        )
        for event in ("dragenter", "dragover"):
            page.dispatch_event("body", event, {"dataTransfer": held})
        assert page.locator("body.dropping").count() == 1
        page.dispatch_event("body", "drop", {"dataTransfer": held})
        page.wait_for_url("**/check")
        assert "dropped.json" in page.content()


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_a_mistake_in_a_pasted_text_is_mended_by_keyboard_alone(
    browser: Any, address: str, size: tuple[int, int]
) -> None:
    def tab_to(page: Any, id: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id || document.activeElement.className") == id:
                return
        raise AssertionError(id)

    with visit(browser, size) as page:
        page.goto(address)
        tab_to(page, "text")
        page.keyboard.insert_text(WRONG)
        tab_to(page, "go")
        page.keyboard.press("Enter")
        page.wait_for_url("**/check")
        assert "month" in page.locator("#line-3.wrong").inner_text()
        assert page.get_by_role("alert").get_by_role("link", name="Line 3").is_visible()
        tab_to(page, "text")
        assert page.locator("#text").input_value() == WRONG
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.insert_text(WRONG.replace("month:", "months:"))
        tab_to(page, "go")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("article[data-verdict]").count() > 50


def test_the_rules_are_searched_by_keyboard(browser: Any, address: str) -> None:
    with visit(browser, PHONE) as page:
        page.goto(address + "/rules")
        all_ = page.locator(".rules li").count()
        page.get_by_label("Search").focus()
        page.keyboard.type("Procurement Act 2023")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert 0 < page.locator(".rules li").count() < all_
        page.locator(".rules a").first.focus()
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert "Procurement Act 2023" in page.locator("main").inner_text()


def test_without_script_a_file_is_checked_and_downloaded(browser: Any, address: str) -> None:
    with visit(browser, PHONE, script=False) as page:
        page.goto(address)
        page.locator("summary").click()
        page.get_by_label("Day of the audit").fill("2026-11-20")
        page.get_by_label("Choose a file").set_input_files(TENDER)
        page.get_by_role("button", name="Check it").click()
        page.wait_for_url("**/check")
        assert page.locator("article.entry").first.is_visible()
        assert not page.locator("[data-print]").is_visible()
        with page.expect_download() as got:
            page.locator("[formaction='/download/json']").click()
        assert json.loads(Path(got.value.path()).read_text("utf-8"))["as_of"] == "2026-11-20"


def test_on_paper_the_report_stands_alone(browser: Any, address: str) -> None:
    with visit(browser, DESKTOP) as page:
        page.goto(address)
        page.locator("#file").set_input_files(TENDER)
        page.get_by_role("button", name="Check it").click()
        page.wait_for_url("**/check")
        page.evaluate("window.print = () => { window.printed = true; }")
        page.locator("[data-print]").click()
        assert page.evaluate("window.printed")
        page.emulate_media(media="print")
        assert not page.locator(".tools").is_visible() and not page.locator(".site").is_visible()
        assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("path", [*PAGES[:-1], "report"])
def test_a_cold_page_is_light_and_nothing_moves(browser: Any, address: str, path: str) -> None:
    with visit(browser, DESKTOP) as page:
        network = page.context.new_cdp_session(page)
        network.send("Network.enable")
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})
        if path == "report":
            page.goto(address)
            page.locator("#file").set_input_files(TENDER)
        came: list[float] = []
        network.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
        if path == "report":
            page.get_by_role("button", name="Check it").click()
            page.wait_for_url("**/check")
        else:
            page.goto(address + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.shifted") == 0
        assert 1000 < sum(came) < 100_000


def take_pictures() -> None:
    """The pictures of the documentation."""
    from playwright.sync_api import sync_playwright

    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1100, "height": 800}, reduced_motion="reduce")
        for name, path, text in (
            ("web-check", "/", ""),
            ("web-problem", "/", WRONG),
            ("web-report", "/", TENDER.read_text("utf-8")),
            ("web-rules", "/rules", ""),
        ):
            page.goto(address + path)
            if text:
                page.locator("#text").fill(text)
                page.get_by_role("button", name="Check it").click()
                page.wait_for_url("**/check")
            page.screenshot(path=PICTURES / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    sys.exit(take_pictures())
