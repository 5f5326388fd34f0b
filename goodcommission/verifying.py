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
from functools import cache
from typing import Any, Final

from cel_expr_python import cel
from pydantic import BaseModel

from goodcommission.description.document import Document
from goodcommission.description.model import Description
from goodcommission.description.reading import read_documents
from goodcommission.description.types import Listed, Money

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
    document: str | os.PathLike[str],
    *,
    commissioner: str | os.PathLike[str] | None = None,
    answers: str | os.PathLike[str] | None = None,
) -> tuple[Verification, ...]:
    """Recompute the verdicts and the score of a saved report from the document it was made of.

    Args:
        report: What ``goodcommission audit --format json`` wrote.
        document: The file that was audited.
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
        return (Verification(os.fspath(document), (reason,), 0),)
    documents = read_documents(document, commissioner=commissioner)
    signed = None
    if answers is not None:
        with open(answers, "rb") as file:
            signed = "sha256:" + hashlib.sha256(file.read()).hexdigest()
    return tuple(_verify(one, documents, signed) for one in found)


def _verify(report: _Report, documents: Sequence[Document], answers: str | None) -> Verification:
    raw = report.raw
    name = str(raw["document"]["name"])
    if "sha256:" + hashlib.sha256(report.body.encode()).hexdigest() != report.seal:
        return Verification(name, ("the report was changed after it was made: its digest does not fit",), 0)
    ending = name.rpartition("#")[2] if "#" in name else None
    fitting = [one for one in documents if len(documents) == 1 or one.name.rpartition("#")[2] == ending]
    if not fitting or fitting[0].digest != raw["document"]["digest"]:
        return Verification(name, ("the document is not the one that was audited: its digest does not fit",), 0)
    used, told = fitting[0].profile, raw["document"]["profile"]
    if (used and used.digest) != (told and told["digest"]):
        return Verification(name, ("the commissioner's profile is not the one that was used",), 0)
    given = raw.get("answers")
    if answers is not None and answers != (given and given["digest"]):
        return Verification(name, ("the answers are not those that were used",), 0)
    work = _Work(raw, fitting[0])
    return Verification(name, tuple(work.differences()), len(raw["results"]))


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


def _environment(names: set[str]) -> cel.Env:
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
            self.parameters.setdefault(one["pack"], {})[f"params.{one['name']}"] = bands or one["value"]
        lets = {let["name"] for rule in (*raw["logic"], *raw["tiers"]) for let in rule["lets"]}
        params = {name for values in self.parameters.values() for name in values}
        self.env = _environment({*_names(Description), "as_of", *lets, *params})
        self.compiled: dict[str, cel.Expression] = {}
        profile = document.profile
        self.of_profile = profile.facts if profile else frozenset[str]()
        self.evidence = [_dotted(one.pointer) for one in document.description.evidence or ()]
        self.profile_evidence = [_dotted(one.pointer) for one in (profile.evidence if profile else ())]
        self.published = document.origin == "ocds"
        # What decides whether a rule is asked, and what decides whether it is met, where bare claims are unknown.
        self.asking = self.proving = self.facts
        if raw.get("require_evidence"):
            self.asking = {**self.proven(), **{k: v for k, v in self.facts.items() if _base(k) in _ASKED_ON_A_CLAIM}}
            self.proving = self.proven()

    def ask(self, text: str, values: Mapping[str, Any]) -> Any:
        """The value of an expression; None where it is unknown."""
        if text not in self.compiled:
            self.compiled[text] = self.env.compile(text)
        result = self.compiled[text].eval(self.env.Activation(values))
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

    def reaches(self, tier: str, facts: Mapping[str, Any]) -> bool | None:
        """Whether the contract is at least of a tier."""
        if self.raw["tier"]["basis"] == "override":
            return _TIERS.index(tier) <= _TIERS.index(self.raw["tier"]["name"])
        gate = next((one for one in self.raw["tiers"] if one["tier"] == tier), None)
        return True if gate is None else self.ask(gate["condition"], self.values(gate, facts))

    def backed(self, reference: str, *, wholly: bool = False) -> bool:
        """Whether a fact or a part of one is backed by evidence; a list is wholly if each of its items is."""
        name = _base(reference).replace("[", ".").replace("]", "")
        from_profile = name in self.of_profile
        evidence = self.profile_evidence if from_profile else [""] if self.published else self.evidence
        if any(not item or f"{name}.".startswith(f"{item}.") for item in evidence):
            return True
        if reference.endswith(".complete"):
            return False
        of = self.facts.get(name)
        if wholly and isinstance(of, list):
            return bool(of) and all(self.backed(f"{name}[{at}]") for at in range(len(of)))
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
            if (verdict, provisional) != (result["verdict"], result["provisional"]):
                yield f"{info['id']}: the report says {_said(result)}, and it is {verdict}"
            elif verdict == "fail" and severity != result["severity"]:
                yield f"{info['id']}: the report says {result['severity']} severity, and it is {severity}"
            claimed = verdict == "pass" and not any(self.backed(name) for name in result["decided_by"])
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

    def stated(self) -> Iterator[str]:
        """Values that the report names as deciding, and what the document has."""
        for fact in self.raw["facts"]:
            name, _, rest = fact["name"].partition("[")
            if name.startswith("answers."):
                continue
            if rest or isinstance(fact["value"], list) or isinstance(self.facts.get(name), list):
                continue
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
