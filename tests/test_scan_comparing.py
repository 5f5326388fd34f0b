"""Two scans compared: each change of a verdict is one that two audits show, and the nearest are near."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.cells import cell_len
from scan_tables import releases

from goodcommission import audit
from goodcommission.cli import main
from goodcommission.exceptions import ScanError
from goodcommission.packs.loading import load_packs
from goodcommission.scan import Options, write_scan
from goodcommission.scan.comparing import RuleMoved, ScanComparison, compare
from goodcommission.scan.comparing_text import text

PACK = "transparency-and-information"
STRICTER = f"""\
pack: own
version: 1.0.0
title: Our own limits
extends: [{PACK}]
changes:
  - {{parameter: bid_days, of: {PACK}, bands: [{{is: 35.0}}], unit: days, reason: tried out}}
"""
HOSTILE = "\u202egnp.exe <script>\x1b[2J"


def release(days: int, number: int | None = None, **more: Any) -> dict[str, Any]:
    """An open tender in which there are so many days to bid."""
    number = days if number is None else number
    return {
        "ocid": f"ocds-h6vhtk-{number:06}",
        "id": f"{number}-2026",
        "date": "2026-01-01T00:00:00Z",
        "tag": ["tender"],
        "buyer": {"name": "A council"},
        "tender": {
            "procurementMethod": "open",
            "value": {"amount": 300_000, "currency": "GBP"},
            "documents": [{"documentType": "tenderNotice", "datePublished": "2026-01-01T00:00:00Z"}],
            "tenderPeriod": {"endDate": f"{dt.date(2026, 1, 1) + dt.timedelta(days=days)}T12:00:00Z"},
        },
        **more,
    }


class Scans:
    """Scans of notices, made in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "own.yaml").write_text(STRICTER, "utf-8")

    def of(self, notices: Sequence[Any], name: str, *, own: bool = False, form: Any = "parquet", **more: Any) -> Path:
        file = self.folder / f"{name}.jsonl"
        file.write_text("".join(json.dumps(one) + "\n" for one in notices), "utf-8")
        options = Options(packs=(PACK,), rules=(str(self.folder / "own.yaml"),) if own else ())
        write_scan([file], self.folder / name, options, form=form, jobs=1, **more)
        return self.folder / name


@pytest.fixture
def scans(tmp_path: Path) -> Scans:
    return Scans(tmp_path)


def rule(comparison: ScanComparison, id: str) -> RuleMoved:
    (found,) = [one for one in comparison.rules if one.rule == id]
    return found


@pytest.mark.parametrize(("first", "second"), [("parquet", "csv"), ("jsonl", "parquet"), ("csv", "jsonl")])
def test_the_same_scan_in_any_form_has_not_moved(scans: Scans, first: str, second: str) -> None:
    notices = releases()[::6]
    found = compare(scans.of(notices, "a", form=first), scans.of(notices, "b", form=second))
    assert found.matched == len(notices)
    assert (found.only_before, found.only_after, found.ambiguous, found.differences) == (0, 0, 0, ())
    assert [one.rule for one in found.rules if one.changed or one.met_share.moved] == []
    said = text(found)
    assert "Both were made alike" in said
    assert "No verdict of a rule changed" in said


def test_a_stricter_pack_moves_what_two_audits_show(scans: Scans, monkeypatch: pytest.MonkeyPatch) -> None:
    notices = [*releases(), *(release(days) for days in range(20, 40))]
    found = compare(scans.of(notices, "a"), scans.of(notices, "b", own=True, form="csv"))
    own = load_packs([PACK, "own"], rules=[scans.folder / "own.yaml"])
    counted: Counter[tuple[str, str, str]] = Counter()
    for raw in notices:
        was, now = (audit(raw, packs, engine="reference").results for packs in (load_packs([PACK]), own))
        verdicts = {one.rule.id: one.verdict for one in now}
        for one in was:
            if verdicts[one.rule.id] != one.verdict:
                counted[one.rule.id, one.verdict, verdicts[one.rule.id]] += 1
    moved = {(one.rule, t.before, t.after): t.notices for one in found.rules for t in one.transitions}
    assert moved == counted
    assert len(counted) >= 1
    assert "numbers or severities in them were changed by another pack" in found.differences[0]
    assert found.differences[1].startswith("The option --rules was not given and then “")
    monkeypatch.setattr("goodcommission.scan.comparing._ROWS", 1)
    assert compare(scans.folder / "a", scans.folder / "b") == found


