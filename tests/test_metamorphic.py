"""Changes that mean nothing change nothing, and changes for the better never do harm.

Each test writes a description in another way that says the same (or says a little more, or mends a finding), audits
both, and compares all that the reports say: verdicts, scores, facts that decided, what is missing. Only places may
differ. Where such a property does not hold by design, the test says so and why.
"""

from __future__ import annotations

import datetime as dt
import functools
import gzip
import io
import json
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from drawn import full, is_boxed, is_money, thinned, with_edits
from hypothesis import given, settings
from hypothesis import strategies as st

from goodcommission import DescriptionError, Document, audit, load_packs, read_description, read_documents
from goodcommission.description.facts import dictionary
from goodcommission.description.writing import as_written, write
from goodcommission.improving import improve
from goodcommission.report.model import AuditReport
from goodcommission.scan.judging import Judge
from goodcommission.scan.notices import Notice

HERE = Path(__file__).parent
ROOT = HERE.parent
DAY = dt.date(2026, 11, 21)
EXAMPLES = {
    path.relative_to(ROOT / "examples").as_posix(): as_written(read_description(path))
    for folder in ("examples", "examples/case", "examples/law")
    for path in sorted((ROOT / folder).iterdir())
    if path.suffix in (".json", ".yaml") and path.name != "case.yaml"
}
with gzip.open(HERE / "fixtures" / "ocds" / "uk-notices.jsonl.gz", "rt", encoding="utf-8") as _lines:
    RELEASES: list[dict[str, Any]] = [json.loads(line) for line in _lines]
for _folder in (HERE / "fixtures" / "ocds", ROOT / "examples" / "ocds"):
    for _path in sorted(_folder.glob("*.json")):
        _raw = json.loads(_path.read_text("utf-8"))
        RELEASES += _raw.get("releases") or [_raw]
PACKS = load_packs()
SEEDS = st.integers(0, 2**32 - 1)
TIMES = int(os.environ.get("METAMORPHIC_TIMES", "1"))
"""For a long run: so many times as many examples."""


@st.composite
def descriptions(draw: st.DrawFn) -> dict[str, Any]:
    """One of the examples, whole or in part, or one in which a part of everything is stated at random."""
    name = draw(st.sampled_from(["", "", *EXAMPLES]))
    seed = draw(SEEDS)
    if not name:
        raw: dict[str, Any] = thinned(full(seed), random.Random(seed), draw(st.sampled_from((0.1, 0.4, 0.7))))
        return raw
    return EXAMPLES[name]


def audited(raw: Any, **options: Any) -> AuditReport:
    return audit(raw, PACKS, as_of=DAY, engine="reference", **options)


def said(report: AuditReport, name: Callable[[str], str] = str, *, words: bool = True) -> dict[str, Any]:
    """All that a report says, without where it stands.

    Args:
        report: The report.
        name: What to call a fact: of items that stand elsewhere, their old place.
        words: Whether its sentences are to be the same, or only what they are about.
    """

    def names(some: tuple[str, ...]) -> list[str]:
        return sorted(map(name, some))

    return {
        "score": report.score,
        "packs": [(one.id, one.score, one.low, one.high, one.coverage) for one in report.packs],
        "about": (report.document.kind, report.document.stage, report.tier, report.as_of, report.as_of_basis),
        "regime": (report.regime.id, report.regime.basis, report.regime.provisional, names(report.regime.decided_by)),
        "laws": [(one.id, one.may_not_meet, one.met, one.not_settled, one.does_not_apply) for one in report.laws],
        "results": {
            one.rule.id: (
                (one.verdict, one.provisional, one.claimed, one.evidenced, one.severity, one.points, one.law),
                (names(one.decided_by), names(one.missing)),
                (one.finding, one.remedy, one.reason, one.notes) if words else (one.finding is None, len(one.notes)),
            )
            for one in report.results
        },
        "patterns": [(one.id, one.outcome, one.severity, one.because, one.undecided) for one in report.patterns],
        "facts": {name(one.name): (one.evidenced, *((one.text, one.value) if words else ())) for one in report.facts},
        "missing": {name(one.name): (one.reason, one.narrows, one.rules, one.law) for one in report.missing},
    }


