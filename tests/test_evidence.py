"""Claims and evidence: what counts as shown, how a report tells it, and what is left where evidence is required."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import DescriptionError, audit, audit_template, improve, load_packs
from goodcommission.cli import main
from goodcommission.description.evidence import BASICS, SHOWN_BY_ITSELF
from goodcommission.description.facts import dictionary, gather
from goodcommission.description.reading import read_description
from goodcommission.packs.compiling import Packs, compile_packs
from goodcommission.packs.loading import pack_files, read_pack, shipped_folder
from goodcommission.packs.model import TIERS
from goodcommission.report.formats import render
from goodcommission.report.model import AuditReport
from goodcommission.report.reading import read_reports
from goodcommission.report.rescoring import rescore
from goodcommission.verifying import verify

DAY = dt.date(2026, 11, 20)
EXAMPLES = shipped_folder("examples")
INSURANCE: dict[str, Any] = {
    "requirements": {"insurance": [{"kind": "public_liability", "needed_by": "award"}, {"kind": "other"}]}
}


def proof(*pointers: str) -> list[dict[str, str]]:
    return [{"pointer": pointer, "document": f"Document {number}"} for number, pointer in enumerate(pointers, 1)]


def facts_of(*pointers: str, profile: Any = None, **stated: Any) -> Any:
    raw = {"kind": "tender", **stated, "evidence": proof(*pointers)}
    return gather(read_description(raw, commissioner=profile))


def described(name: str) -> dict[str, Any]:
    return read_description(EXAMPLES / name).description.model_dump(mode="json", exclude_none=True)


# --- What evidence is for --------------------------------------------------------------------------------------------


def test_evidence_for_a_section_or_an_item_covers_what_is_below_and_nothing_beside() -> None:
    facts = facts_of("/requirements/insurance/0", **INSURANCE)
    assert facts.evidence_for("requirements.insurance[0].needed_by").document == "Document 1"
    assert facts.evidence_for("requirements.insurance[1].kind") is None
    assert not facts.shown("requirements.insurance")
    facts = facts_of("/requirements/insurance", **INSURANCE)
    assert facts.evidence_for("requirements.insurance[1].kind").document == "Document 1"
    assert facts.shown("requirements.insurance")
    facts = facts_of("/requirements", **INSURANCE)
    assert facts.shown("requirements.insurance")


def test_the_nearest_evidence_is_named() -> None:
    facts = facts_of("/requirements", "/requirements/insurance/1", "/requirements/insurance/1/kind", **INSURANCE)
    named = [facts.evidence_for(f"requirements.insurance[{n}].kind").document for n in (0, 1)]
    assert named == ["Document 1", "Document 3"]


@pytest.mark.parametrize("pointer", ["/lots/items/0", "/lots/items/items/0"])
def test_items_may_be_the_name_of_a_field(pointer: str) -> None:
    items: Any = [{"id": "1"}, {"id": "2"}]
    boxed = "items/items" in pointer
    facts = facts_of(pointer, lots={"items": {"complete": True, "items": items} if boxed else items})
    assert facts.evidence_for("lots.items[0].id") is not None
    assert facts.evidence_for("lots.items[1].id") is None
    assert facts.evidence_for("lots.items.complete") is None


def test_only_evidence_for_all_of_a_list_shows_that_it_is_complete() -> None:
    boxed = {"service": {"need_areas": {"complete": True, "items": ["mental_health", "substance_misuse"]}}}
    facts = facts_of("/service/need_areas/items/0", "/service/need_areas/items/1", **boxed)
    assert facts.shown("service.need_areas")
    assert not facts.shown("service.need_areas.complete")
    assert facts_of("/service/need_areas", **boxed).shown("service.need_areas.complete")


def test_a_pointer_at_nothing_is_an_error_with_the_nearest_name() -> None:
    with pytest.raises(DescriptionError) as caught:
        read_description({"kind": "tender", **INSURANCE, "evidence": proof("/requirements/insurence")})
    assert caught.value.faults[0].pointer == "/evidence/0/pointer"
    assert 'Did you mean "/requirements/insurance"?' in str(caught.value)


def test_what_the_profile_states_is_shown_by_the_profile_alone() -> None:
    profile = {"commissioner": {"joint_team": True, "scaled_procedures": False}}
    shown = {**profile, "evidence": [{"pointer": "/commissioner/joint_team", "document": "Structure chart"}]}
    stated = {"commissioner": {"name": "Aldbridge"}}
    assert facts_of("/commissioner", profile=profile, **stated).evidence_for("commissioner.joint_team") is None
    facts = facts_of("/commissioner", profile=shown, **stated)
    assert facts.evidence_for("commissioner.joint_team").document == "Structure chart"
    assert facts.evidence_for("commissioner.scaled_procedures") is None
    assert facts.evidence_for("commissioner.name").document == "Document 1"


def test_a_notice_shows_what_it_says_and_not_what_the_profile_adds() -> None:
    notice = next(path for path in sorted((EXAMPLES / "ocds").glob("sell2wales-child-o*.json")))
    profile = {"commissioner": {"joint_team": True}}
    facts = gather(read_description(notice, commissioner=profile))
    assert facts.evidence_for("commissioner.joint_team") is None
    assert facts.evidence_for("value.total" if "value.total" in facts.values else "process.route") is not None
    one = facts.evidence_for("notice.ocid")
    assert one is not None and one.document.startswith("Notice ") and one.date is not None


def test_basics_are_facts() -> None:
    assert dictionary().keys() >= BASICS


# --- How a report tells it -------------------------------------------------------------------------------------------

SHOWN = {
    "kind": "tender",
    "stage": "published",
    "value": {"total": {"amount": 200000, "currency": "GBP"}},
    "process": {"route": "open_tender"},
    "lots": {"count": 1},
    "requirements": {
        "minimum_annual_turnover": {"amount": 100000, "currency": "GBP"},
        "turnover_applies_to": "contract",
        "turnover_justification": "none",
    },
    "term": {"months": 36},
    "evidence": [
        {
            "pointer": "/requirements/minimum_annual_turnover",
            "document": "Invitation to tender",
            "page": "14",
            "url": "https://example.org/itt.pdf",
            "date": "2026-03-02",
        }
    ],
}


@pytest.mark.parametrize("form", ["text", "json", "csv", "html"])
def test_each_format_names_document_page_address_and_date(form: str) -> None:
    report = audit(SHOWN, ["proportionate-procurement"], as_of=DAY)
    assert report.result("PP-03").verdict != "unknown"
    text = render(form, [report], width=100, passes=True, everything=True)
    if form == "json":
        (fact,) = [one for one in json.loads(text)["facts"] if one["evidence"]]
        wanted = {"document": "Invitation to tender", "page": "14", "url": "https://example.org/itt.pdf"}
        assert fact["evidence"] == {**wanted, "date": "2026-03-02"}
    elif form == "csv":
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        (row,) = [row for row in rows if row["id"] == "PP-03"]
        assert row["evidence"] == "Invitation to tender, page 14, 2 March 2026, https://example.org/itt.pdf"
    else:
        for part in ("Invitation to tender", "page 14", "2 March 2026", "https://example.org/itt.pdf"):
            assert part in " ".join(text.split()), part


def test_a_finding_names_its_evidence_in_markdown() -> None:
    asked: Any = {"minimum_annual_turnover": {"amount": 900000, "currency": "GBP"}, "turnover_justification": "none"}
    raw = {**SHOWN, "requirements": {**asked, "turnover_applies_to": "contract"}}
    report = audit(raw, ["proportionate-procurement"], as_of=DAY)
    assert "requirements.minimum_annual_turnover" in report.result("PP-03").decided_by
    assert "shown by Invitation to tender, page 14, 2 March 2026" in render("markdown", [report])


def test_a_hostile_address_is_shown_and_not_followed() -> None:
    (entry,) = SHOWN["evidence"]  # type: ignore[misc]
    raw = {**SHOWN, "evidence": [{**entry, "url": "javascript:alert(1)"}]}  # type: ignore[dict-item]
    page = render("html", [audit(raw, ["proportionate-procurement"], as_of=DAY)])
    assert "javascript:alert(1)" in page
    assert 'href="javascript' not in page


def test_the_share_on_evidence_counts_what_is_met() -> None:
    report = audit(EXAMPLES / "tender.json", as_of=DAY)
    passes = [one for one in report.results if one.verdict == "pass" and one.rule.scored]
    score = report.score
    assert 0 < score.evidenced < score.passes - score.claimed
    assert score.evidenced == sum(one.evidenced for one in passes)
    assert score.evidenced_share == round(100 * score.evidenced / score.passes, 1)
    assert f"that is {score.evidenced_share:.0f}% on evidence" in " ".join(render("text", [report]).split())
    assert audit({"kind": "tender"}, as_of=DAY).score.evidenced_share is None
    waived = rescore(report, {next(one.rule.id for one in passes if one.evidenced): None}).score
    assert (waived.passes, waived.evidenced) == (score.passes - 1, score.evidenced - 1)


AWARDED = "requirements.insurance.exists(one, one.needed_by == 'award' && one.kind != 'other')"
WITNESS = """
  - id: WI-{number}
    title: Needed by the award
    asks: One is needed by the award.
    phase: procurement
    applies_to: [tender]
    tier: small
    severity: low
    strength: good-practice
    kind: direct
    require: "{condition}"
    finding: None is.
    why: It is better.
    remedy: Later.
    sources: [{{source: policy}}]
