"""Verifies a saved report: each fact stands in its document, the verdicts follow from the facts, the score from these.

It uses CEL and the reading of descriptions, and nothing of the engine, the scoring or the report's modules: a fault of
theirs is not repeated here. What a report offers as proof is never believed, but made anew and compared.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from cel_expr_python import cel

from goodcommission.description.case import Case, read_case_file
from goodcommission.description.document import Document
from goodcommission.description.facts import dictionary, part_of, place_of, shown, statements
from goodcommission.description.joining import Joined, base, contradictions, join, knowledge
from goodcommission.description.reading import read_documents
from goodcommission.exceptions import CaseFileError, ReportError
from goodcommission.packs.functions import cel_functions

_ZERO: Final = dt.date(1970, 1, 1).toordinal()
_SEAL: Final = re.compile(r',\n  "digest": "sha256:([0-9a-f]{64})"\n\}')
_STAGES: Final = ("draft", "published", "awarded", "live", "ending", "ended")
_TIERS: Final = ("small", "medium", "large")
_WORST_FIRST: Final = ("fail", "unknown", "pass", "not_yet_due", "not_applicable")
_SEVERITY: Final = {"high": 50, "medium": 30, "low": 10}
_STRENGTH: Final = {"recommendation": 10, "needs-to-happen": 9, "good-practice": 8, "experience": 7}
_GRADES: Final = {"A": 85, "B": 70, "C": 55, "D": 40, "E": 0}
_ANSWERS: Final = {"yes": "pass", "no": "fail", "not_applicable": "not_applicable"}
_FORMATS: Final = ("1.0", "1.1")
_compiled: Final = lru_cache(maxsize=5000)(cel.Env.compile)
_File = str | os.PathLike[str]
_Raw = Mapping[str, Any]
_Said = tuple[str, bool, str]  # a verdict, whether it is provisional, and the severity shown
_Judged = tuple[_Raw, _Said, bool, bool]  # a rule, what it says, whether that is only claimed, whether it is waived


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying one report."""

    document: str
    differences: tuple[str, ...]
    """Where the report is not what the document and the report's own conditions give; empty if it is the same."""
    verdicts: int
    """How many verdicts were recomputed."""
    format: str = _FORMATS[-1]
    """The format of the report: 1.0 carries no proof of its facts."""


def verify(
    report: _File, document: _File | Sequence[_File], *, commissioner: _File | None = None, answers: _File | None = None
) -> tuple[Verification, ...]:
    """Recompute the verdicts and the score of each saved report in a file from the document it was made of.

    Args:
        report: What ``goodcommission audit --format json`` wrote.
        document: The file that was audited; of a case, its case file or all of its documents.
        commissioner: The commissioner's profile, where the audit had one.
        answers: The file of answers, to see that it is the one that was used; the report carries the answers.

    Raises:
        DescriptionError: The document can't be read.
        OSError, UnicodeDecodeError: The report can't be read.
    """
    pieces = _SEAL.split(text := Path(report).read_bytes().decode())
    found = [(one.lstrip("[,\n"), seal) for one, seal in zip(pieces[:-1:2], pieces[1::2], strict=True)]
    whole = ",\n".join(f'{one},\n  "digest": "sha256:{seal}"\n}}' for one, seal in found)
    if not found or text not in (f"{whole}\n", f"[\n{whole}\n]\n"):
        reason = "the report is not as goodcommission wrote it: it was changed, cut or formatted anew"
        return (Verification(os.fspath(report), (reason,), 0),)
    documents: list[Document] = []
    for one in [document] if isinstance(document, str | os.PathLike) else document:
        try:
            documents += read_documents(one, commissioner=commissioner)
        except CaseFileError:
            documents += read_case_file(one, commissioner=commissioner).documents
    signed = None if answers is None else hashlib.sha256(Path(answers).read_bytes()).hexdigest()
    return tuple(_verify(f"{one}\n}}", seal, documents, signed) for one, seal in found)


