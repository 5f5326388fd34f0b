"""The report as plain text, for somebody who reads UK English and not code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from goodcommission.description.evidence import WITHOUT_EVIDENCE
from goodcommission.report.terminal import neutral
from goodcommission.report.wording import (
    FIRST_TO_STATE,
    HOW_TESTED,
    KINDS,
    LEAST_JUDGED,
    NO_GRADE,
    NOT_ADVICE,
    SEVERITIES,
    TO_BE_SIGNED,
    VERDICTS,
    View,
    capital,
    contradiction_matters,
    count,
    day_words,
    deciding,
    document_words,
    evidence_reference,
    evidence_words,
    grade_words,
    law_counts,
    law_numbers,
    listed,
    question,
    regime_words,
    score_words,
    settled_by,
    settled_in,
    tested_words,
    tier_words,
    unanswered,
    waiver_ends,
    what_for,
    whole,
    worth,
)

if TYPE_CHECKING:
    from goodcommission.report.model import AuditedPack, AuditReport, Cited, FactStated, PatternResult, RuleResult

NARROWEST: Final = 48
WIDEST: Final = 100
"""Longer lines are hard to read, however wide the window is."""
_NARROW: Final = 72
"""Below this, bars stand on lines of their own."""
_BAR: Final = 20
_PACK_BAR: Final = 12
_INDENT: Final = "  "
_LABEL: Final = 11
"""The column in which texts start; labels and ids stand before it."""
_LAW_LABEL: Final = 13
_LAW_QUESTIONS: Final = 4
_LONGEST: Final = 600
"""Characters that are shown of a text from the document; the rest stands in the document."""
_WAS_THERE: Final = "it was there before: it counts, and no gate fails for it"

_COLOURS: Final[Mapping[str, str]] = {"high": "bold red", "medium": "yellow", "low": "cyan", "positive": "green"}

Segment = tuple[str, str]
"""Text and its style ("" for none)."""
Line = tuple[Segment, ...]


def wrap(text: str, width: int) -> list[str]:
    """A text in lines of a width, counted in cells of the terminal. Only what holds no "/" is cut within a word."""
    width = max(width, 2)  # the widest characters have two cells
    lines: list[str] = []
    line, used = "", 0
    words = text.split(" ")[::-1]
    while words:
        word = words.pop()
        size = cell_len(word)
        if line and used + 1 + size > width:
            lines.append(line)
            line, used = "", 0
        if not line and size > width and "/" not in word:
            start = 0
            while (end := _fitting(word, start, width)) < len(word):
                lines.append(word[start:end])
                start = end
            words.append(word[start:])
        elif not line:
            line, used = word, size
        else:
            line, used = f"{line} {word}", used + 1 + size
    lines.append(line)
    return lines


def _fitting(word: str, start: int, width: int) -> int:
    """Where to cut a word, so that what begins at the start has the width; after one character at least."""
    used = 0
    for index in range(start, len(word)):
        used += cell_len(word[index])
        if used > width:
            return max(index, start + 1)
    return len(word)


@dataclass(frozen=True, slots=True)
class Page:
    """Lines of a width, being written."""

    width: int
    lines: list[Line]

    def blank(self) -> None:
        """One empty line, never two."""
        if self.lines and self.lines[-1]:
            self.lines.append(())

    def heading(self, text: str) -> None:
        """The title of a section."""
        self.blank()
        self.lines.append(((text, "bold"),))
        self.lines.append((("─" * min(cell_len(text), self.width), "dim"),))

    def say(self, text: str, indent: str = "", style: str = "") -> None:
        """A paragraph."""
        for part in wrap(text, self.width - len(indent)):
            self.lines.append(((indent, ""), (part, style)))

    def labelled(
        self, label: str, text: str, *, at: int, indent: str = _INDENT, styles: tuple[str, str] = ("dim", "")
    ) -> None:
        """A paragraph beside its label; its lines start in the same column."""
        lead = f"{label:<{at - len(indent)}}"
        for index, line in enumerate(wrap(text, self.width - max(at, len(indent) + len(lead)))):
            first = index == 0
            self.lines.append(
                ((indent, ""), (lead if first else " " * len(lead), styles[0] if first else ""), (line, styles[1]))
            )

    def text(self, *, colour: bool) -> str:
        """The page as it is written out."""
        if colour:
            return _coloured(self.lines, self.width)
        return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in self.lines)


def _coloured(lines: Sequence[Line], width: int) -> str:
    import io

    from rich.console import Console
    from rich.text import Text

    console = Console(
        file=io.StringIO(), force_terminal=True, color_system="standard", width=width, legacy_windows=False
    )
    for line in lines:
        text = Text.assemble(*line)
        text.rstrip()
        console.print(text, soft_wrap=True, highlight=False)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def bar(low: float, high: float, cells: int) -> Line:
    """Cells for what is sure, what could go either way, and what is lost."""
    sure = round(low / 100 * cells)
    reachable = max(round(high / 100 * cells), sure)
    return (("█" * sure, "green"), ("▒" * (reachable - sure), "yellow"), ("░" * (cells - reachable), "dim"))


def render(
    report: AuditReport,
    *,
    width: int = 80,
    colour: bool = False,
    passes: bool = False,
    everything: bool = False,
    file: str | None = None,
) -> str:
    """The report of one audit as text.

    Args:
        report: What `audit` gave.
        width: Columns; between 48 and 100 are used.
        colour: Whether to write ANSI colours.
        passes: Whether to list the rules that are met.
        everything: Whether to list all rules, also those that do not apply.
        file: The name of the file that places refer to, if it is not the document's name.
    """
    page = Page(max(NARROWEST, min(width, WIDEST)), [])
    view = View(report, file or report.document.name)
    _headline(page, view)
    _packs(page, view)
    _adjusted(page, view)
    _findings(page, view, everything)
    _combined(page, view, everything)
    _contradictions(page, view)
    _waived(page, view)
    _law(page, view, passes or everything, everything)
    _not_evidenced(page, view)
    _questions(page, view, everything)
    _advice(page, view)
    if passes or everything:
        _met(page, view)
    _not_due(page, view, everything)
    if everything:
        _elsewhere(page, view)
    _reading(page, view)
    _works(page, view)
    _foot(page, view, passes or everything, everything)
    return page.text(colour=colour)


# --- Headline and packs ------------------------------------------------------------------------------------------


def _headline(page: Page, view: View) -> None:
    report = view.report
    document, score = report.document, report.score
    kind = KINDS.get(document.kind, document.kind)
    page.say(neutral(document.title or document.id or kind, _LONGEST // 2), style="bold")
    of_id = f" {neutral(document.id, 80)}" if document.id and document.title else ""
    if report.case is None:
        stage = f"stage: {document.stage}" if document.stage else "its stage is not stated"
        page.labelled("Document", f"{kind}{of_id}, {stage}", at=_LABEL)
        page.labelled("File", neutral(document.name), at=_LABEL)
    else:
        those = count(len(report.case.documents), "document")
        page.labelled("Case", f"{those} audited together{':' if of_id else ''}{of_id}", at=_LABEL)
        if document.file:
            page.labelled("File", neutral(document.file), at=_LABEL)
        for one in report.case.documents:
            page.labelled("", document_words(one), at=_LABEL)
    if document.profile:
        page.labelled("Profile", f"{neutral(document.profile.name)} (the commissioner's)", at=_LABEL)
    page.labelled("Audited", day_words(report), at=_LABEL)
    page.labelled("Size", tier_words(report), at=_LABEL)
    page.blank()
    if score.low is None or score.high is None:
        page.say("No score: none of the rules applies to this document.", _INDENT, "bold")
    else:
        if score.score is None or score.grade == NO_GRADE:
            # A high score over the little that is judged would mislead.
            shown, reach = "too little is stated", f": anything from {whole(score.low)} to {whole(score.high)} of 100"
        else:
            shown = f"{whole(score.score)} of 100"
            reach = "" if score.low == score.high else f" (could be {whole(score.low)} to {whole(score.high)})"
        cells = bar(score.low, score.high, _BAR)
        if page.width < _NARROW:
            page.lines.append(((_INDENT, ""), *cells))
            page.say(shown + reach, _INDENT, "bold")
        else:
            page.lines.append(((_INDENT, ""), *cells, (f"  {shown}", "bold"), (reach, "")))
        page.say("█ sure   ▒ could go either way   ░ lost", _INDENT, "dim")
        page.blank()
        if score.grade == NO_GRADE:
            none = "none yet: insufficient evidence (a grade needs half of what applies to be judged)"
            page.labelled("Grade", none, at=_LABEL, styles=("dim", "bold"))
        else:
            page.labelled("Grade", grade_words(score.grade), at=_LABEL, styles=("dim", "bold"))
        for cap in score.caps:
            page.labelled("", cap, at=_LABEL)
        rest = "all of what applies" if score.coverage == 100 else f"{whole(score.coverage)}% of what applies"
        page.labelled(
            "Judged", rest + ("" if score.coverage == 100 else "; for the rest, too little is stated"), at=_LABEL
        )
        met = view.verdict("pass")
        failing, unknown = len(view.verdict("fail")), len(view.verdict("unknown"))
        page.labelled("Rules", f"{failing} not met, {len(met)} met, {unknown} not evidenced", at=_LABEL)
        for index, said in enumerate(evidence_words(report)):
            page.labelled("" if index else "Evidence", said, at=_LABEL)
    _set_aside(page, view)


def _set_aside(page: Page, view: View) -> None:
    """How much is waived or was there before, and the score without waivers."""
    report = view.report
    waived = sum(r.waived is not None for r in report.results) + sum(p.waived is not None for p in report.patterns)
    if waived and report.score_without_waivers:
        those = "the waiver" if waived == 1 else "the waivers"
        page.labelled(
            "Waived",
            f"{count(waived, 'finding')}; without {those}: {score_words(report.score_without_waivers)}",
            at=_LABEL,
        )
    if report.baseline:
        before, name = report.baseline, neutral(report.baseline.name)
        if before.hidden:
            they = "it" if before.hidden == 1 else "them"
            were = count(before.hidden, "finding was", "findings were")
            said = f"{were} there before ({name}); no gate fails for {they}, and --all shows {they}"
            page.labelled("Before", said, at=_LABEL)
        if before.mended:
            are = count(before.mended, "finding is", "findings are")
            said = f"{are} mended since: goodcommission baseline update {name}"
            page.labelled("" if before.hidden else "Before", said, at=_LABEL)


def _packs(page: Page, view: View) -> None:
    packs = view.report.packs
    if not packs:
        return
    page.heading("Rule packs")
    widest = max(cell_len(pack.title) for pack in packs)
    # Bar, figures and the share judged need so much beside the name.
    room = page.width - len(_INDENT) - _PACK_BAR - 34
    name = min(widest, room)
    for pack in packs:
        if pack.low is None or pack.high is None:
            figures: Line = (("nothing in it applies here", "dim"),)
        else:
            scored = "  –" if pack.score is None or pack.coverage < LEAST_JUDGED else f"{whole(pack.score):>3}"
            reach = "" if pack.low == pack.high else f"({whole(pack.low)} to {whole(pack.high)})"
            figures = (
                *bar(pack.low, pack.high, _PACK_BAR),
                (f" {scored}", "bold"),
                (f"  {reach:<11}", ""),
                (f"  {whole(pack.coverage):>3}% judged", "dim"),
            )
        if page.width < _NARROW:
            page.say(neutral(pack.title), _INDENT)
            page.lines.append(((_INDENT * 2, ""), *figures))
            continue
        for index, line in enumerate(wrap(neutral(pack.title), name)):
            gap = " " * (name - cell_len(line) + 2)
            page.lines.append(((_INDENT, ""), (line, ""), *(((gap, ""), *figures) if index == 0 else ())))
    _tested(page, packs)


def _tested(page: Page, packs: Sequence[AuditedPack]) -> None:
    """How well each pack is tested: how far its verdicts can be trusted to be those that its authors meant."""
    graded = "; ".join(f"{neutral(pack.title)} {tested_words(pack.grade)}" for pack in packs)
    page.blank()
    page.say(f"{HOW_TESTED}: {graded}.", _INDENT, "dim")


def _adjusted(page: Page, view: View) -> None:
    """What the user's configuration changed: a reader must know that the packs were not used as they stand."""
    if not view.report.adjusted:
        return
    page.heading("Changed by your configuration")
    for one in view.report.adjusted:
        name = f"{one.name} ({one.pack})" if one.kind == "parameter" else f"{one.name}, “{one.title}”"
        said = "is not asked (off)" if one.after == "off" else f"{one.after} instead of {one.before}"
        law = ", which is set by law" if one.basis == "law" else ""
        counted = f"; it counts with its group {one.counted_with}, whose weight stays" if one.counted_with else ""
        place = f" ({neutral(one.place)})" if one.place else ""
        page.say(f"{neutral(name)}: {neutral(said)}{law}{counted if one.after != 'off' else ''}{place}", _INDENT)
        if one.reason:
            page.say(neutral(one.reason, _LONGEST), _INDENT * 2, "dim")


