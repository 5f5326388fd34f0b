"""A saved report is verified against its document by a second implementation, and any change is noticed."""

from __future__ import annotations

import ast
import copy
import datetime as dt
import json
import random
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from verdict_tables import check_tables

from goodcommission import audit, load_packs, read_documents
from goodcommission import verifying as module
from goodcommission.cli import main
from goodcommission.packs.loading import pack_files, read_pack, shipped_folder
from goodcommission.report.reading import read_reports
from goodcommission.verifying import verify

ROOT = Path(__file__).parents[1]
DAY = dt.date(2026, 11, 20)
EXAMPLES = sorted(
    path
    for folder in ("examples", "examples/ocds")
    for path in (ROOT / folder).iterdir()
    if path.suffix in (".json", ".yaml")
)


def saved(document: Path, folder: Path, **options: Any) -> Path:
    report = folder / "report.json"
    texts = [audit(one, as_of=DAY, **options).to_json() for one in read_documents(document)]
    report.write_text(texts[0] if len(texts) == 1 else "[\n" + ",\n".join(t[:-1] for t in texts) + "\n]\n", "utf-8")
    return report


@pytest.mark.parametrize("document", EXAMPLES, ids=lambda path: path.stem)
def test_each_example_is_verified(document: Path, tmp_path: Path) -> None:
    assert [one.differences for one in verify(saved(document, tmp_path), document)] == [()]


@pytest.mark.parametrize("pack", [path.stem for path in pack_files(shipped_folder("rules"))])
def test_each_case_of_each_rule_is_verified(pack: str, tmp_path: Path) -> None:
    """And the tables say the same; with its own pack, each tenth of them with all packs."""
    rules = read_pack(shipped_folder("rules") / f"{pack}.yaml").pack.rules
    cases = [(rule, case) for rule in rules for case in rule.cases]
    own, all_ = load_packs([pack] if cases else None), load_packs()  # definitions are no pack by themselves
    for number, (rule, case) in enumerate(cases):
        packs = own if number % 10 else all_
        raw = {"kind": rule.applies_to[0], "stage": rule.due_from, **case.given}
        document = tmp_path / "document.json"
        document.write_text(json.dumps({key: value for key, value in raw.items() if value is not None}), "utf-8")
        tier = None if case.tier == "from_value" else case.tier
        day = dt.date.fromisoformat(case.as_of) if case.as_of else DAY
        report = tmp_path / "report.json"
        audited = audit(document, packs, as_of=day, tier=tier, engine="reference")
        report.write_text(audited.to_json(), "utf-8")
        check_tables(audited, *read_documents(document))
        [found] = verify(report, document)
        assert found.differences == (), f"{rule.id}, {case.name}"
        assert found.verdicts == len(packs.rules)


@pytest.mark.parametrize("which", ["report", "document"])
def test_one_changed_byte_in_either_is_noticed(which: str, tmp_path: Path) -> None:
    document = tmp_path / "tender.json"
    document.write_bytes((ROOT / "examples" / "tender.json").read_bytes())
    report = saved(document, tmp_path)
    changed = report if which == "report" else document
    data = changed.read_bytes()
    places = random.Random(7).sample(range(len(data)), 150)
    for at in [0, len(data) - 1, *places]:
        changed.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        result = CliRunner().invoke(main, ["verify", str(report), str(document)])
        assert result.exit_code in (1, 2), (at, data[max(at - 20, 0) : at + 20])
        assert "the same." not in result.stdout
    changed.write_bytes(data)
    assert CliRunner().invoke(main, ["verify", str(report), str(document)]).exit_code == 0


def sealed(raw: dict[str, Any]) -> str:
    """A report whose digest fits, whatever was done to it."""
    body = json.dumps(raw, ensure_ascii=False, indent=2)
    return f'{body[:-2]},\n  "digest": "sha256:{sha256(body.encode()).hexdigest()}"\n}}\n'


Raw = dict[str, Any]


def result(raw: Raw, **wanted: Any) -> Raw:
    return next(r for r in raw["results"] if all(r[name] == value for name, value in wanted.items()))


def a_verdict(raw: Raw) -> None:
    result(raw, verdict="fail")["verdict"] = "pass"


def a_provisional(raw: Raw) -> None:
    result(raw, verdict="pass")["provisional"] = True


def a_severity(raw: Raw) -> None:
    result(raw, verdict="fail", severity="high")["severity"] = "low"


def a_claim(raw: Raw) -> None:
    result(raw, claimed=True)["claimed"] = False


def an_evidenced(raw: Raw) -> None:
    result(raw, claimed=True)["evidenced"] = True