"""
WITNESSES = f"""
pack: witnesses
version: 1.0.0
title: Insurance
sources: {{policy: {{title: Our policy}}}}
let:
  covered: {{is: "{AWARDED}"}}
rules:
{WITNESS.format(number=1, condition=AWARDED)}
{WITNESS.format(number=2, condition="covered")}
"""


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
@pytest.mark.parametrize(
    ("shown", "claimed", "named"),
    [((), True, None), (("1/kind",), False, 1), (("1/kind", "2"), False, 2), (("0",), True, None)],
    ids=["nothing", "a part of one", "all of one", "what settles nothing"],
)
def test_of_items_each_of_which_would_do_the_one_with_evidence_is_named(
    order: tuple[int, ...], shown: tuple[str, ...], claimed: bool, named: int | None, tmp_path: Path
) -> None:
    (tmp_path / "witnesses.yaml").write_text(WITNESSES, "utf-8")
    kinds = (("other", "bid"), ("public_liability", "award"), ("professional_indemnity", "award"))
    items = [{"kind": kind, "needed_by": needed} for kind, needed in kinds]
    raw = {
        "kind": "tender",
        "requirements": {"insurance": [items[number] for number in order]},
        "evidence": proof(*(f"/requirements/insurance/{order.index(int(one[0]))}{one[1:]}" for one in shown)),
    }
    document, report = tmp_path / "tender.json", tmp_path / "report.json"
    document.write_text(json.dumps(raw), "utf-8")
    found = audit(document, load_packs(["witnesses"], rules=[tmp_path / "witnesses.yaml"]), as_of=DAY)
    assert [one.rule.id for one in found.results] == ["WI-1", "WI-2"]
    for result in found.results:
        assert (result.verdict, result.claimed) == ("pass", claimed)
        if named is not None:
            assert f"requirements.insurance[{order.index(named)}].needed_by" in result.decided_by
    report.write_text(found.to_json(), "utf-8")
    assert [one.differences for one in verify(report, document)] == [()]


def test_a_report_saved_before_there_was_evidence_in_it_is_read(tmp_path: Path) -> None:
    raw = json.loads(audit(EXAMPLES / "tender.json", as_of=DAY).to_json())
    del raw["require_evidence"], raw["score"]["evidenced"], raw["digest"]
    for one in raw["results"]:
        del one["evidenced"]
    for one in raw["facts"]:
        del one["evidence"]
    file = tmp_path / "old.json"
    file.write_text(json.dumps(raw), "utf-8")
    (report,) = read_reports(file)
    assert not report.require_evidence


# --- Where evidence is required --------------------------------------------------------------------------------------


def strict(raw: dict[str, Any], pack: str = "proportionate-procurement", **more: Any) -> AuditReport:
    return audit(raw, [pack], as_of=DAY, require_evidence=True, **more)


def test_what_is_met_by_a_bare_claim_is_unknown_and_the_list_says_what_to_show() -> None:
    raw = {**SHOWN, "evidence": proof("/requirements")}
    claimed, shown = audit(raw, ["proportionate-procurement"], as_of=DAY).result("PP-03"), strict(raw)
    assert (claimed.verdict, claimed.evidenced) == ("pass", False)
    open_ = shown.result("PP-03")
    assert open_.verdict == "unknown"
    assert open_.reason == "it is met by the document's own word, and evidence is required"
    (value,) = [one for one in shown.missing if one.name == "value.total"]
    assert value.reason == "stated, without evidence"
    assert value.question == "Which document shows the total value? Name it under evidence, for /value/total."
    assert "It is stated, without evidence." in render("text", [shown])
    full = strict({**raw, "evidence": proof("/requirements", "/value", "/term")}).result("PP-03")
    assert (full.verdict, full.evidenced, full.claimed) == ("pass", True, False)


def test_basics_open_the_rules_that_are_asked_and_prove_nothing() -> None:
    shown = strict({**SHOWN, "evidence": []})
    assert shown.tier.name == "medium"
    plain = audit(SHOWN, ["proportionate-procurement"], as_of=DAY)
    assert {one.rule.id for one in shown.results if (one.reason or "").startswith("asked only")} == {
        one.rule.id for one in plain.results if (one.reason or "").startswith("asked only")
    }
    assert shown.score.passes == 0


def test_what_takes_a_rule_out_needs_evidence_as_well() -> None:
    raw = {"kind": "contract", "stage": "live", "subcontracting": {"position": "not_used"}}
    position = next(one for one in dictionary()["subcontracting.position"].values if one not in ("wanted", "in_use"))
    raw["subcontracting"] = {"position": position}
    plain = audit(raw, ["subcontracting"], as_of=DAY, tier="large")
    bare = strict(raw, "subcontracting", tier="large")
    shown = strict({**raw, "evidence": proof("/subcontracting")}, "subcontracting", tier="large")
    taken_out = [
        one.rule.id for one in plain.results if one.verdict == "not_applicable" and one.decided_by != ("kind",)
    ]
    assert taken_out
    for id in taken_out:
        assert bare.result(id).verdict == "unknown"
        assert bare.result(id).reason == "it is not asked by the document's own word, and evidence is required"
        assert shown.result(id).verdict == "not_applicable"


def test_what_a_document_says_against_itself_stands() -> None:
    asked: Any = {"minimum_annual_turnover": {"amount": 900000, "currency": "GBP"}, "turnover_justification": "none"}
    raw = {**SHOWN, "requirements": {**asked, "turnover_applies_to": "contract"}, "evidence": []}
    assert strict(raw).result("PP-03").verdict == "fail"


def test_a_notice_needs_no_evidence() -> None:
    for path in sorted((EXAMPLES / "ocds").glob("*.json")):
        plain, shown = (audit(path, as_of=DAY, require_evidence=required) for required in (False, True))
        assert plain.results == shown.results
        assert plain.score == shown.score


@cache
def whole() -> Packs:
    return compile_packs([read_pack(path) for path in pack_files(shipped_folder("rules"))])


@cache
def stories() -> tuple[tuple[dict[str, Any], Any, dt.date], ...]:
    found: list[tuple[dict[str, Any], Any, dt.date]] = []
    for name in ("tender.json", "contract.yaml", "decommissioning-plan.yaml"):
        found += [(described(name), tier, DAY) for tier in (None, *TIERS)] * 5
    for compiled in whole().rules:
        for case in compiled.rule.cases:
            raw = {"kind": compiled.rule.applies_to[0], "stage": compiled.rule.due_from, **case.given}
            raw = {name: value for name, value in raw.items() if value is not None}
            day = dt.date.fromisoformat(case.as_of) if case.as_of else DAY
            found.append((raw, None if case.tier == "from_value" else case.tier, day))
    return tuple(found)


def pointers(node: Any, at: str = "") -> Iterator[str]:
    """The pointers of all sections, items and values."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, child in children:
        if at or name not in ("kind", "evidence"):
            yield f"{at}/{name}"
            yield from pointers(child, f"{at}/{name}")


