"""The report as plain text, for somebody who reads UK English and not code."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from goodcommission.engine.texts import say_date
from goodcommission.report.terminal import neutral

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport, Cited, FactMissing, FactStated, PatternResult, RuleResult

NARROWEST: Final = 48
WIDEST: Final = 100
"""Longer lines are hard to read, however wide the window is."""
_NARROW: Final = 72
"""Below this, bars stand on lines of their own."""
FIRST_TO_STATE: Final = 5
_BAR: Final = 20
_PACK_BAR: Final = 12
_INDENT: Final = "  "
_LABEL: Final = 11
"""The column in which texts start; labels and ids stand before it."""
_REPEATED: Final = 3
"""Names with so many dots belong to sections that are asked again and again (of each phase, of each audience)."""
_NO_GRADE: Final = "insufficient evidence"
_LEAST_JUDGED: Final = 50
"""Percent; below it a pack's score would mislead, and only its range is shown."""
_LONGEST: Final = 600
"""Characters that are shown of a text from the document; the rest stands in the document."""

_SEVERITIES: Final = ("high", "medium", "low", "positive")
_COLOURS: Final[Mapping[str, str]] = {"high": "bold red", "medium": "yellow", "low": "cyan", "positive": "green"}
_VERDICTS: Final[Mapping[str, str]] = {
    "pass": "met",
    "fail": "not met",
    "not applicable": "does not apply",
    "unknown": "not known",
}
_KINDS: Final[Mapping[str, str]] = {
    "tender": "Tender",
    "contract": "Contract",
    "decommissioning_plan": "Decommissioning plan",
}
"""Where the name of a work ends and the place in it begins, in a citation."""

Segment = tuple[str, str]
"""Text and its style ("" for none)."""
Line = tuple[Segment, ...]


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


def wrap(text: str, width: int) -> list[str]:
    """A text in lines of a width, counted in cells of the terminal. Only what holds no "/" is cut within a word."""
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
            cut = _fitting(word, width)
            lines.append(word[:cut])
            words.append(word[cut:])
        elif not line:
            line, used = word, size
        else:
            line, used = f"{line} {word}", used + 1 + size
    lines.append(line)
    return lines


def _fitting(word: str, width: int) -> int:
    used = 0
    for index, character in enumerate(word):
        used += cell_len(character)
        if used > width:
            return max(index, 1)
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
    view = _View(report, file or report.document.name)
    _headline(page, view)
    _packs(page, view)
    _findings(page, view)
    _combined(page, view, everything)
    _not_evidenced(page, view)
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


class _View:
    """A report with what is looked up in it again and again."""

    def __init__(self, report: AuditReport, file: str) -> None:
        self.report = report
        self.file = file
        self.facts: Mapping[str, FactStated] = {fact.name: fact for fact in report.facts}
        self.missing: Mapping[str, FactMissing] = {fact.name: fact for fact in report.missing}
        self.rules: Mapping[str, RuleResult] = {result.rule.id: result for result in report.results}
        self.patterns: Mapping[str, PatternResult] = {one.concludes: one for one in report.patterns}
        named: dict[str, FactStated | FactMissing] = {**self.missing, **self.facts}
        self.titles = Counter(fact.title for fact in named.values())
        self.works: dict[str, int] = {}
        """Works cited so far, with their numbers."""

    def verdict(self, verdict: str) -> list[RuleResult]:
        return [result for result in self.report.results if result.verdict == verdict]

    def title(self, fact: FactStated | FactMissing) -> str:
        """The title of a fact; with the part of its name that tells it from others like it."""
        title = neutral(fact.title)
        numbered = "[" in fact.name and ", no. " not in title
        if self.titles[fact.title] == 1 and fact.name.count(".") < _REPEATED and not numbered:
            return title
        return f"{title} ({_section(fact.name)})"

    def place(self, fact: FactStated) -> str:
        # Of a file with several notices the document's name says which; a place is in the file itself.
        file = self.file if fact.file == self.report.document.name else fact.file
        parts = (file, fact.line, fact.column)
        return neutral(":".join(str(part) for part in parts if part is not None))

    def cite(self, source: Cited) -> str:
        """A citation with the work by its number."""
        mark = f"[{self.works.setdefault(source.work, len(self.works) + 1)}]"
        return f"{mark} {source.where}" if source.where else mark


def _section(name: str) -> str:
    """What tells a fact from its namesakes: the section it stands in, or the number of the item."""
    head, bracket, rest = name.partition("[")
    if bracket:
        return f"no. {int(rest.partition(']')[0]) + 1}"
    parts = head.split(".")
    return parts[-2].replace("_", " ") if len(parts) > 1 else head


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- Headline and packs ------------------------------------------------------------------------------------------


