"""Verifies a saved report against its document: recomputes every verdict and the score from what the report carries.

This is a second pair of eyes. It uses CEL and the reader of descriptions, and nothing of the engine, the scoring or the
report's own modules, so that a fault in one of them is not repeated here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any, Final

from cel_expr_python import cel
from pydantic import BaseModel

from goodcommission.description.case import CHANGING, NAMING, OF_ITS_TIME, is_among, read_case_file
from goodcommission.description.document import Document
from goodcommission.description.model import Description
from goodcommission.description.reading import read_documents
from goodcommission.description.types import Listed, Money
from goodcommission.exceptions import CaseFileError

_ZERO: Final = dt.date(1970, 1, 1).toordinal()
_SEAL: Final = re.compile(r',\n  "digest": "(sha256:[0-9a-f]{64})"\n\}')
_STAGES: Final = ("draft", "published", "awarded", "live", "ending", "ended")
_TIERS: Final = ("small", "medium", "large")
_SEVERITY: Final = {"high": 50, "medium": 30, "low": 10}
_STRENGTH: Final = {"recommendation": 10, "needs-to-happen": 9, "good-practice": 8, "experience": 7}
_NO_CLAIM: Final = ("kind", "stage", "as_of")
_ASKED_ON_A_CLAIM: Final = (
    "value.total",
    "value.total_including_vat",
    "term.months",
    "process.route",
    "funding.mechanism",
    "lots.count",
)
"""What the document may say of itself to decide which rules are asked, also where evidence is required."""
_GRADES: Final = (("A", 85), ("B", 70), ("C", 55), ("D", 40), ("E", 0))


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying one report."""

    document: str
    differences: tuple[str, ...]
    """Where the report is not what the document and the report's own conditions give; empty if it is the same."""
    verdicts: int
    """How many verdicts were recomputed."""


class _Report:
    """A report as the JSON has it, with the text that its digest is taken of."""

    def __init__(self, raw: Mapping[str, Any], body: str, seal: str) -> None:
        self.raw, self.body, self.seal = raw, body, seal


def _reports(text: str) -> Iterator[_Report] | None:
    """The reports of a file as ``goodcommission audit --format json`` writes it, or None if it is not that."""
    seals = list(_SEAL.finditer(text))
    several = text.startswith("[\n")
    bodies, at = [], 2 if several else 0
    for seal in seals:
        bodies.append((text[at : seal.start()] + "\n}", seal[1]))
        at = seal.end() + 2
    whole = ",\n".join(f'{body[:-2]},\n  "digest": "{seal}"\n}}' for body, seal in bodies)
    if not bodies or text != (f"[\n{whole}\n]\n" if several else f"{whole}\n"):
        return None
    try:
        return iter([_Report(json.loads(body), body, seal) for body, seal in bodies])
    except ValueError:
        return None


def verify(
    report: str | os.PathLike[str],
    document: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    commissioner: str | os.PathLike[str] | None = None,
    answers: str | os.PathLike[str] | None = None,
) -> tuple[Verification, ...]:
    """Recompute the verdicts and the score of a saved report from the document it was made of.

    Args:
        report: What ``goodcommission audit --format json`` wrote.
        document: The file that was audited; of a case, its case file or all of its documents.
        commissioner: The commissioner's profile, where the audit had one.
        answers: The file of answers, to see that it is the one that was used; the report carries the answers.

    Returns:
        One verification for each report in the file.

    Raises:
        DescriptionError: The document can't be read.
        OSError, UnicodeDecodeError: The report can't be read.
    """
    with open(report, encoding="utf-8", newline="") as file:
        found = _reports(file.read())
    if found is None:
        reason = "the report is not as goodcommission wrote it: it was changed, cut or formatted anew"
        return (Verification(os.fspath(report), (reason,), 0),)
    documents: list[Document] = []
    for one in [document] if isinstance(document, str | os.PathLike) else document:
        try:
            documents += read_documents(one, commissioner=commissioner)
        except CaseFileError:
            documents += read_case_file(one, commissioner=commissioner).documents
    signed = None
    if answers is not None:
        with open(answers, "rb") as file:
            signed = "sha256:" + hashlib.sha256(file.read()).hexdigest()
    return tuple(_verify(each, documents, signed) for each in found)


def _verify(report: _Report, documents: Sequence[Document], answers: str | None) -> Verification:
    raw = report.raw
    name = str(raw["document"]["name"])
    if "sha256:" + hashlib.sha256(report.body.encode()).hexdigest() != report.seal:
        return Verification(name, ("the report was changed after it was made: its digest does not fit",), 0)
    case = raw.get("case")
    found = []
    for told in case["documents"] if case else [raw["document"]]:
        one = _fitting(told, documents)
        if one is None:
            reason = "the document is not the one that was audited: its digest does not fit"
            if case:
                needed = "all documents of the case are needed, as they were"
                reason = f"{needed}, and {told['name']} is not among those that were given"
            return Verification(name, (reason,), 0)
        used, profile = one.profile, told["profile"]
        if (used and used.digest) != (profile and profile["digest"]):
            return Verification(name, ("the commissioner's profile is not the one that was used",), 0)
        found.append(one)
    given = raw.get("answers")
    if answers is not None and answers != (given and given["digest"]):
        return Verification(name, ("the answers are not those that were used",), 0)
    work = _Case(raw, found) if case else _Work(raw, found[0])
    return Verification(name, tuple(work.differences()), len(raw["results"]))