def check_narrower(outer: AuditReport, inner: AuditReport) -> None:
    if inner.score.low is None or outer.score.low is None:
        assert inner.score.low is None
        return
    assert inner.score.high is not None and outer.score.high is not None
    assert outer.score.low - 0.1 <= inner.score.low <= inner.score.high <= outer.score.high + 0.1


@given(st.data())
@settings(max_examples=150)
def test_evidence_only_narrows_and_asking_for_it_fails_nothing(data: st.DataObject) -> None:
    raw, tier, day = data.draw(st.sampled_from(stories()))
    raw = {name: value for name, value in raw.items() if name != "evidence"}
    places = list(dict.fromkeys(pointers(raw)))
    some = data.draw(st.lists(st.sampled_from(places), unique=True, max_size=8)) if places else []
    more = some + (data.draw(st.lists(st.sampled_from(places), unique=True, max_size=8)) if places else [])

    def audited(evidence: list[str], required: bool = True) -> AuditReport:
        described = {**raw, "evidence": proof(*evidence)}
        return audit(described, whole(), as_of=day, tier=tier, engine="reference", require_evidence=required)

    few, many, plain = audited(some), audited(more), audited(more, required=False)
    for shown in (few, many):
        for strictly, freely in zip(shown.results, plain.results, strict=True):
            if freely.verdict == "fail":
                assert (strictly.verdict, strictly.finding) == ("fail", freely.finding)
            elif strictly.verdict == "not_yet_due":
                assert freely.verdict in ("not_yet_due", "not_applicable"), strictly.rule.id
            elif strictly.verdict != freely.verdict:
                assert strictly.verdict == "unknown", strictly.rule.id
                assert freely.verdict in ("pass", "not_applicable", "not_yet_due")
                assert strictly.missing
            # Under which law a document stands, and on which day, its own word tells.
            by_facts = not strictly.rule.law and any(name not in SHOWN_BY_ITSELF for name in strictly.decided_by)
            if strictly.verdict == "pass" and by_facts:
                assert strictly.evidenced, strictly.rule.id
    for before, after in zip(few.results, many.results, strict=True):
        if before.verdict in ("fail", "not_applicable") or (before.verdict == "pass" and not before.provisional):
            assert (after.verdict, after.provisional) == (before.verdict, before.provisional), before.rule.id
    check_narrower(few, many)
    check_narrower(many, plain)