def _headline(page: Page, view: _View) -> None:
    report = view.report
    document, score = report.document, report.score
    kind = _KINDS.get(document.kind, document.kind)
    page.say(neutral(document.title or document.id or kind, _LONGEST // 2), style="bold")
    stage = f"stage: {document.stage}" if document.stage else "its stage is not stated"
    of_id = f" {neutral(document.id, 80)}" if document.id and document.title else ""
    page.labelled("Document", f"{kind}{of_id}, {stage}", at=_LABEL)
    page.labelled("File", neutral(document.name), at=_LABEL)
    if document.profile:
        page.labelled("Profile", f"{neutral(document.profile.name)} (the commissioner's)", at=_LABEL)
    page.labelled("Audited", _as_of(report), at=_LABEL)
    page.labelled("Size", _tier(report), at=_LABEL)
    page.blank()
    if score.low is None or score.high is None:
        page.say("No score: none of the rules applies to this document.", _INDENT, "bold")
    else:
        if score.score is None or score.grade == _NO_GRADE:
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
        if score.grade == _NO_GRADE:
            none = "none yet: insufficient evidence (a grade needs half of what applies to be judged)"
            page.labelled("Grade", none, at=_LABEL, styles=("dim", "bold"))
        else:
            page.labelled("Grade", _grade(score.grade), at=_LABEL, styles=("dim", "bold"))
        for cap in score.caps:
            page.labelled("", cap, at=_LABEL)
        rest = "all of what applies" if score.coverage == 100 else f"{whole(score.coverage)}% of what applies"
        page.labelled(
            "Judged", rest + ("" if score.coverage == 100 else "; for the rest, too little is stated"), at=_LABEL
        )
        met = view.verdict("pass")
        failing, unknown = len(view.verdict("fail")), len(view.verdict("unknown"))
        page.labelled("Rules", f"{failing} not met, {len(met)} met, {unknown} not evidenced", at=_LABEL)
        if claimed := sum(result.claimed for result in met):
            said = f"{_of(claimed, len(met))} met by the document's own word only, without evidence."
            page.labelled("", said, at=_LABEL)


def _of(some: int, all_: int) -> str:
    if some == all_:
        return "That 1 is" if all_ == 1 else f"All {all_} are"
    return f"{some} of the {all_} {'is' if some == 1 else 'are'}"


def _grade(grade: str) -> str:
    worst, dash, best = grade.partition("–")
    return f"between {worst} and {best}" if dash else grade


def _as_of(report: AuditReport) -> str:
    if report.as_of is None:
        return "on no particular day: what depends on today's date is not known"
    return f"as at {say_date(dt.date.fromisoformat(report.as_of))}" + (
        ", the document's own date" if report.as_of_basis == "document" else ""
    )


def _tier(report: AuditReport) -> str:
    tier = report.tier
    if tier.name is None:
        return "not known, as its value is not stated: rules that depend on it are left open"
    asked = {
        "small": "only the rules for contracts of any size are asked",
        "medium": "rules for large contracts are not asked",
        "large": "all rules are asked",
    }[tier.name]
    return f"{tier.name}, {'as you said' if tier.basis == 'override' else 'by its value'}: {asked}"


def _packs(page: Page, view: _View) -> None:
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
            scored = "  –" if pack.score is None or pack.coverage < _LEAST_JUDGED else f"{whole(pack.score):>3}"
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


# --- Findings ----------------------------------------------------------------------------------------------------


def _findings(page: Page, view: _View) -> None:
    order = {result.rule.id: index for index, result in enumerate(view.report.results)}
    findings = sorted(
        view.verdict("fail"),
        key=lambda r: (_SEVERITIES.index(r.severity), -(r.points or 0), order[r.rule.id]),
    )
    if not findings:
        page.heading("Findings")
        page.say("Nothing that is stated departs from what the rules ask.", _INDENT)
        return
    for severity in _SEVERITIES:
        of_it = [result for result in findings if result.severity == severity]
        if of_it:
            page.heading(f"{_capital(severity)} severity: {count(len(of_it), 'finding')}")
        for result in of_it:
            page.blank()
            _finding(page, view, result)


def _finding(page: Page, view: _View, result: RuleResult) -> None:
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
    for index, fact in enumerate(_deciding(view, result)):
        page.labelled("Stated" if index == 0 else "", _stated(view, fact), at=_LABEL)
    page.labelled("Why", neutral(rule.why), at=_LABEL)
    if result.remedy:
        page.labelled("Remedy", neutral(result.remedy, _LONGEST), at=_LABEL)
    if worth := _worth(view, result):
        page.labelled("Worth", worth, at=_LABEL)
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


def _deciding(view: _View, result: RuleResult) -> list[FactStated]:
    """The facts that decided, without the kind of document, which the reader knows."""
    facts = [view.facts[name] for name in result.decided_by if name in view.facts]
    return [fact for fact in facts if fact.name not in ("kind", "as_of")] or facts


def _stated(view: _View, fact: FactStated) -> str:
    value = neutral(fact.text, 160)
    said = f"{view.title(fact)}: {value}" if value else view.title(fact)
    return f"{said} ({view.place(fact)})"


def _worth(view: _View, result: RuleResult) -> str | None:
    if not result.rule.scored:
        return "nothing: it is shown, and not counted in the score"
    if not result.points:
        return None
    worth = f"{points(result.points)} on the score"
    others = [
        r.rule.id
        for r in view.verdict("fail")
        if r.rule.group and r.rule.group == result.rule.group and r.rule.scored and r.rule.id != result.rule.id
    ]
    if others:
        verb = "is" if len(others) == 1 else "are"
        return f"{worth}, once {listed(others)} {verb} mended as well (they count as one fault)"
    return worth


def points(value: float) -> str:
    """Points of the score: 1 point, 8.4 points."""
    return f"{number(value)} {'point' if value == 1 else 'points'}"


def _sources(page: Page, view: _View, sources: Sequence[Cited]) -> None:
    """The first source; the others would bury the finding."""
    if not sources:
        return
    more = f"; {len(sources) - 1} more" if len(sources) > 1 else ""
    page.labelled("Source", neutral(view.cite(sources[0])) + more, at=_LABEL, styles=("dim", "dim"))


# --- Combined findings -------------------------------------------------------------------------------------------


def _combined(page: Page, view: _View, everything: bool) -> None:
    concluded = [one for one in view.report.patterns if one.outcome == "concluded"]
    open_ = [one for one in view.report.patterns if one.outcome == "open"]
    if concluded:
        page.heading("What it adds up to")
        for one in sorted(concluded, key=lambda p: _SEVERITIES.index(p.severity)):
            page.blank()
            _pattern(page, view, one)
    if open_:
        page.heading("Could add up to")
        page.say("These may hold or not; what is not stated will settle it:", _INDENT)
        near = sorted(open_, key=lambda one: -len(one.because))
        for one in near if everything else near[:FIRST_TO_STATE]:
            page.labelled(one.id, f"{neutral(one.title)} {_settled_by(one)}", at=_LABEL)

        if not everything and len(near) > FIRST_TO_STATE:
            page.say(f"{len(near) - FIRST_TO_STATE} more are open; --all shows them.", _INDENT)


def _settled_by(one: PatternResult) -> str:
    rules = list(dict.fromkeys(member.partition(":")[0] for member in one.undecided))
    if not rules:
        return ""
    return f"(waits for {listed(_few(rules))})"


def _few(ids: Sequence[str]) -> Sequence[str]:
    return [*ids[:4], f"{len(ids) - 4} more"] if len(ids) > 5 else ids


def _pattern(page: Page, view: _View, one: PatternResult) -> None:
    label = "Strength" if one.severity == "positive" else _capital(one.severity)
    _title(page, one.severity, one.id, f"{label}: {neutral(one.title)}")
    for index, member in enumerate(one.because):
        page.labelled("Because" if index == 0 else "", _member(view, member), at=_LABEL)
    for index, member in enumerate(one.would_be_withdrawn_by):
        page.labelled("Unless" if index == 0 else "", f"{_member(view, member)}; that is not known", at=_LABEL)
    page.labelled("Why", neutral(one.why), at=_LABEL)
    if one.remedy:
        page.labelled("Remedy", neutral(one.remedy), at=_LABEL)
    _sources(page, view, one.sources)


def _member(view: _View, member: str) -> str:
    """A part of a combined finding in words: what was met or not met, or the finding that it builds on."""
    name, _, verdict = member.partition(": ")
    said = _VERDICTS.get(verdict, verdict)
    if name in view.rules:
        result = view.rules[name]
        if result.verdict == "fail" and result.finding and verdict == "fail":
            return f"{neutral(result.finding, 240)} ({name})"
        return f"{said}: {neutral(result.rule.title)} ({name})"
    if name in view.patterns:
        return f"{neutral(view.patterns[name].title)} ({view.patterns[name].id})"
    return f"{said}: {name}" if said else name


# --- What is not known -------------------------------------------------------------------------------------------


def _not_evidenced(page: Page, view: _View) -> None:
    unknown = view.verdict("unknown")
    missing = view.report.missing
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
        page.labelled(f"{index}.", _question(view, fact), at=6)
        page.labelled("", f"{fact.name}{_what_for(fact)}", at=6, styles=("", "dim"))
        if fact.reason:
            page.labelled("", f"What is stated does not help: {neutral(fact.reason)}.", at=6)
    if len(missing) > len(first):
        page.say(f"{count(len(missing) - len(first), 'more fact')} would help; --format json lists them all.", _INDENT)


def _question(view: _View, fact: FactMissing) -> str:
    question = neutral(fact.question)
    if "[" in fact.name or "?" not in question:
        title = view.title(fact)
        if "[" in fact.name:
            question = ""
        asked = (
            f"Say {title}." if title.startswith(("whether", "who", "how", "what", "when", "why")) else f"State {title}."
        )
        return f"{asked} {question}".rstrip()
    same = sum(other.question == fact.question for other in view.report.missing)
    return f"{question} ({_section(fact.name)})" if same > 1 else question


def _what_for(fact: FactMissing) -> str:
    parts = []
    if fact.narrows:
        parts.append(f"up to {points(fact.narrows)}")
    if fact.rules:
        parts.append(f"for {listed(_few(fact.rules))}")
    return f" – {', '.join(parts)}" if parts else ""


def _advice(page: Page, view: _View) -> None:
    """Notes on rules that are met or open; those on findings stand with them."""
    noted = [r for r in view.report.results if r.notes and r.verdict not in ("fail", "not_applicable")]
    if noted:
        page.heading("Worth knowing")
        for result in noted:
            for note in result.notes:
                page.labelled(result.rule.id, neutral(note, _LONGEST), at=_LABEL)


# --- What is met, not due, or does not apply ---------------------------------------------------------------------


def _met(page: Page, view: _View) -> None:
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
            page.labelled("", _capital("; ".join(marks)) + ".", at=_LABEL)
        for fact in _deciding(view, result):
            page.labelled("", _stated(view, fact), at=_LABEL, styles=("", "dim"))


def _not_due(page: Page, view: _View, everything: bool) -> None:
    later = view.verdict("not_yet_due")
    if not later:
        return
    page.heading(f"Not yet due: {count(len(later), 'rule')}")
    for result in later:
        when = f" ({neutral(result.reason)})" if result.reason else ""
        page.labelled(result.rule.id, neutral(result.rule.title) + when, at=_LABEL)


def _elsewhere(page: Page, view: _View) -> None:
    unknown = view.verdict("unknown")
    if unknown:
        page.heading(f"Not evidenced, rule by rule: {count(len(unknown), 'rule')}")
        for result in unknown:
            page.labelled(result.rule.id, neutral(result.rule.title), at=_LABEL)
            if result.reason:
                page.labelled("", _capital(neutral(result.reason)) + ".", at=_LABEL)
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


def _reading(page: Page, view: _View) -> None:
    notes = view.report.document.notes
    if notes:
        page.heading("How it was read")
        _bullets(page, (neutral(note, _LONGEST) for note in dict.fromkeys(notes)))


def _works(page: Page, view: _View) -> None:
    if view.works:
        page.heading("Sources")
        for work, place in view.works.items():
            page.labelled(f"[{place}]", neutral(work), at=6)


def _foot(page: Page, view: _View, passes: bool, everything: bool) -> None:
    report = view.report
    page.blank()
    hidden = []
    if not passes and (met := len(view.verdict("pass"))):
        hidden.append(f"{count(met, 'rule is', 'rules are')} met (--passes lists them)")
    if not everything and (others := len(view.verdict("not_applicable"))):
        verb = "does" if others == 1 else "do"
        hidden.append(f"{others} {verb} not apply (--all lists everything)")
    if hidden:
        page.say(_capital("; ".join(hidden)) + ".")
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
        findings = sum(result.verdict == "fail" for result in report.results)
        shown = "  –" if score.score is None or score.grade == _NO_GRADE else f"{whole(score.score):>3}"
        grade = "no grade" if score.grade == _NO_GRADE else score.grade.replace("–", " to ")
        page.labelled(f"{shown}  {grade:<8}", f"{neutral(report.document.name)} ({count(findings, 'finding')})", at=17)
    return page.text(colour=colour)