# --- Findings ----------------------------------------------------------------------------------------------------


def _findings(page: Page, view: View, everything: bool) -> None:
    all_ = view.findings()
    findings = [result for result in all_ if _is_shown(result, everything)]
    if not findings:
        page.heading("Findings")
        none = "Nothing that is stated departs from what the rules ask."
        page.say("Nothing new departs from what the rules ask." if all_ else none, _INDENT)
        return
    for severity in SEVERITIES:
        of_it = [result for result in findings if result.severity == severity]
        if of_it:
            page.heading(f"{capital(severity)} severity: {count(len(of_it), 'finding')}")
        for result in of_it:
            page.blank()
            _finding(page, view, result)


def _is_shown(result: RuleResult | PatternResult, everything: bool) -> bool:
    """Whether a finding is shown in full here: not what is waived, nor what was there before."""
    return result.waived is None and (everything or not result.known_before)


def _finding(page: Page, view: View, result: RuleResult) -> None:
    rule = result.rule
    text = neutral(result.finding or rule.title, _LONGEST)
    _title(page, result.severity, rule.id, text)
    if result.provisional:
        unless = [view.title(view.missing[name]) for name in result.missing if name in view.missing]
        page.labelled(
            "But",
            "this holds unless what is not stated says otherwise" + (f": {'; '.join(unless)}." if unless else "."),
            at=_LABEL,
        )
    if where := settled_in(result):
        page.labelled("In", where, at=_LABEL)
    for index, fact in enumerate(deciding(view, result)):
        page.labelled("Stated" if index == 0 else "", _stated(view, fact), at=_LABEL)
    for number in law_numbers(result):
        page.labelled("Law", number, at=_LABEL)
    page.labelled("Why", neutral(rule.why), at=_LABEL)
    if result.remedy:
        page.labelled("Remedy", neutral(result.remedy, _LONGEST), at=_LABEL)
    if (gain := worth(view, result)) and not rule.law:
        page.labelled("Worth", gain, at=_LABEL)
    if result.known_before:
        page.labelled("Before", _WAS_THERE, at=_LABEL)
    for note in result.notes:
        page.labelled("Note", neutral(note, _LONGEST), at=_LABEL)
    if rule.same_fault_as:
        same = [id for id in rule.same_fault_as if id in view.rules and view.rules[id].verdict == "fail"]
        if same:
            page.labelled("See", f"{listed(same)}: the same fault, seen by another pack", at=_LABEL)
    _sources(page, view, rule.sources)


