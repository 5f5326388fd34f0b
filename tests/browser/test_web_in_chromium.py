"""The pages of the web in a real browser: the questions by keyboard, on a phone and without script; what if; axe.

As for the report, Chromium is needed (see test_html_in_chromium.py). ``python tests/browser/test_web_in_chromium.py``
writes the pictures web-*.png in docs/screenshots/ anew.
"""

from __future__ import annotations

import json
import os
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

import pytest
import uvicorn

from goodcommission.web.app import create_app

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

pytestmark = pytest.mark.xdist_group("browser")


def missing() -> str | None:
    """What these tests need and can't find."""
    if find_spec("playwright") is None or find_spec("axe_playwright_python") is None:
        return 'the packages of the extra "dev" are not installed: pip install -e ".[dev]"'
    if not Path(CHROMIUM).exists():
        return "Chromium is not installed: apt-get install chromium, or name it in GOODCOMMISSION_CHROMIUM"
    return None


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
    if reason := missing():
        if os.environ.get("CI"):
            pytest.fail(f"In CI the pages are tested in a browser, and {reason}.")
        pytest.skip(reason)
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
    # A page that tells of a mistake is a 422, which the browser notes.
    page.on("console", lambda message: None if "422" in message.text else said.append(message.text))
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


def fits(page: Any, width: int) -> bool:
    found: bool = page.evaluate("document.documentElement.scrollWidth") <= width
    return found


def so_far(page: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.locator("[name=so_far]").input_value())
    return found


def tab_to(page: Any, words: str, most: int = 200) -> None:
    """Press Tab until something with these words has the focus, which must then be seen."""
    look = """() => {
        const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
        return [(at.labels?.[0]?.innerText || at.innerText || "").trim(), style.outlineStyle !== "none",
                box.top < innerHeight && box.bottom > 0];
    }"""
    for _ in range(most):
        page.keyboard.press("Tab")
        text, drawn, seen = page.evaluate(look)
        if text == words:
            assert drawn and seen, (text, drawn, seen)
            return
    pytest.fail(f"no way by keyboard to “{words}”")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_from_the_first_to_the_last_page_by_keyboard_alone(browser: Any, address: str, size: tuple[int, int]) -> None:
    from playwright.sync_api import expect

    with visit(browser, size) as page:
        page.goto(f"{address}/questions")
        tab_to(page, "A tender")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        tab_to(page, "What is it called?")
        page.keyboard.type("Day centre")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        headings: list[str] = []
        while page.locator("[name=page]").input_value():
            expect(page.locator("h1")).to_be_focused()
            heading = page.locator("h1").inner_text()
            headings.append(heading)
            assert page.title().startswith(heading)
            assert fits(page, size[0])
            # The first field below the heading is one Tab away; Enter in a field of text is Next.
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.type") == "radio":
                page.keyboard.press("Space")
                tab_to(page, "Next")
            else:
                tab_to(page, "Leave this for now")
            with page.expect_navigation():
                page.keyboard.press("Enter")
            assert len(headings) < 100
        assert len(headings) >= 15
        assert page.locator("h1").inner_text() == "Your answers"
        assert so_far(page)["title"] == "Day centre"
        assert so_far(page)["kind"] == "decommissioning_plan"
        assert faults(page) == []
        tab_to(page, "See the report")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator("main h1").inner_text() == "Day centre"


@pytest.mark.parametrize(
    ("size", "scheme"),
    [(PHONE, "light"), (DESKTOP, "light"), (DESKTOP, "dark"), ((320, 800), "dark")],
    ids=["phone", "desktop", "dark", "narrow"],
)
def test_axe_finds_no_barrier_and_nothing_is_cut_off(
    browser: Any, address: str, size: tuple[int, int], scheme: str
) -> None:
    with visit(browser, size, scheme=scheme) as page:
        page.goto(f"{address}/questions")
        assert faults(page) == [] and fits(page, size[0])
        page.get_by_role("button", name="Start").click()
        page.get_by_label("What is the whole contract").fill("lots of money")
        page.get_by_role("button", name="Next").click()
        assert page.title().startswith("Error: ")
        assert page.locator(".problem").evaluate("(one) => one === document.activeElement")
        assert faults(page) == [] and fits(page, size[0])
        kinds: set[str] = set()
        for _ in range(60):
            shown = set(
                page.eval_on_selector_all(
                    ".questions .field :is(input, select, textarea)",
                    "(all) => all.map((one) => one.type + (one.closest('.row') ? ' in a row' : ''))",
                )
            )
            if shown - kinds:
                kinds |= shown
                assert faults(page) == [], page.title()
                assert fits(page, size[0]), page.title()
            if page.get_by_role("heading", name="Your answers").count():
                break
            page.get_by_role("button", name="Leave this for now").click()
        assert {"text", "textarea", "radio", "checkbox", "select-one", "text in a row"} <= kinds
        page.goto(f"{address}/")
        page.set_input_files("#file", TENDER)
        page.get_by_role("button", name="Check it").click()
        page.locator(".what-if summary").click()
        assert faults(page) == []
        assert fits(page, size[0])