# --- Written in another way -------------------------------------------------------------------------------------------


def number_text(number: float | Decimal, chance: random.Random) -> str:
    """350000, 350000.00, 3.5E+5: one number."""
    exact = Decimal(float.__repr__(number)) if isinstance(number, float) else Decimal(number)
    if exact.adjusted() > 15:
        return str(number)
    plain = f"{exact:f}"
    longer = plain + ("0" * chance.randrange(3) if "." in plain else chance.choice((".0", ".00")))
    return chance.choice((plain, longer, f"{exact.normalize():E}", f"{exact.normalize():e}", f"{exact.scaleb(3):f}e-3"))


def escaped(text: str, chance: random.Random, *, halves: bool) -> str:
    """A text in double quotes, some of its characters as escapes."""
    written = []
    for char in text:
        if ord(char) > 0xFFFF and not halves:
            written.append(char if chance.random() < 0.7 else f"\\U{ord(char):08X}")
        elif char in '"\\' or ord(char) < 32 or chance.random() < 0.05:
            written.append(
                json.dumps(char)[1:-1] if chance.random() < 0.5 or ord(char) > 0xFFFF else f"\\u{ord(char):04x}"
            )
        elif char == "/" and chance.random() < 0.5:
            written.append("\\/")
        else:
            written.append(char)
    return '"' + "".join(written) + '"'


def json_text(value: Any, chance: random.Random) -> str:
    """JSON, laid out at random."""

    def space() -> str:
        return chance.choice(("", "", " ", "\n", "\t", "\r\n  "))

    if isinstance(value, dict):
        inner = [
            f"{space()}{escaped(k, chance, halves=True)}{space()}:{space()}{json_text(v, chance)}"
            for k, v in value.items()
        ]
        return "{" + f"{space()},".join(inner) + space() + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{space()}{json_text(one, chance)}{space()}" for one in value) + space() + "]"
    if isinstance(value, str):
        return escaped(value, chance, halves=True)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    return number_text(value, chance)