def _title(page: Page, severity: str, id: str, text: str) -> None:
    """The id, in the colour of its severity, beside what was found."""
    page.labelled(id, text, at=_LABEL, indent="", styles=(_COLOURS[severity], "bold"))


def _stated(view: View, fact: FactStated) -> str:
    value = neutral(fact.text, 160)
    said = f"{view.title(fact)}: {value}" if value else view.title(fact)
    shown = evidence_reference(fact)
    return f"{said} ({view.place(fact)}{f'; shown by {shown}' if shown else ''})"


def _sources(page: Page, view: View, sources: Sequence[Cited]) -> None:
    """The first source; the others would bury the finding."""
    if not sources:
        return
    more = f"; {len(sources) - 1} more" if len(sources) > 1 else ""
    page.labelled("Source", neutral(view.cite(sources[0])) + more, at=_LABEL, styles=("dim", "dim"))


# --- Combined findings -------------------------------------------------------------------------------------------


def _combined(page: Page, view: View, everything: bool) -> None:
    concluded = [one for one in view.report.patterns if one.outcome == "concluded" and _is_shown(one, everything)]
    open_ = [one for one in view.report.patterns if one.outcome == "open"]
    if concluded:
        page.heading("What it adds up to")
        for one in sorted(concluded, key=lambda p: SEVERITIES.index(p.severity)):
            page.blank()
            _pattern(page, view, one)
    if open_:
        page.heading("Could add up to")
        page.say("These may hold or not; what is not stated will settle it:", _INDENT)
        near = sorted(open_, key=lambda one: -len(one.because))
        for one in near if everything else near[:FIRST_TO_STATE]:
            page.labelled(one.id, f"{neutral(one.title)} {settled_by(one)}", at=_LABEL)

        if not everything and len(near) > FIRST_TO_STATE:
            page.say(f"{len(near) - FIRST_TO_STATE} more are open; --all shows them.", _INDENT)