def test_the_interval_narrows_while_one_answers_and_nothing_jumps(browser: Any, address: str) -> None:
    from playwright.sync_api import expect

    with visit(browser, DESKTOP) as page:
        page.goto(f"{address}/questions")
        page.get_by_role("button", name="Start").click()
        rules = page.locator("[data-rules]")
        before = rules.inner_text()
        page.evaluate("window.shifted = 0")
        page.get_by_label("What is the whole contract").fill("20k")
        expect(rules).not_to_have_text(before)
        assert int(rules.inner_text()) < int(before)
        assert page.evaluate("window.shifted") < 0.02
        # Nothing is stated until the page is sent, and "don't know" takes the place of the amount.
        assert so_far(page) == {"kind": "tender"}
        page.get_by_label("I don’t know").check()
        assert page.get_by_label("What is the whole contract").input_value() == ""


def test_a_draft_stays_in_the_browser_until_it_is_forgotten(browser: Any, address: str) -> None:
    from playwright.sync_api import expect

    with visit(browser, PHONE) as page:
        page.goto(f"{address}/questions")
        offer = page.get_by_role("region", name="Go on where you left?")
        expect(offer).to_have_count(0)
        page.get_by_label("What is it called?").fill("<b>Mentoring</b>")
        page.get_by_role("button", name="Start").click()
        page.get_by_label("What is the whole contract").fill("300k")
        page.get_by_role("button", name="Next").click()
        page.wait_for_load_state()
        page.goto(f"{address}/questions")
        expect(offer).to_contain_text("<b>Mentoring</b>")
        assert faults(page) == []
        page.get_by_role("button", name="Go on", exact=True).click()
        page.wait_for_load_state()
        assert so_far(page)["value"]["total"]["amount"] == 300000
        page.goto(f"{address}/questions")
        page.get_by_role("button", name="Forget them").click()
        expect(page.locator("h1")).to_be_focused()
        page.reload()
        expect(offer).to_have_count(0)


def test_without_script_everything_works_by_sending_it(browser: Any, address: str) -> None:
    with visit(browser, PHONE, script=False) as page:
        page.goto(f"{address}/questions")
        assert not page.locator("[data-draft-offer]").is_visible()
        page.get_by_role("button", name="Start").click()
        page.get_by_label("What is the whole contract").fill("£300,000")
        page.get_by_role("button", name="Next").click()
        assert so_far(page)["value"]["total"]["amount"] == 300000
        page.get_by_role("button", name="Back").click()
        assert page.get_by_label("What is the whole contract").input_value() == "300,000"
        with page.expect_download() as saved:
            page.get_by_role("button", name="Save as JSON").click()
        assert saved.value.suggested_filename == "tender.json"
        assert json.loads(Path(saved.value.path()).read_text("utf-8"))["value"]["total"]["amount"] == 300000
        page.goto(f"{address}/")
        page.set_input_files("#file", TENDER)
        page.get_by_role("button", name="Check it").click()
        page.locator(".what-if summary").click()
        page.get_by_role("group", name="multi-million").get_by_label("No", exact=True).check()
        page.get_by_role("button", name="Try it").click()
        assert page.get_by_role("heading", name="With your changes").is_visible()
        assert page.locator(".moves").get_by_text("PP-02").is_visible()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_what_if_shows_at_once_what_moves(browser: Any, address: str, size: tuple[int, int]) -> None:
    from playwright.sync_api import expect

    with visit(browser, size) as page:
        page.goto(f"{address}/")
        page.set_input_files("#file", TENDER)
        page.get_by_role("button", name="Check it").click()
        at = page.url
        tab_to(page, "What if?")
        page.keyboard.press("Enter")
        group = page.get_by_role("group", name="multi-million")
        group.get_by_label("Yes", exact=True).focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("heading", name="With your changes")).to_be_visible()
        expect(page.locator(".moves li").filter(has_text="PP-02")).to_contain_text("met")
        assert page.url == at
        assert faults(page) == [] and fits(page, size[0])
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("heading", name="Nothing is changed")).to_be_visible()


def take_pictures() -> None:
    """The pictures of the documentation."""
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for name, (width, height) in (("phone", PHONE), ("desktop", DESKTOP)):
            page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
            page.goto(f"{address}/questions")
            page.screenshot(path=PICTURES / f"web-start-{name}.png")
            page.set_input_files("#file", TENDER)
            page.get_by_role("button", name="Go on with it").click()
            page.screenshot(path=PICTURES / f"web-question-{name}.png")
            page.goto(f"{address}/")
            page.set_input_files("#file", TENDER)
            page.get_by_role("button", name="Check it").click()
            page.locator(".what-if summary").click()
            page.get_by_role("group", name="multi-million").get_by_label("No", exact=True).check()
            page.get_by_role("heading", name="With your changes").wait_for()
            page.locator(".what-if").scroll_into_view_if_needed()
            page.locator("[data-outcome]").scroll_into_view_if_needed()
            page.screenshot(path=PICTURES / f"web-what-if-{name}.png")
        browser.close()


if __name__ == "__main__":
    take_pictures()
