"""Loading packs: the shipped ones, in both forms, and those of the user's own beside them."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goodcommission.auditing import audit
from goodcommission.exceptions import PackError
from goodcommission.packs import loading
from goodcommission.packs.compiling import Packs, build_conditions, compile_packs
from goodcommission.packs.loading import build, load_packs, pack_files, read_pack, shipped_folder, shipped_packs
from goodcommission.packs.model import Pack

OWN = """
pack: own-rules
version: 1.0.0
title: Rules of our own
currency: {currency}
uses: [{uses}]
sources:
  handbook: {{title: Our handbook}}
parameters:
  longest: {{value: 36, unit: months, basis: convention, why: It is what we do.}}
rules:
  - id: {rule}
    title: The term is not too long
    asks: It ends within three years.
    phase: procurement
    applies_to: [tender]
    tier: small
    severity: low
    strength: good-practice
    kind: direct
    {extra}
    require: "{require}"
    finding: "It runs for {{term.months}} months."
    why: Needs change.
    remedy: "Let it end after {{params.longest}} months."
    mend: [{{set: term.months, to: params.longest, kind: decision}}]
    sources: [{{source: handbook}}]
    cases:
      - {{name: longer, expect: fail, given: {{term: {{months: 37}}}}}}
      - {{name: as long, expect: pass, given: {{term: {{months: 36}}}}}}
      - {{name: not stated, expect: unknown, given: {{}}}}
"""

OUR_DEFINITIONS = """
definitions: our-numbers
version: 1.0.0
title: Our numbers
currency: {currency}
parameters:
  ours: {{value: 12, unit: months, basis: convention, why: It is what we do.}}
let:
  long: {{is: "term.months > params.ours"}}
"""


def write_own(
    folder: Path,
    *,
    rule: str = "OWN-1",
    currency: str = "GBP",
    uses: str = "common",
    extra: str = "level: core",
    require: str = "term.months <= params.longest",
) -> Path:
    path = folder / "own.yaml"
    path.write_text(OWN.format(rule=rule, currency=currency, uses=uses, extra=extra, require=require), "utf-8")
    return path


def faults_of(*packs: str, rules: Path) -> list[str]:
    with pytest.raises(PackError) as caught:
        load_packs(list(packs) or None, rules=[rules])
    return [str(fault) for fault in caught.value.faults]


# --- The shipped packs -----------------------------------------------------------------------------------------------


def test_the_shipped_packs_load() -> None:
    packs = load_packs()
    written = (read_pack(path).pack for path in pack_files(shipped_folder("rules")))
    assert set(packs.ids) == {pack.pack for pack in written if pack.pack}
    assert len(packs.ids) >= 7
    assert packs.currency == "GBP"
    assert load_packs() is packs
    assert set(packs.weights) == set(packs.practice.ids) - {"combined-findings"}  # law is no part of the score
    assert packs.digest == "sha256:" + packs.digest.removeprefix("sha256:")


def test_some_packs_can_be_named() -> None:
    packs = load_packs(["subcontracting"])
    assert packs.ids == ("subcontracting",)
    assert {rule.pack for rule in packs.rules} == {"subcontracting"}
    assert packs is load_packs(["subcontracting", "subcontracting"])
    assert load_packs(["subcontracting", "equality-impact"]) is load_packs(["equality-impact", "subcontracting"])
    assert packs.digest != load_packs().digest


def test_a_pack_that_is_not_there() -> None:
    with pytest.raises(PackError, match=r'no pack "subcontractin"; there are .*equality-impact.*Did you mean subcontr'):
        load_packs(["subcontractin"])
    with pytest.raises(PackError, match='no pack "common"'):
        load_packs(["common"])


def test_a_rule_that_is_not_there() -> None:
    packs = load_packs()
    assert packs.rule("PP-03").rule.id == "PP-03"
    with pytest.raises(PackError, match=r'no rule "pp-03". Did you mean PP-03\?'):
        packs.rule("pp-03")


# --- The built form --------------------------------------------------------------------------------------------------


def test_the_built_form_is_in_step() -> None:
    """After a change of rules, facts or functions: ``python -m goodcommission.packs.loading``."""
    assert json.loads(loading.BUILT.read_text("utf-8")) == json.loads(json.dumps(build()))


def bare(pack: Pack) -> Pack:
    def without_cases(parts: Any) -> Any:
        return tuple(part.model_copy(update={"cases": ()}) for part in parts)

    return pack.model_copy(update={"rules": without_cases(pack.rules), "patterns": without_cases(pack.patterns)})


def test_the_built_form_is_the_yaml_without_its_cases() -> None:
    assert all(one.built is not None for one in shipped_packs())
    written = [read_pack(path) for path in pack_files(shipped_folder("rules"))]
    for built, yaml in zip(shipped_packs(), written, strict=True):
        assert built.pack == bare(yaml.pack)
        assert built.digest == yaml.digest


def summary(packs: Packs) -> list[tuple[Any, ...]]:
    """All that judging a rule rests on."""
    gates = [gate for gate in packs.tiers if gate] + [one.gate for one in packs.patterns if one.gate]
    found = []
    for rule in [*packs.rules, *gates]:
        parts = [rule.when, rule.planned, *(b.condition for b in rule.branches), *(n.condition for n in rule.notes)]
        parts += [let.value for let in rule.lets] + [edit.value for b in rule.branches for edit in b.mend]
        conditions = [(p.text, p.tree, p.names, p.asked, p.type.name, p.type.values) for p in parts if p]
        texts = [(b.finding, b.remedy, b.severity) for b in rule.branches]
        found.append((rule.rule.id, conditions, texts, rule.facts, rule.reads, dict(rule.constants), dict(rule.units)))
    return found


def test_both_forms_compile_to_the_same() -> None:
    from_yaml = compile_packs([read_pack(path) for path in pack_files(shipped_folder("rules"))])
    assert summary(load_packs()) == summary(from_yaml)
    assert load_packs().digest == from_yaml.digest


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the shipped packs that takes their place."""
    rules = tmp_path / "rules"
    rules.mkdir()
    for path in pack_files(shipped_folder("rules")):
        shutil.copy(path, rules)
    monkeypatch.setattr(loading, "shipped_folder", lambda name: tmp_path / name)
    for cached in (loading.shipped_packs, loading._compiled):
        cached.cache_clear()
    yield rules
    for cached in (loading.shipped_packs, loading._compiled):
        cached.cache_clear()