def _pattern(page: Page, view: View, one: PatternResult) -> None:
    label = "Strength" if one.severity == "positive" else capital(one.severity)
    _title(page, one.severity, one.id, f"{label}: {neutral(one.title)}")
    for index, member in enumerate(one.because):
        page.labelled("Because" if index == 0 else "", _member(view, member), at=_LABEL)
    for index, member in enumerate(one.would_be_withdrawn_by):
        page.labelled("Unless" if index == 0 else "", f"{_member(view, member)}; that is not known", at=_LABEL)
    page.labelled("Why", neutral(one.why), at=_LABEL)
    if one.remedy:
        page.labelled("Remedy", neutral(one.remedy), at=_LABEL)
    if one.known_before:
        page.labelled("Before", _WAS_THERE, at=_LABEL)
    _sources(page, view, one.sources)


def _member(view: View, member: str) -> str:
    """A part of a combined finding in words: what was met or not met, or the finding that it builds on."""
    name, _, verdict = member.partition(": ")
    said = VERDICTS.get(verdict, verdict)
    if name in view.rules:
        result = view.rules[name]
        if result.verdict == "fail" and result.finding and verdict == "fail":
            return f"{neutral(result.finding, 240)} ({name}{', waived' if result.waived else ''})"
        return f"{said}: {neutral(result.rule.title)} ({name})"
    if name in view.patterns:
        return f"{neutral(view.patterns[name].title)} ({view.patterns[name].id})"
    return f"{said}: {name}" if said else name


