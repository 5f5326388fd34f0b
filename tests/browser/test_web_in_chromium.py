"""The pages of the web in a real browser: the questions by keyboard, on a phone and without script; what if; axe.

As for the report, Chromium is needed (see test_html_in_chromium.py). ``python tests/browser/test_web_in_chromium.py``
writes the pictures web-*.png in docs/screenshots/ anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from chromium import DESKTOP, PHONE, PICTURES, TENDER, faults, launched, served, visit


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
    [(DESKTOP, "dark"), ((320, 800), "light")],
    ids=["desktop", "narrow"],
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
        assert faults(page, ".what-if") == []
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
        assert faults(page, ".what-if") == [] and fits(page, size[0])
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_role("heading", name="Nothing is changed")).to_be_visible()


def take_pictures() -> None:
    """The pictures of the documentation."""
    from playwright.sync_api import sync_playwright

    PICTURES.mkdir(parents=True, exist_ok=True)
    with served() as address, sync_playwright() as playwright:
        browser = launched(playwright)
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
