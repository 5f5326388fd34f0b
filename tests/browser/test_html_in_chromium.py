"""The HTML report in a real browser: WCAG 2.2 AA by axe, keyboard, no request, no violation of its security policy.

Needs Chromium (Debian: ``apt-get install chromium``; elsewhere name its program in ``GOODCOMMISSION_CHROMIUM``). In CI
it is never skipped. ``python tests/browser/test_html_in_chromium.py`` writes the pictures in docs/screenshots/ anew
(with pdftoppm; make them smaller with pngquant and optipng).
"""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
from typing import Any

import pytest
from chromium import PICTURES, ROOT, WATCH, faults, launched

from goodcommission import audit
from goodcommission.description.reading import read_documents
from goodcommission.report.html import render
from goodcommission.report.quoting import quotes_of, texts_of

DAY = dt.date(2026, 11, 20)
PART = ("combined-findings", "decommissioning-notice", "proportionate-procurement", "uk-procurement-act-2023")
HOSTILE = "<script>window.pwned=1</script>\"'><img src=x onerror='window.pwned=1'> \u202egnp.exe </title>{{ 7*7 }}"


def examples() -> dict[str, str]:
    """The pages that are looked at."""
    names = ("tender.json", "contract.yaml", "decommissioning-plan.yaml")
    documents = [read_documents(f"examples/{name}")[0] for name in names]
    whole = audit(documents[0], as_of=DAY, engine="reference")
    # Of the others some packs are enough: axe looks at each element.
    parts = [audit(document, PART, as_of=DAY, engine="reference") for document in documents]
    quotes = quotes_of(texts_of(documents))
    hostile = parts[0].model_copy(
        update={
            "document": parts[0].document.model_copy(update={"title": HOSTILE, "name": HOSTILE, "notes": (HOSTILE,)}),
            "results": tuple(
                r.model_copy(update={"finding": HOSTILE} if r.verdict == "fail" else {}) for r in parts[0].results
            ),
        }
    )
    return {
        "one": render([whole], quotes),
        "several": render(parts, quotes),
        "little": render([audit({"kind": "tender"}, PART, engine="reference")]),
        "hostile": render([hostile]),
    }


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("pages")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        written = examples()
    for name, html in written.items():
        (folder / f"{name}.html").write_text(html, "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in written}


class Visit:
    """A page being looked at, and what it did that it must not."""

    def __init__(self, browser: Any, address: str, *, width: int = 1280, scheme: str = "light", script: bool = True):
        self.address = address
        self.said: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        self.context.add_init_script(WATCH)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(dialog.message), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                assert self.said == []
                assert {url.partition("#")[0] for url in self.asked} == {self.address}
                # Without scripts nothing can be asked of the page either.
                assert self.page.evaluate("window.violations ?? []") == []
        finally:
            self.context.close()


@pytest.mark.parametrize(
    ("name", "look", "width"),
    [
        *(("one", "light", 320), ("one", "dark", 1280), ("one", "print", 768)),
        *(("several", "light", 320), ("several", "dark", 1280), ("several", "print", 768)),
        *(("little", "light", 1280), ("little", "dark", 320)),
    ],
)
def test_axe_finds_no_barrier_and_nothing_is_cut_off(
    browser: Any, pages: dict[str, str], name: str, look: str, width: int
) -> None:
    with Visit(browser, pages[name], width=width, scheme="dark" if look == "dark" else "light") as page:
        if look == "print":
            page.emulate_media(media="print")
        assert faults(page) == []
        # 320 pixels are also what is left of 1,280 at a zoom of 400 %.
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["one", "several", "little", "hostile"])
@pytest.mark.parametrize("look", ["screen", "print"])
def test_nothing_is_cut_off_at_any_width(browser: Any, pages: dict[str, str], name: str, look: str) -> None:
    with Visit(browser, pages[name]) as page:
        page.emulate_media(media=look)
        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        for width in (320, 400, 600, 768, 1000, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_search_and_the_filter_work_by_keyboard_and_say_how_many_fit(browser: Any, pages: dict[str, str]) -> None:
    from playwright.sync_api import expect

    with Visit(browser, pages["one"]) as page:
        status, entries = page.get_by_role("status"), page.locator("[data-verdict]:not([hidden])")
        all_ = entries.count()
        expect(status).to_have_text(f"All {all_} entries are shown.")
        page.get_by_label("Search").focus()
        page.keyboard.type("insurance  MUST")
        expect(status).to_contain_text(f" of {all_} entries fit")
        expect(entries.filter(has_not_text=re.compile("must", re.IGNORECASE))).to_have_count(0)  # all of it is typed
        found = [text.lower() for text in entries.all_text_contents()]
        assert status.inner_text().startswith(f"{len(found)} of ")
        assert 0 < len(found) < all_
        assert all("insurance" in text and "must" in text for text in found)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "verdict"
        page.keyboard.type("Not m")
        expect(page.get_by_label("Verdict")).to_have_value("fail")
        assert {entry.get_attribute("data-verdict") for entry in entries.all()} == {"fail"}
        page.get_by_role("button", name="Show all").focus()
        page.keyboard.press("Enter")
        expect(status).to_have_text(f"All {all_} entries are shown.")
        assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("field", ["verdict", "severity", "pack", "phase", "document"])
def test_each_filter_leaves_only_what_it_names(browser: Any, pages: dict[str, str], field: str) -> None:
    with Visit(browser, pages["several"]) as page:
        values = page.eval_on_selector_all(f"#by-{field} option", "(all) => all.map((one) => one.value)")[1:]
        counted = 0
        for value in values:
            page.select_option(f"#by-{field}", value)
            left = page.eval_on_selector_all(
                "[data-verdict]", f"(all) => all.filter((e) => e.checkVisibility()).map((e) => e.dataset.{field})"
            )
            assert set(left) <= {value}
            counted += len(left)
        assert counted > 50


def test_what_a_filter_hides_comes_back_when_a_link_leads_to_it(browser: Any, pages: dict[str, str]) -> None:
    with Visit(browser, pages["one"]) as page:
        page.select_option("#by-verdict", "not_applicable")
        assert not page.locator("#PP-01").is_visible()
        page.evaluate("location.hash = '#PP-01'")
        page.locator("#PP-01").wait_for(state="visible")
        assert page.get_by_role("status").inner_text().startswith("All ")


def test_a_link_unfolds_what_it_leads_to(browser: Any, pages: dict[str, str]) -> None:
    with Visit(browser, pages["one"]) as page:
        target = page.locator("#elsewhere ~ details article").first
        assert not target.is_visible()
        page.evaluate("(id) => { location.hash = id; }", target.get_attribute("id"))
        target.wait_for(state="visible")


def test_the_first_tab_skips_to_the_report_and_every_focus_is_seen(browser: Any, pages: dict[str, str]) -> None:
    with Visit(browser, pages["one"]) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
        assert page.locator(".skip").bounding_box()["height"] >= 24
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"
        for _ in range(40):
            page.keyboard.press("Tab")
            seen = page.evaluate(
                """async () => {
                  // A focus scrolls with the next frame.
                  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
                  const at = document.activeElement, look = getComputedStyle(at), box = at.getBoundingClientRect();
                  const part = at.querySelector("path, circle");
                  const drawn = part && parseFloat(getComputedStyle(part).strokeWidth) >= 3;
                  return [at.tagName, look.outlineStyle !== "none" || drawn, box.top < innerHeight && box.bottom > 0];
                }"""
            )
            assert seen[1:] == [True, True], seen


def test_without_script_everything_is_there_but_the_filter(browser: Any, pages: dict[str, str]) -> None:
    with Visit(browser, pages["one"], script=False) as page:
        assert not page.locator("#filter").is_visible()
        assert page.locator("article.entry.high").first.is_visible()
        met = page.locator("#met ~ details")
        assert not met.locator("article").first.is_visible()
        met.locator("summary").first.click()
        assert met.locator("article").first.is_visible()


@pytest.mark.parametrize("script", [True, False])
def test_on_paper_everything_is_unfolded_and_no_finding_is_cut(
    browser: Any, pages: dict[str, str], script: bool
) -> None:
    with Visit(browser, pages["one"], script=script, width=1000) as page:
        page.emulate_media(media="print")
        shown = page.locator("#elsewhere ~ details article").first.bounding_box()
        assert shown and shown["height"] > 10
        assert not page.locator("#filter").is_visible() and not page.locator("nav").is_visible()
        look = "(all) => all.map((one) => getComputedStyle(one).breakInside)"
        assert set(page.eval_on_selector_all(".entry", look)) == {"avoid"}
        printed = page.pdf(format="A4", prefer_css_page_size=True)
        assert 5 < len(re.findall(rb"/Type\s*/Page\b", printed)) < 60


def test_hostile_text_shows_as_text(browser: Any, pages: dict[str, str]) -> None:
    with Visit(browser, pages["hostile"]) as page:
        assert page.evaluate("window.pwned") is None
        shown = HOSTILE.replace("\u202e", "\\u202e")
        assert page.locator("h1").inner_text() == shown
        assert page.locator("article.entry.high h4").first.inner_text() == shown
        assert page.title().startswith("<script>window.pwned=1")
        assert page.locator("img").count() == 0
        assert page.locator("script").count() == 1
        assert faults(page) == []


def take_pictures() -> None:
    """The pictures of the documentation."""
    from playwright.sync_api import sync_playwright

    os.chdir(ROOT)
    PICTURES.mkdir(parents=True, exist_ok=True)
    file = PICTURES / "report.html"
    file.write_text(examples()["one"], "utf-8")
    with sync_playwright() as playwright:
        browser = launched(playwright)
        for name, scheme, width, height, place in (
            ("report-light", "light", 1280, 1000, ""),
            ("report-cycle", "light", 1280, 1000, "#cycle"),
            ("report-findings", "light", 1280, 1000, "#findings"),
            ("report-dark", "dark", 1280, 1000, "#cycle"),
            ("report-phone", "light", 390, 844, "#findings"),
        ):
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
            )
            page.goto(file.as_uri() + place)
            page.screenshot(path=PICTURES / f"{name}.png")
        page.pdf(path=PICTURES / "report.pdf", format="A4", prefer_css_page_size=True)
        browser.close()
    # The first page as it is printed; from Debian's package poppler-utils.
    printed = [PICTURES / "report.pdf", PICTURES / "report-print"]
    subprocess.run(["pdftoppm", "-r", "90", "-png", "-f", "1", "-singlefile", *printed], check=True)
    file.unlink()
    printed[0].unlink()


if __name__ == "__main__":
    take_pictures()