def _contradictions(page: Page, view: View) -> None:
    """What the documents of a case say differently of one fact."""
    found = view.report.case.contradictions if view.report.case else ()
    if not found:
        return
    page.heading(f"The documents contradict each other: {count(len(found), 'fact')}")
    page.say("It is not known which is right, so the score does not count this.", _INDENT)
    for one in sorted(found, key=lambda c: SEVERITIES.index(c.severity)):
        page.blank()
        page.say(f"{capital(one.severity)}: {neutral(one.title)}", style=_COLOURS[one.severity])
        for index, fact in enumerate(one.statements):
            said = f"{neutral(fact.text, 160)} ({view.place(fact)})"
            page.labelled("Stated" if index == 0 else "", said, at=_LABEL)
        page.labelled("Matters", contradiction_matters(one), at=_LABEL)


# --- Law, apart from practice ------------------------------------------------------------------------------------


def _law(page: Page, view: View, passes: bool, everything: bool) -> None:
    """The findings of law packs: they are no part of the score."""
    report = view.report
    if not report.laws:
        return
    page.heading("Law, apart from practice")
    page.say(f"{NOT_ADVICE} It is no part of the score.", _INDENT)
    page.blank()
    page.labelled("Run under", regime_words(report), at=_LAW_LABEL)
    known = report.regime.id is not None
    applying = [p for p in report.laws if p.may_not_meet or p.met or (known and (p.not_settled or p.not_yet_due))]
    for one in report.laws if everything else applying:
        page.labelled("", f"{neutral(one.title)}: {law_counts(one)}", at=_LAW_LABEL)
    if report.regime.id is None and not everything:
        page.blank()
        state = [view.missing[name] for name in report.regime.missing[:_LAW_QUESTIONS] if name in view.missing]
        page.say("Until that is known, little else can be said. It would be settled by:", _INDENT)
        for fact in state:
            page.labelled("-", f"{view.title(fact)} ({fact.name})", at=4)
    for result in view.law("fail"):
        if _is_shown(result, everything):
            page.blank()
            _finding(page, view, result)
    if passes and (met := view.law("pass")):
        page.blank()
        page.say("Met:", _INDENT, "bold")
        for result in met:
            unless = " (unless what is not stated says otherwise)" if result.provisional else ""
            page.labelled(result.rule.id, neutral(result.rule.title) + unless, at=_LABEL)
    if later := view.law("not_yet_due"):
        page.blank()
        page.say(f"Not yet due: {', '.join(result.rule.id for result in later)}.", _INDENT)
    if everything or report.regime.id is not None:
        _law_not_settled(page, view, everything)
    if everything:
        for result in view.law("not_applicable"):
            why = f" ({neutral(result.reason)})" if result.reason else ""
            page.labelled(result.rule.id, f"does not apply: {neutral(result.rule.title)}{why}", at=_LABEL)


