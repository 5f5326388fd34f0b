"""The configuration: where it is found, what it may say, where each setting comes from, and what it changes."""

from __future__ import annotations

import datetime as dt
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodcommission import AuditReport, GoodCommissionError, PackError, audit, load_packs
from goodcommission.configuration import (
    Configuration,
    _Scanner,
    adjustments,
    find_configuration,
    read_configuration,
)
from goodcommission.engine.conditions import Vocabulary
from goodcommission.exceptions import ConfigurationError
from goodcommission.packs.adjusting import ParameterChange, SeverityChange
from goodcommission.packs.compiling import LoadedPack, compile_packs
from goodcommission.packs.loading import build
from goodcommission.packs.model import Pack

EXAMPLES = Path(__file__).parents[1] / "examples"
DAY = dt.date(2026, 11, 20)
PACK = "proportionate-procurement"


def written(folder: Path, text: str, name: str = "goodcommission.toml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def faults(folder: Path, text: str, name: str = "goodcommission.toml") -> list[tuple[int | None, str]]:
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(written(folder, text, name))
    return [(fault.line, fault.message) for fault in caught.value.faults]


# --- Where it is found -------------------------------------------------------------------------------------------


def test_the_nearest_file_upwards_is_found(tmp_path: Path) -> None:
    top = written(tmp_path, "")
    near = written(tmp_path / "a", "")
    assert find_configuration(tmp_path / "a" / "b" / "none.json") == near
    assert find_configuration(tmp_path / "c" / "none.json") == top


def test_a_pyproject_counts_only_with_a_table_of_ours(tmp_path: Path) -> None:
    top = written(tmp_path, "")
    other = written(tmp_path / "a", "# [tool.goodcommission]\n[tool.ruff]\n", "pyproject.toml")
    assert find_configuration(other) == top
    for text in (
        "[tool.goodcommission]\n",
        "tool.goodcommission.tier = 'small'\n",
        "[tool]\ngoodcommission.packs=[]\n",
    ):
        ours = written(tmp_path / "a", text, "pyproject.toml")
        assert find_configuration(other) == ours
    both = written(tmp_path / "a", "")
    assert find_configuration(other) == both


def test_without_a_path_it_is_looked_for_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, "")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    assert find_configuration() == file


# --- What it may say ---------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_named_with_its_line(tmp_path: Path) -> None:
    text = "tier = 'tiny'\nrule = []\n[gates]\nfail_under = 101\nnever_fail = ['PP-01', 3]\n"
    assert faults(tmp_path, text) == [
        (1, 'tier is one of small, medium, large, not "tiny"'),
        (2, 'there is no setting "rule"'),
        (4, "fail_under is a number from 0 to 100, not 101"),
        (5, "never_fail is a text"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("packs = 'a'", "packs is a list of texts"),
        ("gates = 3", "gates is a table"),
        ("overrides = 3", "overrides are written as"),
        ("outputs = ['html']", "outputs are written as"),
        ("engine = true", "engine is one of auto, durable, reference, not true"),
        ("as_of = 2026-01-01T00:00:00", "as_of is a day"),
        ("waiver_days = 0", "waiver_days is a whole number of days"),
        ("commissioner = ''", "commissioner is a text"),
        ("[[overrides]]\npaths = ['a']\nengine = 'auto'", "engine holds for all"),
        ("[[overrides]]\npaths = []", "changes nothing"),
        ("[[outputs]]\nformat = 'csv'\n[[outputs]]\nformat = 'html'", "another output is written to standard output"),
        ("[[outputs]]\nformat = 'csv'\nfile = 'a'\n[[outputs]]\nformat = 'html'\nfile = 'a'", "another output writes"),
        ("[[outputs]]\nfile = 'report'", "the format of this output is missing"),
        ("severities.PP-01 = {severity = 'low', reason = ' '}", "reason is a text"),
        ("severities.PP-01 = {severity = 'none', reason = 'x'}", "severity is one of high, medium, low, off"),
        ("severities.PP-01 = {severity = 'low', why = 'x'}", 'there is no field "why" of PP-01'),
        ("parameters.common.medium_tier_from = {unit = 'GBP'}", "the value of medium_tier_from is missing"),
        ("parameters.common.medium_tier_from = true", "is a number, a text or a list of steps"),
        ("parameters.common.medium_tier_from = [1, 2]", "each step of medium_tier_from"),
        ('x = "\\ud800"', "this is not TOML"),
    ],
)
def test_what_cannot_be_set_is_refused(tmp_path: Path, text: str, message: str) -> None:
    assert any(message in said for _, said in faults(tmp_path, text + "\n"))


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "goodcommission.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_configuration(tmp_path / "goodcommission.toml")
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_configuration(tmp_path / "none.toml")


