"""Saved audits in a real browser: saved, looked at and deleted by keyboard alone, on a phone, and without script; axe.

As for the report, Chromium is needed (see test_html_in_chromium.py).
``python tests/browser/test_web_saved_in_chromium.py`` writes the pictures of the report and of a history in
docs/screenshots/ anew.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import DESKTOP, PHONE, PICTURES, TENDER, faults, launched, served, visit

from goodcommission.web.settings import WebSettings


@pytest.fixture(scope="module")
def keeping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that keeps what is saved, and its address."""
    with served(WebSettings(database=f"sqlite:///{tmp_path_factory.mktemp('saved') / 'audits.db'}")) as found:
        yield found


BETTER = (
    {("award", "method_published"): True, ("joint", "approach"): "aligned_outcomes"},
    {("subcontracting", "exclusivity"): "prohibited", ("equality", "bidder_evidence"): "delivery_evidence"},
    {("process", "response_pages"): 40, ("process", "same_as_large_contracts"): False},
)


def versions() -> list[str]:
    """The tender as it was mended step by step, each better than the one before."""
    tender = json.loads(TENDER.read_text("utf-8"))
    texts = [json.dumps(tender)]
    for changes in BETTER:
        for (section, fact), value in changes.items():
            tender[section][fact] = value
        texts.append(json.dumps(tender))
    return texts


def check(page: Any, address: str, text: str) -> None:
    page.goto(address)
    page.get_by_label("Or paste its text").fill(text)
    page.get_by_role("button", name="Check it").click()
    page.wait_for_url("**/check")


def tab_to(page: Any, words: str) -> None:
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip().casefold().startswith(words.casefold()):
            return
    raise AssertionError(words)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_an_audit_is_saved_seen_and_deleted_by_keyboard_alone(
    browser: Any, keeping: str, size: tuple[int, int]
) -> None:
    with visit(browser, size) as page:
        check(page, keeping, '{"kind": "tender", "id": "KEYS", "title": "By keyboard"}')
        tab_to(page, "Save this audit")
        page.keyboard.press("Enter")
        page.wait_for_url("**/saved/*")
        assert page.get_by_role("heading", level=1).inner_text() == "By keyboard"
        tab_to(page, "Open")
        page.keyboard.press("Enter")
        page.wait_for_url("**/report")
        tab_to(page, "All saved audits of this document")
        page.keyboard.press("Enter")
        page.wait_for_url("**/saved/*")
        tab_to(page, "Delete")
        page.keyboard.press("Enter")
        tab_to(page, "Delete for good")
        page.keyboard.press("Enter")
        page.wait_for_url("**/saved")
        assert page.get_by_text("By keyboard").count() == 0


def test_several_files_are_saved_without_script(browser: Any, keeping: str) -> None:
    case = TENDER.parent / "case"
    with visit(browser, PHONE, script=False) as page:
        page.goto(keeping)
        page.get_by_label("Choose a file").set_input_files([case / "tender.yaml", case / "contract.yaml"])
        page.get_by_role("button", name="Check it").click()
        page.get_by_role("button", name="Save these audits").click()
        page.wait_for_url("**/saved")
        rows = page.locator("table.saved tbody tr")
        assert rows.count() >= 2
        assert {"Tender for the support", "Contract for the support"} <= {
            " ".join(one.split()[:4]) for one in rows.locator("th").all_inner_texts()
        }


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESKTOP, "light")], ids=["phone", "desktop"])
def test_axe_finds_no_barrier_and_nothing_is_cut_off(
    browser: Any, keeping: str, size: tuple[int, int], scheme: str
) -> None:
    with visit(browser, size, scheme=scheme) as page:
        for text in versions():
            check(page, keeping, text)
            assert faults(page, ".tools") == []
            page.get_by_role("button", name="Save this audit").click()
            page.wait_for_url("**/saved/*")
        history = page.url
        for address in (f"{keeping}/saved", f"{keeping}/saved?page=9", history, f"{keeping}/saved/nothing"):
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
            assert page.evaluate("window.shifted") == 0
            assert faults(page) == [], address
        page.goto(history)
        page.get_by_role("link", name="Open").first.click()
        page.wait_for_url("**/report")
        assert faults(page, ".tools") == []
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def take_pictures() -> None:
    """The pictures of the documentation."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launched(playwright)
        for name, (width, height) in (("", (1100, 800)), ("-phone", PHONE)):
            database = f"sqlite:///{Path(folder) / f'audits{name}.db'}"
            with served(WebSettings(database=database)) as address:
                page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
                for text in versions():
                    check(page, address, text)
                    page.screenshot(path=PICTURES / f"web-report{name}.png")
                    page.get_by_role("button", name="Save this audit").click()
                    page.wait_for_url("**/saved/*")
                page.screenshot(path=PICTURES / f"web-history{name}.png")
        browser.close()


if __name__ == "__main__":
    take_pictures()