def _verify(body: str, seal: str, documents: Sequence[Document], answers: str | None) -> Verification:
    name, verdicts, form, differences = "the report", 0, "", list[str]()
    try:
        raw = json.loads(body)
        name, form, case = str(raw["document"]["name"]), str(raw["schema_version"]), raw.get("case")
        if hashlib.sha256(body.encode()).hexdigest() != seal:
            raise ReportError("the report was changed after it was made: its digest does not fit")
        if form not in _FORMATS:
            raise ReportError(f"its format is {form}, and this goodcommission verifies {' and '.join(_FORMATS)}")
        if answers is not None and f"sha256:{answers}" != (raw.get("answers") or {}).get("digest"):
            raise ReportError("the answers are not those that were used")
        those = Case(tuple(_fitting(one, documents) for one in (case["documents"] if case else [raw["document"]])))
        verdicts = len(raw["results"])
        differences.extend(_differences(raw, join(those, raw["currency"])))
    except ReportError as error:
        differences.append(str(error))
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        differences.append(f"the report does not hold together: {error!r}")  # forged, it may hold anything
    return Verification(name, tuple(differences), verdicts, form)


def _fitting(told: _Raw, documents: Sequence[Document]) -> Document:
    """The document that a report names, among some: of a file with several notices, the same notice."""
    notice = told["name"].rpartition("#")[2] if "#" in told["name"] and len(documents) > 1 else None
    for one in documents:
        if one.digest == told["digest"] and notice in (None, one.name.rpartition("#")[2]):
            if (one.profile and one.profile.digest) != (told["profile"] and told["profile"]["digest"]):
                raise ReportError("the commissioner's profile is not the one that was used")
            return replace(one, name=told["name"])
    raise ReportError(f"{told['name']} is not among the documents that were given, as it was audited: no digest fits")


@lru_cache(maxsize=8)
def _environment(computed: frozenset[str]) -> cel.Env:
    """What conditions may name and call: all facts, what the packs compute, and the functions of the language."""
    facts = {f"{name}{suffix}" for name in dictionary() for suffix in ("", ".given", ".complete")}
    variables = dict.fromkeys(sorted({*facts, *computed, "as_of"}), cel.Type.DYN)
    return cel.NewEnv(variables=variables, functions=cel_functions())