def test_lines_are_found_in_a_pyproject_too(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\n\n[tool.goodcommission]\ntear = "small"\n'
    assert faults(tmp_path, text, "pyproject.toml") == [(5, 'there is no setting "tear"')]


TOML = """\
# a = 1
"quoted key" = 'a # b'
a.b = [1, {c = "]", d = 2}, [
  3, # ] not here
  4]]
text = \"\"\"
x = 1
[no]
\"\"\"\"
literal = '''
''
y = 2'''

[table . 'sub']
k = {x.y = 1, z = { w = 2 }}
[[list]]
k = 1
[list.inner]
k = 2
[[list]]
[[list.deep]]
k = 3
"""


def test_every_value_of_a_toml_file_is_found_at_its_line() -> None:
    places = _Scanner(TOML).places
    assert places["quoted key",] == (2, 1)
    assert places["a", "b", 1, "d"] == (3, 21)
    assert places["a", "b", 2, 1] == (5, 3)
    assert places["literal",] == (10, 1)
    assert places["table", "sub", "k", "z", "w"] == (15, 21)
    assert places["list", 0, "k"] == (17, 1)
    assert places["list", 0, "inner", "k"] == (19, 1)
    assert places["list", 1, "deep", 0, "k"] == (22, 1)
    assert not [path for path in places if "no" in path or "x" in path[:1] or "y" in path[:1]]
    assert {path for path in places if all(isinstance(step, str) for step in path)} >= _paths(tomllib.loads(TOML))


def _paths(value: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """All paths through tables only."""
    if not isinstance(value, dict):
        return {path}
    return {found for key, item in value.items() for found in _paths(item, (*path, key))} | ({path} if path else set())


_KEYS = st.text("ab.\"' ", min_size=1, max_size=3)
_VALUES = st.recursive(
    st.one_of(st.integers(0, 9), st.booleans(), st.text("ab\"'#[]{}=,\n\\", max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=3)),
    max_leaves=8,
)


def _toml(value: Any) -> str:
    import json

    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[\n" + ", # ]\n".join(_toml(item) for item in value) + "]"
    return json.dumps(value)


@given(st.dictionaries(_KEYS, _VALUES, max_size=4))
def test_whatever_toml_holds_its_lines_are_found(data: dict[str, Any]) -> None:
    text = "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in data.items())
    assert tomllib.loads(text) == data
    places = _Scanner(text).places
    lines = text.split("\n")
    for path in _every(data):
        line, column = places[path]
        here = lines[line - 1][column - 1 :]
        if isinstance(path[-1], str):
            assert here.startswith(f"{_toml(path[-1])} = ")


def _every(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, item in items for found in [(*path, key), *_every(item, (*path, key))]]


# --- For which documents -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "document", "fits"),
    [
        ("grants/**", "grants/a.json", True),
        ("grants/**", "grants/b/c/a.json", True),
        ("grants/**", "other/grants/a.json", False),
        ("**/grants/*", "other/grants/a.json", True),
        ("**/grants/*", "grants/a.json", True),
        ("grants/*", "grants/b/a.json", False),
        ("*.yaml", "deep/down/a.yaml", True),
        ("*.yaml", "a.yaml.json", False),
        ("a?[0-9].json", "ab3.json", True),
        ("a[!b].json", "ab.json", False),
        ("./a.json", "a.json", True),
        ("a.json", "axjson", False),
        ("lots/**/b.json", "lots/b.json", True),
        ("../outside/*", "../outside/a.json", True),
        ("[", "[", True),
    ],
)
def test_globs(tmp_path: Path, pattern: str, document: str, fits: bool) -> None:
    file = written(tmp_path / "here", f"tier = 'large'\n[[overrides]]\npaths = ['{pattern}']\ntier = 'small'\n")
    setting = read_configuration(file).settings_for(tmp_path / "here" / document)["tier"]
    assert setting.value == ("small" if fits else "large")


def test_of_several_overrides_the_later_wins_and_the_rest_stays(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        f"gates.fail_under = 50\nparameters.{PACK} = {{turnover_multiple = 1.0, far_beyond = 3}}\n"
        f"[[overrides]]\npaths = ['*']\ntier = 'small'\nparameters.{PACK}.turnover_multiple = 1.5\n"
        "[[overrides]]\npaths = ['a.*']\ntier = 'large'\n",
    )
    configuration = read_configuration(file)
    first, other = (configuration.settings_for(tmp_path / name) for name in ("a.json", "b.json"))
    assert (first["tier"].value, other["tier"].value) == ("large", "small")
    assert first["gates.fail_under"].value == 50
    assert [change.value for change in adjustments(first)] == [1.5, 3]  # type: ignore[union-attr]
    assert configuration.settings_for(None).keys() == configuration.settings.keys()


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "rules = ['ours']\ncommissioner = 'profile.yaml'\n[[outputs]]\nfile = 'out/report.html'\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    found = find_configuration("tender.json")
    assert found is not None
    settings = read_configuration(found).settings
    assert settings["rules"].value == ("../ours",)
    assert settings["commissioner"].value == "../profile.yaml"
    (output,) = settings["outputs"].value
    assert (output.format, output.file) == ("html", Path("../out/report.html"))


def test_no_configuration_sets_nothing() -> None:
    assert Configuration().settings_for("a.json") == {}


# --- What it changes ---------------------------------------------------------------------------------------------


def audited(*changes: ParameterChange | SeverityChange, packs: list[str] | None = None) -> AuditReport:
    return audit(EXAMPLES / "tender.json", load_packs(packs, adjustments=changes), as_of=DAY)


def test_a_parameter_changes_the_verdict_and_what_is_said() -> None:
    assert audited().result("PP-01").verdict == "fail"
    bands = ((1000000.0, 92.0), (None, 200.0))
    report = audited(ParameterChange(PACK, "page_bands", bands, "pages", "Agreed."))
    assert report.result("PP-01").verdict == "pass"
    (change,) = report.adjusted
    assert (change.name, change.after, change.reason) == (
        "page_bands",
        "92 below 1,000,000, 200 beyond (pages)",
        "Agreed.",
    )
    assert report.packs_digest != audited().packs_digest
    tighter = audited(ParameterChange(PACK, "page_bands", ((None, 5),)))
    assert "5 would be in proportion" in (tighter.result("PP-01").finding or "")


def test_a_shared_parameter_changes_all_packs_that_use_it() -> None:
    report = audited(ParameterChange("common", "medium_tier_from", 400_000))
    assert report.tier.name == "small"
    assert audited().tier.name == "medium"


def test_what_is_the_packs_own_value_changes_nothing() -> None:
    report = audited(ParameterChange(PACK, "turnover_multiple", 2), SeverityChange("SU-01", "high", "x"))
    assert report == audited()


def test_the_weight_follows_the_severity() -> None:
    before, after = audited(), audited(SeverityChange("PP-04", "low", "x"))
    assert after.result("PP-04").severity == "low"
    was, now = before.result("PP-04").points, after.result("PP-04").points
    assert was is not None and now is not None and now < was
    assert "PP-02" not in " ".join(audited(SeverityChange("PP-02", "medium", "x")).score.caps)


def test_a_finding_is_never_above_its_rule() -> None:
    report = audited(SeverityChange("PP-01", "low", "x"))
    assert report.result("PP-01").severity == "low"
    assert report.adjusted[0].counted_with == "size-of-process"
    group = audited(SeverityChange("size-of-process", "low", "x"))
    assert group.score.score != audited().score.score
    assert group.result("PP-01").severity == "high"


def test_a_rule_that_is_off_is_not_asked_and_not_hidden() -> None:
    report = audited(SeverityChange("PP-02", "off", "Not ours to ask."))
    with pytest.raises(KeyError):
        report.result("PP-02")
    (change,) = report.adjusted
    assert (change.name, change.before, change.after, change.reason) == ("PP-02", "high", "off", "Not ours to ask.")
    assert "PP-02: fail" in report.pattern("X-01").not_checked


def test_a_combined_finding_can_be_turned_down_or_off() -> None:
    assert audited(SeverityChange("X-01", "low", "x")).pattern("X-01").severity == "low"
    with pytest.raises(KeyError):
        audited(SeverityChange("X-01", "off", "x")).pattern("X-01")


def test_a_whole_pack_can_be_turned_off_rule_by_rule() -> None:
    ids = [rule.rule.id for rule in load_packs([PACK]).rules]
    report = audited(*(SeverityChange(id, "off", "x") for id in ids), packs=[PACK])
    assert report.results == ()
    assert report.score.score is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (ParameterChange("no-pack", "x", 1), 'there is no pack "no-pack"'),
        (ParameterChange(PACK, "far_beyont", 1), "Did you mean far_beyond?"),
        (ParameterChange("equality-impact", "x", 1), 'has no parameter "x"'),
        (ParameterChange(PACK, "far_beyond", "2"), "far_beyond is a number (ratio), such as 1.5"),
        (ParameterChange(PACK, "far_beyond", -1), "can't be -1"),
        (ParameterChange(PACK, "far_beyond", float("inf")), "can't be inf"),
        (ParameterChange(PACK, "far_beyond", float("nan")), "can't be nan"),
        (ParameterChange(PACK, "rare_income_share", 1.1), "is a share, from 0 to 1"),
        (ParameterChange(PACK, "general_policies_most", 1.5), "is a whole number (policies)"),
        (ParameterChange(PACK, "far_beyond", 2, "GBP"), "is in ratio, not in GBP"),
        (ParameterChange(PACK, "page_bands", 3), "has steps"),
        (ParameterChange(PACK, "page_bands", ((5.0, 1.0),)), "must rise"),
        (ParameterChange(PACK, "page_bands", ((5.0, 1.0), (4.0, 1.0), (None, 1.0))), "must rise"),
        (SeverityChange("PP-100", "low", "x"), 'combined finding "PP-100"'),
        (SeverityChange("size-of-process", "off", "x"), "each is turned off by itself"),
    ],
)
def test_a_change_of_what_is_not_there_or_does_not_fit_is_refused(
    change: ParameterChange | SeverityChange, message: str
) -> None:
    with pytest.raises(PackError) as caught:
        load_packs(adjustments=(change,))
    assert message in str(caught.value)


def test_changes_of_packs_that_are_not_used_are_checked_and_left_out() -> None:
    packs = load_packs(["equality-impact"], adjustments=(ParameterChange(PACK, "far_beyond", 3),))
    assert packs.changes == ()
    with pytest.raises(GoodCommissionError):
        load_packs(["equality-impact"], adjustments=(ParameterChange(PACK, "far", 3),))


def test_the_same_changes_are_compiled_once() -> None:
    change = (SeverityChange("SU-01", "low", "x"),)
    assert load_packs(adjustments=change) is load_packs(adjustments=change)
    assert load_packs() is not load_packs(adjustments=change)


def test_what_is_changed_is_compiled_from_the_built_form(monkeypatch: pytest.MonkeyPatch) -> None:
    built = [
        LoadedPack(Pack.model_validate(one["pack"]), one["digest"], None, one["conditions"]) for one in build()["packs"]
    ]

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("no condition is compiled anew")

    monkeypatch.setattr(Vocabulary, "compile", refuse)
    packs = compile_packs(built, (ParameterChange(PACK, "far_beyond", 1.75), SeverityChange("PP-02", "off", "x")))
    assert [change.name for change in packs.changes] == ["far_beyond", "PP-02"]
