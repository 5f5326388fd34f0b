"""What users build on changes only with a line in the changelog, and with the version that this asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import pytest
from public_surface import ROOT, SNAPSHOT, snapshot, surface, text

NOW = cache(surface)


def unreleased() -> dict[str, str]:
    """The sections of the changelog's Unreleased part, by their titles."""
    whole = (ROOT / "CHANGELOG.md").read_text("utf-8")
    part = whole.partition("\n## [Unreleased]\n")[2].partition("\n## [")[0]
    return {title: said for title, _, said in (one.partition("\n") for one in part.split("\n### ")[1:])}


def missing(before: Mapping[str, str], after: Mapping[str, str], sections: Mapping[str, str]) -> list[str]:
    """The changes that the changelog does not name, each as a line that would name it.

    Whatever is new stands under Added, whatever differs under Changed, whatever is gone under Removed (or Changed),
    by its name in the snapshot, in backticks: `goodcommission scan --no-lock`. Of things that lie within one another
    the outer name will do.
    """
    lines = []
    for subject in sorted(before.keys() | after.keys()):
        if before.get(subject) == after.get(subject):
            continue
        kinds = ["Added"] if subject not in before else ["Changed"] if subject in after else ["Removed", "Changed"]
        said = "\n".join(sections.get(kind, "") for kind in kinds)
        if not any(f"`{name}`" in said for name in _names(subject)):
            lines.append(f"under ### {kinds[0]}: `{subject}`")
    return lines


def _names(subject: str) -> list[str]:
    """A name, and those of all that it lies in."""
    names, left = [subject], subject
    while cut := re.match(r"(.+)[ .(]", left.rstrip(")")):
        left = cut[1]
        names.append(left)
    return [
        name for name in names if name not in ("goodcommission", "goodcommission.scan", "schema", "pack", "setting")
    ]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def raised(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The packs and schemas whose version does not follow what has changed in them."""
    faults = []
    versioned = [subject for subject, form in before.items() if form.startswith("version ") and subject in after]
    for subject in versioned:
        was, now = (
            {k: v for k, v in of.items() if k.startswith((f"{subject} ", f"{subject}."))} for of in (before, after)
        )
        if was == now:
            continue
        old, new = numbers(before[subject]), numbers(after[subject])
        gone = [one for one in was if one not in now]
        broken = gone or (subject.startswith("schema") and any(was[one] != now[one] for one in was))
        if new <= old or (broken and new[0] == old[0]):
            what = f"{gone[0]} is gone" if gone else "what is in it has changed"
            faults.append(f"{subject}: {what}, and its {after[subject]} was {before[subject]}")
    return faults


def test_each_change_since_the_last_release_has_its_line_in_the_changelog() -> None:
    lines = missing(snapshot(), NOW(), unreleased())
    assert not lines, "CHANGELOG.md, Unreleased, does not name what users will notice:\n" + "\n".join(lines)


def test_packs_and_schemas_that_changed_have_another_version() -> None:
    assert raised(snapshot(), NOW()) == []


def test_the_snapshot_is_as_it_is_written() -> None:
    assert SNAPSHOT.read_text("utf-8") == text(dict(sorted(snapshot().items())))
    assert len(snapshot()) > 1000


@pytest.mark.parametrize(
    "subject",
    [
        "goodcommission.audit(as_of)",
        "goodcommission.AuditReport.result(rule)",
        "goodcommission.AuditReport.score",
        "goodcommission.exceptions.ScanError",
        "goodcommission.load_packs(lock)",
        "goodcommission.scan.Options.lock",
        "goodcommission.scan.scan(paths)",
        "goodcommission.web.app.create_app()",
        "goodcommission audit --fail-under",
        "goodcommission packs lock --check",
        "POST /v1/audit",
        "schema report",
        "schema report AuditedPack.digest",
        "schema description.value",
        "pack proportionate-procurement",
        "pack proportionate-procurement PP-01",
        "pack proportionate-procurement params.turnover_multiple",
        "setting gates.fail_under",
        "column notices.buyer",
        "format sarif",
    ],
)
def test_the_surface_holds(subject: str) -> None:
    assert subject in NOW()


def test_what_is_not_named_is_noticed() -> None:
    now = {"goodcommission.audit(new)": "bool", "goodcommission x": "command", "goodcommission x --y": "flag"}
    before = {"goodcommission.audit(old)": "int", "goodcommission.audit(kept)": "int"}
    after = {**now, "goodcommission.audit(kept)": "str"}
    assert missing(before, after, {}) == [
        "under ### Added: `goodcommission x`",
        "under ### Added: `goodcommission x --y`",
        "under ### Changed: `goodcommission.audit(kept)`",
        "under ### Added: `goodcommission.audit(new)`",
        "under ### Removed: `goodcommission.audit(old)`",
    ]
    sections = {
        "Added": "- `goodcommission x` does it; `goodcommission.audit(new)`",
        "Changed": "- `goodcommission.audit(kept)`",
        "Removed": "- `goodcommission.audit`",
    }
    assert missing(before, after, sections) == []
    assert missing(before, after, {**sections, "Removed": ""}) == ["under ### Removed: `goodcommission.audit(old)`"]


@pytest.mark.parametrize(
    ("version", "after", "faults"),
    [
        ("version 1.0.0", {"pack a A-1": "x"}, 0),
        ("version 1.0.0", {"pack a A-1": "y"}, 1),
        ("version 1.0.1", {"pack a A-1": "y"}, 0),
        ("version 0.9.0", {"pack a A-1": "y"}, 1),
        ("version 1.1.0", {}, 1),
        ("version 2.0.0", {}, 0),
    ],
)
def test_a_pack_that_changed_is_given_another_version(version: str, after: Mapping[str, str], faults: int) -> None:
    before = {"pack a": "version 1.0.0", "pack a A-1": "x", "pack ab": "version 1.0.0"}
    assert len(raised(before, {"pack a": version, "pack ab": "version 1.0.0", **after})) == faults


@pytest.mark.parametrize(
    ("version", "after", "faults"),
    [
        ("version 1.1", {"schema report.a": "x", "schema report.b": "y"}, 0),
        ("version 1.0", {"schema report.a": "x", "schema report.b": "y"}, 1),
        ("version 1.1", {"schema report.a": "y"}, 1),
        ("version 2.0", {"schema report.a": "y"}, 0),
        ("version 1.1", {}, 1),
    ],
)
def test_a_schema_that_changed_is_given_another_version(version: str, after: Mapping[str, str], faults: int) -> None:
    before = {"schema report": "version 1.0", "schema report.a": "x"}
    assert len(raised(before, {"schema report": version, **after})) == faults
