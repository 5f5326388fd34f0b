"""The summary of a scan in a real browser: WCAG 2.2 AA by axe, no request, and nothing cut off on paper or a phone."""

from __future__ import annotations

import time
from typing import Any

import polars as pl
import pytest
from chromium import faults, visit
from scan_tables import documents, tables

from goodcommission import load_packs
from goodcommission.scan.summary import Counts, merged, partial, summarise
from goodcommission.scan.summary_html import html

HOSTILE = "<script>window.pwned=1</script>\"'><img src=x onerror='window.pwned=1'> \u202egnp.exe </title>{{ 7*7 }}"
FEW = ("market-diversity", "transparency-and-information", "uk-pcr-2015")
WITHOUT_END = "Municipality" * 20


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder, packs = tmp_path_factory.mktemp("summaries"), load_packs(FEW)
    notices, rules = tables(documents(10), packs)
    many = notices.height
    buyers = pl.when(pl.col("notice") % 2 == 0).then(pl.lit(HOSTILE)).otherwise(pl.lit(WITHOUT_END))
    hostile = notices.with_columns(
        value=pl.lit(49_999.0), buyer=buyers, publisher=buyers, file=buyers, pointer=buyers, ocid=buyers
    )
    summaries = {
        "some": (partial(notices, rules, packs), Counts(read=many + 1, audited=many, rejected=1)),
        "hostile": (partial(hostile, rules, packs), Counts(read=many, audited=many, rejected=0)),
        "none": (merged([]), Counts(read=3, audited=0, rejected=3)),
    }
    for name, (sums, counts) in summaries.items():
        (folder / f"{name}.html").write_text(html(summarise(sums, packs, counts)), "utf-8")
    return {name: (folder / f"{name}.html").as_uri() for name in summaries}


@pytest.mark.parametrize(
    ("name", "look", "width"),
    [("some", "light", 1280), ("some", "dark", 320), ("hostile", "dark", 768), ("none", "light", 320)],
)
def test_axe_finds_no_barrier(browser: Any, pages: dict[str, str], name: str, look: str, width: int) -> None:
    with visit(browser, (width, 900), scheme=look) as page:
        page.goto(pages[name])
        assert faults(page) == []


@pytest.mark.parametrize("name", ["some", "hostile", "none"])
def test_nothing_is_cut_off_and_nothing_acts(browser: Any, pages: dict[str, str], name: str) -> None:
    with visit(browser, (1280, 900)) as page:
        page.goto(pages[name])
        page.evaluate("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
        for look, widths in (("screen", (320, 400, 768, 1280)), ("print", (680, 1000))):  # 680 pixels are A4
            page.emulate_media(media=look)
            for width in widths:
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (look, width)
        assert page.evaluate("window.pwned") is None
        assert "7*7" in page.content() or name != "hostile"


def test_a_wide_table_can_be_scrolled_by_keyboard(browser: Any, pages: dict[str, str]) -> None:
    with visit(browser, (320, 900)) as page:
        page.goto(pages["some"])
        table = page.get_by_role("region", name="By buyer")
        assert table.evaluate("one => one.scrollWidth > one.clientWidth")
        table.focus()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
        # The page's policy lets nobody wait for an expression in it, so that it is asked again and again from here.
        until = time.monotonic() + 10
        while not table.evaluate("one => one.scrollLeft > 0"):
            assert time.monotonic() < until
            page.wait_for_timeout(50)


def test_each_heading_of_the_contents_leads_to_its_section(browser: Any, pages: dict[str, str]) -> None:
    with visit(browser, (1280, 900)) as page:
        page.goto(pages["some"])
        links = page.get_by_role("navigation", name="Contents").get_by_role("link")
        assert links.count() == 8
        for link in links.all():
            target = page.locator(link.get_attribute("href"))
            assert target.inner_text() == link.inner_text()