class _Known:
    """One document: what is known of it, the law that it is under, and what rules say of it."""

    def __init__(self, raw: _Raw, joined: Joined) -> None:
        self.raw, self.document = raw, joined.document
        day = {} if raw["as_of"] is None else {"as_of": dt.date.fromisoformat(raw["as_of"]).toordinal() - _ZERO}
        self.facts = replace(joined.facts, values={**joined.facts.values, **day})
        self.values = self.asking = self.proving = self.facts.values
        if raw["require_evidence"]:  # What decides whether a rule is asked, and what decides whether it is met.
            self.asking, self.proving = (self.facts.only_shown(with_basics=so).values for so in (True, False))
        self.kind, self.stage = self.values["kind"], self.values.get("stage")
        self.parameters: dict[str, dict[str, Any]] = {one["pack"]: {} for one in raw["parameters"]}
        for one in raw["parameters"]:
            value = [[math.inf if below is None else below, step] for below, step in one["bands"] or ()] or one["value"]
            if one["unit"] == "date" and isinstance(value, str):
                value = dt.date.fromisoformat(value).toordinal() - _ZERO
            if not one["spans"]:  # Of a number by date, only the value that holds for a document is known.
                self.parameters[one["pack"]][f"params.{one['name']}"] = value
        computed = {let["name"] for one in (*raw["logic"], *raw["tiers"], *raw["regimes"]) for let in one["lets"]}
        self.env = _environment(frozenset(computed | {f"params.{one['name']}" for one in raw["parameters"]}))
        self.find_law()

    def ask(self, text: str, values: _Raw) -> Any:
        """The value of a condition; None where it is unknown."""
        result = _compiled(self.env, text).eval(self.env.Activation(values))
        return None if result.type() == cel.Type.ERROR else result.plain_value()

    def with_lets(self, logic: _Raw, facts: _Raw) -> _Raw:
        """All that the conditions of a rule may name."""
        values = {**facts, **self.parameters.get(logic["pack"], {})}
        for let in logic["lets"]:
            value = self.ask(let["expression"], values)
            if isinstance(value, str | list) and len(value) > 100_000:  # a forged one may double what came before
                raise ReportError(f"{let['name']} is longer than anything a document states")
            if value is not None and (not isinstance(value, float) or math.isfinite(value)):
                values[let["name"]] = round(value, 6) if isinstance(value, float) else value
        return values

    def find_law(self) -> None:
        """The law that it is under and all that it may be; the same of the territory. None: it may be any."""
        told, signs = self.raw["regime"], self.raw["regimes"]
        self.regime = told["id"] if told["basis"] == "given" else self.values.get("process.regime")
        may_be = set[str]()
        for sign in sorted(signs, key=lambda one: not one["settles"]):
            holds = self.regime is None and self.ask(sign["condition"], self.with_lets(sign, self.values))
            if holds or (holds is None and not sign["settles"]):
                may_be.add(sign["id"])
                self.regime = sign["id"] if holds else None
        self.may_be = may_be | {self.regime} if self.regime else None
        of_law = {sign["id"]: sign["territories"] for sign in reversed(signs)}
        meant: list[Any] = [of_law.get(one) for one in self.may_be or [None]]
        place = self.values.get("commissioner.territory")
        self.may_be_in = {place} if place else None if None in meant else {one for some in meant for one in some}

    def stands(self, law: _Raw | None, pack: str) -> tuple[bool | str | None, bool, _Raw]:
        """Whether a rule of law holds, whether that may be overturned, and the numbers that it has."""
        if law is None:
            return True, False, {}
        day = next((self.values[name] for name in law["governed_by"] if name in self.values), None)
        in_force = True if law["start"] is law["until"] is None else None if day is None else _within(day, law)
        holds = [_among(self.may_be, law["regimes"]), _among(self.may_be_in, law["territories"]), in_force]
        if False in holds:
            return False, False, {}
        if law["review_by"] and (self.raw["as_of"] is None or self.raw["as_of"] > law["review_by"]):
            return "outdated", False, {}
        open_ = holds[0] is None and self.regime in law["regimes"]
        if None in holds[open_:]:
            return None, False, {}
        spans = {one["name"]: one["spans"] for one in self.raw["parameters"] if one["pack"] == pack}
        regimes = {self.regime} if self.regime else set(law["regimes"] or [None])
        meant = set(law["territories"] or self.may_be_in or [None])
        territories = meant & self.may_be_in if self.may_be_in else meant
        numbers = {}
        for name in law["dated"]:
            fit = [[s for s in spans[name] if _within(day, s) and _among({one}, s["regimes"])] for one in regimes]
            found = [{s["value"] for s in of if _among({one}, s["territories"])} for of in fit for one in territories]
            if len(found[0]) == 1 and all(one == found[0] for one in found):
                numbers[f"params.{name}"] = min(found[0])
        return True, open_, numbers

    def reaches(self, tier: str, values: _Raw) -> bool | None:
        """Whether the contract is at least of a size."""
        if self.raw["tier"]["basis"] == "override":
            return _TIERS.index(tier) <= _TIERS.index(self.raw["tier"]["name"])
        gate = next((one for one in self.raw["tiers"] if one["tier"] == tier), None)
        return gate is None or self.ask(gate["condition"], self.with_lets(gate, values))

    def verdict(self, logic: _Raw, info: _Raw) -> _Said:
        """What a rule says of the document."""
        stated = self.judged(logic, info, self.values, self.values)
        if self.proving is self.values or stated[0] == "fail":
            return stated
        proven = self.judged(logic, info, self.asking, self.proving)
        unproven = proven[0] == "fail" or (stated[0] == "pass" and proven[0] == "not_yet_due")
        return ("unknown", False, info["severity"]) if unproven else proven

    def judged(self, logic: _Raw, info: _Raw, asking: _Raw, proving: _Raw) -> _Said:
        """By what decides whether it is asked, and by what decides whether it is met."""
        severity = info["severity"]
        holds, overturned, numbers = self.stands(logic["law"], logic["pack"])
        if holds in (False, "outdated"):
            return "unknown" if holds else "not_applicable", False, severity
        large = self.reaches(info["tier"], asking)
        values = self.with_lets(logic, {**asking, **numbers})
        applies = large is not False and (logic["when"] is None or self.ask(logic["when"], values))
        if applies is False:
            return "not_applicable", False, severity
        values = values if proving is asking else self.with_lets(logic, {**proving, **numbers})
        asked, due = large is True and applies is True, _STAGES.index(info["due_from"])
        is_due = True if due == 0 else None if self.stage is None else _STAGES.index(self.stage) >= due
        planned = is_due is not True and logic["planned"] is not None and self.ask(logic["planned"], values) is True
        if is_due is False and not planned:
            return "not_yet_due", False, severity
        said = self.decided(logic, values, severity) if is_due is not False else ("pass", False, severity)
        if not asked or holds is None or (is_due is None and not (said[0] == "pass" and planned)):
            return "unknown", False, severity
        return said[0], said[1] or (overturned and said[0] != "unknown"), said[2]

    def decided(self, logic: _Raw, values: _Raw, severity: str) -> _Said:
        """The first branch that is true decides, provisionally if before it one of the other verdict is open."""
        open_ = set[str]()
        for branch in logic["branches"]:
            value, verdict = self.ask(branch["condition"], values), branch["verdict"]
            if logic["require"]:
                return ("unknown" if value is None else "pass" if value else "fail"), False, severity
            if value is True:
                return verdict, bool(open_ - {verdict}), branch["severity"] if verdict == "fail" else severity
            open_ |= {verdict} if value is None else set()
        return "unknown", False, severity

    def follows(self, verdict: str, logic: _Raw, names: Sequence[str]) -> bool:
        """Whether a verdict follows from some facts alone, and the rule speaks of all of them."""
        told = json.dumps([logic, logic["law"] and [self.raw["regimes"], "process.regime", "commissioner.territory"]])
        facts = {name: value for name, value in self.values.items() if base(name) in map(base, names)}
        values = self.with_lets(logic, {**facts, **self.stands(logic["law"], logic["pack"])[2]})
        planned = logic["planned"] is not None and self.ask(logic["planned"], values) is True
        follows = (verdict == "pass" and planned) or verdict == self.decided(logic, values, "")[0]
        return follows and all(base(name) in told for name in names)