def test_with_everything_shown_nothing_is_left_open() -> None:
    for raw, tier, day in stories()[::3]:
        sections = [f"/{name}" for name in raw if name not in ("kind", "evidence")]
        shown = {**raw, "evidence": proof(*sections)}
        reports = [
            audit(shown, whole(), as_of=day, tier=tier, engine="reference", require_evidence=required)
            for required in (False, True)
        ]
        assert [(one.verdict, one.provisional) for one in reports[0].results] == [
            (one.verdict, one.provisional) for one in reports[1].results
        ]


@given(st.data())
@settings(max_examples=40)
def test_the_second_implementation_agrees(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    raw, tier, day = data.draw(st.sampled_from(stories()))
    places = list(dict.fromkeys(pointers({name: value for name, value in raw.items() if name != "evidence"})))
    some = data.draw(st.lists(st.sampled_from(places), unique=True, max_size=8)) if places else []
    folder = tmp_path_factory.mktemp("verified")
    document, report = folder / "document.json", folder / "report.json"
    document.write_text(json.dumps({**raw, "evidence": proof(*some)}), "utf-8")
    made = audit(document, whole(), as_of=day, tier=tier, engine="reference", require_evidence=True)
    report.write_text(made.to_json(), "utf-8")
    assert [one.differences for one in verify(report, document)] == [()]


# --- The commands ----------------------------------------------------------------------------------------------------


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, list(arguments))