def _law_not_settled(page: Page, view: View, everything: bool) -> None:
    """What would settle the rest, by why it is not settled."""
    unsettled = view.law("unknown")
    if not unsettled:
        return
    page.blank()
    asked = Counter(name for result in unsettled for name in result.missing)
    page.say(f"Not settled: {', '.join(result.rule.id for result in unsettled)}.", _INDENT)
    for reason, amount in Counter(result.reason for result in unsettled if result.reason).most_common(None):
        rules = f" ({count(amount, 'rule')})" if len(unsettled) > 1 else ""
        page.labelled("-", f"{capital(neutral(reason))}{rules}.", at=4)
    first = [name for name, _ in asked.most_common(None if everything else _LAW_QUESTIONS)]
    for name in first:
        if name in view.missing:
            page.labelled("-", f"State {view.title(view.missing[name])} ({name}).", at=4)
    if len(asked) > len(first):
        page.say(f"{count(len(asked) - len(first), 'more fact')} would help; --all lists them.", _INDENT)


# --- What is waived ----------------------------------------------------------------------------------------------


def _waived(page: Page, view: View) -> None:
    """What somebody answers for, and what is wrong with the waivers themselves."""
    failing = [*view.findings(), *view.law("fail")]
    waived = [(r.rule.id, r.finding or r.rule.title, r.waived) for r in failing if r.waived]
    waived += [(one.id, one.title, one.waived) for one in view.report.patterns if one.waived]
    if waived:
        page.heading(f"Waived: {count(len(waived), 'finding')}")
        for id, said, waiver in waived:
            page.blank()
            _title(page, "low", id, neutral(said, _LONGEST))
            page.labelled("Because", neutral(waiver.reason, _LONGEST), at=_LABEL)
            page.labelled("Owner", f"{neutral(waiver.owner)}, {waiver_ends(waiver)}", at=_LABEL)
            if waiver.note:
                page.labelled("Note", neutral(waiver.note, _LONGEST), at=_LABEL)
    if view.report.waiver_findings:
        page.heading("Waivers to look at")
        for one in view.report.waiver_findings:
            place = f" ({neutral(f'{one.file}:{one.line}' if one.line else one.file)})"
            page.labelled(one.waiver.rule, neutral(one.message, _LONGEST) + place, at=_LABEL)