def _fitting(told: Mapping[str, Any], documents: Sequence[Document]) -> Document | None:
    """The document that a report names, among some: of a file with several notices, the same notice."""
    name = str(told["name"])
    ending = name.rpartition("#")[2] if "#" in name else None
    for one in documents:
        if one.digest == told["digest"] and (len(documents) == 1 or ending in (None, one.name.rpartition("#")[2])):
            return one
    return None


# --- Facts -------------------------------------------------------------------------------------------------------


def _names(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """The names of all variables that a condition may hold."""
    for name, hint in typing.get_type_hints(model).items():
        if name not in model.model_fields:
            continue
        parts = typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)
        inner = next((p for p in parts if isinstance(p, type) and issubclass(p, BaseModel)), None)
        if inner is None or issubclass(inner, Listed | Money):
            yield from (f"{prefix}{name}", f"{prefix}{name}.given", f"{prefix}{name}.complete")
        else:
            yield from _names(inner, f"{prefix}{name}.")


@cache
def _hint(model: type[BaseModel], field: str) -> str:
    return str(typing.get_type_hints(model, include_extras=True)[field])


def _value(value: Any, currency: str) -> Any:
    match value:
        case Money():
            none = value.currency == "XXX" and value.amount == 0
            return float(value.amount) if value.currency == currency or none else None
        case Decimal():
            return float(value)
        case dt.date():
            return value.toordinal() - _ZERO
    return value


def _record(item: BaseModel, currency: str) -> dict[str, Any]:
    record = {}
    for name, value in item:
        free_text = isinstance(value, str) and "may be none" in _hint(type(item), name)
        shown = {"given": value != "none"} if free_text else _value(value, currency)
        if value is not None and shown is not None:
            record[name] = shown
    return record


def _facts(part: BaseModel, currency: str, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """What a description states, by the names that conditions use."""
    for field, value in part:
        name = prefix + field
        if value is None or name == "evidence":
            continue
        if isinstance(value, Listed):
            yield name, [_record(x, currency) if isinstance(x, BaseModel) else x for x in value.items]
            if value.complete:
                yield f"{name}.complete", True
        elif isinstance(value, Money):
            amount = _value(value, currency)
            if amount is not None:
                yield name, amount
                yield f"{name}.given", value.currency != "XXX"
        elif isinstance(value, BaseModel):
            yield from _facts(value, currency, f"{name}.")
        elif value == "none":
            # An enumeration may have a value "none"; a date or text has none instead of a value.
            yield f"{name}.given", False
            if "Literal" in _hint(type(part), field):
                yield name, value
        else:
            yield name, _value(value, currency)
            yield f"{name}.given", True


def _base(name: str) -> str:
    return name.removesuffix(".given").removesuffix(".complete")


def _dotted(pointer: str) -> str:
    """A pointer as a name; a list's "items" is no part of one."""
    name = ""
    for step in pointer.strip("/").split("/"):
        if step == "items" and f"{name}.complete" in _all_names():
            continue
        name = f"{name}.{step}" if name else step
    return name


@cache
def _all_names() -> frozenset[str]:
    return frozenset(_names(Description))


# --- Conditions --------------------------------------------------------------------------------------------------


def _add_months(day: int, months: int) -> int:
    start = dt.date.fromordinal(day + _ZERO)
    month = start.year * 12 + start.month - 1 + months
    first, after = (dt.date(m // 12, m % 12 + 1, 1).toordinal() - _ZERO for m in (month, month + 1))
    return min(first + start.day - 1, after - 1)


def _weekdays_between(first: int, last: int) -> int:
    return sum(dt.date.fromordinal(day + _ZERO).weekday() < 5 for day in range(first + 1, last))


_TYPES: Final[Mapping[str, cel.Type]] = {
    "i": cel.Type.INT,
    "d": cel.Type.DOUBLE,
    "b": cel.Type.BOOL,
    "D": cel.Type.List(cel.Type.DOUBLE),
    "S": cel.Type.List(cel.Type.STRING),
    "B": cel.Type.List(cel.Type.List(cel.Type.DOUBLE)),
}
_FUNCTIONS: Final[Mapping[str, tuple[tuple[str, ...], Callable[..., Any]]]] = {
    "max_of": (("ddd", "iii"), max),
    "min_of": (("ddd", "iii"), min),
    "earliest": (("iii",), min),
    "latest": (("iii",), max),
    "largest": (("Dd",), max),
    "smallest": (("Dd",), min),
    "sum_of": (("Dd",), math.fsum),
    "add_months": (("iii",), _add_months),
    "add_days": (("iii",), lambda day, count: dt.date.fromordinal(day + count + _ZERO).toordinal() - _ZERO),
    "weekdays_between": (("iii",), _weekdays_between),
    "days_between": (("iii",), lambda first, last: last - first),
    "band": (("Bdd",), lambda bands, value: next(step for below, step in bands if value < below)),
    "covers": (("SSb",), lambda all_of, wanted: set(wanted) <= set(all_of)),
}
"""Each function with its forms: the types of what it takes and, last, of what it gives."""


@lru_cache(maxsize=8)
def _environment(names: frozenset[str]) -> cel.Env:
    declared = [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"{name}_{form}",
                    return_type=_TYPES[form[-1]],
                    parameters=[_TYPES[letter] for letter in form[:-1]],
                    impl=compute,
                )
                for form in forms
            ],
        )
        for name, (forms, compute) in _FUNCTIONS.items()
    ]
    return cel.NewEnv(variables=dict.fromkeys(sorted(names), cel.Type.DYN), functions=declared)