def a_score(raw: Raw) -> None:
    raw["score"]["score"] += 0.1


def an_interval(raw: Raw) -> None:
    raw["score"]["high"] += 0.2


def a_coverage(raw: Raw) -> None:
    raw["score"]["coverage"] -= 0.1


def a_grade(raw: Raw) -> None:
    raw["score"]["grade"] = "A"


def the_claims_counted(raw: Raw) -> None:
    raw["score"]["claimed"] -= 1


def the_score_of_a_pack(raw: Raw) -> None:
    next(pack for pack in raw["packs"] if pack["score"])["score"] += 0.1


def a_weight(raw: Raw) -> None:
    next(pack for pack in raw["packs"] if pack["score"])["weight"] *= 2


def a_size(raw: Raw) -> None:
    raw["tier"]["name"] = "small" if raw["tier"]["name"] != "small" else "large"


def a_law(raw: Raw) -> None:
    raw["regime"]["id"] = "procurement_act_2023" if raw["regime"]["id"] is None else None


def a_value(raw: Raw) -> None:
    next(fact for fact in raw["facts"] if fact["name"] == "value.total")["value"] = 1.0


def a_pointer(raw: Raw) -> None:
    next(fact for fact in raw["facts"] if fact["name"] == "value.total")["pointer"] = "/value/total_including_vat"


def a_line(raw: Raw) -> None:
    next(fact for fact in raw["facts"] if fact["name"] == "value.total")["line"] += 1


def a_file(raw: Raw) -> None:
    next(fact for fact in raw["facts"] if fact["name"] == "value.total")["file"] = "contract.json"


def a_stated_fact_dropped(raw: Raw) -> None:
    raw["facts"].pop()


def a_stated_fact_invented(raw: Raw) -> None:
    raw["facts"].append({**raw["facts"][-1], "name": "title"})


def a_parameter(raw: Raw) -> None:
    next(p for p in raw["parameters"] if p["name"] == "page_bands")["bands"] = [[None, 1000.0]]


def a_condition(raw: Raw) -> None:
    next(rule for rule in raw["logic"] if rule["rule"] == "PP-02")["branches"][0]["condition"] = (
        "true || kind == 'tender'"
    )


def missing_conditions(raw: Raw) -> None:
    raw["logic"] = []


def one_condition_missing(raw: Raw) -> None:
    raw["logic"].pop()


def a_rule_left_out(raw: Raw) -> None:
    raw["results"].pop()


def all_proof(raw: Raw) -> None:
    raw["proof"] = []


def a_fact_dropped(raw: Raw) -> None:
    del raw["proof"][0]["facts"]["value.total"]


def a_fact_dropped_with_its_place(raw: Raw) -> None:
    del raw["proof"][0]["facts"]["value.total"]
    del raw["proof"][0]["places"]["value.total"]


def a_fact_invented(raw: Raw) -> None:
    raw["proof"][0]["facts"]["commissioner.staff_time_for_users"] = True


def a_fact_changed(raw: Raw) -> None:
    raw["proof"][0]["facts"]["value.total"] += 1


def a_truth_written_as_a_number(raw: Raw) -> None:
    facts = raw["proof"][0]["facts"]
    facts[next(name for name, value in facts.items() if value is True)] = 1


def a_list_said_to_be_complete(raw: Raw) -> None:
    facts = raw["proof"][0]["facts"]
    facts[next(f"{n}.complete" for n, v in facts.items() if isinstance(v, list) and f"{n}.complete" not in facts)] = (
        True
    )


def an_item_of_a_list(raw: Raw) -> None:
    facts = raw["proof"][0]["facts"]
    facts[next(name for name, value in facts.items() if isinstance(value, list) and value)].pop()


def a_fact_moved(raw: Raw) -> None:
    raw["proof"][0]["places"]["value.total"] = "/value/other"


def a_fact_from_elsewhere(raw: Raw) -> None:
    raw["proof"][0]["places"]["value.total"] = "other.json#/value/total"


def evidence_invented(raw: Raw) -> None:
    proof = raw["proof"][0]
    proof["evidenced"].append(next(name for name in proof["places"] if name not in proof["evidenced"]))


def the_laws_that_it_may_be_under(raw: Raw) -> None:
    raw["proof"][0]["regimes"] = ["procurement_act_2023"] if raw["proof"][0]["regimes"] is None else None


def the_territories(raw: Raw) -> None:
    raw["proof"][0]["territories"] = ["scotland"]