def _within(day: int | None, span: _Raw) -> bool:
    written = dt.date.fromordinal(day + _ZERO).isoformat() if day is not None else span["start"]
    return (span["start"] or written) <= written <= (span["until"] or written)


def _among(possible: set[Any] | None, asked: Sequence[str] | None) -> bool | None:
    """Whether all of what may be meant is asked about, or none of it; None if some."""
    if asked is None or (possible is not None and possible <= set(asked)):
        return True
    return None if possible is None or possible & set(asked) else False


def _together(said: Sequence[_Said]) -> _Said:
    """The worst: provisional if all failures are, or if one of what is no failure is; the gravest of the surest."""
    worst = min((one[0] for one in said), key=_WORST_FIRST.index)
    those = sorted((one[1], -_SEVERITY[one[2]], one[2]) for one in said if one[0] == worst)
    return worst, those[0 if worst == "fail" else -1][0], those[0][2]


def _unlike(what: str, told: _Raw, has: _Raw) -> Iterator[str]:
    for key, value in has.items():
        if isinstance(value, dict):
            every = dict.fromkeys([*value, *told[key]])
            yield from _unlike(f"{what}, {key}", {**every, **told[key]}, {**every, **value})
        elif json.dumps(told[key]) != json.dumps(value):
            yield f"{what}, {key}: the report says {told[key]!r:.99}, and it is {value!r:.99}"