def test_the_nearest_are_those_next_to_where_the_verdict_turns(scans: Scans) -> None:
    notices = [release(days) for days in range(20, 50)]
    found = compare(scans.of(notices, "a"), scans.of(notices, "b", own=True))
    (change,) = rule(found, "TI-10").transitions
    assert (change.before, change.after, change.notices) == ("pass", "fail", 5)
    assert change.turns_on == "timeline.bid_deadline timeline.tender_published"
    # 29 days was too few before, and 35 is enough now.
    assert [one.value for one in change.nearest] == [30, 34, 31, 33, 32]
    assert [one.after.line for one in change.nearest] == [11, 15, 12, 14, 13]
    assert change.nearest[0].before.ocid == "ocds-h6vhtk-000030"
    assert "30" in text(found) and "days between" in text(found)


def test_without_a_figure_that_tells_them_apart_the_first_are_named(scans: Scans) -> None:
    # The same days, so that only the value says which limit there was.
    notices = [release(32, number) for number in range(8)]
    found = compare(scans.of(notices, "a"), scans.of(notices, "b", own=True))
    (change,) = rule(found, "TI-10").transitions
    assert (change.turns_on, change.notices) == (None, 8)
    assert [one.after.ocid for one in change.nearest] == [f"ocds-h6vhtk-{number:06}" for number in range(5)]
    assert {one.value for one in change.nearest} == {None}


def test_two_months_are_compared_by_their_shares(scans: Scans) -> None:
    first, second = [release(days) for days in range(20, 40)], [release(days) for days in range(40, 70)]
    found = compare(scans.of(first, "a"), scans.of(second, "b"))
    assert (found.matched, found.only_before, found.only_after) == (0, 20, 30)
    assert not any(one.transitions for one in found.rules)
    moved = rule(found, "TI-10")
    assert (moved.met_share.before, moved.met_share.after, moved.met_share.difference) == (50.0, 100.0, 50.0)
    assert found.differences == ("The inputs differ: 1 and then 1, of which 0 are the same.",)
    assert "Nothing can be compared notice by notice" in text(found)
    assert found.spreads[0].notices_after == 30


def test_a_notice_that_says_more_is_followed_through_other_files(scans: Scans) -> None:
    silent = release(33)
    del silent["tender"]["tenderPeriod"]
    found = compare(
        scans.of([release(1), silent, release(50)], "a"), scans.of([release(33), release(51), release(50)], "b")
    )
    assert (found.matched, found.only_before, found.only_after) == (2, 1, 1)
    (change,) = rule(found, "TI-10").transitions
    assert (change.before, change.after) == ("unknown", "pass")
    (example,) = change.nearest
    assert (example.before.file, example.before.line) == (str(scans.folder / "a.jsonl"), 2)
    assert (example.after.file, example.after.line) == (str(scans.folder / "b.jsonl"), 1)


def test_a_rule_that_is_not_asked_any_more_is_said_so(scans: Scans) -> None:
    signed = release(33) | {"tag": ["contract"], "contracts": [{"id": "1", "status": "active"}]}
    found = compare(scans.of([release(33)], "a"), scans.of([signed], "b"))
    (change,) = rule(found, "TI-10").transitions
    assert (change.before, change.after) == ("pass", "not asked")
    assert "From met to not asked: 1 notice." in text(found)