_A_WORD = re.compile(r"[A-Za-z][A-Za-z_-]*( [A-Za-z]+)*\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def yaml_text(value: Any, chance: random.Random, level: int = 0) -> str:
    """YAML, laid out at random: blocks or flow, three kinds of quotes or none, comments."""
    if isinstance(value, dict | list) and value and chance.random() < 0.85:
        indent = " " * level
        deeper = level + chance.choice((1, 2, 4))
        lines = []
        for item in value.items() if isinstance(value, dict) else value:
            head = f"{yaml_scalar(item[0], chance)}:" if isinstance(value, dict) else "-"
            child = item[1] if isinstance(value, dict) else item
            body = yaml_text(child, chance, deeper)
            if chance.random() < 0.1:
                lines.append(f"{indent}# {chance.choice(('as agreed', 'kind: contract', '- [', '{'))}\n")
            lines.append(
                f"{indent}{head}"
                + (f"\n{body}" if body.startswith(" " * deeper) and "\n" in body else f" {body.strip()}\n")
            )
        return "".join(lines)
    if isinstance(value, dict | list):
        return yaml_flow(value, chance) + "\n"
    return yaml_scalar(value, chance) + (chance.choice(("", "  # so it is")) + "\n")


def yaml_flow(value: Any, chance: random.Random) -> str:
    if isinstance(value, dict):
        return (
            "{"
            + ", ".join(f"{yaml_scalar(k, chance, flow=True)}: {yaml_flow(v, chance)}" for k, v in value.items())
            + "}"
        )
    if isinstance(value, list):
        return "[" + ", ".join(yaml_flow(one, chance) for one in value) + "]"
    return yaml_scalar(value, chance, flow=True)


def yaml_scalar(value: Any, chance: random.Random, *, flow: bool = False) -> str:
    if value is None:
        return chance.choice(("null", "~", "Null"))
    if isinstance(value, bool):
        return chance.choice((str(value).lower(), str(value), str(value).upper()))
    if not isinstance(value, str):
        return number_text(value, chance)
    bare = (_A_WORD.match(value) and value.lower() not in ("null", "true", "false")) or _DAY.match(value)
    if bare and chance.random() < 0.6:
        return value
    if value.isprintable() and chance.random() < 0.5:
        return "'" + value.replace("'", "''") + "'"
    return escaped(value, chance, halves=False)


def as_bytes(text: str, chance: random.Random) -> bytes:
    """With or without a mark at the start, and with the line ends of this or that system."""
    lines = chance.choice(("\n", "\r\n"))
    return chance.choice((b"", b"\xef\xbb\xbf")) + text.replace("\r\n", "\n").replace("\n", lines).encode()


def in_file(data: bytes, name: str) -> Document:
    (document,) = read_documents("-", stream=io.BytesIO(data), name=name)
    return document


def resolved(raw: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        raw = raw[int(part)] if isinstance(raw, list) else raw[part]
    return raw


def assert_same_places(report: AuditReport, other: AuditReport, data: bytes) -> None:
    """The same pointers, and in the text a line and column at which the value stands."""
    assert [(one.name, one.pointer) for one in other.facts] == [(one.name, one.pointer) for one in report.facts]
    lines = data.decode("utf-8-sig").split("\n")
    for fact in other.facts:
        if fact.pointer and fact.file != "description" and fact.line:
            assert fact.column is not None
            assert lines[fact.line - 1][fact.column - 1 :].strip(), fact.name


@settings(max_examples=60 * TIMES)
@given(descriptions(), SEEDS)
def test_how_a_description_is_written_changes_nothing(raw: dict[str, Any], seed: int) -> None:
    chance = random.Random(seed)
    expected = audited(raw)
    for name, text in (("a.json", json_text(raw, chance)), ("b.yaml", yaml_text(raw, chance))):
        data = as_bytes(text, chance)
        found = audited(in_file(data, name))
        assert said(found) == said(expected), text
        assert_same_places(expected, found, data)


def test_a_text_is_kept_as_it_is_composed() -> None:
    """É in one character and in two look alike; the file's own form is shown, and no verdict depends on it."""
    for form in ("\u00c9tude", "E\u0301tude"):
        report = audited(in_file(json.dumps({**EXAMPLES["tender.json"], "title": form}).encode(), "t.json"))
        assert report.document.title == form
        assert said(report) == said(audited(EXAMPLES["tender.json"]))


# --- In another order -------------------------------------------------------------------------------------------------


def shuffled(value: Any, chance: random.Random, pointer: str = "", moved: dict[str, str] | None = None) -> Any:
    """Keys and items in another order; where each item stood is noted by the place at which it stands now.

    No list of a description has an order that means something: the model has no ranks and no steps.
    """
    moved = {} if moved is None else moved
    if isinstance(value, dict):
        names = chance.sample(list(value), len(value))
        return {name: shuffled(value[name], chance, f"{pointer}/{name}", moved) for name in names}
    if isinstance(value, list):
        order = chance.sample(range(len(value)), len(value))
        for now, before in enumerate(order):
            moved[f"{pointer}/{now}"] = f"{pointer}/{before}"
        return [shuffled(value[before], chance, f"{pointer}/{before}", moved) for before in order]
    return value


def in_order(moved: dict[str, str]) -> Callable[[str], str]:
    """What to call a fact of a description whose items stand elsewhere: as it was called before."""

    def name(reference: str) -> str:
        fact, bracket, rest = reference.partition("[")
        if not bracket:
            return reference
        index, _, part = rest.partition("]")
        pointer = "/" + fact.replace(".", "/")
        before = moved.get(f"{pointer}/{index}") or moved.get(f"{pointer}/items/{index}") or f"/{index}"
        return f"{fact}[{before.rpartition('/')[2]}]{part}"

    return name


def without_order(meaning: dict[str, Any]) -> dict[str, Any]:
    """A list is told in its own order: what counts is what is in it."""
    meaning["facts"] = {
        name: (
            evidenced,
            Counter(re.findall(r"\w+", text)),
            Counter(map(repr, value)) if isinstance(value, tuple) else value,
        )
        for name, (evidenced, text, value) in meaning["facts"].items()
    }
    meaning["results"] = {
        rule: (said, names, [Counter(re.findall(r"\w+", str(text))) for text in texts])
        for rule, (said, names, texts) in meaning["results"].items()
    }
    return meaning


def without_witness(meaning: dict[str, Any]) -> dict[str, Any]:
    """Of several items that each settle a rule the first is named, by design: only that it is one of them counts."""
    meaning["results"] = {
        rule: (said, (sorted({_anywhere(name) for name in decided}), missing), texts)
        for rule, (said, (decided, missing), texts) in meaning["results"].items()
    }
    meaning["facts"] = {name: fact for name, fact in meaning["facts"].items() if "[" not in name}
    return meaning


def _anywhere(name: str) -> str:
    return re.sub(r"\[[0-9]+\]", "[]", name)


def test_of_several_items_that_settle_a_rule_the_first_is_named() -> None:
    """By design, and nothing that decides: the verdict is the same whichever of them comes first."""
    raw = EXAMPLES["grant-programme.yaml"]
    measures = raw["outcomes"]["measures"]
    turned = {**raw, "outcomes": {**raw["outcomes"], "measures": {**measures, "items": measures["items"][::-1]}}}
    one, other = audited(raw).result("OI-03"), audited(turned).result("OI-03")
    assert one.verdict == other.verdict == "pass"
    assert {_anywhere(name) for name in one.decided_by} == {_anywhere(name) for name in other.decided_by}


@settings(max_examples=80 * TIMES)
@given(descriptions(), SEEDS)
def test_the_order_of_fields_and_items_changes_nothing(raw: dict[str, Any], seed: int) -> None:
    moved: dict[str, str] = {}
    other = shuffled(raw, random.Random(seed), moved=moved)
    where = {before: now for now, before in moved.items()}
    for one in other.get("evidence", ()):
        one["pointer"] = "/".join(_steps(one["pointer"], where))
    found, expected = audited(other), audited(raw)
    mine, theirs = without_order(said(found, in_order(moved))), without_order(said(expected))
    assert without_witness(mine) == without_witness(theirs)


def _steps(pointer: str, where: dict[str, str]) -> Iterator[str]:
    old = ""
    for index, part in enumerate(pointer.split("/")):
        old = f"{old}/{part}" if index else ""
        yield where[old].rpartition("/")[2] if old in where else part


# --- Under other names ------------------------------------------------------------------------------------------------

MEANING_IN_WORDS = frozenset(
    {"process.legal_basis", "notice.publisher", "notice.types", "notice.tags", "process.covered_by"}
)
"""Texts that are codes: the law and the kind of notice are told by them."""


def renamed(raw: dict[str, Any], called: Callable[[str], str]) -> dict[str, Any]:
    """All names, titles and other free texts are others; what had one name has one name."""

    def at(value: Any, prefix: str) -> Any:
        if isinstance(value, dict):
            boxed = is_boxed(value) and prefix[:-1] in dictionary()
            return {name: at(child, prefix if boxed else f"{prefix}{name}.") for name, child in value.items()}
        if isinstance(value, list):
            return [at(one, prefix) for one in value]
        name = prefix[:-1]
        if not isinstance(value, str) or name in MEANING_IN_WORDS or value == "none":
            return value
        return called(value) if name in _TEXTS else value

    return {name: child if name == "evidence" else at(child, f"{name}.") for name, child in raw.items()}


_TEXTS = {
    name
    for fact in dictionary().values()
    for name, one in ((fact.name, fact), *((f"{fact.name}.{part}", one) for part, one in fact.fields.items()))
    if one.type in ("text", "list_text")
}


@settings(max_examples=50 * TIMES)
@given(descriptions())
def test_what_things_are_called_changes_nothing(raw: dict[str, Any]) -> None:
    names: dict[str, str] = {}
    other = renamed(raw, lambda text: names.setdefault(text, f"Name {len(names)}"))
    assert said(audited(other), words=False) == said(audited(raw), words=False)


def test_the_name_of_the_file_changes_nothing() -> None:
    for name, raw in EXAMPLES.items():
        data = json.dumps(raw).encode()
        first, second = audited(in_file(data, "a.json")), audited(in_file(data, "Ausschreibung – für «alle» 2026.JSON"))
        assert said(first) == said(second), name
        assert {one.file for one in second.facts} <= {"Ausschreibung – für «alle» 2026.JSON", second.document.name}


# --- The same amount, the same day ------------------------------------------------------------------------------------


def test_a_currency_is_never_supplied_by_us() -> None:
    """By design an amount without a currency is no money: pounds are not presumed, so there is no default to test."""
    raw = EXAMPLES["tender.json"]
    for money in (350000, {"amount": 350000}, {"amount": 350000, "currency": "gbp"}):
        with pytest.raises(DescriptionError) as caught:
            audited({**raw, "value": {"total": money}})
        assert "GBP" in str(caught.value)


def test_a_time_of_day_is_no_date_in_a_description_and_is_refused() -> None:
    """By design: a description names days, which have no time zone. Notices have both: see below."""
    with pytest.raises(DescriptionError, match="a date is expected"):
        audited({**EXAMPLES["tender.json"], "timeline": {"tender_published": "2026-03-31T00:00:00Z"}})


def test_a_date_of_the_language_and_a_date_in_writing_are_one() -> None:
    def of_python(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: child if name == "evidence" else of_python(child) for name, child in value.items()}
        if isinstance(value, list):
            return [of_python(one) for one in value]
        return dt.date.fromisoformat(value) if isinstance(value, str) and _DAY.match(value) else value

    for raw in EXAMPLES.values():
        assert said(audited(of_python(raw))) == said(audited(raw))


# --- Notices ----------------------------------------------------------------------------------------------------------

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})\Z")