def _differences(raw: _Raw, joined: Sequence[Joined]) -> Iterator[str]:
    """Every place where the report says something else."""
    known = [_Known(raw, one) for one in joined]
    logic, named = {one["rule"]: one for one in raw["logic"]}, {one.document.name: one for one in known}
    asked = sorted(one["rule"]["id"] for one in raw["results"] if one["rule"]["kind"] != "manual")
    yield from _unlike("the report", {"rules with a verdict": asked}, {"rules with a verdict": sorted(logic)})
    laws = list({one.regime for one in known})
    yield from _unlike("the law", raw["regime"], {"id": laws[0] if len(laws) == 1 else None})
    sizes = {tier: [one.reaches(tier, one.values) for one in known] for tier in _TIERS}
    size = None if any(None in of for of in sizes.values()) else [tier for tier, of in sizes.items() if True in of][-1]
    yield from _unlike("the size", raw["tier"], {"name": size})
    if raw["schema_version"] != "1.0":  # Such an early report carries no proof, and all is worked out without.
        for one, has, told in zip(known, knowledge(joined), raw["proof"], strict=True):
            law = {"regimes": one.may_be and sorted(one.may_be), "territories": one.may_be_in and sorted(one.may_be_in)}
            yield from _unlike(f"what is known of {one.document.name}", told, {**has, **law})
    yield from _stated(raw, known, joined)
    judged = []
    for result in raw["results"]:
        info, names = result["rule"], [name.partition("@")[0] for name in result["decided_by"]]
        if info["kind"] == "manual":
            answer = next(one["answer"] for one in raw["questions"] if one["id"] == info["id"])
            backed = evidenced = answer["evidence"] is not None
            answered = _ANSWERS[answer["answer"]] if answer["by"].strip() and answer["on"] else "not signed"
            unproven = raw["require_evidence"] and not backed and answered != "fail"
            said = ("unknown" if unproven else answered), False, info["severity"]
        else:
            rule, settling = logic[info["id"]], named.get(result["document"], known[0])
            of = {name: one.verdict(rule, info) for name, one in named.items() if one.kind in rule["applies_to"]}
            said = _together([*of.values()] or [("not_applicable", False, info["severity"])])
            if said[0] in ("pass", "fail") and not settling.follows(said[0], rule, names):
                yield f"{info['id']}: it does not follow from {', '.join(names) or 'nothing'}"
            backed = any(map(settling.facts.evidence_for, names))
            evidenced = backed and all(map(settling.facts.shown, names))
            if raw.get("case"):
                told = {one["document"]: [one["verdict"], one["provisional"]] for one in result["documents"]}
                yield from _unlike(info["id"], {"on": told}, {"on": {name: list(one[:2]) for name, one in of.items()}})
                if of and (result["document"] not in of or of[result["document"]][0] != said[0]):
                    yield f"{info['id']}: {result['document']} does not settle it"
        judged.append((info, said, said[0] == "pass" and not backed, result["waived"] is not None))
        has = dict(zip(("verdict", "provisional", "severity", "claimed"), (*said, judged[-1][2]), strict=True))
        yield from _unlike(info["id"], result, {**has, "evidenced": said[0] in ("pass", "fail") and evidenced})
    for key, waiving in (("score_without_waivers", False), ("score", True)):
        score, packs = _score(raw, judged, waiving=waiving)
        yield from _unlike(key.replace("_", " "), raw[key], score if raw[key] is not None else {})
    for pack in raw["packs"]:
        yield from _unlike(f"the score of {pack['id']}", pack, packs[pack["id"]])