def what_decided_left_out(raw: Raw) -> None:
    """And out of the facts, where no other rule rests on it."""
    for one in raw["results"]:
        if one["verdict"] == "pass" and len(one["decided_by"]) > 1:
            one["decided_by"] = one["decided_by"][:1]
    left = {name for one in (*raw["results"], raw["regime"]) for name in one["decided_by"]}
    raw["facts"] = [fact for fact in raw["facts"] if fact["name"] in left]


def what_decided_invented(raw: Raw) -> None:
    """A fact that the rule does not speak of, to make a claim look like evidence."""
    of = result(raw, verdict="pass", claimed=True)
    of["decided_by"].append(next(f["name"] for f in raw["facts"] if f["name"] not in json.dumps(raw["logic"][:1])))


FORGERIES = (
    a_verdict,
    a_provisional,
    a_severity,
    a_claim,
    an_evidenced,
    a_score,
    an_interval,
    a_coverage,
    a_grade,
    the_claims_counted,
    the_score_of_a_pack,
    a_weight,
    a_size,
    a_law,
    a_value,
    a_pointer,
    a_line,
    a_file,
    a_stated_fact_dropped,
    a_stated_fact_invented,
    a_parameter,
    a_condition,
    missing_conditions,
    one_condition_missing,
    a_rule_left_out,
    all_proof,
    a_fact_dropped,
    a_fact_dropped_with_its_place,
    a_fact_invented,
    a_fact_changed,
    a_truth_written_as_a_number,
    a_list_said_to_be_complete,
    an_item_of_a_list,
    a_fact_moved,
    a_fact_from_elsewhere,
    evidence_invented,
    the_laws_that_it_may_be_under,
    the_territories,
    what_decided_left_out,
    what_decided_invented,
)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> Raw:
    report = saved(ROOT / "examples" / "tender.json", tmp_path_factory.mktemp("honest"))
    raw: Raw = json.loads(report.read_text("utf-8"))
    raw.pop("digest")
    return raw


@pytest.mark.parametrize("forge", [None, *FORGERIES])
def test_a_forged_report_with_a_fitting_digest_is_noticed(
    forge: Callable[[Raw], None] | None, honest: Raw, tmp_path: Path
) -> None:
    raw = copy.deepcopy(honest)
    if forge is not None:
        forge(raw)
        assert sealed(raw) != sealed(honest)
    report = tmp_path / "report.json"
    report.write_text(sealed(raw), "utf-8")
    assert bool(verify(report, ROOT / "examples" / "tender.json")[0].differences) == (forge is not None)


@pytest.mark.parametrize(("first", "next_"), [("'x'", "{0} + {0}"), ("[1]", "{0} + {0}")], ids=["text", "list"])
def test_a_forged_report_does_not_fill_the_memory(first: str, next_: str, honest: Raw, tmp_path: Path) -> None:
    lets = [{"name": "d0", "expression": first, "unit": None}]
    lets += [{"name": f"d{n}", "expression": next_.format(f"d{n - 1}"), "unit": None} for n in range(1, 60)]
    at = next(n for n, one in enumerate(honest["logic"]) if one["lets"])
    logic = [*honest["logic"]]
    logic[at] = {**logic[at], "lets": [{**logic[at]["lets"][0], **one} for one in lets]}
    report = tmp_path / "report.json"
    report.write_text(sealed({**honest, "logic": logic}), "utf-8")
    (found,) = verify(report, ROOT / "examples" / "tender.json")
    assert any("is longer than anything a document states" in one for one in found.differences), found


@pytest.mark.parametrize("hostile", [None, [], "2026-99-99"], ids=repr)
def test_a_report_that_holds_anything_is_never_a_fault_of_the_program(
    hostile: Any, honest: Raw, tmp_path: Path
) -> None:
    """Each part in turn is something else."""
    report = tmp_path / "report.json"
    parts = [(name,) for name in honest]
    parts += [(name, key) for name in ("proof", "results", "parameters", "logic", "facts") for key in honest[name][0]]
    for name, *key in random.Random(repr(hostile)).sample(parts, 6):
        part = honest[name] if not key else [{**honest[name][0], key[0]: hostile}, *honest[name][1:]]
        report.write_text(sealed({**honest, name: part if key else hostile}), "utf-8")
        found = verify(report, ROOT / "examples" / "tender.json")
        assert all(isinstance(one, str) for each in found for one in each.differences)