def test_a_scan_without_its_rules_is_compared_by_shares_only(scans: Scans) -> None:
    notices = [release(days) for days in range(20, 30)]
    found = compare(scans.of(notices, "a", with_rules=False), scans.of(notices, "b", own=True))
    assert found.matched == 10 and not found.with_rules
    assert not any(one.transitions for one in found.rules)
    assert "without its table of rules" in text(found)


def test_a_scan_of_nothing_is_compared(scans: Scans) -> None:
    for form in ("parquet", "csv", "jsonl"):
        found = compare(scans.of([], f"a-{form}", form=form), scans.of([release(30)], f"b-{form}", form=form))
        assert (found.matched, found.only_before, found.only_after) == (0, 0, 1)
        assert rule(found, "TI-10").met_share.before is None


def test_what_is_no_complete_scan_is_refused(scans: Scans) -> None:
    whole = scans.of([release(30)], "a")
    with pytest.raises(ScanError, match=r"there is no complete scan in .*nowhere: scan\.json is missing"):
        compare(whole, scans.folder / "nowhere")
    for name, said in (("notices", "notices is missing"), ("rules", "rules is missing")):
        broken = Path(shutil.copytree(whole, scans.folder / f"without-{name}"))
        shutil.rmtree(broken / name)
        with pytest.raises(ScanError, match=said):
            compare(broken, whole)
    for name, content in (("scan.json", "[]"), ("summary.json", "{}"), ("summary.json", "{")):
        broken = Path(shutil.copytree(whole, scans.folder / f"broken-{name}", dirs_exist_ok=True))
        (broken / name).write_text(content, "utf-8")
        with pytest.raises(ScanError, match="was not written by this version"):
            compare(whole, broken)


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_a_table_that_is_damaged_is_refused(scans: Scans, form: str) -> None:
    whole = scans.of([release(30)], "a", form=form)
    table = whole / "rules" / "part-00000.parquet" if form == "parquet" else whole / f"rules.{form}"
    table.write_bytes(b"{nonsense\n" * 3)
    with pytest.raises(ScanError, match="can’t be read"):
        compare(whole, whole)


def test_hostile_names_do_not_act_and_lines_stay_narrow(scans: Scans) -> None:
    first = [release(days, buyer={"name": HOSTILE}) | {"ocid": f"{HOSTILE}{days}"} for days in range(30, 40)]
    found = compare(scans.of(first, "a"), scans.of(first, "b", own=True))
    assert found.matched == 10
    said = text(found)
    assert not {"\u202e", "\x1b"} & set(said)
    assert max(cell_len(line) for line in said.splitlines() if "/" not in line) <= 100
    assert ScanComparison.model_validate_json(found.to_json()) == found


def test_the_command_says_what_moved_or_writes_it(scans: Scans) -> None:
    a, b = scans.of([release(30)], "a"), scans.of([release(30)], "b", own=True)
    run = CliRunner().invoke(main, ["scan", "--compare", str(a), str(b)])
    assert (run.exit_code, run.stderr) == (0, "")
    assert run.stdout == text(compare(a, b))
    for name, expected in (("moved.json", compare(a, b).to_json()), ("moved.txt", text(compare(a, b)))):
        run = CliRunner().invoke(main, ["scan", "--compare", str(a), str(b), "-o", str(scans.folder / name)])
        assert (run.exit_code, run.stdout) == (0, "")
        assert (scans.folder / name).read_text("utf-8") == expected


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a"], "takes the folders of two scans, and 1 is given"),
        (["a", "b", "c"], "and 3 are given"),
        (["a", "b", "--limit", "3"], "so that --limit has no place beside it"),
        (["a", "b", "--force"], "so that --force has no place beside it"),
        (["a", "b"], "there is no complete scan in a: scan.json is missing"),
    ],
)
def test_a_comparison_that_can_not_be_made_is_bad_input(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(main, ["scan", "--compare", *arguments])
    assert run.exit_code == 2
    assert said in run.stderr
    assert list(tmp_path.iterdir()) == []