# --- What is not known -------------------------------------------------------------------------------------------


def _not_evidenced(page: Page, view: View) -> None:
    unknown = view.verdict("unknown")
    missing = view.asked
    if not unknown and not missing:
        return
    page.heading(f"Not evidenced: {count(len(unknown), 'rule')}")
    if unknown:
        page.say(
            "These cannot be judged, as too little is stated; that is not held against the document: "
            + ", ".join(result.rule.id for result in unknown)
            + ".",
            _INDENT,
        )
    if not missing:
        return
    page.blank()
    page.say("State these first:", _INDENT, "bold")
    first = missing[:FIRST_TO_STATE]
    for index, fact in enumerate(first, 1):
        page.labelled(f"{index}.", question(view, fact), at=6)
        page.labelled("", f"{fact.name}{what_for(fact)}", at=6, styles=("", "dim"))
        if fact.reason:
            said = f"What is stated does not help: {neutral(fact.reason)}."
            page.labelled("", f"It is {fact.reason}." if fact.reason == WITHOUT_EVIDENCE else said, at=6)
    if len(missing) > len(first):
        page.say(f"{count(len(missing) - len(first), 'more fact')} would help; --format json lists them all.", _INDENT)


def _questions(page: Page, view: View, everything: bool) -> None:
    """What no document can answer, and nobody has answered."""
    left = unanswered(view.report)
    if not left:
        return
    page.heading(f"For a person to answer: {count(len(left), 'question')}")
    page.say(TO_BE_SIGNED, _INDENT)
    for one in left if everything else left[:FIRST_TO_STATE]:
        page.labelled(one.id, neutral(one.asks), at=_LABEL)
        if one.note:
            page.labelled("", f"{capital(neutral(one.note))}.", at=_LABEL)
    if not everything and len(left) > FIRST_TO_STATE:
        page.say(f"{count(len(left) - FIRST_TO_STATE, 'more question')}; --all lists them.", _INDENT)


def _advice(page: Page, view: View) -> None:
    """Notes on rules that are met or open; those on findings stand with them."""
    noted = [r for r in view.report.results if r.notes and r.verdict not in ("fail", "not_applicable")]
    if noted:
        page.heading("Worth knowing")
        for result in noted:
            for note in result.notes:
                page.labelled(result.rule.id, neutral(note, _LONGEST), at=_LABEL)


# --- What is met, not due, or does not apply ---------------------------------------------------------------------


def _met(page: Page, view: View) -> None:
    met = view.verdict("pass")
    page.heading(f"Met: {count(len(met), 'rule')}")
    for result in met:
        page.labelled(result.rule.id, neutral(result.rule.title), at=_LABEL)
        marks = []
        if result.claimed:
            marks.append("by the document's own word: no evidence is named")
        if result.provisional:
            unless = [view.title(view.missing[name]) for name in result.missing if name in view.missing]
            marks.append("unless what is not stated says otherwise" + (f": {'; '.join(unless)}" if unless else ""))
        if result.reason:
            marks.append(neutral(result.reason))
        if not result.rule.scored:
            marks.append("not counted in the score")
        if marks:
            page.labelled("", capital("; ".join(marks)) + ".", at=_LABEL)
        for fact in deciding(view, result):
            page.labelled("", _stated(view, fact), at=_LABEL, styles=("", "dim"))


def _not_due(page: Page, view: View, everything: bool) -> None:
    later = view.verdict("not_yet_due")
    if not later:
        return
    page.heading(f"Not yet due: {count(len(later), 'rule')}")
    for result in later:
        when = f" ({neutral(result.reason)})" if result.reason else ""
        page.labelled(result.rule.id, neutral(result.rule.title) + when, at=_LABEL)