def other_zones(value: Any, chance: random.Random) -> Any:
    """The same moments, told by other clocks."""
    if isinstance(value, dict):
        return {name: other_zones(child, chance) for name, child in value.items()}
    if isinstance(value, list):
        return [other_zones(one, chance) for one in value]
    if isinstance(value, str) and _MOMENT.match(value):
        zone = dt.timezone(dt.timedelta(minutes=chance.choice((0, 60, -300, 330, 765))))
        moved = (
            dt.datetime.fromisoformat(value)
            .astimezone(zone)
            .isoformat(timespec=chance.choice(("auto", "milliseconds")))
        )
        return moved.replace("+00:00", chance.choice(("Z", "+00:00")))
    return value


def other_ids(value: Any, ids: dict[str, str] | None = None) -> Any:
    """Lots, items, organisations, documents and contracts under other ids; what is referred to is still referred to."""
    if ids is None:
        ids = {}
        for one in _ids(value):
            ids.setdefault(one, f"x{len(ids)}-{one}")
    if isinstance(value, dict):
        return {
            name: _referred(child, ids) if _refers(name, value) else other_ids(child, ids)
            for name, child in value.items()
        }
    return [other_ids(one, ids) for one in value] if isinstance(value, list) else value


def _refers(name: str, holder: dict[str, Any]) -> bool:
    of_ours = name == "id" and not {"scheme", "ocid"} & holder.keys()
    return (
        of_ours
        or (name != "ocid" and name.endswith("ID"))
        or name.startswith(("relatedLot", "relatedItem", "relatedBid"))
    )


