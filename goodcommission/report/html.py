"""The report as one HTML file: it loads nothing, works without its script, and shows hostile text as text."""

from __future__ import annotations

import base64
import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from goodcommission.description.evidence import WITHOUT_EVIDENCE
from goodcommission.description.model import Phase
from goodcommission.report import wording
from goodcommission.report.terminal import neutral, visible

if TYPE_CHECKING:
    import jinja2

    from goodcommission.report.model import AuditReport, FactStated, PatternResult, RuleResult
    from goodcommission.report.quoting import Quote, Quotes

_LONGEST: Final = 2000
"""Characters that are shown of any one text; the template cuts titles and names shorter."""
_PHASES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "needs_assessment": ("Needs assessment", ("Needs", "assessment")),
    "service_design": ("Service design", ("Service", "design")),
    "market_development": ("Market development", ("Market", "development")),
    "procurement": ("Procurement", ("Procurement",)),
    "delivery": ("Delivery", ("Delivery",)),
    "review_decommissioning": ("Review and decommissioning", ("Review and", "ending")),
}
"""Each phase of the commissioning cycle, in words and as it stands in the ring."""
_THROUGHOUT: Final = "all"
_BOUNDS: Final = (40, 55, 70, 85)
_LETTERS: Final = (("E", 20), ("D", 47.5), ("C", 62.5), ("B", 77.5), ("A", 92.5))
"""Where a grade begins, and where its letter stands over the scale."""
_NEAR: Final = 16
"""Points within which two figures under the scale would run into each other on a narrow screen."""
_VERDICTS: Final[Mapping[str, str]] = {
    "fail": "Not met",
    "pass": "Met",
    "unknown": "Not evidenced",
    "not_yet_due": "Not yet due",
    "not_applicable": "Does not apply",
}
_WEB: Final = re.compile(r"https?://[^\s<>\"']+", re.ASCII)


class Frame(NamedTuple):
    """What a web page has around the report; such a page is no file of its own and has its policy in its headers."""

    top: Any
    """Markup instead of the page's head."""
    before: Any
    """Markup before the report."""
    styles: tuple[str, ...]
    """Addresses of the style sheets; the report's own is among them."""
    scripts: tuple[str, ...]
    """Addresses of the scripts."""


def render(reports: Sequence[AuditReport], quotes: Quotes | None = None, frame: Frame | None = None) -> str:
    """Reports of audits as one HTML file, the same bytes for the same reports.

    Args:
        reports: What `audit` gave, or what was read from saved reports; one or more.
        quotes: Gives the line on which a fact is stated (see `quoting.quotes_of`); without it, a fact
            shows its value with file and line.
        frame: What stands around it in a web page; by default it is a file that loads nothing.
    """
    style, script = _part("report.css"), _part("report.js")
    several = len(reports) > 1
    shown = [_Shown(report, f"d{number}-" if several else "", quotes) for number, report in enumerate(reports, 1)]
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            reports=shown,
            several=several,
            frame=frame,
            style=markup(style),
            script=markup(script),
            policy=f"default-src 'none'; script-src '{hash_of(script)}'; style-src '{hash_of(style)}'; "
            "base-uri 'none'; form-action 'none'",
            verdicts=_VERDICTS,
            packs=_titles(
                [*((pack.id, pack.title) for one in reports for pack in one.packs)]
                + [(law.id, law.title) for one in reports for law in one.laws]
            ),
            phases=[*((id, title) for id, (title, _) in _PHASES.items()), (_THROUGHOUT, "Throughout the cycle")],
        )
    )


def part(name: str) -> str:
    """A part of the page: ``report.css`` or ``report.js``."""
    return _part(name)


@cache
def _part(name: str) -> str:
    return resources.files("goodcommission.report").joinpath("templates", name).read_text("utf-8")