def _stated(raw: _Raw, known: Sequence[_Known], joined: Sequence[Joined]) -> Iterator[str]:
    """Where facts that decided, or that contradict each other, are not those that stand in the documents."""
    names = {name for one in (*raw["results"], raw["regime"]) for name in one["decided_by"]}
    yield from _unlike("the report", {"facts": sorted(one["name"] for one in raw["facts"])}, {"facts": sorted(names)})
    told = raw["case"]["contradictions"] if raw.get("case") else []
    said = {one["name"]: [fact["file"] for fact in one["statements"]] for one in told}
    has = {one.name: [known[at].document.name for at in one.documents] for one in contradictions(joined)}
    yield from _unlike("the case", {"contradictions": said}, {"contradictions": has})
    stated = (*raw["facts"], *(fact for one in told for fact in one["statements"]))
    for fact in (one for one in stated if not one["name"].startswith(("as_of", "answers."))):
        reference = fact["name"].partition("@")[0]
        those = [one for one in known if base(reference) in statements(one.document.description)]
        one = next((o for o in those if place_of(o.document, o.facts, reference)[0] == fact["file"]), those[0])
        value, _, _, kind = part_of(one.facts, reference)
        place = zip(("file", "pointer", "line", "column"), place_of(one.document, one.facts, reference), strict=True)
        found = {**dict(place), "evidenced": one.facts.evidence_for(reference) is not None}
        yield from _unlike(fact["name"], fact, found if value is None else {**found, "value": shown(value, kind)})


def _score(raw: _Raw, judged: Sequence[_Judged], *, waiving: bool) -> tuple[_Raw, dict[str, _Raw]]:
    """The score of all and of each pack by the formulas, in whole tenths of weight."""
    counted = [one for one in judged if one[0]["scored"] and not (waiving and one[3])]
    groups, units = {one["id"]: one for one in raw["groups"]}, dict[tuple[str, str], list[tuple[_Raw, _Said]]]()
    for info, said, *_ in counted:
        units.setdefault((info["pack"], info["group"] or info["id"]), []).append((info, said))
    sums = {pack["id"]: [0] * 5 for pack in raw["packs"]}
    for (pack, id), members in units.items():
        verdict, open_, _ = _together([said for _, said in members])
        fault = groups.get(id, members[0][0])
        weight = _SEVERITY[fault["severity"]] * _STRENGTH[fault["strength"]] // 10
        passed, open_ = verdict == "pass", open_ or verdict == "unknown"
        counts = (True, verdict != "unknown", passed, passed and not open_, passed or open_)
        if verdict in ("fail", "unknown", "pass"):
            sums[pack] = [before + weight * count for before, count in zip(sums[pack], counts, strict=True)]
    applying = [(pack["weight"], sums[pack["id"]]) for pack in raw["packs"] if sums[pack["id"]][0]]
    figures = _figures([math.fsum(weight * one[at] / one[0] for weight, one in applying) for at in range(5)])
    met = [claimed or said[0] == "fail" for _, said, claimed, _ in counted if said[0] == "pass" or said[1]]
    grave = any(said == ("fail", False, "high") and info["strength"] == "recommendation" for info, said, *_ in counted)
    letters = [next(g for g, least in _GRADES.items() if (figures[key] or 0) >= least) for key in ("high", "low")]
    best, worst = (max(letter, "C") if grave or (met and all(met)) else letter for letter in letters)
    decided = figures["score"] is not None and figures["coverage"] >= 50
    grade = "insufficient evidence" if not decided else best if best == worst else f"{worst}–{best}"
    passes = [claimed for _, said, claimed, _ in counted if said[0] == "pass"]
    overall = {**figures, "grade": grade, "passes": len(passes), "claimed": sum(passes)}
    return overall, {pack: _figures(one) for pack, one in sums.items()}


def _figures(sums: Sequence[float]) -> dict[str, Any]:
    """From the weight that applies, is decided, passed, surely passed and possibly passed, in points of 100."""
    applies, decided, passed, surely, possibly = sums
    shares = {"score": (passed, decided), "low": (surely, applies), "high": (possibly, applies)}
    found = {key: round(round(100 * one / of, 9), 1) if of else None for key, (one, of) in shares.items()}
    return {**found, "coverage": round(round(100 * decided / applies, 9), 1) if applies else 0.0}
