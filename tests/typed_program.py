"""A user's program with everything that is public. It is not run: mypy checks it, where the wheel is installed."""

import datetime as dt
from pathlib import Path
from typing import Literal, assert_type

import goodcommission
from goodcommission import (
    AuditReport,
    Comparison,
    Description,
    DescriptionError,
    Document,
    EngineError,
    Fault,
    GoodCommissionError,
    Improvement,
    PackError,
    Packs,
    TemplateReport,
    audit,
    audit_case,
    audit_template,
    compare,
    improve,
    load_packs,
    read_description,
    read_documents,
)
from goodcommission.scan import Options, Scan, ScannedNotice, ScannedRule, Written, scan, write_scan
from goodcommission.web.settings import WebSettings

Verdict = Literal["pass", "fail", "unknown", "not_applicable", "not_yet_due"]
assert_type(goodcommission.__version__, str)
packs = load_packs(["subcontracting"], rules=[Path("own.yaml"), "more"], lock=Path("goodcommission.lock"))
assert_type(packs, Packs)
try:
    document = read_description({"kind": "tender"}, commissioner="profile.yaml")
    assert_type(document, Document)
    assert_type(document.description, Description)
    assert_type(read_documents(Path("notices.json")), tuple[Document, ...])
    report = audit(document, packs, as_of=dt.date(2026, 1, 1), tier="large", engine="reference", require_evidence=True)
    assert_type(report, AuditReport)
    assert_type(audit_case(["a.yaml", "b.yaml"], packs), AuditReport)
except (DescriptionError, PackError, EngineError) as error:
    assert_type(error.faults, tuple[Fault, ...])
    assert_type(error.faults[0].line, int | None)
except GoodCommissionError as error:
    assert_type(str(error), str)
assert_type(report.score.score, float | None)
assert_type(report.score.grade, str)
assert_type(report.result("PP-01").rule.id, str)
assert_type(report.result("PP-01").verdict, Verdict)
assert_type(report.to_json(), str)
comparison = compare(report, report)
assert_type(comparison, Comparison)
assert_type(comparison.same, bool)
improvement = improve("tender.yaml", packs, target=60)
assert_type(improvement, Improvement)
assert_type(improvement.patch_json(), str)
assert_type(audit_template("template.yaml"), TemplateReport)
scanned = scan(["notices/"], ["subcontracting"], lock="goodcommission.lock", jobs=1)
assert_type(scanned, Scan)
for notice in scanned:
    assert_type(notice, ScannedNotice)
    assert_type(notice.rules, tuple[ScannedRule, ...])
assert_type(write_scan(["notices/"], "out", Options(limit=10)), Written)
assert_type(WebSettings(at_once=4).at_once, int)
wrong: int = report.to_json()  # error: assignment
audit(document, packs, "large")  # error: call-arg
audit(document, tier="huge")  # error: arg-type
