"""How every format words a report: figures, titles of facts, questions, what a mend is worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from goodcommission.description import kinds
from goodcommission.description.evidence import WITHOUT_EVIDENCE
from goodcommission.engine.texts import say, say_date
from goodcommission.report.model import plain
from goodcommission.report.terminal import neutral

if TYPE_CHECKING:
    from goodcommission.packs.model import PackGrade
    from goodcommission.report.model import (
        AuditedDocument,
        AuditedLaw,
        AuditReport,
        Cited,
        Contradiction,
        FactMissing,
        FactStated,
        OverallScore,
        PatternResult,
        QuestionAsked,
        RuleResult,
        Waiver,
    )

FIRST_TO_STATE: Final = 5
REPEATED: Final = 3
"""Names with so many dots belong to sections that are asked again and again (of each phase, of each audience)."""
TO_BE_SIGNED: Final = (
    "No document can answer these. An answer that is signed with name and day counts as a rule does; without one they "
    "change nothing (--answers FILE)."
)
NO_GRADE: Final = "insufficient evidence"
LEAST_JUDGED: Final = 50
"""Percent; below it a pack's score would mislead, and only its range is shown."""
SEVERITIES: Final = ("high", "medium", "low", "positive")
VERDICTS: Final[Mapping[str, str]] = {
    "pass": "met",
    "fail": "not met",
    "not applicable": "does not apply",
    "unknown": "not known",
}
KINDS: Final[Mapping[str, str]] = {**{kind: words.capitalize() for kind, words in kinds.KINDS.items()}, "case": "Case"}


def number(value: float) -> str:
    """A figure without a needless decimal: 62, 8.4."""
    return f"{value:.1f}".removesuffix(".0")


def whole(value: float) -> str:
    """A figure of the score, to the point; its decimals would be false precision."""
    return f"{value:.0f}"


def count(amount: int, one: str, many: str | None = None) -> str:
    """A number with its noun: 1 rule, 2 rules."""
    return f"{amount} {one if amount == 1 else many or one + 's'}"


