"""The HTML report: well formed, self-contained under its own security policy, and hostile text is only text in it.

``GOODCOMMISSION_GOLDEN=1 pytest tests/test_report_html.py`` writes the golden file anew; read the difference before it
is committed. How it looks and works in a browser is tested in browser/.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import audit, load_packs
from goodcommission.description.document import Document, Source
from goodcommission.description.reading import read_documents
from goodcommission.report.html import render
from goodcommission.report.model import AuditReport, Waiver
from goodcommission.report.quoting import quote, quotes_of, texts_of
from goodcommission.report.terminal import neutral

ROOT = Path(__file__).parents[1]
GOLDEN = Path(__file__).parent / "golden" / "tender.html.txt"
EXAMPLES = ("tender.json", "contract.yaml", "decommissioning-plan.yaml")
DAY = dt.date(2026, 11, 20)
VOID = {"meta", "input", "br", "link"}
BLOCKS = {"p", "li", "dt", "dd", "div", "h1", "h2", "h3", "h4", "h5", "h6", "option", "summary", "article", "section"}


@cache
def documents() -> tuple[Document, ...]:
    return tuple(read_documents(ROOT / "examples" / name)[0] for name in EXAMPLES)


@cache
def reports() -> tuple[AuditReport, ...]:
    return tuple(audit(document, as_of=DAY, engine="reference") for document in documents())


@cache
def page(*which: int) -> str:
    return render([reports()[index] for index in which], quotes_of(texts_of(documents())))


class Page(HTMLParser):
    """A page taken apart: its elements in their order, and what a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.lines: list[str] = [""]
        self.raw: dict[str, str] = {}
        self.badly_nested: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag in BLOCKS:
            self.lines.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.badly_nested.append(tag)
        if tag in BLOCKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.raw[self.open[-1]] = data
        else:
            self.lines[-1] += data

    @property
    def text(self) -> str:
        """What is read, one line a block."""
        lines = (" ".join(line.split()) for line in self.lines)
        return "".join(f"{line}\n" for line in lines if line)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


PAGES = pytest.mark.parametrize("which", [(0,), (1,), (2,), (0, 1, 2)], ids=str)


# --- Structure -----------------------------------------------------------------------------------------------------