def hash_of(text: str) -> str:
    """The name by which the content security policy lets one inline part act."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def markup(text: str) -> Any:
    """Text of our own as it stands, unescaped."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 (our own files; nothing of a report is in them)


def _titles(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(dict(pairs).items())


@cache
def environment() -> jinja2.Environment:
    """How templates are filled: everything is escaped, and no text of a document acts in any way."""
    import jinja2
    from markupsafe import Markup, escape

    def settled(value: Any) -> Any:
        """What stands for a value: texts on one line, with no character that acts, and never endless."""
        return neutral(value, _LONGEST) if isinstance(value, str) and not isinstance(value, Markup) else value

    def foreign(value: str, most: int = 600) -> Markup:
        """A text from the document: its writing direction stays its own."""
        return Markup("<bdi>{}</bdi>").format(neutral(value, most))

    def code(quote: Quote) -> Markup:
        parts = (escape(visible(part.replace("\t", "  "))) for part in (quote.before, quote.marked, quote.after))
        return Markup("<bdi>{}</bdi><mark><bdi>{}</bdi></mark><bdi>{}</bdi>").format(*parts)

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=settled,
    )
    environment.filters.update(
        foreign=foreign,
        code=code,
        figure=wording.number,
        whole=wording.whole,
        capital=wording.capital,
        tested=wording.tested_words,
        web=_web,
    )
    environment.globals.update(
        count=wording.count,
        how_tested=wording.HOW_TESTED,
        question=wording.question,
        score_words=wording.score_words,
        waiver_ends=wording.waiver_ends,
        document_words=wording.document_words,
        settled_in=wording.settled_in,
        contradiction_matters=wording.contradiction_matters,
        what_for=wording.what_for,
        without_evidence=WITHOUT_EVIDENCE,
        to_be_signed=wording.TO_BE_SIGNED,
        unanswered=wording.unanswered,
        worth=wording.worth,
        law_counts=wording.law_counts,
        law_numbers=wording.law_numbers,
        not_advice=wording.NOT_ADVICE,
        regime_words=wording.regime_words,
    )
    return environment


def _web(address: str | None) -> str | None:
    """An address that may be followed; of any other kind (javascript:, data:) only the text is shown."""
    return address if address and _WEB.fullmatch(address) else None


class _Member(NamedTuple):
    """A part of a combined finding: what holds, and where it is told."""

    id: str
    anchor: str | None
    said: str
    text: str


class _Phase(NamedTuple):
    """A phase of the commissioning cycle with what was found of it, and its place in the ring."""

    id: str
    title: str
    label: tuple[str, ...]
    findings: list[RuleResult]
    worst: str
    met: int
    unknown: int
    path: str
    x: float
    y: float