def _referred(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_referred(one, ids) for one in value]
    return ids.get(value, value) if isinstance(value, str) else other_ids(value, ids)


def _ids(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and _refers("id", value) and isinstance(value.get("id"), str):
        yield value["id"]
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _ids(child)


def other_organisations(value: Any, names: dict[str, str] | None = None) -> Any:
    """Buyers and suppliers under other names."""
    if names is None:
        names = {
            one["name"]: f"Organisation {at}" for at, one in enumerate(value.get("parties", ())) if one.get("name")
        }
    if isinstance(value, dict):
        return {
            name: names.get(child, child)
            if name == "name" and isinstance(child, str)
            else other_organisations(child, names)
            for name, child in value.items()
        }
    return [other_organisations(one, names) for one in value] if isinstance(value, list) else value


def other_order(value: Any, chance: random.Random) -> Any:
    """Keys, and lists of things that have ids, in another order."""
    if isinstance(value, dict):
        return {name: other_order(value[name], chance) for name in chance.sample(list(value), len(value))}
    if isinstance(value, list):
        items = [other_order(one, chance) for one in value]
        return (
            chance.sample(items, len(items)) if all(isinstance(one, dict) and "id" in one for one in items) else items
        )
    return value


REWRITES: dict[str, Callable[[Any, random.Random], Any]] = {
    "other zones": other_zones,
    "other ids": lambda raw, chance: other_ids(raw),
    "other organisations": lambda raw, chance: other_organisations(raw),
    "other order": other_order,
}


@functools.cache
def shared_judge() -> Judge:
    return Judge(PACKS)


def rows(raws: list[Any]) -> list[dict[str, Any]]:
    """What a scan says of each notice: its row, and its verdicts."""
    tables = shared_judge().tables([Notice(at, "n.jsonl", at + 1, "", raw, None, True) for at, raw in enumerate(raws)])
    assert not tables.rejected
    of_each: dict[int, dict[str, Any]] = {at: {} for at in range(len(raws))}
    for row in tables.rules.iter_rows(named=True):
        of_each[row["notice"]][row["rule"]] = (row["verdict"], row["provisional"], row["severity"])
    figures = ("score", "low", "high", "coverage", "grade", "tier", "regime", "as_of", "passed", "failed", "unknown")
    return [
        {**{name: row[name] for name in figures}, "rules": of_each[row["notice"]]}
        for row in tables.notices.iter_rows(named=True)
    ]


def of_notice(report: AuditReport, *, words: bool) -> dict[str, Any]:
    meaning = said(report, _anywhere, words=words)
    return without_order(meaning) if words else meaning


@pytest.mark.parametrize("how", REWRITES)
def test_a_notice_may_be_written_in_other_ways(how: str) -> None:
    chance = random.Random(how)
    some = RELEASES[chance.randrange(3) :: 3]
    others = [REWRITES[how](raw, chance) for raw in some]
    assert others != some or how == "other order"
    for raw, other in zip(some, others, strict=True):
        found, expected = audit(other, PACKS, engine="reference"), audit(raw, PACKS, engine="reference")
        assert of_notice(found, words=how == "other zones") == of_notice(expected, words=how == "other zones"), raw[
            "ocid"
        ]
    assert rows(others) == rows(some)


@settings(max_examples=20 * TIMES)
@given(st.sampled_from(RELEASES), SEEDS)
def test_how_a_notice_is_laid_out_changes_nothing(raw: dict[str, Any], seed: int) -> None:
    chance = random.Random(seed)
    package = {"version": "1.1", "uri": "https://example.org/", "releases": [raw]}
    data = as_bytes(json_text(package, chance), chance)
    expected = audit(package, PACKS, engine="reference")
    found = audit(in_file(data, "notice.json"), PACKS, engine="reference")
    assert said(found) == said(expected)
    assert_same_places(expected, found, data)


def test_a_notice_and_its_conversion_audit_alike() -> None:
    """Verdicts, score, facts; the places of the one are in the notice.

    What document it is and at which stage, a document shows by being there: the notice counts as evidence of it, and
    the conversion needs none.
    """
    converted = []
    for at, raw in enumerate(RELEASES[::2]):
        document = read_description(raw)
        expected = audit(document, PACKS, engine="reference")
        for fact in expected.facts:
            resolved(raw, fact.pointer)
        form: Any = ("yaml", "json")[at % 2]
        text = write(document, form)
        found = audit(in_file(text.encode(), f"n.{form}"), PACKS, engine="reference")
        meanings = [said(one) for one in (found, expected)]
        for name in ("kind", "stage"):
            for meaning in meanings:
                if name in meaning["facts"]:
                    meaning["facts"][name] = meaning["facts"][name][1:]
        assert meanings[0] == meanings[1], raw["ocid"]
        converted.append(as_written(document))
    scanned = rows(RELEASES[::2])
    for raw, row in zip(converted, scanned, strict=True):
        report = audit(raw, PACKS, engine="reference")
        assert (report.score.score, report.score.low, report.score.high) == (row["score"], row["low"], row["high"])
        for rule, (verdict, provisional, severity) in row["rules"].items():
            one = report.result(rule)
            assert (one.verdict, one.provisional, one.severity) == (verdict, provisional, severity)


# --- More is known ----------------------------------------------------------------------------------------------------


def assert_narrower(more: AuditReport, less: AuditReport) -> None:
    """What was settled stays settled, and the score of the one lies within the interval of the other.

    By design a rule that was not yet due joins the score when a plan with a date is stated: then alone the interval of
    the score need not lie within the earlier one.
    """
    joined = False
    for one in less.results:
        now = more.result(one.rule.id)
        if one.verdict == "not_yet_due":
            assert now.verdict in ("not_yet_due", "pass", "not_applicable", "unknown"), one.rule.id
            joined = joined or now.verdict != "not_yet_due"
        elif one.verdict == "not_applicable" or (one.verdict in ("pass", "fail") and not one.provisional):
            assert (now.verdict, now.provisional) == (one.verdict, False), one.rule.id
    before, after = less.score, more.score
    if joined or None in (before.low, before.high, after.low, after.high):
        return
    assert before.low is not None and before.high is not None and after.low is not None and after.high is not None
    assert before.low - 0.1 <= after.low <= after.high <= before.high + 0.1


@settings(max_examples=60 * TIMES)
@given(descriptions(), SEEDS, st.sampled_from((0.05, 0.3, 0.8)))
def test_stating_more_only_narrows(raw: dict[str, Any], seed: int, share: float) -> None:
    raw = {name: value for name, value in raw.items() if name != "evidence"}
    less = thinned(raw, random.Random(seed), share)
    for options in ({}, {"tier": "large"}):
        assert_narrower(audited(raw, **options), audited(less, **options))


@settings(max_examples=40 * TIMES)
@given(st.sampled_from(list(EXAMPLES)), SEEDS, st.booleans())
def test_adding_evidence_only_narrows(name: str, seed: int, required: bool) -> None:
    raw = {**EXAMPLES[name]}
    chance = random.Random(seed)
    places = [place for place in _statements(raw) if chance.random() < 0.5]
    evidence = [{"pointer": place, "document": f"Paper {at}"} for at, place in enumerate(places)]
    some = chance.sample(evidence, chance.randrange(len(evidence) + 1))
    more, less = (audited({**raw, "evidence": one}, require_evidence=required) for one in (evidence, some))
    if required:
        assert_narrower(more, less)
        return
    for one in less.results:
        now = more.result(one.rule.id)
        assert (now.verdict, now.provisional) == (one.verdict, one.provisional)
        assert one.claimed or not now.claimed, "what has evidence keeps it"
        assert now.evidenced or not one.evidenced
    assert more.score.evidenced >= less.score.evidenced
    assert (more.score.score, more.score.low, more.score.high) == (less.score.score, less.score.low, less.score.high)
    assert len(more.score.caps) <= len(less.score.caps)


def _statements(value: Any, pointer: str = "") -> Iterator[str]:
    """Where something is stated that a paper may show."""
    if isinstance(value, dict) and not is_money(value):
        for name, child in value.items():
            if name != "complete" and (pointer or name not in ("kind", "evidence", "id", "case", "title")):
                yield from _statements(child, f"{pointer}/{name}")
    elif isinstance(value, list) and value:
        for index, one in enumerate(value):
            yield from _statements(one, f"{pointer}/{index}")
    elif value is not None:
        yield pointer


# --- A finding is mended ----------------------------------------------------------------------------------------------


@settings(max_examples=15 * TIMES)
@given(descriptions(), SEEDS)
def test_mending_a_finding_never_hurts(raw: dict[str, Any], seed: int) -> None:
    """Any choice of the steps that `improve` offers: no rule that was met is not met, and the score does not fall."""
    raw = {name: value for name, value in raw.items() if name != "evidence"}
    found = improve(raw, PACKS, target=100, as_of=DAY)
    before = audited(raw)
    met = {one.rule.id for one in before.results if one.verdict == "pass" and not one.rule.law}
    chance = random.Random(seed)
    choices = [
        found.steps,
        *([step] for step in found.steps[:4]),
        [step for step in found.steps if chance.random() < 0.5],
    ]
    for steps in choices:
        after = audited(with_edits(raw, [edit for step in steps for rule in step.rules for edit in rule.edits]))
        assert [rule for rule in met if after.result(rule).verdict == "fail"] == []
        assert (after.score.score or 0) >= (before.score.score or 0)
        assert steps == [] or before.score.low is None or (after.score.low or 0) >= before.score.low