@PAGES
def test_elements_are_nested_and_ids_are_unique_and_led_to(which: tuple[int, ...]) -> None:
    taken = Page(page(*which))
    assert taken.badly_nested == [] and taken.open == []
    ids = [attributes["id"] for _, attributes in taken.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = {part for _, a in taken.elements for part in (a.get("aria-labelledby") or "").split()}
    led_to = {(a["href"] or "")[1:] for a in taken.all("a") if (a["href"] or "").startswith("#")}
    labels = {a["for"] for a in taken.all("label")}
    assert named | led_to | labels <= set(ids)


@PAGES
def test_headings_never_skip_a_level(which: tuple[int, ...]) -> None:
    levels = [int(tag[1]) for tag, _ in Page(page(*which)).elements if re.fullmatch(r"h[1-6]", tag)]
    # What comes before the heading of the page is the list of contents, which has one of its own.
    levels = levels[levels.index(1) :]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_language_and_the_landmarks_are_named() -> None:
    taken = Page(page(0))
    assert taken.all("html") == [{"lang": "en-GB"}]
    assert [len(taken.all(tag)) for tag in ("main", "nav", "search", "footer")] == [1, 1, 1, 1]
    first = next(attributes for tag, attributes in taken.elements if tag == "a")
    assert first["href"] == "#main"


def test_the_tender_reads_as_in_the_golden_file() -> None:
    text = re.sub(r"goodcommission \d+\.\d+\.\d+", "goodcommission 0.0.0", Page(page(0)).text)
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:0", text.replace(str(ROOT) + os.sep, ""))
    if os.environ.get("GOODCOMMISSION_GOLDEN"):
        GOLDEN.write_text(text, "utf-8")
    assert text == GOLDEN.read_text("utf-8")


def test_all_of_each_finding_is_there() -> None:
    report = reports()[0]
    text = Page(page(0)).text
    findings = [result for result in report.results if result.verdict == "fail"]
    assert len(findings) > 5
    for result in findings:
        assert result.finding and result.remedy
        assert f"\n{result.finding}\n" in text
        assert f"\nRemedy\n{result.remedy}\n" in text
        assert f"\nWhy\n{result.rule.why}\n" in text
        assert (result.rule.sources[0].where or "") in text
    for result in report.results:
        assert result.rule.id in text
    pages = next(fact for fact in report.facts if fact.name == "process.response_pages")
    assert f'Line {pages.line}"response_pages": 92,\n' in text


def test_the_cycle_counts_every_finding_once_and_leads_to_it() -> None:
    report = reports()[0]
    html = page(0)
    cycle = html[html.index('<ol class="phases">') : html.index('id="first"')]
    for result in report.results:
        assert cycle.count(f'href="#{result.rule.id}"') == (result.verdict == "fail")
    counted = [int(n) for n in re.findall(r'aria-label="[^":]*: (\d+) findings?"', html)]
    assert len(counted) == 7
    assert sum(counted) == sum(result.verdict == "fail" for result in report.results)


def test_every_result_can_be_filtered_by_verdict_severity_pack_and_phase() -> None:
    taken = Page(page(0, 1, 2))
    entries = [a for _, a in taken.elements if "data-verdict" in a]
    shown = [r for report in reports() for r in report.results]
    assert len(entries) >= len(shown)
    offered = {name: set() for name in ("verdict", "severity", "pack", "phase", "document")}
    name = ""
    for tag, attributes in taken.elements:
        if tag == "select":
            name = attributes["name"] or ""
        elif tag == "option":
            offered[name].add(attributes["value"])
    for entry in entries:
        for field, values in offered.items():
            assert entry[f"data-{field}"] in values or field in {"pack", "phase"}


def test_little_evidence_gives_no_grade_and_says_why() -> None:
    text = Page(render([audit({"kind": "tender"}, engine="reference")])).text
    assert "Insufficient evidence\nanything from 0 to 100 of 100\nNo grade yet\nA grade needs half" in text
    assert "Nothing that is stated departs" in text


def test_a_report_in_which_no_rule_applies_has_no_score() -> None:
    report = reports()[0]
    nothing = {"score": None, "low": None, "high": None, "coverage": 0.0}
    bare = report.model_copy(
        update={
            "score": report.score.model_copy(update={**nothing, "grade": "insufficient evidence", "caps": ()}),
            "packs": tuple(pack.model_copy(update=nothing) for pack in report.packs),
            "results": (),
            "patterns": (),
            "facts": (),
            "missing": (),
        }
    )
    assert "No score\nNone of the rules applies" in Page(render([bare])).text
    assert "No score; 0 findings" in Page(render([bare, bare])).text


def test_a_claimed_pass_is_marked() -> None:
    report = reports()[0]
    claimed = sum(r.claimed for r in report.results if r.verdict == "pass")
    assert claimed
    assert Page(page(0)).text.count("Claimed by the document’s own word") == claimed


def test_what_is_waived_or_known_before_or_changed_is_told() -> None:
    report = reports()[0]
    waiver = Waiver(
        rule="PP-01",
        document=None,
        pointer=None,
        reason="The framework sets the form.",
        owner="Head of Procurement",
        granted="2026-11-01",
        expires="2027-03-31",
        note=None,
        file="waivers.yaml",
        line=4,
    )
    changes: dict[str, dict[str, Any]] = {"PP-01": {"waived": waiver}, "PP-02": {"known_before": True}}
    results = tuple(r.model_copy(update=changes.get(r.rule.id, {})) for r in report.results)
    patterns = tuple(p.model_copy(update={"waived": waiver} if p.id == "X-01" else {}) for p in report.patterns)
    html = render(
        [report.model_copy(update={"results": results, "patterns": patterns, "score_without_waivers": report.score})]
    )
    text = Page(html).text
    begins = text.index("Waived: 2 findings\n")
    section = text[begins : text.index("What it adds up to\n", begins)]
    assert (
        "The framework sets the form. Head of Procurement answers for it until it expires on 31 March 2027" in section
    )
    assert "PP-01" in section and "X-01" in section
    assert f"Without the waivers: {report.score.score:.0f} of 100" in text
    assert text.count("Known before") == 1


def test_several_reports_begin_with_an_overview() -> None:
    text = Page(page(0, 1, 2)).text
    overview = text[text.index("\nAudits of 3 documents\n") : text.index("Find in this report")]
    for report in reports():
        assert report.document.title and report.document.title in overview
    assert overview.count(" of high severity") == 3


def test_the_same_reports_give_the_same_bytes() -> None:
    again = [AuditReport.model_validate_json(report.to_json()) for report in reports()]
    assert render(again) == render(reports())
    assert render(reports()[:1], quotes_of(texts_of(documents()))) == page(0)


# --- Nothing is loaded, and nothing but the one script acts ----------------------------------------------------------


@PAGES
def test_the_policy_lets_the_one_style_and_the_one_script_act_and_nothing_else(which: tuple[int, ...]) -> None:
    taken = Page(page(*which))
    (policy,) = [a["content"] for a in taken.all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy and policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        assert len(taken.all(tag)) == 1
        digest = base64.b64encode(hashlib.sha256(taken.raw[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "unsafe" not in policy
    # Of what is in the head, the policy must come before all that it rules.
    assert page(*which).index("Content-Security-Policy") < page(*which).index("<style")


@PAGES
def test_nothing_is_loaded_and_no_attribute_acts(which: tuple[int, ...]) -> None:
    html = page(*which)
    for tag, attributes in Page(html).elements:
        assert tag not in {
            "link",
            "img",
            "iframe",
            "object",
            "embed",
            "base",
            "audio",
            "video",
            "source",
            "image",
            "use",
        }
        for name, value in attributes.items():
            assert not name.startswith("on") and name not in {"style", "src", "srcset", "action", "ping", "background"}
            if name == "href":
                assert tag == "a" and re.match(r"#|https?://", value or "")
    style, script = Page(html).raw["style"], Page(html).raw["script"]
    assert re.findall(r"url\(([^)]*)\)|@import", style) == ["#hatch"]
    assert not re.search(
        r"fetch|XMLHttpRequest|innerHTML|outerHTML|insertAdjacent|eval|Function\(|document\.write", script
    )


@pytest.mark.parametrize(
    ("url", "followed"),
    [
        ("https://www.legislation.gov.uk/ukpga/2023/54", True),
        ("javascript:alert(1)", False),
        ("JavaScript:alert(1)", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("https://example.org/ javascript:alert(1)", False),
        ('https://example.org/"onmouseover="alert(1)', False),
        ("//example.org", False),
    ],
)
def test_only_addresses_of_the_web_are_followed(url: str, followed: bool) -> None:
    report = reports()[0]
    source = report.result("PP-01").rule.sources[0].model_copy(update={"work": "A work of its own", "url": url})
    rule = report.result("PP-01").rule.model_copy(update={"sources": (source,)})
    results = tuple(r.model_copy(update={"rule": rule} if r.rule.id == "PP-01" else {}) for r in report.results)
    changed = report.model_copy(update={"results": results})
    taken = Page(render([changed]))
    assert (url in [a.get("href") for a in taken.all("a")]) == followed
    assert f"A work of its own, {url}" in taken.text


# --- Colours ---------------------------------------------------------------------------------------------------------


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        digits = colour.lstrip("#")
        digits = digits if len(digits) == 6 else "".join(digit * 2 for digit in digits)
        parts = (int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_texts_have_a_contrast_of_4_5_and_edges_of_3(look: str) -> None:
    """Of texts in drawings too, which axe can't judge."""
    light, dark = re.findall(r":root \{([^}]*)\}", Page(page(0)).raw["style"])
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", light))
    if look == "dark":
        colours |= dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+);", dark))
    grounds = ("high", "medium", "low", "good", "plain", "mark", "focus")
    texts = [(text, ground) for text in ("ink", "quiet", "link") for ground in ("paper", "soft")]
    for text, ground in [*texts, *((f"on-{ground}", ground) for ground in grounds)]:
        assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for edge in ("edge", "bar", "high", "medium-edge", "low-edge", "good-edge"):
        assert contrast(colours[edge], colours["paper"]) >= 3, edge


# --- Hostile text ----------------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></bdi></h1><h1>No findings</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt; &amp;#x41;",
    "abc\u202egnp.exe\u2066\u200f",
    "one\x00two\x1b[31m\x7f\x85three",
    "\ud800\udfff\ufffe",
    "<!--",
    "]]>",
    "javascript:alert(1)",
)
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(), min_size=1, max_size=40)).filter(str.strip)


def with_text(text: str) -> AuditReport:
    """The tender's report with a text in every place that a document, a pack or a file name can reach."""
    report = reports()[0]
    facts = tuple(fact.model_copy(update={"text": text, "file": text, "title": text}) for fact in report.facts)
    missing = tuple(fact.model_copy(update={"question": text + "?", "reason": text}) for fact in report.missing)
    results = []
    for index, result in enumerate(report.results):
        works = tuple(s.model_copy(update={"work": text, "where": text}) for s in result.rule.sources)
        words = {"title": text, "why": text, "asks": text, "phase": text, "pack": text, "id": f"{text} {index}"}
        words |= {"sources": works}
        changed: dict[str, Any] = {"rule": result.rule.model_copy(update=words), "notes": (text,), "reason": text}
        if result.verdict == "fail":
            changed |= {"finding": text, "remedy": text}
        results.append(result.model_copy(update=changed))
    patterns = tuple(p.model_copy(update={"title": text, "why": text, "remedy": text}) for p in report.patterns)
    packs = tuple(pack.model_copy(update={"title": text, "digest": text}) for pack in report.packs)
    named = {"title": text, "id": text, "name": text, "stage": text, "notes": (text,), "digest": text}
    return report.model_copy(
        update={
            "document": report.document.model_copy(update=named),
            "facts": facts,
            "missing": missing,
            "results": tuple(results),
            "patterns": patterns,
            "packs": packs,
            "score": report.score.model_copy(update={"caps": (text,)}),
        }
    )


@cache
def skeleton_of_plain_text() -> list[str]:
    return [tag for tag, _ in Page(render([with_text("plain")])).elements]


@settings(max_examples=25)
@given(hostile)
def test_no_text_becomes_markup(text: str) -> None:
    html = render([with_text(text)])
    html.encode("utf-8")
    taken = Page(html)
    assert [tag for tag, _ in taken.elements] == skeleton_of_plain_text()
    assert taken.badly_nested == []
    assert all(not name.startswith("on") for _, attributes in taken.elements for name in attributes)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", html)
    assert " ".join(neutral(text).split()) in taken.text


def test_a_text_from_the_document_keeps_its_writing_direction_to_itself() -> None:
    html = render([with_text("תואר <b>")])
    assert '<h1 class="title" id="title"><bdi>תואר &lt;b&gt;</bdi></h1>' in html


def test_a_title_of_a_megabyte_is_cut() -> None:
    report = with_text("word " * 20_000)
    longer = report.document.model_copy(update={"title": "word " * 200_000})
    html = render([report.model_copy(update={"document": longer})])
    assert len(html) < 30_000 * len(load_packs().rules)
    assert max(len(line) for line in Page(html).text.splitlines()) < 30_000


@given(st.text(alphabet="ab \n\u202e", max_size=80), st.integers(1, 9))
def test_a_long_text_is_cut_as_if_all_of_it_had_been_read(text: str, most: int) -> None:
    whole = neutral(text)
    assert neutral(text, most) == (whole if len(whole) <= most else whole[: most - 1].rstrip() + "…")


# --- Quotes ----------------------------------------------------------------------------------------------------------


def source_of(text: str, name: str) -> Source:
    return Source(name, text, "json" if name.endswith("json") else "yaml", "sha256:0")


@pytest.mark.parametrize(
    ("name", "text", "place", "expected"),
    [
        ("a.json", '{"a": 1,\r\n  "b": {"c": [2, 3]}, "d": 4}', (2, 8), ('"b": ', '{"c": [2, 3]}', ', "d": 4}')),
        ("a.json", '{"a": {\n "b": 1}}', (1, 7), ('{"a": ', "{…", "")),
        ("a.json", '{"a": "x \\" y", "b": 2}', (1, 7), ('{"a": ', '"x \\" y"', ', "b": 2}')),
        ("a.yaml", "a:\n  b: none  # not yet\n", (2, 6), ("b: ", "none", "  # not yet")),
        ("a.yaml", "a: {b: bid, c: 'it''s'}\n", (1, 16), ("a: {b: bid, c: ", "'it''s'", "}")),
        ("a.yaml", "a: {b: bid, c: 2}\n", (1, 8), ("a: {b: ", "bid", ", c: 2}")),
        ("a.yaml", "a: one\n  two\nb: 3\n", (1, 4), ("a: ", "one…", "")),
    ],
)
def test_the_line_is_quoted_with_the_value_marked(
    name: str, text: str, place: tuple[int, int], expected: tuple[str, str, str]
) -> None:
    found = quote(source_of(text, name), *place)
    assert found is not None
    assert found == (place[0], *expected)


@pytest.mark.parametrize("place", [(0, 1), (9, 1), (1, 0), (1, 99)])
def test_a_place_that_is_not_there_is_not_quoted(place: tuple[int, int]) -> None:
    assert quote(source_of('{"a": 1}\n', "a.json"), *place) is None


def test_of_a_line_of_a_megabyte_only_the_value_and_what_is_round_it_is_quoted() -> None:
    text = '{"x": "' + "y" * 1_000_000 + '", "a": 12, "z": "' + "y" * 1_000_000 + '"}'
    at = text.index("12,") + 1
    found = quote(source_of(text, "a.json"), 1, at)
    assert found is not None
    assert found.marked == "12"
    assert len(found.before) == 61 and found.before.startswith("…y") and found.before.endswith('", "a": ')
    assert len(found.after) == 41


def test_only_the_very_text_that_was_audited_is_quoted() -> None:
    quotes = quotes_of(texts_of(documents()))
    report = reports()[0]
    fact = next(fact for fact in report.facts if fact.line)
    assert quotes(report, fact)
    changed = report.model_copy(update={"document": report.document.model_copy(update={"digest": "sha256:0"})})
    assert quotes(changed, fact) is None
    assert quotes(report, fact.model_copy(update={"line": None})) is None
    assert 'class="quote"' not in render([report])


def test_what_comes_from_the_profile_is_quoted_from_the_profile(tmp_path: Path) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text("commissioner:\n  procurement_involved_from: procurement\n  joint_team: false\n", "utf-8")
    tender = tmp_path / "tender.json"
    described = json.loads((ROOT / "examples" / "tender.json").read_text("utf-8"))
    del described["commissioner"]
    tender.write_text(json.dumps(described), "utf-8")
    document = read_documents(tender, commissioner=profile)[0]
    report = audit(document, as_of=DAY, engine="reference")
    (fact,) = [fact for fact in report.facts if fact.name == "commissioner.procurement_involved_from"]
    assert quotes_of(texts_of([document]))(report, fact) == (2, "procurement_involved_from: ", "procurement", "")