class _Shown:
    """One report as the template needs it."""

    def __init__(self, report: AuditReport, prefix: str, quotes: Quotes | None) -> None:
        self.report = report
        self.prefix = prefix
        self.view = wording.View(report, report.document.name)
        self._quotes = quotes
        self._anchors: dict[str, str] = {}
        for result in report.results:
            self._anchor("rule", result.rule.id)
        for pattern in report.patterns:
            self._anchor("pattern", pattern.id)
        findings = self.view.findings()
        self.findings = [one for one in findings if one.waived is None]
        self.waived = [one for one in findings if one.waived is not None]
        self.by_severity = [
            (severity, of_it)
            for severity in ("high", "medium", "low")
            if (of_it := [one for one in self.findings if one.severity == severity])
        ]
        self.met, self.unknown = self.view.verdict("pass"), self.view.verdict("unknown")
        law = self.view.law("fail")
        self.law_findings = [one for one in law if one.waived is None]
        self.waived += [one for one in law if one.waived is not None]
        self.law_met, self.law_unknown = self.view.law("pass"), self.view.law("unknown")
        self.law_rest = self.view.law("not_yet_due", "not_applicable")
        self.laws = [p for p in report.laws if p.may_not_meet or p.met or p.not_settled or p.not_yet_due]
        self.not_due, self.elsewhere = self.view.verdict("not_yet_due"), self.view.verdict("not_applicable")
        concluded = [one for one in report.patterns if one.outcome == "concluded"]
        concluded.sort(key=lambda one: wording.SEVERITIES.index(one.severity))
        harm = [one for one in concluded if one.severity != "positive"]
        self.combined = [one for one in harm if one.waived is None]
        self.waived_patterns = [one for one in harm if one.waived is not None]
        self.strengths = [one for one in concluded if one.severity == "positive"]
        self.open = sorted((one for one in report.patterns if one.outcome == "open"), key=lambda p: -len(p.because))
        self.first = self.view.asked[: wording.FIRST_TO_STATE]
        self.further = self.view.asked[wording.FIRST_TO_STATE :]
        self.notes = tuple(dict.fromkeys(report.document.notes))

    def _anchor(self, sort: str, id: str) -> None:
        anchor = self.prefix + re.sub(r"[^A-Za-z0-9_.-]", "-", id[:80])
        taken = self._anchors.values()
        self._anchors[f"{sort} {id}"] = anchor if anchor not in taken else f"{anchor}-{len(self._anchors)}"

    def rule_anchor(self, id: str) -> str:
        return self._anchors[f"rule {id}"]

    def pattern_anchor(self, id: str) -> str:
        return self._anchors[f"pattern {id}"]

    # --- Words ---

    @property
    def kind(self) -> str:
        document = self.report.document
        if self.report.case:
            return f"Case: {wording.count(len(self.report.case.documents), 'document')} audited together"
        kind = wording.KINDS.get(document.kind, document.kind)
        return f"{kind}, stage: {document.stage}" if document.stage else f"{kind}, its stage is not stated"

    @property
    def title(self) -> str:
        document = self.report.document
        return document.title or document.id or wording.KINDS.get(document.kind, document.kind)

    @property
    def day(self) -> str:
        return wording.capital(wording.day_words(self.report))

    @property
    def tier(self) -> str:
        return wording.capital(wording.tier_words(self.report))

    @property
    def graded(self) -> bool:
        score = self.report.score
        return score.score is not None and score.grade != wording.NO_GRADE

    @property
    def grade(self) -> str:
        return wording.grade_words(self.report.score.grade)

    @property
    def claims(self) -> str | None:
        return " ".join(wording.evidence_words(self.report)) or None

    def shown_by(self, fact: FactStated) -> str | None:
        return wording.evidence_reference(fact, web=False)

    def deciding(self, result: RuleResult) -> list[FactStated]:
        return wording.deciding(self.view, result)

    def quote(self, fact: FactStated) -> Quote | None:
        return None if self._quotes is None else self._quotes(self.report, fact)

    def overturned_by(self, result: RuleResult) -> str:
        """The facts that a provisional verdict waits for, as they stand in a sentence."""
        titles = [self.view.title(self.view.missing[name]) for name in result.missing if name in self.view.missing]
        return f": {'; '.join(titles)}" if titles else ""

    def not_stated(self, result: RuleResult) -> list[str]:
        """What a rule waits for, in words."""
        return [
            self.view.title(self.view.missing[name]) if name in self.view.missing else name for name in result.missing
        ]

    def same_fault(self, result: RuleResult) -> list[str]:
        """Findings of other packs that are the same fault."""
        rules = self.view.rules
        return [id for id in result.rule.same_fault_as if id in rules and rules[id].verdict == "fail"]

    def members(self, members: Iterable[str]) -> list[_Member]:
        """The parts of a combined finding in words: what was met or not, or the finding that it builds on."""
        told = []
        for member in members:
            name, _, verdict = member.partition(": ")
            said = wording.VERDICTS.get(verdict, verdict)
            if name in self.view.rules:
                result = self.view.rules[name]
                found = result.finding if verdict == "fail" == result.verdict else None
                told.append(_Member(name, self.rule_anchor(name), said, found or result.rule.title))
            elif name in self.view.patterns:
                pattern = self.view.patterns[name]
                told.append(_Member(pattern.id, self.pattern_anchor(pattern.id), "", pattern.title))
            else:
                told.append(_Member(name, None, said, ""))
        return told

    def waits_for(self, pattern: PatternResult) -> list[_Member]:
        return self.members(dict.fromkeys(member.partition(":")[0] for member in pattern.undecided))

    @property
    def works(self) -> list[tuple[int, str, str | None]]:
        """All works cited, numbered as they were come upon; asked for after everything that cites."""
        cited = [*(one.rule.sources for one in self.report.results), *(one.sources for one in self.report.patterns)]
        web = {source.work: source.url for sources in cited for source in sources}
        return [(number, work, web.get(work)) for work, number in self.view.works.items()]

    # --- Drawings ---

    @property
    def scale(self) -> dict[str, Any]:
        """The score on a line from 0 to 100, in percent of its width."""
        score = self.report.score
        low, high = score.low or 0.0, score.high or 0.0
        if high - low < _NEAR:
            middle = (low + high) / 2
            text = wording.whole(low) if low == high else f"{wording.whole(low)} to {wording.whole(high)}"
            labels = [(middle, text)]
        else:
            labels = [(low, wording.whole(low)), (high, wording.whole(high))]
        placed = [(at, "start" if at < 6 else "end" if at > 94 else "middle", text) for at, text in labels]
        return {
            "low": low,
            "width": high - low,
            "labels": placed,
            "bounds": _BOUNDS,
            "letters": _LETTERS,
            "start": all(at >= 14 for at, _ in labels),
            "end": all(at <= 84 for at, _ in labels),
        }

    @property
    def cycle(self) -> list[_Phase]:
        """The six phases of the commissioning cycle."""
        phases = []
        for index, id in enumerate(get_args(Phase)):
            title, label = _PHASES[id]
            phases.append(self._phase(id, title, label, *_sector(index, len(_PHASES))))
        return phases

    @property
    def throughout(self) -> _Phase:
        """What is asked in every phase."""
        return self._phase(_THROUGHOUT, "Throughout the cycle", ("throughout",), "", 0, 0)

    def _phase(self, id: str, title: str, label: tuple[str, ...], path: str, x: float, y: float) -> _Phase:
        findings = [one for one in self.findings if one.rule.phase == id]
        worst = min((one.severity for one in findings), key=wording.SEVERITIES.index, default="")
        met, unknown = (sum(one.rule.phase == id for one in some) for some in (self.met, self.unknown))
        return _Phase(id, title, label, findings, worst, met, unknown, path, x, y)


_CENTRE: Final = 210.0
_OUTER: Final = 200.0
_INNER: Final = 100.0


def _sector(index: int, of: int) -> tuple[str, float, float]:
    """One part of the ring, the first at the top and the others clockwise: its outline and its middle."""
    turn = 2 * math.pi / of
    middle = index * turn - math.pi / 2
    # Both rims keep the same distance from the neighbours, so that the gaps have straight sides.
    outer, inner = turn / 2 - 3 / _OUTER, turn / 2 - 3 / _INNER

    def at(radius: float, angle: float) -> str:
        return f"{_CENTRE + radius * math.cos(angle):.1f} {_CENTRE + radius * math.sin(angle):.1f}"

    path = (
        f"M{at(_OUTER, middle - outer)}A{_OUTER:g} {_OUTER:g} 0 0 1 {at(_OUTER, middle + outer)}"
        f"L{at(_INNER, middle + inner)}A{_INNER:g} {_INNER:g} 0 0 0 {at(_INNER, middle - inner)}Z"
    )
    radius = (_OUTER + _INNER) / 2
    return path, round(_CENTRE + radius * math.cos(middle), 1), round(_CENTRE + radius * math.sin(middle), 1)
