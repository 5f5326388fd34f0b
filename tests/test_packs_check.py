"""``packs check``: each fault seeded in a copy of a shipped pack is found, at its place, in plain English."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from goodcommission.exceptions import Fault
from goodcommission.packs.checking import check_packs
from goodcommission.packs.loading import shipped_folder

PACK = "proportionate-procurement.yaml"
PATTERNS = "combined-findings.yaml"
DEFINITIONS = "common.yaml"


def copied(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """A copy of a shipped pack in which texts are replaced; each must be there."""
    text = (shipped_folder("rules") / name).read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def place_of(path: Path, text: str, nth: int = 1) -> tuple[int, int]:
    """Line and column of a text in a file, from 1."""
    whole = path.read_text("utf-8")
    at = -1
    for _ in range(nth):
        at = whole.index(text, at + 1)
    return whole.count("\n", 0, at) + 1, at - whole.rfind("\n", 0, at)


def found(path: Path) -> list[Fault]:
    return list(check_packs([path]).faults)


def only(path: Path, pattern: str) -> Fault:
    """The one fault, which must be of this kind and in this file."""
    faults = [fault for fault in found(path) if re.search(pattern, str(fault))]
    assert len(faults) == 1, [str(fault) for fault in found(path)]
    assert faults[0].file == str(path)
    return faults[0]


# --- What is green ---------------------------------------------------------------------------------------------------


def test_the_shipped_packs_are_without_fault() -> None:
    checked = check_packs([shipped_folder("rules")])
    assert [str(fault) for fault in checked.faults] == []
    assert checked.packs >= 7
    assert checked.rules >= 55
    assert checked.patterns >= 10
    assert checked.cases >= 4 * checked.rules


@pytest.mark.parametrize("name", [PACK, PATTERNS, DEFINITIONS])
def test_a_copy_of_a_shipped_pack_stands_in_its_place(tmp_path: Path, name: str) -> None:
    assert found(copied(tmp_path, name)) == []


# --- Conditions and texts --------------------------------------------------------------------------------------------

PP01_FAIL = 'pages > far_too_long"'
CONDITIONS = [
    ('pages > 3"', "> can't be used with double and int .*Write 50000.0"),
    ('paegs > far_too_long"', 'there is no fact, parameter or let "paegs".*Did you mean "pages"'),
    ('value.totl > far_too_long"', 'no fact, parameter or let "value.totl".*Did you mean "value.total"'),
    ("process.route == 'open_tendr'\"", '"open_tendr" is not a value of this fact.*Did you mean "open_tender"'),
    ('pages"', "a condition must be true or false; this is of type double"),
    ('pages >"', "the condition can't be read: .*at character 8"),
    ('has(process.response_pages)"', r"has\(\) is not allowed"),
    ('pages * 2.0 > far_too_long"', "arithmetic is allowed only in a let"),
    ("title.matches('a+')\"", r"matches\(\) is not allowed"),
    ('1.0 > 2.0"', "asks nothing"),
    ('requirements.insurance.exists(i, i.covr > 1.0)"', 'no field "covr".*Did you mean "cover"'),
]


@pytest.mark.parametrize(("condition", "said"), CONDITIONS, ids=[text for text, _ in CONDITIONS])
def test_a_condition_that_does_not_hold_up(tmp_path: Path, condition: str, said: str) -> None:
    path = copied(tmp_path, PACK, (f'- fail: "{PP01_FAIL}', f'- fail: "{condition}'))
    fault = only(path, said)
    assert (fault.line, fault.column) == place_of(path, f'"{condition}')
    assert fault.pointer == "/rules/0/decide/0/fail"


def test_arithmetic_in_the_when_of_a_rule(tmp_path: Path) -> None:
    path = copied(tmp_path, PACK, ('when: "competitive"', 'when: "competitve"'))
    fault = only(path, 'no fact, parameter or let "competitve".*Did you mean "competitive"')
    assert (fault.line, fault.column) == place_of(path, '"competitve"')


def test_a_let_that_does_not_compile_is_one_fault(tmp_path: Path) -> None:
    """What uses it is not at fault."""
    path = copied(tmp_path, PACK, ("params.far_beyond * allowance", "params.far_beyond * 2"))
    (fault,) = found(path)
    assert "* can't be used with double and int" in fault.message
    assert (fault.line, fault.column) == place_of(path, '"params.far_beyond * 2')


def test_a_shared_let_that_does_not_compile_is_one_fault(tmp_path: Path) -> None:
    path = copied(tmp_path, DEFINITIONS, ("value.total / years_or_more", "value.totl / years_or_more"))
    (fault,) = found(path)
    assert (fault.line, fault.column) == place_of(path, '"value.totl')


def test_a_let_with_the_name_of_a_fact(tmp_path: Path) -> None:
    path = copied(tmp_path, PACK, ("      allowance: {is:", "      stage: {is:"))
    fault = only(path, '"stage" is the name of a fact; choose another')
    assert fault.line == place_of(path, "      stage:")[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("{pges}", r'names "\{pges\}", which is no fact, parameter or let.*Did you mean "pages"'),
        ("{far_beyond}", r'names "\{far_beyond\}", which is no fact, parameter or let'),
        ("{params.far_byond}", r'names "\{params.far_byond\}".*Did you mean "params.far_beyond"'),
        ("{params.page_bands}", "which is no single value"),
        ("{requirements.insurance}", "which is no single value"),
        ("{process.response_words}", "may be unknown when it is printed"),
        ("{word_count", "a brace stands alone"),
        ("{Pages}", "is not the name of a fact"),
    ],
)
def test_a_text_with_a_wrong_name(tmp_path: Path, name: str, said: str) -> None:
    path = copied(tmp_path, PACK, ("must work through {pages} pages", f"must work through {name} pages"))
    fault = only(path, said)
    assert (fault.line, fault.column) == place_of(path, '"Bidders must work through')
    assert fault.pointer == "/rules/0/decide/0/finding"


def test_a_let_that_may_be_unknown_is_not_printed(tmp_path: Path) -> None:
    """All its facts are known, and it need not be: the divisor may be 0."""
    path = copied(
        tmp_path,
        PACK,
        ("      word_allowance: {is:", '      per_page: {is: "value.total / pages"}\n      word_allowance: {is:'),
        ("a contract worth {value.total}; {allowance}", "a contract worth {per_page} a page; {allowance}"),
    )
    only(path, r'names "\{per_page\}", which may be unknown')


# --- Ids, references and what is declared ----------------------------------------------------------------------------


def test_a_duplicate_rule_id(tmp_path: Path) -> None:
    path = copied(tmp_path, PACK, ("- id: PP-02", "- id: PP-01"))
    fault = only(path, 'the rule id "PP-01" is used already in this pack')
    assert (fault.line, fault.column) == place_of(path, "PP-01", nth=2)


def test_an_id_of_another_pack(tmp_path: Path) -> None:
    path = copied(tmp_path, PACK, ("- id: PP-02", "- id: SC-01"))
    only(path, 'the rule id "SC-01" is used already')


def test_a_duplicate_pack_id(tmp_path: Path) -> None:
    copied(tmp_path, PACK)
    second = tmp_path / "zz.yaml"
    second.write_text((tmp_path / PACK).read_text("utf-8"), "utf-8")
    faults = [str(fault) for fault in check_packs([tmp_path]).faults]
    assert any(f.startswith(f"{second}:2:7: the pack id") and "is used already by another pack" in f for f in faults)


@pytest.mark.parametrize(
    ("change", "said", "at"),
    [
        (("group: size-of-process", "group: size-of-proces"), "is not declared under `groups`", "size-of-proces\n"),
        (("{source: more-than-a-provider,", "{source: more-than,"), "is not described under `sources`", "more-than,"),
        (("uses: [common]", "uses: [comon]"), 'no definitions "comon".*Did you mean common', "[comon]"),
    ],
)
def test_what_is_not_declared(tmp_path: Path, change: tuple[str, str], said: str, at: str) -> None:
    path = copied(tmp_path, PACK, change)
    fault = only(path, said)
    assert (fault.line, fault.column) == place_of(path, at)


@pytest.mark.parametrize(
    ("change", "said", "at"),
    [
        (
            ("parameters:\n", "parameters:\n  idle: {value: 1, basis: convention, why: For the test.}\n"),
            'no rule of this pack uses the parameter "idle"',
            "{value: 1, basis",
        ),
        (
            ("sources:\n", "sources:\n  idle: {title: A report}\n"),
            'no rule of this pack cites the source "idle"',
            "{title: A report}",
        ),
        (("\nlet:\n", '\nlet:\n  idle: {is: "term.months > 1"}\n'), 'uses the let "idle"', '{is: "term.months > 1"}'),
        (
            ("      allowance: {is:", '      idle: {is: "term.months > 1"}\n      allowance: {is:'),
            'PP-01 does not use the let "idle"',
            '{is: "term.months > 1"}',
        ),
        (
            ("groups:\n", "groups:\n  idle: {title: Idle, severity: low, strength: experience}\n"),
            'the group "idle" has 0 members',
            "{title: Idle",
        ),
    ],
)
def test_what_is_declared_and_not_used(tmp_path: Path, change: tuple[str, str], said: str, at: str) -> None:
    path = copied(tmp_path, PACK, change)
    fault = only(path, said)
    assert (fault.line, fault.column) == place_of(path, at)


def test_an_indicator_that_rests_on_one_experience_is_at_most_medium(tmp_path: Path) -> None:
    old, new = (f"    strength: {strength}\n    kind: indicator" for strength in ("recommendation", "experience"))
    practice = ("    kind: law", "    kind: practice")
    path = copied(tmp_path, PACK, (old, new), practice, practice)
    fault = only(path, "PP-01 is an indicator that rests on one experience: its severity is at most medium")
    assert (fault.line, fault.column) == place_of(path, f"high\n{new}")
    # Law that stands behind it is more than an experience.
    path = copied(tmp_path, PACK, (old, new))
    assert not any("rests on one experience" in str(fault) for fault in found(path))


def test_a_finding_above_its_rule(tmp_path: Path) -> None:
    rest = "\n    strength: recommendation\n    kind: indicator"
    path = copied(tmp_path, PACK, (f"    severity: high{rest}", f"    severity: low{rest}"))
    assert any("can't be more severe than the rule" in str(fault) for fault in found(path))


# --- Cases -----------------------------------------------------------------------------------------------------------


def rule_text(number: int) -> tuple[str, str]:
    """The text of one rule of the pack, and that of its cases."""
    text = (shipped_folder("rules") / PACK).read_text("utf-8")
    rule = text.split("\n  - id: ")[number]
    return rule, rule[rule.index("    cases:\n") + len("    cases:\n") :]


def test_a_rule_without_cases(tmp_path: Path) -> None:
    _, cases = rule_text(1)
    path = copied(tmp_path, PACK, ("    cases:\n" + cases, "    cases: []\n"))
    faults = [str(fault) for fault in found(path)]
    line, column = place_of(path, "PP-01")
    for verdict in ("fail", "pass", "not applicable", "unknown"):
        assert any(f.startswith(f"{path}:{line}:{column}: PP-01 has no case that expects {verdict}") for f in faults)


@pytest.mark.parametrize("verdict", ["pass", "not_applicable", "unknown"])
def test_a_kind_of_case_is_missing(tmp_path: Path, verdict: str) -> None:
    _, cases = rule_text(1)
    rest = "".join(re.findall(r"      - (?:(?!\n      - ).)*(?:\n|\Z)", cases, re.DOTALL))
    kept = [case for case in re.split(r"(?m)^(?=      - )", rest) if f"expect: {verdict}" not in case]
    path = copied(tmp_path, PACK, ("    cases:\n" + cases, "    cases:\n" + "".join(kept)))
    only(path, f"PP-01 has no case that expects {verdict.replace('_', ' ')}")


def test_a_wrong_expectation(tmp_path: Path) -> None:
    _, cases = rule_text(1)
    first = next(line for line in cases.splitlines() if "expect: fail" in line)
    path = copied(tmp_path, PACK, (first, first.replace("expect: fail", "expect: pass", 1)))
    fault = only(path, "PP-01, “.*”: expected pass, got fail; ")
    assert fault.pointer == "/rules/0/cases/0"
    assert fault.line == place_of(path, "    cases:\n")[0] + 1


def with_case(folder: Path, case: str) -> Path:
    _, cases = rule_text(1)
    return copied(folder, PACK, ("    cases:\n" + cases, f"    cases:\n      - {case}\n{cases}"))


GIVEN = "given: {value: {total: {amount: 300000, currency: GBP}}, process: {route: open_tender, response_pages: 90}}"


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (f"{{name: seeded, expect: fail, severity: low, {GIVEN}}}", "“seeded”: expected severity low, got high"),
        (f"{{name: seeded, expect: fail, provisional: true, {GIVEN}}}", "“seeded”: expected provisional True"),
        (f"{{name: seeded, expect: fail, finding: no such words, {GIVEN}}}", "the finding should hold “no such words”"),
        (f"{{name: seeded, expect: unknown, {GIVEN}}}", "“seeded”: expected unknown, got fail"),
        (f"{{name: seeded, expect: pass, as_of: 2026-02-30, {GIVEN}}}", "there is no day 2026-02-30"),
        (
            "{name: seeded, expect: unknown, missing: [value.minimum], given: {process: {route: open_tender}}}",
            "“seeded”: value.minimum should be named as missing; named: ",
        ),
        ("{name: seeded, expect: unknown, given: {proces: {}}}", "“seeded”: .*proces"),
        ("{name: seeded, expect: unknown, given: {process: {route: open_tendr}}}", "“seeded”: .*open_tender"),
    ],
)
def test_a_case_that_does_not_hold(tmp_path: Path, case: str, said: str) -> None:
    path = with_case(tmp_path, case)
    fault = only(path, said)
    assert fault.line == place_of(path, case)[0]
    assert (fault.pointer or "").startswith("/rules/0/cases/0")


def test_a_mend_that_does_not_mend(tmp_path: Path) -> None:
    rule, _ = rule_text(1)
    mend = next(line for line in rule.splitlines() if "set: process.response_pages" in line)
    value = re.search(r"to: \S+,", mend)
    assert value
    path = copied(tmp_path, PACK, (mend, mend.replace(value[0], 'to: "pages",')))
    faults = [str(fault) for fault in found(path)]
    assert any("after its mend it is fail, not pass" in fault for fault in faults), faults


def test_a_failing_case_without_a_mend(tmp_path: Path) -> None:
    rule, _ = rule_text(1)
    mend = rule[rule.index("\n    mend:") + 1 :]
    mend = mend[: mend.index("\n    sources:")]
    path = copied(tmp_path, PACK, (mend + "\n    sources:", "    sources:"))
    faults = [str(fault) for fault in found(path)]
    assert any("neither the rule nor the branch has a `mend`" in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("set: process.response_pags,", 'no fact "process.response_pags".*Did you mean "process.response_pages"'),
        ("set: process.route,", "a value of type double can't be written to process.route"),
    ],
)
def test_a_mend_of_the_wrong_thing(tmp_path: Path, new: str, said: str) -> None:
    path = copied(tmp_path, PACK, ("set: process.response_words,", new))
    only(path, said)


# --- Branches --------------------------------------------------------------------------------------------------------


def test_a_branch_that_asks_what_an_earlier_one_asked(tmp_path: Path) -> None:
    seeded = '- pass: "pages <= allowance"\n      - pass: "(pages <= allowance)"'
    path = copied(tmp_path, PACK, ('- pass: "pages <= allowance"', seeded))
    fault = only(path, "this branch of PP-01 is never reached: branch 3 asks the same")
    assert (fault.line, fault.column) == place_of(path, 'pass: "(pages')


def test_a_branch_that_no_case_decides(tmp_path: Path) -> None:
    seeded = '- pass: "pages <= allowance"\n      - pass: "process.response_pages <= 0"'
    path = copied(tmp_path, PACK, ('- pass: "pages <= allowance"', seeded))
    fault = only(path, "no case of PP-01 is decided by this branch")
    assert (fault.line, fault.column) == place_of(path, 'pass: "process.response_pages <= 0')


def test_a_condition_that_is_settled_by_itself(tmp_path: Path) -> None:
    path = copied(tmp_path, PACK, ('when: "competitive"', 'when: "competitive || true"'))
    only(path, "settled by what it says itself")


# --- Patterns --------------------------------------------------------------------------------------------------------

RISK = """
pack: seeded
version: 1.0.0
title: Seeded
patterns:
  - id: Z-01
    title: First
    concludes: risk.first
    severity: low
    {first}
    why: For the test.
    cases:
      - {{name: a, verdicts: {{PP-01: fail}}, expect: concluded}}
      - {{name: b, verdicts: {{{rule}: unknown}}, expect: open}}
      - {{name: c, verdicts: {{PP-01: pass}}, expect: {last}}}
  - id: Z-02
    title: Second
    concludes: risk.second
    severity: low
    all_of: [{{conclusion: risk.first}}]
    why: For the test.
    cases:
      - {{name: a, verdicts: {{PP-01: fail}}, expect: concluded}}
      - {{name: b, expect: open}}
      - {{name: c, verdicts: {{PP-01: pass}}, expect: excluded}}
