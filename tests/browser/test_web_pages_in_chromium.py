"""Checking a file and browsing the rules in a real browser: drop, paste, keyboard, print, without script; axe; weight.

As for the report, Chromium is needed (see test_html_in_chromium.py).
``python tests/browser/test_web_pages_in_chromium.py`` writes their pictures in docs/screenshots/ anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chromium import DESKTOP, PHONE, PICTURES, TENDER, faults, launched, served, visit

PROFILE = {"name": "ours.yaml", "mimeType": "application/yaml", "buffer": b"commissioner: {territory: wales}\n"}
BUT_TWO = ("Collaboration", "Market diversity")
WRONG = "kind: tender\nterm:\n  month: 3\n"
PAGES = ("/", "/rules", "/packs", "/coverage", "/sources", "/rules/PP-03", "/rules/P-01", "/rules/MQ-08", "/nothing")


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


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_the_rules_to_use_are_chosen_by_keyboard_alone(browser: Any, address: str, size: tuple[int, int]) -> None:
    def tab_to(words: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            here = page.evaluate("(document.activeElement.labels?.[0] ?? document.activeElement).innerText.trim()")
            if here.startswith(words):
                return
        raise AssertionError(words)

    with visit(browser, size) as page:
        page.goto(address)
        tab_to("Or paste its text")
        page.keyboard.insert_text(WRONG)
        for words in ("More options", "Which rules to use", *BUT_TWO):
            tab_to(words)
            page.keyboard.press("Space" if words in BUT_TWO else "Enter")
        tab_to("Check it")
        page.keyboard.press("Enter")
        page.wait_for_url("**/check")
        # What was chosen is there again beside the mistake.
        assert page.locator("[name=pack]:checked").count() == page.locator("[name=pack]").count() - len(BUT_TWO) > 2
        page.locator("#text").fill("kind: tender\n")
        page.get_by_role("button", name="Check it").click()
        page.wait_for_selector("article[data-verdict]", state="attached")
        left_out = page.locator("article[data-verdict]").evaluate_all("(all) => all.map((one) => one.id)")
        assert left_out and not any(id.startswith(("CO-", "MD-")) for id in left_out)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


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
        page.get_by_text("More options").click()
        page.get_by_label("Day of the audit").fill("2026-11-20")
        page.get_by_label("Commissioner’s profile").set_input_files(PROFILE)
        page.get_by_text("Which rules to use").click()
        page.get_by_label("Market diversity").uncheck()
        page.get_by_label("Choose a file").set_input_files(TENDER)
        page.get_by_role("button", name="Check it").click()
        page.wait_for_url("**/check")
        assert page.locator("article.entry").first.is_visible()
        assert not page.locator("[data-print]").is_visible()
        with page.expect_download() as got:
            page.locator("[formaction='/download/json']").click()
        report = json.loads(Path(got.value.path()).read_text("utf-8"))
        assert report["as_of"] == "2026-11-20" and report["regime"]["territory"] == "wales"
        used = {one["pack"] for one in report["logic"]}
        assert "proportionate-procurement" in used and "market-diversity" not in used


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
        browser = launched(playwright)
        for end, (width, height) in (("", (1100, 800)), ("-phone", PHONE)):
            page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
            for name, path, text in (("check", "/", ""), ("problem", "/", WRONG), ("rules", "/rules", "")):
                page.goto(address + path)
                if text:
                    page.locator("#text").fill(text)
                    page.get_by_role("button", name="Check it").click()
                    page.wait_for_url("**/check")
                page.screenshot(path=PICTURES / f"web-{name}{end}.png")
        page = browser.new_page(viewport={"width": 900, "height": 800}, reduced_motion="reduce")
        page.goto(address)
        page.get_by_text("More options").click()
        page.get_by_text("Which rules to use").click()
        page.locator("details.options").first.screenshot(path=PICTURES / "web-options.png")
        browser.close()


if __name__ == "__main__":
    take_pictures()