def listed(items: Sequence[str]) -> str:
    """Items as they stand in a sentence: a, b and c."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""


class View:
    """A report with what is looked up in it again and again."""

    def __init__(self, report: AuditReport, file: str) -> None:
        self.report = report
        self.file = file
        self.facts: Mapping[str, FactStated] = {fact.name: fact for fact in report.facts}
        self.missing: Mapping[str, FactMissing] = {fact.name: fact for fact in report.missing}
        self.rules: Mapping[str, RuleResult] = {result.rule.id: result for result in report.results}
        self.patterns: Mapping[str, PatternResult] = {one.concludes: one for one in report.patterns}
        named: dict[str, FactStated | FactMissing] = {**self.missing, **self.facts}
        self.named_alike: dict[str, set[str]] = {}
        for fact in named.values():
            self.named_alike.setdefault(fact.title, set()).add(plain(fact.name))
        self.asked_alike: dict[str, set[str]] = {}
        for missing in report.missing:
            self.asked_alike.setdefault(missing.question, set()).add(plain(missing.name))
        self.files = {one.name: one.file or one.name for one in report.case.documents} if report.case else {}
        self.works: dict[str, int] = {}
        """Works cited so far, with their numbers."""

    def verdict(self, verdict: str) -> list[RuleResult]:
        """The results of practice with this verdict, in the order of the packs."""
        return [result for result in self.report.results if result.verdict == verdict and not result.rule.law]

    def law(self, *verdicts: str) -> list[RuleResult]:
        """The results of law with one of these verdicts, the worst first."""
        found = [result for result in self.report.results if result.verdict in verdicts and result.rule.law]
        return sorted(found, key=lambda result: SEVERITIES.index(result.severity))

    @property
    def asked(self) -> list[FactMissing]:
        """What practice waits for, what to state first first; what only law waits for stands with the law."""
        combined = {name for pattern in self.report.patterns for name in pattern.missing}
        return [fact for fact in self.report.missing if fact.rules or not fact.law or fact.name in combined]

    def findings(self) -> list[RuleResult]:
        """What is not met: the worst first, then what gains most."""
        order = {result.rule.id: index for index, result in enumerate(self.report.results)}
        return sorted(
            self.verdict("fail"),
            key=lambda r: (SEVERITIES.index(r.severity), -(r.points or 0), order[r.rule.id]),
        )

    def title(self, fact: FactStated | FactMissing) -> str:
        """The title of a fact; with the part of its name that tells it from others like it."""
        title, name = neutral(fact.title), plain(fact.name)
        # Of a case, the place says which document it is.
        others = self.named_alike.get(fact.title, set())
        alike = len(others) + (name not in others)
        numbered = "[" in name and ", no. " not in title
        if alike == 1 and name.count(".") < REPEATED and not numbered:
            return title
        return f"{title} ({section(name)})"

    def place(self, fact: FactStated) -> str:
        """Where a fact is stated: file, line and column."""
        parts = (self.file_of(fact), fact.line, fact.column)
        return neutral(":".join(str(part) for part in parts if part is not None))

    def file_of(self, fact: FactStated) -> str:
        """The file in which a fact is stated."""
        # Of a file with several notices the document's name says which; a place is in the file itself.
        if fact.file == self.report.document.name:
            return self.file
        return self.files.get(fact.file, fact.file)

    def cite(self, source: Cited) -> str:
        """A citation with the work by its number."""
        mark = f"[{self.works.setdefault(source.work, len(self.works) + 1)}]"
        return f"{mark} {source.where}" if source.where else mark


def section(name: str) -> str:
    """What tells a fact from its namesakes: the section it stands in, or the number of the item."""
    head, bracket, rest = name.partition("[")
    if bracket:
        return f"no. {int(rest.partition(']')[0]) + 1}"
    parts = head.split(".")
    return parts[-2].replace("_", " ") if len(parts) > 1 else head


def capital(text: str) -> str:
    """A text that starts with a capital letter."""
    return text[:1].upper() + text[1:]


def grade_words(grade: str) -> str:
    """A grade in words: C, between C and A."""
    worst, dash, best = grade.partition("–")
    return f"between {worst} and {best}" if dash else grade


def tested_words(grade: PackGrade | None) -> str:
    """How well a pack is tested, in a few words."""
    if grade is None:
        return "not graded"
    return f"{grade.letter} ({int(grade.percent)}%)"


HOW_TESTED: Final = (
    "How well each pack is tested (how many of the mistakes made in its rules on purpose its test cases notice)"
)


def how_tested(grade: PackGrade | None) -> str:
    """How well a pack is tested, in a sentence."""
    if grade is None:
        return "How well its rules are tested is not known: goodcommission packs check --grade works it out."
    noticed = f"{count(grade.cases, 'case')} notice {grade.killed} of {count(grade.mutants, 'mistake')}"
    return f"Tested {grade.letter}: its {noticed} made in its rules on purpose ({number(grade.percent)}%)."


def evidence_words(report: AuditReport) -> tuple[str, ...]:
    """How much of what is met rests on evidence, in sentences; none where nothing is met and none is required."""
    score, said = report.score, []
    if score.passes:
        parts = {
            "on evidence": score.evidenced,
            "on evidence in part": score.passes - score.evidenced - score.claimed,
            "on the document’s own word only": score.claimed,
        }
        rest = [(amount, on) for on, amount in parts.items() if amount]
        share = f"; that is {whole(score.evidenced_share or 0)}% on evidence"
        if len(rest) == 1:
            said.append(f"What is met rests {rest[0][1]}: {count(score.passes, 'rule')}.")
        else:
            told = [f"{amount} {'rests' if amount == 1 else 'rest'} {on}" for amount, on in rest]
            said.append(f"Of the {score.passes} rules met, {listed(told)}{share}.")
    if report.require_evidence:
        said.append("Evidence was required: what is met, or not asked, by the document’s own word only is not counted.")
    return tuple(said)


def unanswered(report: AuditReport) -> list[QuestionAsked]:
    """The questions that only a person can answer, and nobody has."""
    return [one for one in report.questions if one.answer is None]


def evidence_reference(fact: FactStated, *, web: bool = True) -> str | None:
    """The document that shows a fact: its name, page, date and, if wanted, web address."""
    if fact.evidence is None:
        return None
    one = fact.evidence
    day = say_date(dt.date.fromisoformat(one.date)) if one.date else None
    page = f"page {one.page}" if one.page and one.page[:1].isdigit() else one.page
    return ", ".join(neutral(part, 160) for part in (one.document, page, day, one.url if web else None) if part)


def score_words(score: OverallScore) -> str:
    """A score, its interval and its grade in one line."""
    if score.low is None or score.high is None:
        return "no score"
    if score.score is None or score.grade == NO_GRADE:
        return f"anything from {whole(score.low)} to {whole(score.high)} of 100, no grade"
    reach = "" if score.low == score.high else f" (could be {whole(score.low)} to {whole(score.high)})"
    return f"{whole(score.score)} of 100{reach}, grade {grade_words(score.grade)}"


def waiver_ends(waiver: Waiver) -> str:
    """Until when a waiver holds, and where it stands."""
    place = f"{waiver.file}:{waiver.line}" if waiver.line else waiver.file
    return f"until it expires on {say_date(dt.date.fromisoformat(waiver.expires))} ({neutral(place)})"


def day_words(report: AuditReport) -> str:
    """The day of the audit in words."""
    if report.as_of is None:
        return "on no particular day: what depends on today's date is not known"
    return f"as at {say_date(dt.date.fromisoformat(report.as_of))}" + (
        ", the document's own date" if report.as_of_basis == "document" else ""
    )


NOT_ADVICE: Final = "This is not legal advice: it shows where a lawyer may have to look, and why."


def regime_words(report: AuditReport) -> str:
    """Under which law the document stands, and how that is known."""
    regime = report.regime
    if regime.id is None:
        return f"not known under which law it stands: {neutral(regime.because)}"
    said = f"{neutral(regime.title or regime.id)}: {neutral(regime.because)}"
    return f"{said} (unless what is not stated says otherwise)" if regime.provisional else said


def law_counts(one: AuditedLaw) -> str:
    """What came of a law pack, in words."""
    parts = [
        (one.may_not_meet, "may not be met"),
        (one.met, "met"),
        (one.not_settled, "not settled"),
        (one.not_yet_due, "not yet due"),
        (one.does_not_apply, "not for this document"),
    ]
    return ", ".join(f"{amount} {what}" for amount, what in parts if amount) or "nothing in it"


def law_numbers(result: RuleResult) -> list[str]:
    """The numbers of the law that were used, with where they stand and when they were verified."""
    told = []
    for one in result.law:
        value = say(one.value, one.unit) + (
            f" {one.unit}" if one.unit and not one.unit.isupper() and one.unit not in ("ratio", "share") else ""
        )
        until = f" to {say_date(dt.date.fromisoformat(one.until))}" if one.until else " on"
        since = say_date(dt.date.fromisoformat(one.start))
        seen = say_date(dt.date.fromisoformat(one.verified_on))
        told.append(f"{value}, {neutral(one.provision)}, from {since}{until} (verified on {seen})")
    return told


def tier_words(report: AuditReport) -> str:
    """The tier in words, and what follows from it."""
    tier = report.tier
    if tier.name is None:
        reason = next((one.reason for one in report.missing if one.name == "value.total"), None) or ""
        state = reason.removeprefix("it ") if reason.startswith("it is ") else "is not stated"
        return f"not known, as its value {state}: rules that depend on it are left open"
    asked = {
        "small": "only the rules for contracts of any size are asked",
        "medium": "rules for large contracts are not asked",
        "large": "all rules are asked",
    }[tier.name]
    return f"{tier.name}, {'as you said' if tier.basis == 'override' else 'by its value'}: {asked}"


def deciding(view: View, result: RuleResult) -> list[FactStated]:
    """The facts that decided, without the kind of document, which the reader knows."""
    facts = [view.facts[name] for name in result.decided_by if name in view.facts]
    return [fact for fact in facts if plain(fact.name) not in ("kind", "as_of")] or facts


def document_words(one: AuditedDocument) -> str:
    """What a document of a case is: its file, kind, identifier and stage."""
    kind = KINDS.get(one.kind, one.kind).lower()
    of_id = f" {neutral(one.id, 80)}" if one.id else ""
    stage = f"stage: {one.stage}" if one.stage else "its stage is not stated"
    return f"{neutral(one.name)} ({kind}{of_id}, {stage})"


def settled_in(result: RuleResult) -> str | None:
    """In a case: the document whose verdict it is, and what it is in the others."""
    if result.document is None:
        return None
    others: dict[str, list[str]] = {}
    for one in result.documents:
        if one.document != result.document:
            said = one.verdict.replace("_", " ")
            also = "also " if one.verdict == result.verdict else ""
            others.setdefault(also + VERDICTS.get(said, said), []).append(neutral(one.document))
    rest = "; ".join(f"{said} in {listed(few(names))}" for said, names in others.items())
    return neutral(result.document) + (f" ({rest})" if rest else "")


def contradicted(one: Contradiction) -> str:
    """A contradiction in one sentence, without its full stop."""
    said = [f"{neutral(fact.text, 160)} in {neutral(fact.file)}" for fact in one.statements]
    return f"The documents say different things of {neutral(one.title)}: {listed(said)}"


def contradiction_matters(one: Contradiction) -> str:
    """What a contradiction changes."""
    if not one.rules:
        return "No verdict of this audit rests on it."
    rules = listed(few(one.rules))
    if one.severity == "high":
        return f"A verdict is another by one document than by the other. On it rests {rules}."
    return f"{count(len(one.rules), 'rule rests', 'rules rest')} on it: {rules}."


def worth(view: View, result: RuleResult) -> str | None:
    """What mending a finding gains."""
    if not result.rule.scored:
        return "nothing: it is shown, and not counted in the score"
    if not result.points:
        return None
    gain = f"{points(result.points)} on the score"
    others = [
        r.rule.id
        for r in view.verdict("fail")
        if r.rule.group
        and r.rule.group == result.rule.group
        and r.rule.scored
        and r.rule.id != result.rule.id
        and r.waived is None
    ]
    if others:
        verb = "is" if len(others) == 1 else "are"
        return f"{gain}, once {listed(others)} {verb} mended as well (they count as one fault)"
    return gain


def points(value: float) -> str:
    """Points of the score: 1 point, 8.4 points."""
    return f"{number(value)} {'point' if value == 1 else 'points'}"


def settled_by(one: PatternResult) -> str:
    """The rules that an open combined finding waits for."""
    rules = list(dict.fromkeys(member.partition(":")[0] for member in one.undecided))
    if not rules:
        return ""
    return f"(waits for {listed(few(rules))})"


def few(ids: Sequence[str]) -> Sequence[str]:
    """The first of many ids, and how many more there are."""
    return [*ids[:4], f"{len(ids) - 4} more"] if len(ids) > 5 else ids


def question(view: View, fact: FactMissing) -> str:
    """What to ask so that a fact gets stated."""
    asked, name = neutral(fact.question), plain(fact.name)
    if fact.reason == WITHOUT_EVIDENCE:
        return asked
    if "[" in name or "?" not in asked:
        title = view.title(fact)
        if "[" in name:
            asked = ""
        verb = "Say" if title.startswith(("whether", "who", "how", "what", "when", "why")) else "State"
        return f"{verb} {title}. {asked}".rstrip()
    return f"{asked} ({section(name)})" if len(view.asked_alike[fact.question]) > 1 else asked


def what_for(fact: FactMissing) -> str:
    """What stating a fact is good for."""
    parts = []
    if fact.narrows:
        parts.append(f"up to {points(fact.narrows)}")
    if fact.rules:
        parts.append(f"for {listed(few(fact.rules))}")
    return f" – {', '.join(parts)}" if parts else ""
