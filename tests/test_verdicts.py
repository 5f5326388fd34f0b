"""Verdicts of one small pack: what each rests on, what it waits for, and every sentence that it gives as its reason."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from goodcommission import audit, load_packs
from goodcommission.packs.checking import check_packs
from goodcommission.packs.compiling import Packs
from goodcommission.report.model import AuditReport, RuleResult

DAY = dt.date(2026, 11, 21)
SMALL = {"amount": 30000, "currency": "GBP"}
LARGE = {"amount": 6000000, "currency": "GBP"}


def written(id: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "title": f"Rule {id}",
        "asks": f"What {id} asks.",
        "phase": "procurement",
        "applies_to": ["tender"],
        "severity": "high",
        "strength": "experience",
        "kind": "direct",
        "why": "For the test.",
        "sources": [{"source": "nobody"}],
        "remedy": "Mend it.",
        **fields,
    }


PACK: dict[str, Any] = {
    "pack": "trial",
    "version": "1.0.0",
    "title": "A pack for trials",
    "sources": {"nobody": {"title": "Nobody's report"}},
    "parameters": {
        "most": {"value": 20.0, "unit": "pages", "basis": "convention", "why": "For the test."},
        "share": {"value": 0.25, "unit": "share", "basis": "convention", "why": "For the test."},
    },
    "rules": [
        written(
            "T-01",
            require="double(process.response_pages) <= params.most",
            finding="{process.response_pages} pages, at most {params.most}.",
        ),
        written(
            "T-08",
            require="!(requirements.minimum_annual_turnover == 0.0 && term.start > 0 && process.route == 'open_tender' "
            "&& subcontracting.actual_vcs_share > params.share && users.monitoring_events_per_year > 1.0 "
            "&& !requirements.turnover_justification.given)",
            finding="{requirements.minimum_annual_turnover}, {term.start}, {process.route}, {params.share}, "
            "{subcontracting.actual_vcs_share}, {users.monitoring_events_per_year}, "
            "{requirements.turnover_justification}.",
        ),
        written(
            "T-02",
            let={"a_year": {"is": "value.total * 12.0 / double(term.months)", "unit": "GBP", "round": "down"}},
            decide=[
                {"pass": "process.options_appraised"},
                {
                    "fail": "a_year > 100000.0",
                    "severity": "medium",
                    "finding": "It costs {a_year} a year.",
                    "remedy": "Spend less than {a_year}.",
                },
                {"fail": "a_year > 50000.0", "finding": "It costs half: {a_year}.", "remedy": "Less."},
                {"pass": "a_year <= 10000.0"},
            ],
            notes=[
                {"when": "value.total > 1000.0", "text": "More than {value.total} is too much."},
                {"when": "process.framework", "text": "Not said."},
            ],
        ),
        written(
            "T-03",
            due_from="awarded",
            when="process.framework",
            planned="users.phases.procurement.planned_for > 0",
            require="users.phases.procurement.involved",
            finding="They were not.",
        ),
        written("T-04", tier="large", require="lots.considered", finding="They were not considered."),
        written(
            "T-05", due_from="awarded", planned="process.suitable_for_sme", require="lots.considered", finding="No."
        ),
        written("T-06", when="process.framework", require="lots.considered", finding="No."),
        written(
            "T-07",
            decide=[
                {"fail": "process.response_pages > 90", "finding": "Many.", "remedy": "Fewer."},
                {"pass": "process.response_pages < 10"},
            ],
        ),
    ],
}


LAW: dict[str, Any] = {
    "pack": "trial-law",
    "kind": "law",
    "version": "1.0.0",
    "title": "A law for trials",
    "law": {"regimes": ["procurement_act_2023"], "verified_on": "2026-06-01", "review_by": "2026-12-01"},
    "sources": {"act": {"title": "An act", "kind": "law"}},
    "parameters": {
        "pages": {
            "unit": "pages",
            "basis": "law",
            "why": "For the test.",
            "values": [
                {
                    "value": value,
                    "from": start,
                    **({"until": until} if until else {}),
                    "source": "act",
                    "provision": "1",
                    "verified_on": "2026-06-01",
                    "review_by": "2026-12-01",
                }
                for value, start, until in ((40, "2025-01-01", "2026-01-31"), (30, "2026-02-01", None))
            ],
        }
    },
    "rules": [
        {
            **written("L-01", governed_by="published", tier="small", sources=[{"source": "act", "provision": "1"}]),
            "when": "process.framework",
            "require": "process.response_pages <= params.pages",
            "finding": "{process.response_pages} pages may not meet the {params.pages} of the act.",
        }
    ],
}


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Packs:
    folder = tmp_path_factory.mktemp("packs")
    for pack in (PACK, LAW):
        (folder / f"{pack['pack']}.yaml").write_text(yaml.safe_dump(pack, sort_keys=False), "utf-8")
    return load_packs(["trial", "trial-law"], rules=[folder])


def audited(packs: Packs, stated: Mapping[str, Any], **options: Any) -> AuditReport:
    day = dt.date.fromisoformat(options.pop("as_of", DAY.isoformat()))
    return audit({"kind": "tender", **stated}, packs, as_of=day, engine="reference", **options)


ROWS = yaml.safe_load((Path(__file__).parent / "fixtures" / "verdicts.yaml").read_text("utf-8"))


def told(result: RuleResult) -> dict[str, Any]:
    """All that is said of a rule, what is empty left out."""
    for text in (result.finding, result.remedy, result.reason):
        assert text is None or text
    for mark in (result.provisional, result.claimed, result.evidenced):
        assert isinstance(mark, bool)
    held = {
        "verdict": result.verdict,
        "provisional": result.provisional,
        "claimed": result.claimed,
        "evidenced": result.evidenced,
        "severity": None if result.severity == "high" else result.severity,
        "finding": result.finding,
        "remedy": result.remedy,
        "reason": result.reason,
        "notes": list(result.notes),
        "decided_by": list(result.decided_by),
        "missing": list(result.missing),
    }
    return {name: value for name, value in held.items() if value}


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_all_that_is_said_of_each_rule(packs: Packs, row: dict[str, Any]) -> None:
    report = audited(packs, row["stated"], **row.get("options", {}))
    # Which facts tell the law is the shipped packs' matter.
    of_law = "regime" in row["stated"].get("process", {})
    assert {one.rule.id: told(one) for one in report.results if of_law or not one.rule.law} == row["expected"]
    for one in report.results:
        assert one.severity == (one.rule.severity if one.verdict != "fail" else one.severity) is not None
        laws = [(number.name, number.value) for number in one.law]
        assert laws == ([("pages", row["pages"])] if one.rule.law and row.get("pages") else []), one.rule.id
    # What is remembered is the same again, and also after other descriptions.
    again = audited(packs, row["stated"], **row.get("options", {}))
    assert again.results == report.results


SHOWN = [row for row in ROWS if "evidence" in row["stated"]]


@pytest.mark.parametrize("row", SHOWN, ids=[row["name"] for row in SHOWN])
def test_what_is_remembered_of_a_claim_is_not_said_of_what_is_shown(packs: Packs, row: dict[str, Any]) -> None:
    claimed = {name: value for name, value in row["stated"].items() if name != "evidence"}
    options = row.get("options", {})
    before = audited(packs, claimed, **options)
    shown = audited(packs, row["stated"], **options)
    after = audited(packs, claimed, **options)
    assert before.results == after.results
    assert any(one.claimed or one.verdict == "unknown" for one in before.results)
    of_law = "regime" in row["stated"].get("process", {})
    assert {one.rule.id: told(one) for one in shown.results if of_law or not one.rule.law} == row["expected"]
    assert not any(one.evidenced for one in before.results)


# What is worked out, what is said of it, and what is beyond numbers

SUMS: dict[str, Any] = {
    "pack": "trial-sums",
    "version": "1.0.0",
    "title": "A pack for sums",
    "sources": PACK["sources"],
    "rules": [
        written(
            "S-01",
            tier="small",
            let={"part": {"is": "subcontracting.actual_vcs_share * 0.1", "unit": "share", "round": "up"}},
            require="part <= 0.08",
            finding="{part} is too much.",
            remedy="Less than {part}.",
            notes=[{"when": "part > 0.05", "text": "It is {part}."}],
        ),
        written(
            "S-02",
            tier="small",
            # Each names what the one before it names twice.
            let={f"d{n}": {"is": f"d{n - 1} + d{n - 1}" if n else "value.total", "unit": "GBP"} for n in range(9)},
            require="d8 <= 25600.0",
            finding="{d8} in all.",
        ),
        written(
            "S-03",
            tier="small",
            let={"huge": {"is": "value.total * 100.0", "unit": "GBP"}, "less": {"is": "huge * 0.5", "unit": "GBP"}},
            decide=[
                {"fail": "value.total > 1000000.0", "finding": "{huge} is too much.", "remedy": "{less}."},
                {"pass": "less < 1000.0"},
            ],
        ),
        written(
            "S-04",
            tier="small",
            due_from="awarded",
            planned="twice > 10.0",
            let={"twice": {"is": "value.total * 2.0", "unit": "GBP"}},
            require="lots.considered",
            finding="No.",
            notes=[{"when": "twice > 1.0", "text": "Twice is {twice}."}],
        ),
        written(
            "S-05",
            tier="small",
            let={"third": {"is": "value.total / 3.0", "unit": "GBP", "round": "down"}},
            require="third < 10.0",
            finding="{third} each.",
        ),
        written(
            "S-06",
            tier="small",
            decide=[
                {"fail": "value.total > 50.0", "finding": "{value.total} is too much."},
                {"pass": "subcontracting.actual_vcs_share > 0.5"},
            ],
        ),
        written(
            "S-07",
            tier="small",
            let={"twice": {"is": "value.total * 2.0", "unit": "GBP"}},
            when="twice > 300.0",
            require="lots.considered",
            finding="No.",
        ),
    ],
}
CLAIMED = {"verdict": "pass", "claimed": True}
FAILED = {"verdict": "fail", "remedy": "Mend it."}
BEYOND = {"verdict": "unknown", "reason": "what is stated fits none of the cases that the rule can decide"}
SHARE = {"decided_by": ["subcontracting.actual_vcs_share"]}
TOTAL = {"decided_by": ["value.total"]}
SUMMED: list[tuple[dict[str, Any], dict[str, dict[str, Any]]]] = [
    # 0.8 * 0.1 is more than 0.08 in doubles, and six decimals are what is looked at.
    (
        {"share": 0.8},
        {
            "S-01": {**CLAIMED, **SHARE, "notes": ["It is 8%."]},
            "S-06": {**CLAIMED, **SHARE, "provisional": True, "missing": ["value.total"]},
        },
    ),
    ({"share": 0.800004}, {"S-01": {**CLAIMED, **SHARE, "notes": ["It is 8%."]}}),
    (
        {"share": 0.80002},
        {
            "S-01": {
                "verdict": "fail",
                "finding": "8.01% is too much.",
                "remedy": "Less than 8.01%.",
                "notes": ["It is 8.01%."],
                **SHARE,
            }
        },
    ),
    (
        {"total": 100},
        {
            "S-02": {**CLAIMED, **TOTAL},
            "S-05": {**FAILED, **TOTAL, "finding": "£33.33 each."},
            "S-07": {"verdict": "not_applicable", "reason": "what it is about does not arise here", **TOTAL},
        },
    ),
    (
        {"total": 200},
        {
            "S-02": {**FAILED, **TOTAL, "finding": "£51,200 in all."},
            "S-05": {**FAILED, **TOTAL, "finding": "£66.66 each."},
        },
    ),
    ({"total": 1e308}, {"S-02": BEYOND, "S-03": {"verdict": "fail", **TOTAL, "finding": "not known is too much."}}),
    ({"total": 10, "stage": "draft"}, {"S-04": {**CLAIMED, **TOTAL, "notes": ["Twice is £20."]}}),
    (
        {},
        {
            "S-02": {"verdict": "unknown", "missing": ["value.total"]},
            "S-07": {"verdict": "unknown", "missing": ["value.total", "lots.considered"]},
        },
    ),
]


def test_what_is_worked_out_is_rounded_and_named_once(tmp_path: Path) -> None:
    (tmp_path / "trial-sums.yaml").write_text(yaml.safe_dump(SUMS, sort_keys=False), "utf-8")
    packs = load_packs(["trial-sums"], rules=[tmp_path])
    for stated, expected in SUMMED:
        raw: dict[str, Any] = {name: value for name, value in stated.items() if name == "stage"}
        if "share" in stated:
            raw["subcontracting"] = {"actual_vcs_share": stated["share"]}
        if "total" in stated:
            raw["value"] = {"total": {"amount": stated["total"], "currency": "GBP"}}
        results = {one.rule.id: told(one) for one in audited(packs, raw).results}
        assert {id: {**results[id], **one} for id, one in expected.items()} == {id: results[id] for id in expected}
        assert all(results[id].keys() - one.keys() <= {"remedy", "reason"} for id, one in expected.items()), stated


# Rules of law


REGIMES: dict[str, Any] = {
    "definitions": "trial-laws",
    "version": "1.0.0",
    "title": "Laws for trials",
    "regimes": [
        {
            "id": "act",
            "title": "the act",
            "territories": ["england"],
            "when": "process.framework",
            "because": "It is a framework.",
        }
    ],
}
ACT: dict[str, Any] = {
    **LAW,
    "pack": "trial-act",
    "law": {**LAW["law"], "regimes": ["act"]},
    "rules": [
        {
            **written(id, governed_by="published", tier="small", sources=[{"source": "act", "provision": "1"}]),
            **clauses,
        }
        for id, clauses in {
            "A-01": {
                "when": "!lots.considered",
                "require": "process.response_pages <= params.pages",
                "finding": "{process.response_pages} pages.",
            },
            "A-02": {
                "decide": [
                    {"fail": "process.response_pages > params.pages", "finding": "{process.response_pages} pages."},
                    {"pass": "process.options_appraised"},
                ],
            },
            # Its verdict needs no number of the law.
            "A-03": {"require": "process.suitable_for_sme", "finding": "It is not suitable."},
        }.items()
    ],
}
PUBLISHED = {"timeline": {"tender_published": "2026-03-01"}}
LOTS: dict[bool, Any] = {considered: {"lots": {"considered": considered}} for considered in (True, False)}
PAGES, DATE, LAWFUL = "process.response_pages", "timeline.tender_published", "process.regime"
ON_THE_ACT = {"reason": "whether it is run under the act is not known", "verdict": "unknown"}
"""All of it as long as more is not known of the law than that it may be the act."""
PROVISIONAL = {"provisional": True, "missing": [LAWFUL]}
BY_LAW: list[tuple[dict[str, Any], dict[str, Any], dict[str, dict[str, Any]]]] = [
    (
        {"process": {"framework": True, "response_pages": 20, "options_appraised": True}, **LOTS[False], **PUBLISHED},
        {},
        {
            "A-01": {**CLAIMED, **PROVISIONAL, "decided_by": [PAGES, "process.framework", DATE], "pages": 30},
            "A-02": {
                **CLAIMED,
                **PROVISIONAL,
                "decided_by": ["process.options_appraised", "process.framework", DATE],
                "pages": 30,
            },
        },
    ),
    (
        {"process": {"framework": True, "response_pages": 40}, **LOTS[False], **PUBLISHED},
        {},
        {
            id: {
                **FAILED,
                **PROVISIONAL,
                "finding": "40 pages.",
                "decided_by": [PAGES, "process.framework", DATE],
                "pages": 30,
            }
            for id in ("A-01", "A-02")
        },
    ),
    (
        {"process": {"framework": True, "options_appraised": True}, **LOTS[False], **PUBLISHED},
        {},
        {
            "A-01": {"verdict": "unknown", "missing": [PAGES]},
            "A-02": {
                **CLAIMED,
                "provisional": True,
                "missing": [PAGES, LAWFUL],
                "decided_by": ["process.options_appraised", "process.framework", DATE],
                "pages": 30,
            },
        },
    ),
    (
        {"process": {"framework": True, "response_pages": 40, "options_appraised": True}, **LOTS[False]},
        {},
        {
            "A-01": {
                "verdict": "unknown",
                "reason": "its value depends on the date of publication",
                "missing": [DATE],
            },
            "A-02": {
                **CLAIMED,
                "provisional": True,
                "missing": [DATE, LAWFUL],
                "decided_by": ["process.options_appraised", "process.framework"],
            },
        },
    ),
    (
        {
            "process": {"framework": True, "response_pages": 20},
            "evidence": [{"pointer": "/process/framework", "document": "Minutes"}],
            **LOTS[False],
            **PUBLISHED,
        },
        {},
        {
            "A-01": {
                "verdict": "pass",
                **PROVISIONAL,
                "decided_by": [PAGES, "process.framework", DATE],
                "pages": 30,
            },
            "A-02": {"verdict": "unknown", "missing": ["process.options_appraised"]},
        },
    ),
    (
        {"process": {"suitable_for_sme": True, "options_appraised": True}, **LOTS[False], **PUBLISHED},
        {},
        {"A-02": {**ON_THE_ACT, "missing": [LAWFUL, PAGES]}, "A-03": {**ON_THE_ACT, "missing": [LAWFUL]}},
    ),
    (
        {"process": {"response_pages": 40}, **LOTS[True], **PUBLISHED},
        {},
        {
            "A-01": {
                "verdict": "not_applicable",
                "reason": "what it is about does not arise here",
                "decided_by": ["lots.considered"],
            },
            "A-02": {**ON_THE_ACT, "missing": [LAWFUL, "process.options_appraised"]},
        },
    ),
    (
        {"process": {"response_pages": 40, "suitable_for_sme": False}, **LOTS[False], **PUBLISHED},
        {},
        {"A-01": {**ON_THE_ACT, "missing": [LAWFUL]}, "A-03": {**ON_THE_ACT, "missing": [LAWFUL]}},
    ),
    (
        {**PUBLISHED},
        {},
        {"A-01": {**ON_THE_ACT, "missing": [LAWFUL, "lots.considered", PAGES]}},
    ),
    (
        {"process": {"framework": True, "response_pages": 40}, **LOTS[False], **PUBLISHED},
        {"as_of": "2027-03-01"},
        {
            "A-01": {
                "verdict": "unknown",
                "reason": "law not re-verified since 1 June 2026",
                "missing": [LAWFUL],
            }
        },
    ),
]


def test_a_law_that_may_not_be_the_one_is_said_to_be_so(tmp_path: Path) -> None:
    for name, pack in (("trial-laws", REGIMES), ("trial-act", ACT)):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(pack, sort_keys=False), "utf-8")
    packs = load_packs(["trial-act"], rules=[tmp_path])
    # What else would tell the law is for the shipped packs to say.
    ours = {PAGES, DATE, LAWFUL, "lots.considered", "process.options_appraised"}
    for stated, options, expected in BY_LAW:
        results = {one.rule.id: one for one in audited(packs, stated, **options).results}
        for id, told_of_it in expected.items():
            found = told(results[id])
            for number in results[id].law:
                found[number.name] = number.value
            if "missing" in found:
                found["missing"] = [name for name in found["missing"] if name in ours]
            assert found == told_of_it, (stated, id)


def test_numbers_of_two_days_are_not_mixed_up(tmp_path: Path) -> None:
    """What a pack works out for all its rules rests on the number that the law has for each."""
    law = {
        **LAW,
        "let": {"too_many": {"is": "process.response_pages > params.pages"}},
        "rules": [
            {**LAW["rules"][0], "id": id, "governed_by": day, "require": "!too_many", "finding": "Too many."}
            for id, day in (("L-01", "published"), ("L-02", "signed"), ("L-03", "published"))
        ],
    }
    (tmp_path / "trial-law.yaml").write_text(json.dumps(law), "utf-8")  # in YAML they would share what they have
    packs = load_packs(["trial-law"], rules=[tmp_path])
    stated = {
        "process": {"regime": "procurement_act_2023", "framework": True, "response_pages": 35},
        "timeline": {"tender_published": "2026-01-31", "contract_signed": "2026-02-01"},
    }
    results = audited(packs, stated, tier="large").results
    assert [one.verdict for one in results] == ["pass", "fail", "pass"]
    assert [[number.value for number in one.law] for one in results] == [[40], [30], [40]]


def checked(tmp_path: Path, pack: Mapping[str, Any]) -> tuple[Any, ...]:
    path = tmp_path / f"{pack['pack']}.yaml"
    path.write_text(yaml.safe_dump(pack, sort_keys=False), "utf-8")
    return check_packs([path]).faults


def test_a_law_is_mended_with_the_number_of_its_day(tmp_path: Path) -> None:
    """`packs check` mends each case that fails, and asks the rule again."""

    def case(expect: str, day: str, pages: int, framework: bool = True) -> dict[str, Any]:
        process = {"regime": "procurement_act_2023", "framework": framework, "response_pages": pages}
        value = {"total": {"amount": 30000, "currency": "GBP"}}
        given = {"value": value, "process": process, "timeline": {"tender_published": day}}
        return {"name": f"{expect} {day} {pages}", "expect": expect, "given": given}

    cases = [
        case("pass", "2026-01-31", 40),
        case("fail", "2026-01-31", 41),
        case("fail", "2026-02-01", 40),
        case("not_applicable", "2026-02-01", 40, framework=False),
        {"name": "nothing", "expect": "unknown", "given": {}},
    ]
    for mend, faults in (("params.pages", 0), ("params.pages + 1", 2)):
        edit = {"set": "process.response_pages", "to": mend, "kind": "decision"}
        law = {**LAW, "rules": [{**LAW["rules"][0], "mend": [edit], "cases": cases}]}
        found = checked(tmp_path, law)
        assert len(found) == faults, found


def test_each_branch_is_known_to_have_decided_and_is_mended_by_its_own_edit(tmp_path: Path) -> None:
    def case(expect: str, **process: Any) -> dict[str, Any]:
        return {"name": f"{expect} {process}", "expect": expect, "given": {"process": process}}

    def branch(condition: str, pages: int) -> dict[str, Any]:
        edit = {"set": "process.response_pages", "value": pages, "kind": "decision"}
        return {"fail": condition, "finding": "Too many.", "mend": [edit]}

    rule = written(
        "T-10",
        tier="small",
        decide=[
            branch("process.response_pages > 90", 50),
            {"pass": "process.framework"},
            branch("process.response_pages > 20", 9),
            {"pass": "process.response_pages < 10"},
        ],
        cases=[
            case("fail", response_pages=91, framework=True),
            case("pass", response_pages=30, framework=True),
            case("fail", response_pages=30, framework=False),
            case("pass", response_pages=9, framework=False),
            case("unknown"),
        ],
    )
    pack = {**PACK, "rules": [rule], "parameters": {}}
    assert checked(tmp_path, pack) == ()
    without = {**pack, "rules": [{**rule, "cases": rule["cases"][:3] + rule["cases"][4:]}]}
    assert ["by this branch" in str(fault) for fault in checked(tmp_path, without)] == [True]


def test_a_law_that_rests_on_the_documents_own_word_is_not_met_where_evidence_is_required(tmp_path: Path) -> None:
    """What is bought and by which route decides which rules are asked; whether they are met is to be shown."""
    asked = {"when": "process.framework", "require": "process.route == 'open_tender'", "finding": "By {process.route}."}
    rule = {key: value for key, value in LAW["rules"][0].items() if key != "governed_by"}
    law = {**LAW, "rules": [{**rule, **asked}], "parameters": {}}
    (tmp_path / "trial-law.yaml").write_text(yaml.safe_dump(law, sort_keys=False), "utf-8")
    packs = load_packs(["trial-law"], rules=[tmp_path])
    process = {"regime": "procurement_act_2023", "framework": True, "route": "open_tender"}
    shown = [{"pointer": f"/process/{name}", "document": "Minutes"} for name in ("framework", "regime")]
    for evidence, verdict in ((shown, "unknown"), ([{"pointer": "/process", "document": "Minutes"}], "pass")):
        stated = {"process": process, "evidence": evidence}
        (result,) = audited(packs, stated, tier="large", require_evidence=True).results
        assert result.verdict == verdict
        if verdict == "unknown":
            assert (result.missing, result.law) == (("process.route",), ())


# What is remembered, and what is shown in part


def test_what_is_said_of_one_list_is_not_said_of_another(tmp_path: Path) -> None:
    rule = written("M-01", tier="small", require="requirements.insurance.all(i, i.cover <= 1000.0)", finding="Much.")
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump({**PACK, "rules": [rule], "parameters": {}}), "utf-8")
    packs = load_packs(["trial"], rules=[tmp_path])
    for evidence in ([], [{"pointer": "/requirements", "document": "Minutes"}]):
        said = []
        for covers in ([500], [5000], [500, 700], [700, 5000], [500]):
            items = [{"kind": "public_liability", "cover": {"amount": one, "currency": "GBP"}} for one in covers]
            insurance = {"complete": True, "items": items}
            stated = {"requirements": {"insurance": insurance}, "evidence": evidence}
            said.append(audited(packs, stated, require_evidence=bool(evidence)).results[0].verdict)
        assert said == ["pass", "fail", "pass", "fail", "pass"]


def test_what_evidence_of_one_item_shows_is_not_said_of_all(tmp_path: Path) -> None:
    rule = written("M-02", tier="small", require="'housing' in service.need_areas", finding="It is not.")
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump({**PACK, "rules": [rule], "parameters": {}}), "utf-8")
    packs = load_packs(["trial"], rules=[tmp_path])
    for pointer, evidenced in (("/0", False), ("", True), ("/1", False)):
        evidence = [{"pointer": f"/service/need_areas{pointer}", "document": "Minutes"}]
        stated = {"service": {"need_areas": ["housing", "skills"]}, "evidence": evidence}
        (result,) = audited(packs, stated).results
        assert (result.verdict, result.claimed, result.evidenced) == ("pass", False, evidenced)


def test_of_two_items_the_one_with_evidence_is_named_however_it_is_asked(tmp_path: Path) -> None:
    needed = "requirements.insurance.exists(i, i.needed_by == 'award')"
    rules = [
        written("I-01", tier="small", require=needed, finding="None is."),
        written("I-02", tier="small", let={"one": {"is": needed}}, require="one", finding="None is."),
        written("I-03", tier="small", decide=[{"pass": needed}]),
        written("I-04", tier="small", due_from="awarded", planned=needed, require="lots.considered", finding="No."),
    ]
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump({**PACK, "rules": rules, "parameters": {}}), "utf-8")
    packs = load_packs(["trial"], rules=[tmp_path])
    for shown, named, claimed in ((None, 0, True), (1, 1, False), (0, 0, False), (2, 0, True)):
        items = [{"kind": "other", "needed_by": by} for by in ("award", "award", "bid")]
        evidence = [] if shown is None else [{"pointer": f"/requirements/insurance/{shown}", "document": "Minutes"}]
        stated = {"stage": "draft", "requirements": {"insurance": items}, "evidence": evidence}
        for result in audited(packs, stated).results:
            assert (result.verdict, result.claimed) == ("pass", claimed), (result.rule.id, shown)
            assert result.decided_by == (f"requirements.insurance[{named}].needed_by",), (result.rule.id, shown)


def test_what_the_document_says_of_itself_will_do_to_be_asked_and_not_to_be_met(tmp_path: Path) -> None:
    rules = [
        written("W-01", tier="small", when="process.route == 'open_tender'", require="lots.considered", finding="No."),
        written(
            "W-02",
            tier="small",
            decide=[
                {"pass": "process.options_appraised"},
                {"fail": "process.response_pages > 20", "finding": "Many.", "remedy": "Fewer."},
            ],
        ),
    ]
    (tmp_path / "trial.yaml").write_text(yaml.safe_dump({**PACK, "rules": rules, "parameters": {}}), "utf-8")
    packs = load_packs(["trial"], rules=[tmp_path])
    stated = {
        "process": {"route": "direct_award", "options_appraised": True, "response_pages": 30},
        "lots": {"considered": True},
        "evidence": [{"pointer": "/process/response_pages", "document": "Minutes"}],
    }
    first, second = audited(packs, stated, require_evidence=True).results
    assert told(first) == {
        "verdict": "not_applicable",
        "reason": "what it is about does not arise here",
        "decided_by": ["process.route"],
    }
    # By the evidence alone it would fail; what the document claims may well be so.
    assert told(second) == {
        "verdict": "unknown",
        "reason": "it is met by the document's own word, and evidence is required",
        "missing": ["process.options_appraised"],
    }