"""


FAILS = "all_of: [{rule: PP-01, verdict: fail}]"


def patterns(folder: Path, first: str = FAILS, last: str = "excluded", rule: str = "PP-01") -> Path:
    path = folder / "seeded.yaml"
    path.write_text(RISK.format(first=first, last=last, rule=rule).lstrip(), "utf-8")
    return path


def test_patterns_without_fault(tmp_path: Path) -> None:
    assert found(patterns(tmp_path)) == []


def test_patterns_in_a_circle(tmp_path: Path) -> None:
    path = patterns(tmp_path, "all_of: [{conclusion: risk.second}]")
    fault = only(path, "in a circle: .*Z-01.*Z-02")
    assert (fault.line, fault.column) == place_of(path, "Z-01")


def test_a_pattern_with_a_wrong_expectation(tmp_path: Path) -> None:
    path = patterns(tmp_path, last="open")
    assert only(path, "Z-01, “c”: expected open, got excluded").line == place_of(path, "name: c")[0]
    only(path, "Z-01 has no case that expects excluded")


def test_a_pattern_case_about_no_rule(tmp_path: Path) -> None:
    path = patterns(tmp_path, rule="PP-O1")
    fault = only(path, 'there is no rule "PP-O1".*Did you mean PP-')
    assert fault.line == place_of(path, "PP-O1")[0]


def test_a_pattern_whose_let_is_not_used(tmp_path: Path) -> None:
    first = 'let: {idle: {is: "term.months > 1"}}\n    all_of: [{rule: PP-01, verdict: fail}]'
    only(patterns(tmp_path, first), 'Z-01 does not use the let "idle"')


# --- The shape of a file ---------------------------------------------------------------------------------------------

PASS = '- pass: "pages <= allowance"'
GROUP = "    group: size-of-process"
SHAPES: list[tuple[tuple[str, str], str, str]] = [
    (("    severity: high", "    severty: high"), 'no field "severty" here.*Did you mean "severity"', "severty"),
    (("    asks: >-", "    frob: yes\n    asks: >-"), 'no field "frob".*Here can stand: id, aliases, title', "frob"),
    (("    severity: high", "    severity: hgh"), 'one of high, medium, low is expected, not "hgh".*"high"', "hgh"),
    (("    level: core", "    level: [core]"), "one of core, ext is expected, not a list", "[core]"),
    (("- id: PP-01", "- id: pp1"), 'an id such as PP-03 is expected, not "pp1"', "pp1"),
    (("version: 1.0.0", "version: first"), 'a version such as 1.0.0 is expected, not "first"', "first"),
    (("version: 1.0.0", "version: 1.0"), "a text is expected, not 1.0.*Put it in quotes", "1.0"),
    (("currency: GBP", "currency: pounds"), "a currency such as GBP is expected", "pounds"),
    (("pack: proportionate-procurement", "pack: Our Pack"), "small letters, digits and hyphens", "Our Pack"),
    (("    applies_to: [tender]", "    applies_to: tender"), 'a list is expected, not "tender"', "tender\n    due"),
    (("    applies_to: [tender]", "    applies_to: []"), "this list is empty: 1 at least is needed", "[]"),
    (("weight: 1.0", "weight: heavy"), 'a number is expected, not "heavy"', "heavy"),
    (("weight: 1.0", "weight: 0"), "a number above 0.* is expected, not 0", "0\nuses"),
    (("    value: 1.5", "    value: [1.5]"), "a number or a text is expected, not a list", "[1.5]"),
    (("    basis: convention", "    basis: a guess"), "one of figure in text, convention, law, guidance", "a guess"),
    ((GROUP, f"{GROUP}\n    scored: perhaps"), "true or false is expected", "perhaps"),
    (("  far_beyond:", "  Far-Beyond:"), "small letters, digits and underscores.* as a name here", "Far-Beyond"),
    (("  far_beyond:\n", "  far_beyond: 1.5\n  other:\n"), "a section of names and values .*not 1.5", "1.5\n  other"),
    ((PASS, PASS.replace("pass", "passes")), 'no field "passes" here.*Did you mean "pass"', "passes"),
    ((PASS, "- severity: low"), "a branch has either `pass` or `fail`", "severity: low"),
]


@pytest.mark.parametrize(("change", "said", "at"), SHAPES, ids=[change[1][:40] for change, _, _ in SHAPES])
def test_the_shape_of_a_pack(tmp_path: Path, change: tuple[str, str], said: str, at: str) -> None:
    path = copied(tmp_path, PACK, change)
    fault = only(path, said)
    assert (fault.line, fault.column) == place_of(path, at), fault
    assert not re.search(r"pydantic|Input should|instance of|dict|None|tuple", str(fault))


def test_missing_fields_are_all_named(tmp_path: Path) -> None:
    path = tmp_path / "half.yaml"
    path.write_text("pack: half\nversion: 1.0.0\ntitle: Half\nrules:\n  - id: H-1\n    title: A rule\n", "utf-8")
    faults = [str(fault) for fault in found(path)]
    for name in ("asks", "phase", "applies_to", "severity", "strength", "kind", "why", "remedy", "sources"):
        assert any(f.startswith(f"{path}:5:5: ") and f'the field "{name}" is missing' in f for f in faults), name


@pytest.mark.parametrize(
    ("text", "said", "line", "column"),
    [
        ("title: Neither\nversion: 1.0.0\n", "a file is either a `pack` or `definitions`", 1, 1),
        ("- a\n- b\n", "a pack is a section of names and values, and this is a list", 1, 1),
        ("just words\n", "a pack is a section of names and values, and this is a single value", 1, 1),
        ("pack: a\npack: b\n", "pack", 2, 1),
        ("pack: a\n  title: [\n", "", None, None),
        ("pack: a\ntitle: 'open\n", "", None, None),
        ("pack: a\n\ttitle: b\n", "", 2, None),
        ("pack: &a x\ntitle: *a\n", "", None, None),
        ("", "", None, None),
        ("# only a comment\n", "", None, None),
    ],
)
def test_a_text_that_is_no_pack(tmp_path: Path, text: str, said: str, line: int | None, column: int | None) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, "utf-8")
    (fault, *_) = found(path)
    assert said in str(fault)
    assert fault.file == str(path)
    assert line in (None, fault.line)
    assert column in (None, fault.column)


def write_latin(path: Path) -> None:
    path.write_bytes("pack: a\ntitle: caf\xe9\n".encode("latin-1"))


def write_sixteen(path: Path) -> None:
    path.write_bytes("pack: a\n".encode("utf-16"))


@pytest.mark.parametrize("write", [write_latin, write_sixteen])
def test_a_file_that_can_not_be_decoded(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "bad.yaml"
    write(path)
    (fault,) = found(path)
    assert fault.file == str(path)
    assert "UTF-8" in fault.message


def test_all_files_are_checked_and_all_faults_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("- a list\n", "utf-8")
    copied(tmp_path, PACK, ("- id: PP-02", "- id: PP-01"), ('when: "competitive"', 'when: "competitve"'))
    faults = [str(fault) for fault in check_packs([tmp_path, tmp_path / "missing.yaml"]).faults]
    assert len(faults) == 4, faults


def test_nothing_to_check(tmp_path: Path) -> None:
    (fault,) = check_packs([tmp_path]).faults
    assert "there is no pack (*.yaml) in this folder" in fault.message