@lru_cache(maxsize=5000)
def _compiled(env: cel.Env, text: str) -> cel.Expression:
    """A condition; reports of the same packs have the same ones."""
    return env.compile(text)


class _Work:
    """One report, its document, and what is found of them."""

    def __init__(self, raw: Mapping[str, Any], document: Document) -> None:
        self.raw = raw
        self.currency = raw["currency"]
        self.facts = dict(_facts(document.description, self.currency))
        if raw["as_of"] is not None:
            self.facts["as_of"] = dt.date.fromisoformat(raw["as_of"]).toordinal() - _ZERO
        self.parameters: dict[str, dict[str, Any]] = {}
        for one in raw["parameters"]:
            bands = [[math.inf if below is None else below, step] for below, step in one["bands"] or ()]
            value = bands or one["value"]
            if one["unit"] == "date" and isinstance(value, str):
                value = dt.date.fromisoformat(value).toordinal() - _ZERO
            self.parameters.setdefault(one["pack"], {})[f"params.{one['name']}"] = value
        self.spans = {(one["pack"], one["name"]): one["spans"] for one in raw["parameters"] if one["spans"]}
        lets = {let["name"] for rule in (*raw["logic"], *raw["tiers"], *raw["regimes"]) for let in rule["lets"]}
        params = {name for values in self.parameters.values() for name in values}
        for pack, name in self.spans:  # Known only for a document, by its date and regime.
            del self.parameters[pack][f"params.{name}"]
        self.env = _environment(frozenset({*_all_names(), "as_of", *lets, *params}))
        profile = document.profile
        self.of_profile = profile.facts if profile else frozenset[str]()
        self.evidence = [_dotted(one.pointer) for one in document.description.evidence or ()]
        self.profile_evidence = [_dotted(one.pointer) for one in (profile.evidence if profile else ())]
        self.published = document.origin == "ocds"
        self.others: Mapping[str, Sequence[_Work]] = {}
        """In a case, by fact: the documents whose evidence is for it."""
        self.prove()

    def prove(self) -> None:
        """Set apart what is backed, where bare claims are unknown."""
        # What decides whether a rule is asked, and what decides whether it is met, where bare claims are unknown.
        self.asking = self.proving = self.facts
        if self.raw.get("require_evidence"):
            self.asking = {**self.proven(), **{k: v for k, v in self.facts.items() if _base(k) in _ASKED_ON_A_CLAIM}}
            self.proving = self.proven()
        self.regime, self.may_be = self.under()
        self.territory, self.may_be_in = self.where()

    def ask(self, text: str, values: Mapping[str, Any]) -> Any:
        """The value of an expression; None where it is unknown."""
        result = _compiled(self.env, text).eval(self.env.Activation(values))
        return None if result.type() == cel.Type.ERROR else result.plain_value()

    def values(self, logic: Mapping[str, Any], facts: Mapping[str, Any]) -> dict[str, Any]:
        """All that the conditions of a rule may name."""
        values = {**facts, **self.parameters.get(logic["pack"], {})}
        for let in logic["lets"]:
            value = self.ask(let["expression"], values)
            if isinstance(value, float):
                value = round(value, 6) if math.isfinite(value) else None
            if value is not None:
                values[let["name"]] = value
        return values

    def verdict(self, logic: Mapping[str, Any], info: Mapping[str, Any]) -> tuple[str, bool, str]:
        """Verdict, whether it is provisional, and the severity shown."""
        stated = self.judged(logic, info, self.facts, self.facts)
        if self.proving is self.facts or stated[0] == "fail":
            return stated
        shown = self.judged(logic, info, self.asking, self.proving)
        unproven = shown[0] == "fail" or (stated[0] == "pass" and shown[0] == "not_yet_due")
        return ("unknown", False, info["severity"]) if unproven else shown

    def judged(
        self, logic: Mapping[str, Any], info: Mapping[str, Any], asking: Mapping[str, Any], proving: Mapping[str, Any]
    ) -> tuple[str, bool, str]:
        severity = info["severity"]
        if self.facts["kind"] not in logic["applies_to"]:
            return "not_applicable", False, severity
        law = logic["law"]
        stands, open_law, numbers = (True, False, {}) if law is None else self.stands(law, logic["pack"])
        if stands is False:
            return "not_applicable", False, severity
        if stands == "outdated":
            return "unknown", False, severity
        same = proving is asking
        asking = {**asking, **numbers}
        proving = asking if same else {**proving, **numbers}
        verdict, provisional, shown = self.decided(logic, info, asking, proving)
        if stands is None and verdict in ("pass", "fail"):
            return "unknown", False, severity
        return verdict, provisional or (open_law and verdict in ("pass", "fail")), shown

    def decided(
        self, logic: Mapping[str, Any], info: Mapping[str, Any], asking: Mapping[str, Any], proving: Mapping[str, Any]
    ) -> tuple[str, bool, str]:
        severity = info["severity"]
        large = self.reaches(info["tier"], asking)
        if large is False:
            return "not_applicable", False, severity
        values = self.values(logic, asking)
        applies = True if logic["when"] is None else self.ask(logic["when"], values)
        if applies is False:
            return "not_applicable", False, severity
        open_ = large is True and applies is True
        values = values if proving is asking else self.values(logic, proving)
        stage, due = self.facts.get("stage"), _STAGES.index(info["due_from"])
        is_due = True if due == 0 else None if stage is None else _STAGES.index(stage) >= due
        planned = is_due is not True and logic["planned"] is not None and self.ask(logic["planned"], values) is True
        decided, provisional, shown = self.decide(logic, values, severity)
        if is_due is False:
            return ("not_yet_due" if not planned else "pass" if open_ else "unknown"), False, severity
        if not open_ or (is_due is None and not (decided == "pass" and planned)):
            return "unknown", False, severity
        return decided, provisional, shown

    def decide(self, logic: Mapping[str, Any], values: Mapping[str, Any], severity: str) -> tuple[str, bool, str]:
        branches = logic["branches"]
        if logic["require"]:
            value = self.ask(branches[0]["condition"], values)
            return ("unknown" if value is None else "pass" if value else "fail"), False, severity
        undecided: set[str] = set()
        for branch in branches:
            value = self.ask(branch["condition"], values)
            if value is True:
                provisional = bool(undecided - {branch["verdict"]})
                return branch["verdict"], provisional, branch["severity"] if branch["verdict"] == "fail" else severity
            if value is None:
                undecided.add(branch["verdict"])
        return "unknown", False, severity

    # -- law --

    def under(self) -> tuple[str | None, set[str] | None]:
        """The law that the document is under, and all that it may be; None: anything."""
        told = self.raw["regime"]
        if told["basis"] == "given":
            return told["id"], {told["id"]}
        if "process.regime" in self.facts:
            return self.facts["process.regime"], {self.facts["process.regime"]}
        signs = self.raw["regimes"]
        for sign in signs:
            if sign["settles"] and self.ask(sign["condition"], self.values(sign, self.facts)) is True:
                return sign["id"], {sign["id"]}
        possible: set[str] = set()
        for sign in signs:
            value = False if sign["settles"] else self.ask(sign["condition"], self.values(sign, self.facts))
            if value is not False:
                possible.add(sign["id"])
            if value is True:
                return sign["id"], possible
        return None, None

    def run_under(self) -> str | None:
        """The law that it is run under."""
        return self.regime

    def where(self) -> tuple[str | None, set[str] | None]:
        """The part of the United Kingdom whose law binds the body, and all that it may be."""
        stated = self.facts.get("commissioner.territory")
        if stated is not None:
            return stated, {stated}
        of: dict[str, set[str]] = {}
        for sign in self.raw["regimes"]:
            of.setdefault(sign["id"], set(sign["territories"]))
        if self.may_be is None or not self.may_be <= of.keys():
            return None, None
        possible = set[str]().union(*(of[one] for one in self.may_be))
        return (min(possible) if len(possible) == 1 else None), possible

    def stands(self, law: Mapping[str, Any], pack: str) -> tuple[bool | str | None, bool, dict[str, Any]]:
        """Whether a rule of law holds, whether that may be overturned, and the numbers that it has."""
        regimes, territories = law["regimes"], law["territories"]
        of_regime = True if regimes is None else _among(self.may_be, regimes)
        in_place = True if territories is None else _among(self.may_be_in, territories)
        day = next((self.facts[name] for name in law["governed_by"] if name in self.facts), None)
        dated = bool(law["start"] or law["until"])
        in_force = None if dated and day is None else not dated or _within(day or 0, law["start"], law["until"])
        if False in (of_regime, in_place, in_force):
            return False, False, {}
        if law["review_by"] and (self.raw["as_of"] is None or self.raw["as_of"] > law["review_by"]):
            return "outdated", False, {}
        open_ = of_regime is None and self.regime in regimes
        if (of_regime is None and not open_) or None in (in_place, in_force):
            return None, False, {}
        numbers = {}
        for name in law["dated"]:
            span = self.number(self.spans[pack, name], law, day)
            if span is not None:
                numbers[f"params.{name}"] = span["value"]
        return True, open_, numbers

    def number(
        self, spans: Sequence[Mapping[str, Any]], law: Mapping[str, Any], day: int | None
    ) -> Mapping[str, Any] | None:
        """The value by date that holds, or None if it is not the same for all that the document may be under."""
        found = []
        for regime in _ones(self.regime, self.may_be, law["regimes"]):
            for territory in _ones(self.territory, self.may_be_in, law["territories"]):
                of = [s for s in spans if s["regimes"] is None or regime in s["regimes"]]
                of = [s for s in of if s["territories"] is None or territory in s["territories"]]
                if day is not None:
                    of = [s for s in of if _within(day, s["start"], s["until"])]
                if len({s["value"] for s in of}) != 1:
                    return None
                found.append(max(of, key=lambda s: str(s["start"])))
        return found[0] if len({s["value"] for s in found}) == 1 else None

    def reaches(self, tier: str, facts: Mapping[str, Any]) -> bool | None:
        """Whether the contract is at least of a tier."""
        if self.raw["tier"]["basis"] == "override":
            return _TIERS.index(tier) <= _TIERS.index(self.raw["tier"]["name"])
        gate = next((one for one in self.raw["tiers"] if one["tier"] == tier), None)
        return True if gate is None else self.ask(gate["condition"], self.values(gate, facts))

    def backed(self, reference: str, *, wholly: bool = False) -> bool:
        """Whether a fact or a part of one is backed by evidence; a list is wholly if each of its items is."""
        those = self.others.get(_base(reference.partition("[")[0]), (self,))
        if len(those) == 1 or not wholly:
            return any(one.backed_here(reference, wholly=wholly) for one in those)
        of = self.facts.get(reference)
        if any(one.backed_here(reference, within=False) for one in those) or not isinstance(of, list):
            return any(one.backed_here(reference, wholly=wholly) for one in those)
        return bool(of) and all(self.backed(f"{reference}[{at}]") for at in range(len(of)))

    def backed_here(self, reference: str, *, wholly: bool = False, within: bool = True) -> bool:
        """The same, by the evidence of this document alone."""
        name = _base(reference).replace("[", ".").replace("]", "")
        from_profile = name in self.of_profile
        evidence = self.profile_evidence if from_profile else [""] if self.published else self.evidence
        if any(not item or f"{name}.".startswith(f"{item}.") for item in evidence):
            return True
        if reference.endswith(".complete") or not within:
            return False
        of = self.facts.get(name)
        if wholly and isinstance(of, list):
            return bool(of) and all(self.backed_here(f"{name}[{at}]") for at in range(len(of)))
        return any(item.startswith(f"{name}.") for item in evidence)

    def proven(self) -> dict[str, Any]:
        """The facts that are backed; of the records of a list, the fields that are."""
        proven = {
            name: value for name, value in self.facts.items() if name in _NO_CLAIM or self.backed(name, wholly=True)
        }
        for name, value in proven.items():
            if isinstance(value, list) and any(isinstance(one, dict) for one in value):
                proven[name] = [
                    {field: part for field, part in one.items() if self.backed(f"{name}[{at}].{field}")}
                    for at, one in enumerate(value)
                ]
        return proven

    def differences(self) -> Iterator[str]:
        """Every place where the report says something else."""
        logic = {one["rule"]: one for one in self.raw["logic"]}
        for rule in sorted(logic.keys() - {result["rule"]["id"] for result in self.raw["results"]}):
            yield f"{rule}: the report carries its conditions and does not say what came of it"
        judged = []
        told, found = self.raw["regime"]["id"], self.run_under()
        if told != found:
            yield f"the law: the report says {told}, and it is {found}"
        for result in self.raw["results"]:
            info = result["rule"]
            if info["kind"] == "manual":
                verdict, claimed = self.answered(info["id"])
                if (verdict, claimed) != (result["verdict"], result["claimed"]):
                    yield f"{info['id']}: the report says {_said(result)}, and the answer makes it {verdict}"
                judged.append((info, verdict, False, info["severity"], claimed, result["waived"] is not None))
                continue
            if info["id"] not in logic:
                yield f"{info['id']}: the report does not carry its conditions"
                continue
            verdict, provisional, severity = self.verdict(logic[info["id"]], info)
            yield from self.of_documents(logic[info["id"]], result)
            if (verdict, provisional) != (result["verdict"], result["provisional"]):
                yield f"{info['id']}: the report says {_said(result)}, and it is {verdict}"
            elif verdict == "fail" and severity != result["severity"]:
                yield f"{info['id']}: the report says {result['severity']} severity, and it is {severity}"
            claimed = verdict == "pass" and self.only_claimed(result)
            if claimed != result["claimed"]:
                yield f"{info['id']}: the report says {_claims(result['claimed'])}, and it is {_claims(claimed)}"
            judged.append((info, verdict, provisional, severity, claimed, result["waived"] is not None))
        yield from self.stated()
        for key, waiving in (("score", True), ("score_without_waivers", False)):
            if self.raw[key] is not None:
                yield from _compare(self.raw[key], self.score(judged, waiving), key.replace("_", " "))

    def answered(self, question: str) -> tuple[str, bool]:
        """The verdict of a question by the answer that the report carries, and whether it is only claimed."""
        given = next((one["answer"] for one in self.raw["questions"] if one["id"] == question and one["answer"]), None)
        if given is None or not given["by"].strip() or not given["on"]:
            return "not signed", False
        verdict = {"yes": "pass", "no": "fail", "not_applicable": "not_applicable"}[given["answer"]]
        if self.raw["require_evidence"] and given["evidence"] is None and verdict != "fail":
            verdict = "unknown"
        return verdict, verdict == "pass" and given["evidence"] is None

    def only_claimed(self, result: Mapping[str, Any]) -> bool:
        """Whether no evidence stands behind what decided."""
        return not any(self.backed(name.partition("@")[0]) for name in result["decided_by"])

    def of_documents(self, logic: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
        """What the report says of each document of a case; here there is one."""
        return iter(())

    def stated(self) -> Iterator[str]:
        """Values that the report names as deciding, and what the document has."""
        for fact in self.raw["facts"]:
            yield from self.value_of(fact)

    def value_of(self, fact: Mapping[str, Any]) -> Iterator[str]:
        """A value that the report names, where the document has another."""
        name, _, rest = fact["name"].partition("@")[0].partition("[")
        if name.startswith("answers."):
            return
        if rest or isinstance(fact["value"], list) or isinstance(self.facts.get(name), list):
            return
        has, says = self.facts.get(name), fact["value"]
        if isinstance(says, str) and isinstance(has, int):
            has = dt.date.fromordinal(has + _ZERO).isoformat()
        if has != says and not (says == "none" and self.facts.get(f"{name}.given") is False):
            yield f"{name}: the report says {says!r}, and the document has {has!r}"

    # -- score --

    def score(self, judged: Sequence[tuple[Any, ...]], waiving: bool) -> dict[str, Any]:
        """The score by the formulas, in whole tenths of weight."""
        weights = {pack["id"]: pack["weight"] for pack in self.raw["packs"]}
        groups = {group["id"]: group for group in self.raw["groups"]}
        units: dict[str, list[tuple[Any, ...]]] = {}
        for one in judged:
            if one[0]["scored"]:
                units.setdefault(one[0]["group"] or one[0]["id"], []).append(one)
        sums: dict[str, list[int]] = {pack: [0, 0, 0, 0, 0] for pack in weights}
        for id, members in units.items():
            of = groups.get(id, members[0][0])
            weight = _SEVERITY[of["severity"]] * _STRENGTH[of["strength"]] // 10
            state, open_ = _together([m for m in members if not (waiving and m[5])])
            counts = sums[members[0][0]["pack"]]
            if state != "not_applicable":
                counts[0] += weight
                counts[1] += weight * (state != "unknown")
                counts[2] += weight * (state == "pass")
                counts[3] += weight * (state == "pass" and not open_)
                counts[4] += weight * (state == "pass" or open_)
        applying = {pack: s for pack, s in sums.items() if s[0]}
        total = sum(weights[pack] for pack in applying)
        share = [sum(weights[p] * s[at] / s[0] for p, s in applying.items()) for at in range(5)]
        counted = [one for one in judged if one[0]["scored"] and not (waiving and one[5])]
        passes = [one for one in counted if one[1] == "pass"]
        capped = any(
            one[1] == "fail" and not one[2] and one[3] == "high" and one[0]["strength"] == "recommendation"
            for one in counted
        ) or (bool(passes) and all(one[4] for one in passes))
        figures = {
            "score": 100 * share[2] / share[1] if share[1] else None,
            "low": 100 * share[3] / total if total else None,
            "high": 100 * share[4] / total if total else None,
            "coverage": 100 * share[1] / total if total else 0.0,
        }
        return {**figures, "grade": _grade(figures, capped), "passes": len(passes)}


# --- Cases -------------------------------------------------------------------------------------------------------


def _statements(part: BaseModel, prefix: str = "") -> Iterator[tuple[str, tuple[Any, bool]]]:
    """What a description states, as it is stated, and whether it is free text."""
    for field, value in part:
        if value is None or field == "evidence":
            continue
        if isinstance(value, BaseModel) and not isinstance(value, Listed | Money):
            yield from _statements(value, f"{prefix}{field}.")
        else:
            texts = value.items if isinstance(value, Listed) else (value,)
            words = bool(texts) and all(isinstance(one, str) for one in texts)
            dated = not isinstance(value, Listed) and "year-month-day" in str(value)
            yield f"{prefix}{field}", (value, words and not dated and _is_free(type(part), field))


@cache
def _is_free(model: type[BaseModel], field: str) -> bool:
    hint = _hint(model, field)
    return "Literal" not in hint and "date" not in hint


def _bare(value: Any) -> Any:
    if isinstance(value, Money):
        return (value.amount, value.currency if value.amount else None)
    if isinstance(value, Listed):
        return (value.complete, [_bare(item) for item in value.items])
    if isinstance(value, BaseModel):
        return {name: _bare(part) for name, part in value if part is not None}
    return value


def _clash(one: Any, other: Any, free: bool) -> bool:
    """Whether two statements can't both be right."""
    if isinstance(one, Listed):
        if one.complete and other.complete and len(one.items) != len(other.items):
            return True
        return not free and any(
            bool(all_.complete) and not all(any(_could_be(x, y) for y in all_.items) for x in some.items)
            for some, all_ in ((one, other), (other, one))
        )
    return (one == "none") != (other == "none") if free else bool(_bare(one) != _bare(other))


def _could_be(one: Any, other: Any) -> bool:
    if not isinstance(one, BaseModel):
        return bool(one == other)
    told = {name: part for name, part in other if part is not None}
    return not any(
        part is not None
        and name in told
        and _clash(part, told[name], isinstance(part, str) and "Literal" not in _hint(type(one), name))
        for name, part in one
    )


class _Case(_Work):
    """A report on a case: each document is verified with what it takes from the others."""

    def __init__(self, raw: Mapping[str, Any], documents: Sequence[Document]) -> None:
        super().__init__(raw, documents[0])
        self.works = [_Work(raw, one) for one in documents]
        self.named = {told["name"]: work for told, work in zip(raw["case"]["documents"], self.works, strict=True)}
        self.said = [
            {k: v for k, v in _statements(one.description) if k not in work.of_profile}
            for one, work in zip(documents, self.works, strict=True)
        ]
        taken = [self.taken(number) for number in range(len(self.works))]
        own = [dict(work.facts) for work in self.works]
        for work, sources in zip(self.works, taken, strict=True):
            others = {}
            for name, (source, alike) in sources.items():
                for suffix in ("", ".given", ".complete"):
                    if source is None or own[source] is not own[self.works.index(work)]:
                        work.facts.pop(name + suffix, None)
                    if source is not None and name + suffix in own[source]:
                        work.facts[name + suffix] = own[source][name + suffix]
                others[name] = [self.works[at] for at in alike]
            work.others = others
        for work in self.works:
            work.prove()

    def taken(self, number: int) -> dict[str, tuple[int | None, list[int]]]:
        """For each fact that a document of the case states: who one document has it from, and who says the same."""
        kinds = [work.facts["kind"] for work in self.works]
        taken: dict[str, tuple[int | None, list[int]]] = {}
        for name in {name for said in self.said for name in said}:
            those = [at for at, said in enumerate(self.said) if name in said]
            if name in NAMING and number not in those:
                continue
            if number in those:
                source: int | None = number
            else:
                near = [at for at in those if kinds[at] == kinds[number] or not is_among(name, OF_ITS_TIME)]
                if not near:
                    continue
                source = self.agreed(name, near)
            same = [at for at in those if source is not None and self.bare(at, name) == self.bare(source, name)]
            taken[name] = (source, [] if source is None else [source, *(at for at in same if at != source)])
        return taken

    def bare(self, at: int, name: str) -> Any:
        return _bare(self.said[at][name][0])

    def agreed(self, name: str, those: Sequence[int]) -> int | None:
        """The document whose statement stands for those of others; None if they differ."""

        def order(at: int) -> tuple[bool, bool]:
            return not getattr(self.said[at][name][0], "complete", True), not self.works[at].backed_here(name)

        first = min(those, key=order)
        value, free = self.said[first][name]
        for at in those:
            other = self.said[at][name][0]
            if _clash(value, other, free and self.said[at][name][1]):
                return None
            if isinstance(value, Listed) and not value.complete:
                lists = [sorted(map(repr, map(_bare, one.items))) for one in (value, other)]
                if lists[0] != lists[1] or value.complete != other.complete:
                    return None
        return first

    def verdict(self, logic: Mapping[str, Any], info: Mapping[str, Any]) -> tuple[str, bool, str]:
        """Of all documents together: the worst, and how sure it is."""
        said = [work.verdict(logic, info) for work in self.works if work.facts["kind"] in logic["applies_to"]]
        for state in ("fail", "unknown", "pass", "not_yet_due"):
            those = [one for one in said if one[0] == state]
            if those:
                open_ = [one[1] for one in those]
                provisional = all(open_) if state == "fail" else any(open_)
                sure = [one[2] for one in those if state != "fail" or one[1] == provisional]
                return state, provisional, max(sure, key=lambda one: _SEVERITY[one])
        return "not_applicable", False, info["severity"]

    def run_under(self) -> str | None:
        """The law that all documents are under; none if they are under several."""
        those = {work.regime for work in self.works}
        return min(those, key=str) if len(those) == 1 else None

    def only_claimed(self, result: Mapping[str, Any]) -> bool:
        """By the evidence for what the document knows that settled it."""
        work = self.named.get(result["document"])
        return work is None or work.only_claimed(result)

    def of_documents(self, logic: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[str]:
        """What the report says of each document."""
        told = {one["document"]: (one["verdict"], one["provisional"]) for one in result["documents"]}
        has = {
            name: work.verdict(logic, result["rule"])[:2]
            for name, work in self.named.items()
            if work.facts["kind"] in logic["applies_to"]
        }
        for name in sorted(told.keys() | has.keys()):
            if told.get(name) != has.get(name):
                yield f"{result['rule']['id']}: the report does not say of {name} what is found of it"
        settling = (result["verdict"], result["document"])
        if has and has.get(settling[1], ("",))[0] != settling[0]:
            yield f"{result['rule']['id']}: {settling[1]} does not settle it"

    def stated(self) -> Iterator[str]:
        """Values that the report names, as deciding or as contradicting each other."""
        for fact in self.raw["facts"]:
            those = [self.named[fact["file"]]] if fact["file"] in self.named else self.works
            found = [list(work.value_of(fact)) for work in those]
            if all(found):
                yield from found[0]
        told = {one["name"]: one for one in self.raw["case"]["contradictions"]}
        apart = {**NAMING, **OF_ITS_TIME, **CHANGING}
        has = set()
        for name in {name for said in self.said for name in said if not is_among(name, apart)}:
            values = [said[name] for said in self.said if name in said]
            pairs = ((a, b) for at, a in enumerate(values) for b in values[at + 1 :])
            if any(_clash(a[0], b[0], a[1] and b[1]) for a, b in pairs):
                has.add(name)
        for name in sorted(told.keys() ^ has):
            found_now = "the documents contradict each other" if name in has else "they do not"
            yield f"{name}: what the report says of contradictions does not fit: {found_now}"
        for name in sorted(told.keys() & has):
            statements = {one["file"]: one for one in told[name]["statements"]}
            if statements.keys() != {file for file, said in zip(self.named, self.said, strict=True) if name in said}:
                yield f"{name}: the report does not name the documents that state it"
            for file, fact in statements.items():
                if file in self.named and name in self.named[file].facts:
                    yield from self.named[file].value_of(fact)


def _among(possible: set[str] | None, asked: Sequence[str]) -> bool | None:
    """Whether all of what may be meant is asked about, or none of it; None if some."""
    if possible is None:
        return None
    return True if possible <= set(asked) else None if possible & set(asked) else False


def _within(day: int, start: str | None, until: str | None) -> bool:
    shown = dt.date.fromordinal(day + _ZERO).isoformat()
    return (start is None or start <= shown) and (until is None or shown <= until)


def _ones(known: str | None, possible: set[str] | None, asked: Sequence[str] | None) -> Sequence[str | None]:
    if known is not None:
        return (known,)
    if possible is None:
        return tuple(sorted(asked)) if asked else (None,)
    return tuple(sorted(possible & set(asked) if asked else possible)) or (None,)


def _claims(claimed: bool) -> str:
    return "claimed" if claimed else "not only claimed"


def _said(result: Mapping[str, Any]) -> str:
    return f"provisionally {result['verdict']}" if result["provisional"] else str(result["verdict"])


def _together(members: Sequence[tuple[Any, ...]]) -> tuple[str, bool]:
    verdicts = {"not_applicable" if m[1] == "not_yet_due" else m[1] for m in members}
    state = next((s for s in ("fail", "unknown", "pass") if s in verdicts), "not_applicable")
    provisional = [m[2] for m in members if m[1] == state]
    return state, state == "unknown" or (all(provisional) if state == "fail" else state == "pass" and any(provisional))


def _grade(figures: Mapping[str, Any], capped: bool) -> set[str]:
    """The grades that these figures may have: one, or two where rounding decides."""
    if figures["score"] is None:
        return {"insufficient evidence"}
    found = set()
    for slack in (-0.05, 0.0, 0.05):
        letters = [
            next(g for g, least in _GRADES if figures[key] + slack >= least or g == "E") for key in ("low", "high")
        ]
        worst, best = (max(letter, "C") if capped else letter for letter in letters)
        grade = best if worst == best else f"{worst}–{best}"
        found.add(grade if figures["coverage"] + slack >= 50 else "insufficient evidence")
    return found


def _compare(says: Mapping[str, Any], has: Mapping[str, Any], what: str) -> Iterator[str]:
    for key, value in has.items():
        said = says[key]
        if isinstance(value, set):
            same = said in value
        elif value is None or said is None:
            same = value is said
        else:
            same = abs(said - value) <= 0.0501
        if not same:
            shown = " or ".join(sorted(value)) if isinstance(value, set) else value
            yield f"{what}, {key}: the report says {said}, and it is {shown}"
