"""Each format follows its published rules, says the same as the report, and lets no text from a document act."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

import jsonschema
import pytest
import xmlschema
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt

from goodcommission import audit, cli
from goodcommission.description.reading import read_documents, read_source
from goodcommission.exceptions import ReportError
from goodcommission.report.findings import entries, standing
from goodcommission.report.formats import FORMATS, format_for, render
from goodcommission.report.markdown import MOST, escaped
from goodcommission.report.model import AuditReport, BaselineUsed, Waiver, WaiverFinding
from goodcommission.report.reading import read_reports
from goodcommission.report.schema import report_schema
from goodcommission.report.table import COLUMNS, cell

ROOT = Path(__file__).parents[1]
SCHEMAS = Path(__file__).parent / "fixtures" / "schemas"
DAY = dt.date(2026, 11, 20)
EXAMPLES = ("tender.json", "contract.yaml", "decommissioning-plan.yaml")
MACHINE = ("sarif", "sarif-findings", "junit", "github", "gitlab", "csv", "markdown")
HOSTILE = (
    "=cmd|'/c calc'!A0 <script>alert(1)</script> ]]> & \" ' `x` **bold** | @team #12 !34 ~bug $5 %1 [a](https://e.vil) "
    "![i](//e.vil/i.png) https://e.vil www.e.vil a@e.vil \u202eabc\u200f\x00\x1b[31m\ufffe\n::error file=x::y\r\n%0A"
    "<!-- -->"
)


@cache
def example(name: str) -> AuditReport:
    file = ROOT / "examples" / name
    report = audit(read_documents(file)[0], as_of=DAY, engine="reference")
    return AuditReport.model_validate_json(report.to_json().replace(str(file), f"examples/{name}"))


@cache
def notices() -> tuple[AuditReport, ...]:
    """Two processes of one file."""
    file = sorted((ROOT / "tests" / "fixtures" / "ocds").glob("find-a-tender-*.json"))
    package = [json.loads(one.read_text("utf-8")) for one in file]
    package[0]["releases"] += package[1]["releases"]
    return tuple(audit(document, as_of=DAY, engine="reference") for document in read_documents(package[0]))


def waiver(**given: Any) -> Waiver:
    kept = {
        "rule": "PP-01",
        "document": None,
        "pointer": None,
        "reason": "The form is set by law until June.",
        "owner": "Head of procurement",
        "granted": "2026-10-01",
        "expires": "2027-06-30",
        "note": None,
        "file": "waivers.yaml",
        "line": 3,
    }
    return Waiver(**{**kept, **given})


@cache
def excused() -> AuditReport:
    """The tender with a waiver, a finding known before, and a waiver that is at fault."""
    report = example("tender.json")
    results = []
    for result in report.results:
        update: dict[str, Any] = {}
        if result.rule.id == "PP-01":
            update = {"waived": waiver()}
        elif result.rule.id == "PP-02":
            update = {"known_before": True}
        results.append(result.model_copy(update=update))
    fault = WaiverFinding(
        kind="expired",
        severity="high",
        waiver=waiver(rule="PP-04", expires="2026-11-01"),
        message="The waiver of PP-04 ran out on 1 November 2026.",
        file="waivers.yaml",
        line=9,
        concerns=("PP-04",),
    )
    return report.model_copy(
        update={
            "results": tuple(results),
            "waiver_findings": (fault,),
            "baseline": BaselineUsed(name="baseline.json", hidden=1, mended=0),
        }
    )


_KEPT = {"id", "pack", "name", "digest", "packs_digest", "pointer", "as_of", "granted", "expires", "group", "concludes"}


def poisoned(value: Any, key: str = "") -> Any:
    """A report whose every free text is hostile."""
    if isinstance(value, dict):
        return {name: poisoned(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [poisoned(part, key) for part in value]
    texts = {
        "title",
        "finding",
        "remedy",
        "why",
        "reason",
        "notes",
        "text",
        "work",
        "where",
        "message",
        "owner",
        "asks",
    }
    texts |= {"question", "file", "caps"}
    return f"{HOSTILE} {value}" if isinstance(value, str) and key in texts else value


@cache
def hostile() -> AuditReport:
    value = poisoned(json.loads(excused().to_json()))
    value["document"]["id"] = value["document"]["name"] = HOSTILE
    return AuditReport.model_validate(value)


CASES = {
    **{name: (name,) for name in EXAMPLES},
    "all examples": EXAMPLES,
    "waived": ("waived",),
    "hostile": ("hostile",),
    "notices": ("notices",),
}


def reports(case: str) -> list[AuditReport]:
    made = {"waived": lambda: [excused()], "hostile": lambda: [hostile()], "notices": lambda: list(notices())}
    return [report for name in CASES[case] for report in (made[name]() if name in made else [example(name)])]


def each_case() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", CASES)


# --- The registry ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_renders_one_report_and_several(form: str) -> None:
    one, several = render(form, reports("tender.json")), render(form, reports("all examples"))
    assert one.endswith("\n")
    assert len(one) > 100
    # A comment has room for so much; of several reports it then holds less of each.
    assert len(several) > len(one) or form == "markdown"
    assert render(form, reports("tender.json")) == one


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.html", "html"), ("a.HTM", "html"), ("a.md", "markdown"), ("a.json", "json"), ("a.sarif", "sarif"),
        ("a.sarif.json", "sarif"), ("a.xml", "junit"), ("a.csv", "csv"), ("a.txt", "text"), ("a.pdf", None),
        ("json", None),
    ],
)  # fmt: skip
def test_the_name_of_a_file_tells_its_format(name: str, form: str | None) -> None:
    assert format_for(Path("some/folder") / name) == form


def test_nothing_tells_no_format() -> None:
    assert format_for(None) is None


def test_a_format_that_is_not_there_is_refused() -> None:
    with pytest.raises(KeyError):
        render("pdf", reports("tender.json"))


def test_the_registry_loads_no_format_before_it_is_used() -> None:
    code = "import sys, goodcommission.report.formats; print([m for m in sys.modules if '.report.' in m])"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "['goodcommission.report.formats']"


def test_json_is_an_array_for_several_or_where_it_is_asked_for() -> None:
    assert isinstance(json.loads(render("json", reports("tender.json"))), dict)
    assert len(json.loads(render("json", reports("tender.json"), several=True))) == 1
    assert len(json.loads(render("json", reports("all examples")))) == 3


# --- What formats share ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.[jy]*")), ids=lambda file: file.name)
def test_the_json_is_pydantics_to_the_byte(file: Path) -> None:
    for document in read_documents(file):
        report = audit(document, as_of=DAY, engine="reference")
        assert report.to_json() == plain(report)
        assert report.to_json() == plain(report)  # now from what is kept of the first time
        changed = report.model_copy(update={"results": report.results[:3], "logic": (), "tiers": ()})
        assert changed.to_json() == plain(changed)


@each_case()
def test_the_json_of_what_was_read_back_or_changed_is_pydantics(case: str) -> None:
    for report in reports(case):
        assert report.to_json() == plain(report)
        first = report.results[0]
        other = first.model_copy(update={"rule": first.rule.model_copy(update={"title": 'Other "title"\n{'})})
        changed = report.model_copy(update={"results": (other, *report.results[1:])})
        assert changed.to_json() == plain(changed) != report.to_json()


def plain(report: AuditReport) -> str:
    body = report.model_dump_json(indent=2)
    digest = hashlib.sha256(body.encode()).hexdigest()
    return f'{body[:-2]},\n  "digest": "sha256:{digest}"\n}}\n'


@each_case()
def test_entries_are_all_results_and_standing_ones_the_findings_that_count(case: str) -> None:
    for report in reports(case):
        found = entries(report)
        assert [one.result for one in found] == [*report.results, *report.patterns, *report.waiver_findings]
        stand = {id(result) for result in (*report.results, *report.patterns) if result.stands}
        stand |= {id(one) for one in report.waiver_findings}
        assert {id(one.result) for one in standing(report)} == stand


def test_a_message_stands_alone() -> None:
    said = {one.id: one for one in entries(example("tender.json"))}
    assert said["PP-01"].message.startswith("Bidders must work through 92 pages")
    assert (
        said["SC-11"].message
        == "Not evidenced: Subcontractors are paid promptly. Not stated: the payment term of subcontractors."
    )
    assert said["DN-01"].message.startswith("Does not apply: ")
    assert said["X-01"].message.endswith("This follows from PP-01, PP-02, PP-04, PP-05 and PP-06.")
    assert [place.fact for place in said["PP-01"].places] == ["process.response_pages", "value.total"]


# --- SARIF -------------------------------------------------------------------------------------------------------


@cache
def sarif_schema() -> jsonschema.Draft4Validator:
    schema = json.loads((SCHEMAS / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema)


@cache
def junit_schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))


@cache
def published() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(report_schema())


def sarif(form: str, case: str) -> dict[str, Any]:
    log = json.loads(render(form, reports(case)))
    (run,) = log["runs"]
    return run


@each_case()
@pytest.mark.parametrize("form", ["sarif", "sarif-findings"])
def test_sarif_follows_its_published_schema(form: str, case: str) -> None:
    log = json.loads(render(form, reports(case)))
    assert [error.message for error in sarif_schema().iter_errors(log)] == []


@each_case()
@pytest.mark.parametrize("form", ["sarif", "sarif-findings"])
def test_sarif_holds_together(form: str, case: str) -> None:
    run = sarif(form, case)
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    assert all(rule["help"]["text"] and rule["shortDescription"]["text"] for rule in rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert (result["level"] == "none") == (result["kind"] != "fail")
        assert len(result["locations"]) == 1
        for place in (*result["locations"], *result.get("relatedLocations", ())):
            location = place["physicalLocation"]["artifactLocation"]
            assert run["artifacts"][location["index"]]["location"]["uri"] == location["uri"]
        if result["kind"] == "fail":
            assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1


def test_kinds_tell_all_verdicts_apart() -> None:
    report = example("tender.json")
    run = sarif("sarif", "tender.json")
    kinds = {result["ruleId"]: (result["kind"], result["level"]) for result in run["results"]}
    levels = {"high": "error", "medium": "warning", "low": "note"}
    for result in report.results:
        if result.verdict == "fail":
            level = levels[result.severity] if result.rule.scored else "note"
            expected = ("fail", level)
        elif result.verdict == "pass":
            expected = ("review" if result.claimed or result.provisional else "pass", "none")
        else:
            expected = ("open" if result.verdict == "unknown" else "notApplicable", "none")
        assert kinds[result.rule.id] == expected
    assert {kind for kind, _ in kinds.values()} == {"fail", "pass", "review", "open", "notApplicable"}


def test_a_strength_is_for_information() -> None:
    strengths = {
        p.id
        for name in EXAMPLES
        for p in example(name).patterns
        if p.outcome == "concluded" and p.severity == "positive"
    }
    kinds = {
        result["ruleId"]: result["kind"]
        for result in sarif("sarif", "all examples")["results"]
        if result["kind"] == "informational"
    }
    assert set(kinds) == strengths


def test_a_region_is_the_place_of_the_value() -> None:
    run = sarif("sarif", "tender.json")
    (result,) = [one for one in run["results"] if one["ruleId"] == "PP-01"]
    place = result["locations"][0]
    region = place["physicalLocation"]["region"]
    lines = (ROOT / "examples" / "tender.json").read_text("utf-8").splitlines()
    assert lines[region["startLine"] - 1][region["startColumn"] - 1 :].startswith("92")
    assert place["properties"]["pointer"] == "/process/response_pages"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "process.response_pages"
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "examples/tender.json"
    assert run["columnKind"] == "unicodeCodePoints"
    digest = example("tender.json").document.digest
    assert run["artifacts"][0]["hashes"] == {"sha-256": digest.removeprefix("sha256:")}


def test_only_findings_that_count_go_to_github() -> None:
    for case in ("tender.json", "waived"):
        results = sarif("sarif-findings", case)["results"]
        assert {result["kind"] for result in results} == {"fail"}
        assert Counter(result["ruleId"] for result in results) == Counter(one.id for one in standing(reports(case)[0]))


def test_waived_findings_are_suppressed_and_known_ones_unchanged() -> None:
    results = {one["ruleId"]: one for one in sarif("sarif", "waived")["results"]}
    (suppression,) = results["PP-01"]["suppressions"]
    assert suppression["kind"] == "external"
    assert "Head of procurement" in suppression["justification"]
    assert results["PP-02"]["baselineState"] == "unchanged"
    assert results["PP-04"]["baselineState"] == "new"
    assert "suppressions" not in results["PP-02"]
    assert results["waiver-expired"]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "waivers.yaml"


def test_fingerprints_are_those_of_the_findings() -> None:
    wanted = {one.id: one.fingerprint for one in entries(example("tender.json"))}
    for result in sarif("sarif", "tender.json")["results"]:
        assert result["partialFingerprints"]["goodcommission/v1"] == wanted[result["ruleId"]]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("./tenders//a.json", "tenders/a.json"),
        ("tenders\\a b.json", "tenders/a%20b.json"),
        ("/srv/a.json", "file:///srv/a.json"),
        ("C:\\t\\a.json", "file:///C:/t/a.json"),
        ("a:b#c?.json", "a%3Ab%23c%3F.json"),
    ],
)
def test_a_file_becomes_an_address(file: str, uri: str) -> None:
    report = example("tender.json")
    renamed = report.model_copy(update={"document": report.document.model_copy(update={"file": file})})
    (run,) = json.loads(render("sarif", [renamed]))["runs"]
    location = run["artifacts"][0]["location"]
    assert location["uri"] == uri
    assert ("uriBaseId" in location) == (not uri.startswith("file:"))


def test_several_notices_of_one_file_are_one_artifact() -> None:
    file = "notices.json"
    renamed = [one.model_copy(update={"document": one.document.model_copy(update={"file": file})}) for one in notices()]
    assert len({one.document.name for one in renamed}) == 2
    (run,) = json.loads(render("sarif", renamed))["runs"]
    assert [one["location"]["uri"] for one in run["artifacts"]] == [file]
    assert [one["document"] for one in run["properties"]["audits"]] == [one.document.name for one in renamed]


# --- JUnit -------------------------------------------------------------------------------------------------------


@each_case()
def test_junit_follows_its_published_schema(case: str) -> None:
    junit_schema().validate(render("junit", reports(case)))


@each_case()
def test_junit_counts_what_it_holds(case: str) -> None:
    root = ElementTree.fromstring(render("junit", reports(case)))
    for suite in root:
        cases = suite.findall("testcase")
        assert suite.get("tests") == str(len(cases)) != "0"
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))
    assert root.get("tests") == str(len(root.findall("testsuite/testcase")))
    assert root.get("failures") == str(len(root.findall("testsuite/testcase/failure")))
    expected = sum(one.scored for report in reports(case) for one in standing(report))
    assert root.get("failures") == str(expected)


def test_junit_has_a_suite_for_each_document_and_pack_and_says_what_is_missing() -> None:
    root = ElementTree.fromstring(render("junit", reports("all examples")))
    names = [suite.get("name") for suite in root]
    assert len(set(names)) == len(names)
    assert "examples/tender.json: Proportionate procurement" in names
    skipped = {case.get("name", "").partition(":")[0]: case.find("skipped") for case in root.iter("testcase")}
    assert skipped["SC-11"] is None  # Of the contract, audited later.
    alone = ElementTree.fromstring(render("junit", reports("tender.json")))
    (case,) = [one for one in alone.iter("testcase") if one.get("name", "").startswith("SC-11")]
    assert "the payment term of subcontractors" in case.find("skipped").get("message")  # type: ignore[union-attr, operator]
    assert not [one for one in alone.iter("testcase") if one.get("name", "").startswith("DN-01:")]


def test_a_waived_finding_is_skipped_with_the_reason() -> None:
    root = ElementTree.fromstring(render("junit", [excused()]))
    said = {case.get("name", "")[:5]: case for case in root.iter("testcase")}
    assert "Head of procurement" in said["PP-01"].find("skipped").get("message")  # type: ignore[union-attr, operator]
    assert "baseline" in said["PP-02"].find("skipped").get("message")  # type: ignore[union-attr, operator]
    assert [suite.get("package") for suite in root][-1] == "waivers"


# --- GitHub ------------------------------------------------------------------------------------------------------

_COMMAND = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)")


def commands(text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    for line in text.splitlines():
        match = _COMMAND.fullmatch(line)
        assert match, line
        properties = {}
        for part in match[2].split(","):
            name, _, value = part.partition("=")
            properties[name] = value.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
        yield match[1], properties, match[3].replace("%0A", "\n").replace("%25", "%")


@each_case()
def test_github_gets_one_line_a_finding_and_one_a_document(case: str) -> None:
    given = list(commands(render("github", reports(case))))
    found = [one for report in reports(case) for one in standing(report)]
    assert len(given) == len(found) + len(reports(case))
    for (command, properties, message), one in zip(given, found, strict=False):
        assert set(properties) <= {"file", "line", "col", "title"}
        assert properties["title"] == f"{one.id}: {one.title}"
        assert message.startswith(one.message)
        assert command == (
            {"high": "error", "medium": "warning", "low": "notice"}[one.severity] if one.scored else "notice"
        )


def response_pages() -> tuple[int, int]:
    """Where the number of pages that PP-01 finds too many stands in the file, found without the report."""
    for number, line in enumerate((ROOT / "examples" / "tender.json").read_text("utf-8").splitlines(), start=1):
        if found := re.search(r'"response_pages": (?=\d)', line):
            return number, found.end() + 1
    raise AssertionError("the example no longer states its pages")


def test_github_is_told_where() -> None:
    first = {p["title"][:5]: p for _, p, _ in commands(render("github", reports("tender.json")))}
    assert first["PP-01"]["file"] == "examples/tender.json"
    assert (int(first["PP-01"]["line"]), int(first["PP-01"]["col"])) == response_pages()


def test_a_file_with_colons_and_percents_is_one_property() -> None:
    report = example("tender.json")
    renamed = report.model_copy(update={"document": report.document.model_copy(update={"file": "a:b,c%0A.json"})})
    *_, (_, properties, _) = commands(render("github", [renamed]))
    assert properties["file"] == "a:b,c%0A.json"


# --- GitLab ------------------------------------------------------------------------------------------------------


@each_case()
def test_gitlab_gets_what_its_documentation_asks_for(case: str) -> None:
    issues = json.loads(render("gitlab", reports(case)))
    assert len(issues) == sum(len(standing(report)) for report in reports(case))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert issue["location"]["lines"]["begin"] >= 1
        assert not issue["location"]["path"].startswith(("./", "/"))


def test_equal_fingerprints_of_copies_are_told_apart() -> None:
    report = example("tender.json")
    copy = report.model_copy(update={"document": report.document.model_copy(update={"file": "copy.json"})})
    issues = json.loads(render("gitlab", [report, copy]))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 2 * len(standing(report))
    assert issues[: len(issues) // 2] == json.loads(render("gitlab", [report]))


# --- CSV ---------------------------------------------------------------------------------------------------------


@each_case()
def test_csv_has_one_row_a_result(case: str) -> None:
    text = render("csv", reports(case))
    assert text.startswith("\ufeff")
    assert "\n" not in text.replace("\r\n", "")
    heading, *rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    assert tuple(heading) == COLUMNS
    expected = [one for report in reports(case) for one in entries(report)]
    assert len(rows) == len(expected)
    for row, one in zip(rows, expected, strict=True):
        assert len(row) == len(COLUMNS)
        kept = dict(zip(COLUMNS, row, strict=True))
        assert (kept["id"], kept["severity"], kept["fingerprint"]) == (one.id, one.severity, one.fingerprint)
        assert not [value for value in row if value.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("value", ["=1+1", "+44", "-1", "@SUM(A1)", "\t=1", "＝1", " \n=1"])
def test_what_would_be_a_formula_is_marked_as_text(value: str) -> None:
    assert cell(value).startswith("'")


@pytest.mark.parametrize("value", ["", "a=1", "7.9", "£300,000", "/process/response_pages", "'quoted'"])
def test_other_values_stay_as_they_are(value: str) -> None:
    assert cell(value) == value


# --- Markdown ----------------------------------------------------------------------------------------------------

_OURS = re.compile(r"</?(?:details|summary|code|sub)>|<br>|<!-- -->")


def html(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").render(text)


@each_case()
def test_markdown_holds_no_markup_but_ours(case: str) -> None:
    text = render("markdown", reports(case))
    assert len(text) <= MOST
    page = html(text)
    elements = set(re.findall(r"</?([a-zA-Z][a-zA-Z0-9]*)", page))
    allowed = {"h2", "h3", "p", "strong", "code", "table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "em"}
    assert elements <= allowed | {"details", "summary", "br", "sub"}
    assert not re.findall(r"<[a-z]+ [^>]*\b(?:href|src|on\w+)\s*=", page)
    calling = {"35": "#", "36": "$", "38": "&", "126": "~"}
    shown = re.sub(r"&#(\d+);", lambda match: calling.get(match[1], " "), _OURS.sub("\0", text))
    assert not re.search(r"[@#!~$%&][a-zA-Z0-9]|https?://|www\.", shown)


def test_markdown_shows_the_text_itself() -> None:
    for text in (HOSTILE, "a_b_c", "1 < 2 & 3", "c:\\x", "| a | b |", "# no heading"):
        shown = html(f"x {escaped(text)}")
        plain = re.sub(r"<!-- -->|</?p>|\n", "", shown)
        for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
            plain = plain.replace(entity, character)
        from goodcommission.report.terminal import neutral

        assert plain == f"x {neutral(text)}"


def test_markdown_has_a_row_a_finding_with_its_place() -> None:
    report = example("tender.json")
    page = html(render("markdown", [report]))
    rows = re.findall(r"<tr>\s*<td>(.*?)</td>\s*<td>(.*?)</td>.*?<td>(<code>.*?</code>)</td>", page, re.DOTALL)
    assert [id for _, id, _ in rows] == [one.id for one in standing(report)]
    line, column = response_pages()
    assert f"<code>examples/tender.json:{line}:{column}</code>" in [place for *_, place in rows]
    folded = ("Why, and what to do", "State these first", "For a person to answer")
    assert all(f"<details><summary>{title}" in page for title in folded)
    assert page.count("<details>") == page.count("</details>") == len(folded)


def test_a_comment_that_would_be_too_long_says_so_and_stays_short() -> None:
    many = [example(name) for name in EXAMPLES] * 12
    text = render("markdown", many)
    assert len(text) <= MOST
    assert "no room" in text
    assert text.count("<details>") == text.count("</details>")
    most = render("markdown", many * 9)
    assert len(most) <= MOST


def test_waivers_are_told_in_the_comment() -> None:
    text = render("markdown", [excused()])
    assert "2 findings waived or known before" in text
    assert "Head of procurement" in text
    assert "waiver-expired" in text


# --- Hostile texts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", MACHINE)
def test_no_character_that_acts_gets_through(form: str) -> None:
    text = render(form, [hostile()]).removeprefix("\ufeff")
    for character in "\x00\x1b\u202e\u200f":
        # JSON may keep what it is told of a file's name; it is written as an escape there or not at all.
        assert character not in text or form in ("sarif", "sarif-findings", "gitlab")


def test_a_link_in_a_document_is_no_link_in_sarif() -> None:
    for result in sarif("sarif", "hostile")["results"]:
        for said in (result["message"], *(place["message"] for place in result["locations"] if "message" in place)):
            assert not re.search(r"(?<!\\)\]\(", said["text"])


def test_the_file_in_sarif_is_the_files_own_name() -> None:
    uris = [unquote(one["location"]["uri"]) for one in sarif("sarif", "hostile")["artifacts"]]
    assert any("e.vil" in uri for uri in uris)


# --- Saved reports -----------------------------------------------------------------------------------------------


def run(*arguments: str, input: str | None = None) -> Result:
    result = CliRunner().invoke(
        cli.main, list(arguments), input=input, env={"COLUMNS": "", "GOODCOMMISSION_DEBUG": "1"}
    )
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@each_case()
def test_a_saved_report_is_read_back_as_it_was(case: str, tmp_path: Path) -> None:
    saved = tmp_path / "audit.json"
    saved.write_text(render("json", reports(case)), "utf-8")
    read = read_reports(saved)
    for form in FORMATS:
        assert render(form, read) == render(form, reports(case))


@pytest.mark.parametrize("form", FORMATS)
def test_the_report_command_gives_each_format(form: str, tmp_path: Path) -> None:
    saved, output = tmp_path / "audit.json", tmp_path / "out"
    saved.write_text(render("json", reports("waived")), "utf-8")
    assert run("report", str(saved), "--format", form, "--output", str(output)).exit_code == 0
    texts = [read_source(file) for one in reports("waived") if (file := one.document.file)]
    assert output.read_bytes() == render(form, reports("waived"), sources=texts).encode("utf-8")


def test_the_outputs_name_chooses_the_format_and_text_is_the_default(tmp_path: Path) -> None:
    saved = tmp_path / "audit.json"
    saved.write_text(example("tender.json").to_json(), "utf-8")
    assert run("report", str(saved)).stdout.startswith("Resettlement mentoring")
    assert run("report", str(saved), "-o", str(tmp_path / "a.md")).exit_code == 0
    assert (tmp_path / "a.md").read_text("utf-8").startswith("## Resettlement")
    assert run("report", "-", "--format", "json", input=saved.read_text("utf-8")).stdout == saved.read_text("utf-8")
    assert "DN-01" in run("report", str(saved), "--all").stdout
    assert "DN-01" not in run("report", str(saved)).stdout


def test_several_saved_reports_are_one(tmp_path: Path) -> None:
    files = []
    for name in EXAMPLES:
        files.append(tmp_path / f"{name}.saved")
        files[-1].write_text(example(name).to_json(), "utf-8")
    result = run("report", *map(str, files), "--format", "json")
    assert [one["document"]["kind"] for one in json.loads(result.stdout)] == [
        "tender",
        "contract",
        "decommissioning_plan",
    ]


def test_a_saved_report_is_never_overwritten(tmp_path: Path) -> None:
    saved = tmp_path / "audit.json"
    saved.write_text(example("tender.json").to_json(), "utf-8")
    result = run("report", str(saved), "-o", str(saved))
    assert result.exit_code == 2
    assert "overwrite" in result.stderr
    assert saved.read_text("utf-8") == example("tender.json").to_json()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "this is no saved report"),
        ("[]", "there is no report in this file"),
        ("[{}]", "this is no saved report"),
        ("7", "this is no saved report"),
        ('{"kind": "tender"}', "this is no saved report"),
        ('{"schema_version": "2.0"}', 'version "2.0"'),
        ('{"schema_version": "1.0"}', 'the field "score" is missing'),
        ('{"schema_version": "1.0", "schema_version": "1.0"}', "schema_version"),
        ('{"schema_version": NaN}', "NaN"),
        ("{", "audit.json:1"),
        ("kind: tender\n", "audit.json:1"),
    ],
)
def test_what_is_no_report_is_refused_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    saved = tmp_path / "audit.json"
    saved.write_text(text, "utf-8")
    with pytest.raises(ReportError) as caught:
        read_reports(saved)
    assert any(said in str(fault) for fault in caught.value.faults), caught.value
    assert all(fault.line is not None for fault in caught.value.faults)
    assert run("report", str(saved)).exit_code == 2


def changed(value: dict[str, Any], way: tuple[str | int, ...], new: Any) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(value))
    part: Any = copy
    for step in way[:-1]:
        part = part[step]
    if new is KeyError:
        del part[way[-1]]
    else:
        part[way[-1]] = new
    return copy


@pytest.mark.parametrize(
    ("way", "new"),
    [
        (("score", "coverage"), "62"),
        (("score", "coverage"), True),
        (("score", "passes"), 1.5),
        (("score", "grade"), None),
        (("score", "score"), None),
        (("score", "extra"), 1),
        (("results", 0, "verdict"), "maybe"),
        (("results", 0, "provisional"), "yes"),
        (("results", 0, "decided_by"), "kind"),
        (("results", 0, "rule", "severity"), KeyError),
        (("results",), KeyError),
        (("facts", 0, "value"), [1, "a", False]),
        (("facts", 0, "value"), {"a": 1}),
        (("facts", 0, "line"), "1"),
        (("document", "origin"), "paper"),
        (("document", "title"), 5),
        (("as_of",), None),
        (("as_of",), 5),
    ],
)
def test_reading_takes_what_the_published_schema_takes(way: tuple[str | int, ...], new: Any, tmp_path: Path) -> None:
    value = changed(json.loads(example("tender.json").to_json()), way, new)
    accepted = published().is_valid(value)
    saved = tmp_path / "audit.json"
    saved.write_text(json.dumps(value), "utf-8")
    if accepted:
        assert {**json.loads(read_reports(saved)[0].to_json()), "digest": value["digest"]} == value
    else:
        with pytest.raises(ReportError) as caught:
            read_reports(saved)
        assert caught.value.faults[0].pointer.startswith(f"/{way[0]}" if len(way) > 1 or new is not KeyError else "")  # type: ignore[union-attr]