def test_an_edited_pack_takes_effect_though_the_built_form_is_stale(checkout: Path) -> None:
    assert load_packs().rule("PP-01").parameters["far_beyond"].value == 1.5
    path = checkout / "proportionate-procurement.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("    value: 1.5\n", "    value: 1.75\n", 1), "utf-8")
    for cached in (loading.shipped_packs, loading._compiled):
        cached.cache_clear()
    packs = load_packs()
    assert packs.rule("PP-01").parameters["far_beyond"].value == 1.75
    assert all(one.built is None for one in packs.packs)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"digests": {}}'])
def test_a_broken_built_form_is_left_aside(checkout: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    built = checkout.parent / "shipped.json"
    built.write_text(text, "utf-8")
    monkeypatch.setattr(loading, "BUILT", built)
    assert all(one.built is None for one in load_packs().packs)
    assert len(load_packs().rules) > 50


def test_the_built_form_is_written_whole(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the grades that there are, which a copy of the same packs keeps."""
    built = Path(shutil.copy(loading.BUILT, checkout.parent))
    monkeypatch.setattr(loading, "BUILT", built)
    held = json.loads(built.read_text("utf-8"))
    built.write_text(json.dumps({**held, "digests": {}}), "utf-8")
    loading.write_built_form()
    assert json.loads(built.read_text("utf-8")) == held
    assert {path.name for path in checkout.parent.iterdir()} == {"rules", "shipped.json"}
    assert all(one.built is not None for one in load_packs().packs)


# --- Packs of one's own ----------------------------------------------------------------------------------------------


def test_a_pack_of_ones_own_is_used_beside_the_shipped_ones(tmp_path: Path) -> None:
    packs = load_packs(rules=[write_own(tmp_path)])
    assert {"own-rules", "subcontracting"} <= set(packs.ids)
    alone = load_packs(["own-rules"], rules=[tmp_path])
    assert alone.ids == ("own-rules",)
    report = audit({"kind": "tender", "term": {"months": 40}}, alone)
    assert [(r.rule.id, r.verdict, r.finding) for r in report.results] == [("OWN-1", "fail", "It runs for 40 months.")]
    assert report.results[0].remedy == "Let it end after 36 months."


def test_an_edit_of_ones_own_pack_is_seen(tmp_path: Path) -> None:
    path = write_own(tmp_path)
    first = load_packs(["own-rules"], rules=[tmp_path])
    assert load_packs(["own-rules"], rules=[tmp_path]) is first
    before = path.stat()
    path.write_text(path.read_text("utf-8").replace("value: 36", "value: 48"), "utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # as where the clock was set back
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert load_packs(["own-rules"], rules=[tmp_path]).rule("OWN-1").parameters["longest"].value == 48


def test_a_pack_with_definitions_of_its_own(tmp_path: Path) -> None:
    write_own(tmp_path, uses="our-numbers", extra='when: "long"')
    (tmp_path / "numbers.yml").write_text(OUR_DEFINITIONS.format(currency="GBP"), "utf-8")
    packs = load_packs(["own-rules"], rules=[tmp_path])
    (result,) = audit({"kind": "tender", "term": {"months": 12}}, packs).results
    assert result.verdict == "not_applicable"


def test_literals_are_checked_in_lets_of_shipped_definitions(tmp_path: Path) -> None:
    """A restored let of the built form knows the values of its enumeration."""
    (tmp_path / "numbers.yml").write_text(OUR_DEFINITIONS.format(currency="GBP"), "utf-8")
    path = tmp_path / "numbers.yml"
    chosen = "  chosen: {is: \"term.months > 1 ? process.route : 'direct_award'\"}\n"
    path.write_text(path.read_text("utf-8") + chosen, "utf-8")
    loaded = [read_pack(path), read_pack(write_own(tmp_path, uses="our-numbers", require="chosen == 'open_tender'"))]
    forms = build_conditions(loaded)
    restored = replace(loaded[0], built=json.loads(json.dumps(forms["our-numbers"])))
    assert compile_packs([restored, loaded[1]]).rule("OWN-1").lets[0].name == "chosen"
    wrong = read_pack(write_own(tmp_path, uses="our-numbers", require="chosen == 'open_tendr'"))
    with pytest.raises(PackError, match=r'"open_tendr" is not a value of this fact.*Did you mean "open_tender"'):
        compile_packs([restored, wrong])


def test_definitions_that_are_not_there(tmp_path: Path) -> None:
    path = write_own(tmp_path, uses="comon")
    (fault,) = faults_of(rules=tmp_path)
    assert fault == f'{path}:6:7: there are no definitions "comon" (at /uses). Did you mean common?'


def test_an_id_that_a_shipped_rule_has(tmp_path: Path) -> None:
    path = write_own(tmp_path, rule="PP-03")
    (fault,) = faults_of(rules=tmp_path)
    assert fault == f'{path}:12:9: the rule id "PP-03" is used already in proportionate-procurement (at /rules/0/id)'


def test_an_id_that_a_shipped_pattern_has(tmp_path: Path) -> None:
    write_own(tmp_path, rule="X-01")
    assert any('id "X-01" is used already' in fault for fault in faults_of(rules=tmp_path))


def test_a_shipped_pack_twice(tmp_path: Path) -> None:
    shutil.copy(shipped_folder("rules") / "subcontracting.yaml", tmp_path)
    faults = faults_of(rules=tmp_path)
    assert any('the pack id "subcontracting" is used already' in fault for fault in faults)


def test_a_parameter_that_the_definitions_have(tmp_path: Path) -> None:
    path = write_own(tmp_path)
    path.write_text(path.read_text("utf-8").replace("longest", "large_annual_value").replace("36,", "36.0,"), "utf-8")
    assert any("there is a parameter large_annual_value already" in fault for fault in faults_of(rules=tmp_path))


@pytest.mark.parametrize("name", ["value", "as_of", "params", "kind", "competitive"])
def test_a_let_may_not_hide_another_name(tmp_path: Path, name: str) -> None:
    write_own(tmp_path, extra=f'let: {{{name}: {{is: "term.months > 3"}}}}')
    assert "choose another" in faults_of(rules=tmp_path)[0] or "already, in common" in faults_of(rules=tmp_path)[0]


def test_two_currencies_can_not_be_used_together(tmp_path: Path) -> None:
    path = write_own(tmp_path, currency="EUR", uses="")
    faults = faults_of(rules=tmp_path)
    assert [fault.startswith(f"{path}:5:11: its limits are in EUR, and those of ") for fault in faults] == [True]
    alone = load_packs(["own-rules"], rules=[tmp_path])
    assert alone.currency == "EUR"
    report = audit({"kind": "tender", "term": {"months": 40}}, alone)
    assert report.results[0].verdict == "fail"


def test_definitions_in_another_currency_can_not_be_used(tmp_path: Path) -> None:
    write_own(tmp_path, currency="EUR", uses="common")
    assert any("can't be used together" in fault for fault in faults_of("own-rules", rules=tmp_path))


def test_a_folder_without_packs(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"there is no pack \(\*.yaml\) in this folder"):
        load_packs(rules=[tmp_path])
    with pytest.raises(PackError, match="there is no such file or folder"):
        load_packs(rules=[tmp_path / "missing.yaml"])


def test_threads_get_one_set_of_packs(tmp_path: Path) -> None:
    write_own(tmp_path)
    loading._compiled.cache_clear()
    start, got, wrong = threading.Barrier(8), [], []

    def load(number: int) -> None:
        start.wait()
        try:
            packs = load_packs(["own-rules", "equality-impact"], rules=[tmp_path])
            got.append(packs)
            report = audit({"kind": "tender", "term": {"months": 30 + number}}, packs)
            verdict = next(r.verdict for r in report.results if r.rule.id == "OWN-1")
            assert verdict == ("fail" if number > 6 else "pass")
        except BaseException as error:  # A thread's exceptions are lost otherwise.
            wrong.append(error)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len({id(packs) for packs in got}) == 1