def test_the_option_and_the_setting_ask_for_evidence(tmp_path: Path) -> None:
    tender = tmp_path / "tender.json"
    tender.write_bytes((EXAMPLES / "tender.json").read_bytes())
    common = ["audit", str(tender), "--as-of", "2026-11-20"]
    by_option = run(*common, "--require-evidence", "--no-config")
    assert "Evidence was required" in " ".join(by_option.stdout.split())
    assert "Evidence was required" not in " ".join(run(*common, "--no-config").stdout.split())
    (tmp_path / "goodcommission.toml").write_text("require_evidence = true\n", "utf-8")
    assert run(*common).stdout == by_option.stdout
    (tmp_path / "goodcommission.toml").write_text('require_evidence = "yes"\n', "utf-8")
    assert "require_evidence is true or false" in run(*common).stderr


def test_a_template_has_no_evidence_to_ask_for() -> None:
    template = str(EXAMPLES / "templates" / "tender.yaml")
    assert audit_template(template, as_of=DAY).rules
    result = run("audit", template, "--template", "--require-evidence")
    assert result.exit_code == 2
    assert "--require-evidence can't be used with --template" in result.stderr


def test_a_comparison_asks_as_the_saved_report_did(tmp_path: Path) -> None:
    tender, report = EXAMPLES / "tender.json", tmp_path / "report.json"
    report.write_text(audit(tender, as_of=DAY, require_evidence=True).to_json(), "utf-8")
    result = run("diff", str(report), str(tender), "--no-config")
    assert "Evidence was required" in " ".join(result.stdout.split())
    assert "evidence for what is stated" not in " ".join(result.stdout.split())
    plain = tmp_path / "plain.json"
    plain.write_text(audit(tender, as_of=DAY).to_json(), "utf-8")
    result = run("diff", str(plain), str(report))
    assert "evidence for what is stated: not required and required" in " ".join(result.stdout.split())


def test_an_edit_is_a_claim_until_it_is_shown() -> None:
    raw = {name: value for name, value in described("contract.yaml").items() if name != "evidence"}
    found = improve(raw, load_packs(), as_of=DAY, require_evidence=True)
    assert found.with_all.low == found.now.low
    assert improve(raw, load_packs(), as_of=DAY).with_all.low > (found.with_all.low or 0)  # type: ignore[operator]