@pytest.mark.parametrize(
    "text",
    ['{\n  "schema_version"', '"', "[\n", ',\n  "digest": "sha256:' + "0" * 64 + '"\n}', "{}", '{"document": '],
    ids=["beginnings", "quotes", "lists", "seals", "objects", "depth"],
)
def test_a_megabyte_that_is_no_report_is_refused_at_once(text: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text(text * (1_000_000 // len(text)), "utf-8")
    begun = time.process_time()
    (found,) = verify(report, ROOT / "examples" / "tender.json")
    assert "not as goodcommission wrote it" in found.differences[0] and not found.verdicts
    assert time.process_time() - begun < 2
    deep = "[" * 100_000
    seal = sha256(f"{deep}\n}}".encode()).hexdigest()
    report.write_text(f'{deep},\n  "digest": "sha256:{seal}"\n}}\n', "utf-8")
    assert all(one.differences for one in verify(report, ROOT / "examples" / "tender.json"))


def test_a_report_of_an_earlier_format_is_verified_without_its_proof_and_can_be_read(
    honest: Raw, tmp_path: Path
) -> None:
    document, report = str(ROOT / "examples" / "tender.json"), tmp_path / "report.json"
    early = {name: part for name, part in honest.items() if name != "proof"} | {"schema_version": "1.0"}
    report.write_text(sealed(early), "utf-8")
    said = CliRunner().invoke(main, ["verify", str(report), document])
    assert said.exit_code == 0
    assert "It has format 1.0, which carries no proof of its facts." in said.stdout
    (read,) = read_reports(report)
    assert read.to_json() == report.read_text("utf-8")
    for command in (["report", str(report)], ["diff", str(report), document, "--as-of", DAY.isoformat()]):
        assert CliRunner().invoke(main, command).exit_code == 0
    a_verdict(early)
    report.write_text(sealed(early), "utf-8")
    assert verify(report, document)[0].differences
    report.write_text(sealed({**honest, "schema_version": "7.0"}), "utf-8")
    assert verify(report, document)[0].differences == (
        "its format is 7.0, and this goodcommission verifies 1.0 and 1.1",
    )


def test_a_profile_is_part_of_what_is_verified(tmp_path: Path) -> None:
    profile = tmp_path / "council.yaml"
    profile.write_text("commissioner: {staff_time_for_users: true}\n", "utf-8")
    document = tmp_path / "tender.json"
    document.write_text('{"kind": "tender"}', "utf-8")
    report = tmp_path / "report.json"
    report.write_text(audit(document, commissioner=profile, as_of=DAY).to_json(), "utf-8")
    assert verify(report, document, commissioner=profile)[0].differences == ()
    assert "profile" in verify(report, document)[0].differences[0]


def test_several_reports_in_one_file_are_verified_each(tmp_path: Path) -> None:
    notices = [json.loads(path.read_text("utf-8")) for path in EXAMPLES if path.parent.name == "ocds"]
    document = tmp_path / "notices.json"
    document.write_text(json.dumps({"releases": [r for n in notices for r in n.get("releases", [n])]}), "utf-8")
    found = verify(saved(document, tmp_path), document)
    assert len(found) > 5
    assert all(one.differences == () and one.verdicts for one in found)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"{}", "not as goodcommission wrote it"), (b"\xff\xfe", "not UTF-8"), (b"", "not as goodcommission wrote it")],
)
def test_what_is_no_report_is_said_to_be_none(content: bytes, says: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_bytes(content)
    result = CliRunner().invoke(main, ["verify", str(report), str(ROOT / "examples" / "tender.json")])
    assert result.exit_code in (1, 2)
    assert says in result.stderr
    missing = CliRunner().invoke(main, ["verify", str(tmp_path / "none.json"), str(ROOT / "examples" / "tender.json")])
    assert missing.exit_code == 2
    assert "none.json: the report cannot be read" in missing.stderr


FORBIDDEN = ("engine", "scoring", "auditing", "report", "waivers", "casework")


def imported(path: Path) -> set[str]:
    """The modules of ours that a file imports, at the top or within a function, but not for types alone."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
    names |= {f"{n.module}.{a.name}" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return {name for name in names if name.startswith("goodcommission.")}


def test_it_shares_nothing_with_the_engine_the_scoring_or_the_reports() -> None:
    """Neither by itself nor through what it imports."""
    package = Path(module.__file__).parent
    seen: set[str] = set()
    waiting = {"goodcommission.verifying"}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        place = package.parent / name.replace(".", "/")
        path = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        if path.is_file():
            waiting |= imported(path)
    parts = {name.split(".")[1] for name in seen}
    assert {"description", "verifying"} <= parts
    assert parts.isdisjoint(FORBIDDEN), sorted(name for name in seen if name.split(".")[1] in FORBIDDEN)


def test_it_is_one_module_that_can_be_read_in_one_go() -> None:
    assert len(Path(module.__file__).read_text("utf-8").splitlines()) <= 400