def _elsewhere(page: Page, view: View) -> None:
    unknown = view.verdict("unknown")
    if unknown:
        page.heading(f"Not evidenced, rule by rule: {count(len(unknown), 'rule')}")
        for result in unknown:
            page.labelled(result.rule.id, neutral(result.rule.title), at=_LABEL)
            if result.reason:
                page.labelled("", capital(neutral(result.reason)) + ".", at=_LABEL)
            for name in result.missing:
                page.labelled("", f"not stated: {name}", at=_LABEL, styles=("", "dim"))
    others = view.verdict("not_applicable")
    if others:
        page.heading(f"Does not apply: {count(len(others), 'rule')}")
        for result in others:
            why = f" ({neutral(result.reason)})" if result.reason else ""
            page.labelled(result.rule.id, neutral(result.rule.title) + why, at=_LABEL)


# --- The end -----------------------------------------------------------------------------------------------------


def _bullets(page: Page, items: Iterable[str]) -> None:
    for item in items:
        page.labelled("-", item, at=4)


def _reading(page: Page, view: View) -> None:
    notes = view.report.document.notes
    if notes:
        page.heading("How it was read")
        _bullets(page, (neutral(note, _LONGEST) for note in dict.fromkeys(notes)))


def _works(page: Page, view: View) -> None:
    if view.works:
        page.heading("Sources")
        for work, place in view.works.items():
            page.labelled(f"[{place}]", neutral(work), at=6)


def _foot(page: Page, view: View, passes: bool, everything: bool) -> None:
    report = view.report
    page.blank()
    hidden = []
    if not passes and (met := len(view.verdict("pass"))):
        hidden.append(f"{count(met, 'rule is', 'rules are')} met (--passes lists them)")
    if not everything and (others := len(view.verdict("not_applicable"))):
        verb = "does" if others == 1 else "do"
        hidden.append(f"{others} {verb} not apply (--all lists everything)")
    if hidden:
        page.say(capital("; ".join(hidden)) + ".")
    if view.works:
        page.say("A rule in full, with all its sources: goodcommission rules show ID.")
    page.say("The rules describe good practice; this is not legal advice.")
    for difference in report.engine.differences:
        page.say(f"The engines disagree, and the reference's answer stands: {neutral(difference)}", style="yellow")
    reason = neutral(report.engine.reason).rstrip(".")
    page.say(
        f"goodcommission {report.goodcommission}, packs {report.packs_digest[:19]}, engine: {report.engine.name} "
        f"({reason[:1].lower()}{reason[1:]}).",
        style="dim",
    )


def summary(reports: Sequence[AuditReport], *, width: int = 80, colour: bool = False) -> str:
    """One line for each of several audits."""
    page = Page(max(NARROWEST, min(width, WIDEST)), [])
    page.heading(count(len(reports), "audit"))
    for report in reports:
        score = report.score
        findings = sum(result.verdict == "fail" and not result.rule.law for result in report.results)
        of_law = sum(result.verdict == "fail" and result.rule.law for result in report.results)
        shown = "  –" if score.score is None or score.grade == NO_GRADE else f"{whole(score.score):>3}"
        grade = "no grade" if score.grade == NO_GRADE else score.grade.replace("–", " to ")
        found = count(findings, "finding") + (f", {of_law} of law" if of_law else "")
        page.labelled(f"{shown}  {grade:<8}", f"{neutral(report.document.name)} ({found})", at=17)
    return page.text(colour=colour)


def render_all(
    reports: Sequence[AuditReport],
    *,
    width: int = 80,
    colour: bool = False,
    passes: bool = False,
    everything: bool = False,
) -> str:
    """Several reports as text, with a line for each at the end; arguments as for `render`."""
    texts = [
        render(report, width=width, colour=colour, passes=passes, everything=everything, file=report.document.file)
        for report in reports
    ]
    if len(texts) > 1:
        texts.append(summary(reports, width=width, colour=colour))
    return ("\n" + "═" * min(width, WIDEST) + "\n\n").join(texts)
