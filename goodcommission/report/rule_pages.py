"""Rule pages: one rule or combined finding in full, as text, Markdown and plain values; ``docs/rules/`` holds them all.

``python -m goodcommission.report.rule_pages`` writes ``docs/rules/`` anew; a test notices when it is not current.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from goodcommission.description.facts import dictionary
from goodcommission.description.kinds import KINDS_OF_SEVERAL
from goodcommission.engine.conditions import PARAMS
from goodcommission.engine.texts import parse, say
from goodcommission.engine.verdicts import CompiledRule
from goodcommission.packs.adjusting import said
from goodcommission.packs.checking import run_case
from goodcommission.packs.compiling import LoadedPack, Packs
from goodcommission.packs.loading import load_packs, pack_files, read_pack, shipped_folder
from goodcommission.packs.model import Case, Let, Match, Pack, Parameter, Pattern, PatternCase, Rule
from goodcommission.replacing import replace_file
from goodcommission.report.citing import cite
from goodcommission.report.in_words import InWords
from goodcommission.report.terminal import neutral
from goodcommission.report.text import Page
from goodcommission.report.wording import capital, count, listed

_SIZES: Final[Mapping[str, str]] = {
    "small": "of any size",
    "medium": "of medium size and above",
    "large": "that are large",
}
_BASES: Final[Mapping[str, str]] = {
    "figure in text": "a figure of the source",
    "convention": "our convention",
    "law": "a number of the law",
    "guidance": "a number of guidance",
}
_AT: Final = 14


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a decision."""

    verdict: str
    """"applies", "planned", "met", "not met"; for combined findings what is looked for."""
    words: str
    condition: str | None = None
    """As it is written, in CEL."""
    finding: str | None = None


@dataclass(frozen=True, slots=True)
class Number:
    """A parameter that a rule uses."""

    name: str
    value: str
    basis: str
    why: str


@dataclass(frozen=True, slots=True)
class Example:
    """A case of a rule: a description, and what is found in it."""

    name: str
    description: str
    """As YAML."""
    finding: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True)
class RulePage:
    """One rule or combined finding, for a reader who wants to know all of it."""

    id: str
    title: str
    pack: str
    pack_title: str
    version: str
    asks: str
    standing: tuple[tuple[str, str], ...]
    """Labelled lines: of whom it is asked, how severe it is, what it rests on."""
    why: str
    exclusions: tuple[str, ...]
    decision: tuple[Line, ...]
    lets: Mapping[str, str]
    """Intermediate values that the conditions name, as they are written."""
    where: tuple[tuple[str, str], ...]
    """Names in quotation marks, and what they stand for in words."""
    numbers: tuple[Number, ...]
    assumptions: tuple[str, ...]
    fails: Example | None
    passes: Example | None
    remedy: str | None
    sources: tuple[str, ...]
    combined: bool = False
    """A combined finding: its examples are verdicts, and what comes of them."""

    @property
    def headings(self) -> tuple[str, str]:
        """What its two examples are called."""
        if self.combined:
            return "Example that concludes it", "Example that excludes it"
        return "Example that fails", "Example that passes"


# --- Making a page -----------------------------------------------------------------------------------------------


def _blanks(text: str, words: InWords) -> str:
    """A sentence of a pack, with its parameters filled in and the names of facts where their values will stand."""

    def value_of(name: str) -> str:
        if name.startswith(PARAMS):
            parameter = words.parameters[name.removeprefix(PARAMS)]
            return say(parameter.latest, parameter.unit)
        fact = dictionary().get(name)
        return f"[{fact.title if fact else words.name(name)}]"

    return parse(text).fill(value_of)


def _with_cases(loaded: LoadedPack) -> Pack:
    """The pack with its cases, which the built form of the shipped packs leaves out."""
    return loaded.pack if loaded.source is not None else _written(loaded.pack.id)


@lru_cache(maxsize=32)
def _written(id: str) -> Pack:
    return next(pack for pack in (read_pack(path).pack for path in _shipped_files(id)) if pack.id == id)


def _shipped_files(id: str) -> list[Path]:
    """The shipped files; the one that has the pack's name first."""
    return sorted(pack_files(shipped_folder("rules")), key=lambda path: path.stem != id)


def rule_page(packs: Packs, pack: Pack, part: Rule | Pattern) -> RulePage:
    """The page of one rule or combined finding of these packs."""
    loaded = next(one for one in packs.packs if one.pack.id == pack.id)
    sources = tuple(str(cite(citation, pack.sources[citation.source])) for citation in part.sources)
    lets = {name: let for other in packs.packs if other.pack.id in pack.uses for name, let in other.pack.let.items()}
    lets |= {**pack.let, **part.let}
    if isinstance(part, Pattern):
        gate = next((one.gate for one in packs.patterns if one.pattern.id == part.id), None)
        words = InWords(gate) if gate else None
        decision = tuple(_looked_for(part, packs, words))
        fails, passes = _pattern_examples(_with_cases(loaded), part)
        written = [line.condition for line in decision if line.condition]
        return RulePage(
            id=part.id,
            title=part.title,
            pack=pack.id,
            pack_title=pack.title,
            version=pack.version,
            asks="Nothing more than the rules below ask. It tells of a "
            f"{part.concludes.partition('.')[0]} where their verdicts come together.",
            standing=(("Severity", part.severity), ("Concludes", part.concludes)),
            why=part.why,
            exclusions=(),
            decision=decision,
            lets=_lets(written, lets),
            where=words.where() if words else (),
            numbers=_numbers(packs.packs, pack, [*written, *_lets(written, lets).values()]),
            assumptions=("Groups of rules that show one fault count once; the conclusion never changes the score.",),
            fails=fails,
            passes=passes,
            remedy=part.remedy,
            sources=sources,
            combined=True,
        )
    compiled = packs.rule(part.id)
    words = InWords(compiled)
    decision = tuple(_decided(part, compiled, words))
    exclusions = tuple(_exclusions(part, compiled, packs, words))
    remedy = _blanks(part.remedy, words)
    written = [line.condition for line in decision if line.condition] + ([part.when] if part.when else [])
    texts = [part.remedy, part.finding or "", *(branch.finding or "" for branch in part.decide or ())]
    texts += [note.when + note.text for note in part.notes]
    used = _lets([*written, *texts], lets)
    numbers = _numbers(packs.packs, pack, [*written, *texts, *used.values()])
    fails, passes = _examples(_with_cases(loaded), part, compiled, packs)
    return RulePage(
        id=part.id,
        title=part.title,
        pack=pack.id,
        pack_title=pack.title,
        version=pack.version,
        asks=part.asks,
        standing=tuple(_standing(part, law=pack.kind == "law")),
        why=part.why,
        exclusions=exclusions,
        decision=decision,
        lets=used,
        where=words.where(),
        numbers=numbers,
        assumptions=tuple(_assumptions(part)),
        fails=fails,
        passes=passes,
        remedy=remedy,
        sources=sources,
    )


def _standing(rule: Rule, *, law: bool) -> Iterator[tuple[str, str]]:
    kinds = listed([KINDS_OF_SEVERAL[kind] for kind in rule.applies_to])
    yield "Asked of", f"{kinds} {_SIZES[rule.tier]}, from the stage “{rule.due_from}” on"
    yield "Severity", rule.severity
    yield "Standing", "law; it never enters the score" if law else rule.strength.replace("-", " ")
    if rule.level == "ext":
        yield "Level", "extended: the sources carry it more lightly"
    if rule.aliases:
        yield "Formerly", listed(rule.aliases)
    if rule.group:
        yield "Group", f"{rule.group}: counted once with the other rules of the group"
    if rule.same_fault_as:
        yield "Same fault", listed(rule.same_fault_as)
    if not rule.scored:
        yield "Score", "shown, not counted"


def _exclusions(rule: Rule, compiled: CompiledRule, packs: Packs, words: InWords) -> Iterator[str]:
    others = [name for kind, name in KINDS_OF_SEVERAL.items() if kind not in rule.applies_to]
    if others:
        yield f"{capital(listed(others))}."
    tier = packs.tiers[compiled.tier]
    if tier is not None:
        yield f"Smaller purchases: it is asked if {InWords(tier).says(tier.branches[0].condition.tree)}."
    if compiled.when is not None:
        clauses = words.clauses(compiled.when.tree)
        yield "It arises only if " + ", and ".join(clauses) + "."
    if rule.due_from != "draft":
        planned = ""
        if compiled.planned is not None:
            planned = f" But a plan meets it: {words.says(compiled.planned.tree)}."
        yield f"Before the stage “{rule.due_from}” it is not due.{planned}"


def _assumptions(rule: Rule) -> Iterator[str]:
    if rule.kind == "direct":
        yield "The source states the thing that is tested."
    else:
        yield "The source states a principle; what is tested is our measure of it."
    yield "What the document does not say is not known: it is never taken as a fault."


def _decided(rule: Rule, compiled: CompiledRule, words: InWords) -> Iterator[Line]:
    if rule.require is not None:
        tree = compiled.branches[0].condition.tree
        yield Line("met", words.says(tree), rule.require)
        yield Line("not met", "otherwise", None, _blanks(rule.finding or "", words))
    for branch, ready in zip(rule.decide or (), compiled.branches, strict=False):
        tree = ready.condition.tree
        if branch.pass_ is not None:
            yield Line("met", words.says(tree), branch.pass_)
        else:
            yield Line("not met", words.says(tree), branch.fail, _blanks(branch.finding or "", words))


def _looked_for(pattern: Pattern, packs: Packs, words: InWords | None) -> Iterator[Line]:
    titles = {one.rule.id: one.rule.title for one in packs.rules}
    concluded = {one.pattern.concludes: one.pattern.title for one in packs.patterns}

    def worded(match: Match) -> str:
        if match.conclusion is not None:
            return f"the combined finding “{concluded.get(match.conclusion, match.conclusion)}”"
        verdict = {"pass": "met", "fail": "not met", "not_applicable": "does not apply"}[match.verdict or "fail"]
        if match.rule is not None:
            title = titles.get(match.rule)
            return f"{match.rule}{f' ({title})' if title else ''}: {verdict}"
        return f"a rule of the group {match.group}: {verdict}"

    if pattern.when:
        says = words.says(words.rule.branches[0].condition.tree) if words else pattern.when
        yield Line("applies if", says, pattern.when)
    for label, matches in (("all of", pattern.all_of), ("any of", pattern.any_of)):
        if matches:
            yield Line(label, "; ".join(map(worded, matches)))
    if pattern.at_least:
        yield Line(f"at least {pattern.at_least.count} of", "; ".join(map(worded, pattern.at_least.of)))
    for label, matches in (
        ("unless", pattern.unless),
        ("raised by", pattern.raised_by),
        ("lowered by", pattern.lowered_by),
    ):
        if matches:
            yield Line(label, "; ".join(map(worded, matches)))


def _lets(written: Sequence[str], lets: Mapping[str, Let]) -> dict[str, str]:
    """The lets that these texts use, and those that they use in turn."""
    used: set[str] = set()
    queue = list(written)
    while queue:
        text = queue.pop()
        for name in lets:
            if name not in used and _names(text, name):
                used.add(name)
                queue.append(lets[name].is_)
    return {name: " ".join(let.is_.split()) for name, let in lets.items() if name in used}


def _names(text: str, name: str) -> bool:
    return re.search(rf"(?<![\w.]){name}(?![\w.])", text) is not None


def _numbers(loaded: Sequence[LoadedPack], pack: Pack, written: Sequence[str]) -> tuple[Number, ...]:
    known: dict[str, Parameter] = {}
    for other in loaded:
        if other.pack.id in pack.uses:
            known |= other.pack.parameters
    known |= pack.parameters
    return tuple(
        Number(name, said(parameter), _BASES[parameter.basis], parameter.why)
        for name, parameter in known.items()
        if any(_names(text.replace("params.", "params "), name) and f"params.{name}" in text for text in written)
    )


# --- Examples ----------------------------------------------------------------------------------------------------


def _examples(pack: Pack, part: Rule, compiled: CompiledRule, packs: Packs) -> tuple[Example | None, Example | None]:
    rule = next((rule for rule in pack.rules if rule.id == part.id), part)

    def first(verdict: str) -> Example | None:
        for case in rule.cases:
            if case.expect == verdict and not case.provisional:
                return _example(rule, case, compiled, packs)
        return None

    return first("fail"), first("pass")


def _example(rule: Rule, case: Case, compiled: CompiledRule, packs: Packs) -> Example:
    verdict = run_case(compiled, packs, case)
    given = {"kind": rule.applies_to[0], "stage": rule.due_from, **case.given}
    text = _yaml({key: value for key, value in given.items() if value is not None})
    return Example(case.name, text, verdict.finding, verdict.remedy)


def _pattern_examples(pack: Pack, part: Pattern) -> tuple[Example | None, Example | None]:
    pattern = next((one for one in pack.patterns if one.id == part.id), part)

    def first(outcome: str) -> Example | None:
        return next((_told(case) for case in pattern.cases if case.expect == outcome), None)

    return first("concluded"), first("excluded")


def _told(case: PatternCase) -> Example:
    held: dict[str, Any] = {"verdicts": dict(case.verdicts)} if case.verdicts else {}
    if case.given:
        held["facts"] = case.given
    return Example(case.name, _yaml(held), None, None)


def _yaml(value: Mapping[str, Any]) -> str:
    text: str = yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, default_flow_style=False, width=100)
    return text


# --- Views -------------------------------------------------------------------------------------------------------


def page_data(page: RulePage) -> dict[str, Any]:
    """The page as plain values."""
    return asdict(page)


def page_markdown(page: RulePage) -> str:
    """The page as Markdown, with the same headings for every rule."""
    return "\n".join(_markdown(page)).rstrip() + "\n"


def _markdown(page: RulePage) -> Iterator[str]:
    yield f"# {page.id}: {page.title}"
    yield ""
    yield f"Pack: {page.pack_title} (`{page.pack}` {page.version})"
    yield ""
    for label, text in page.standing:
        yield f"- {label}: {text}"
    for heading, body in _sections(page):
        yield ""
        yield f"## {heading}"
        yield ""
        yield from body


def _sections(page: RulePage) -> Iterator[tuple[str, list[str]]]:
    yield "What it asks", [page.asks]
    yield "Why", [page.why]
    yield "Exclusions", [f"- {text}" for text in page.exclusions] or ["None."]
    yield "How it is decided", list(_decision_markdown(page))
    yield "Assumptions", list(_assumptions_markdown(page))
    for heading, example in zip(page.headings, (page.fails, page.passes), strict=True):
        yield heading, list(_example_markdown(example))
    yield "Remedy", [page.remedy or "None is needed: it is a strength."]
    yield "Sources", [f"- {source}" for source in page.sources]


def _decision_markdown(page: RulePage) -> Iterator[str]:
    for line in page.decision:
        yield f"- **{capital(line.verdict)}**{' if' if line.verdict in ('met', 'not met') else ':'} {line.words}."
        if line.finding:
            yield f"  Then: “{line.finding}”"
    if page.where:
        yield ""
        yield "Names in quotation marks stand for what is computed:"
        yield ""
        yield from (f"- “{name}”: {meaning}." for name, meaning in page.where)
    written = [f"{line.verdict:<10}{' '.join(line.condition.split())}" for line in page.decision if line.condition]
    if written:
        yield ""
        yield "As it is written, in CEL; the first line that holds decides:"
        yield ""
        yield "```text"
        yield from written
        if page.lets:
            yield "where"
            yield from (f"  {name} = {text}" for name, text in page.lets.items())
        yield "```"


def _assumptions_markdown(page: RulePage) -> Iterator[str]:
    yield from (f"- {text}" for text in page.assumptions)
    for number in page.numbers:
        yield f"- `{number.name}` is {number.value} ({number.basis}). {number.why}"


def _example_markdown(example: Example | None) -> Iterator[str]:
    if example is None:
        yield "None."
        return
    yield f"{capital(example.name)}:"
    yield ""
    yield "```yaml"
    yield from example.description.rstrip("\n").split("\n")
    yield "```"
    if example.finding:
        yield ""
        yield f"Finding: {example.finding}"
    if example.remedy:
        yield ""
        yield f"Remedy: {example.remedy}"


def page_text(page: RulePage, width: int, colour: bool) -> str:
    """The page for the terminal."""
    out = Page(width, [])
    out.say(f"{page.id} {neutral(page.title)}", style="bold")
    out.labelled("Pack", f"{neutral(page.pack_title)} ({page.pack} {page.version})", at=_AT)
    for label, text in page.standing:
        out.labelled(label, neutral(text), at=_AT)
    out.heading("What it asks")
    out.say(neutral(page.asks), "  ")
    out.heading("Why")
    out.say(neutral(page.why), "  ")
    out.heading("Exclusions")
    for text in page.exclusions or ("None.",):
        out.labelled("-", neutral(text), at=4)
    out.heading("How it is decided")
    for line in page.decision:
        out.labelled(capital(line.verdict), f"{'if ' if line.condition else ''}{neutral(line.words)}", at=_AT)
        if line.finding:
            out.labelled("", f"“{neutral(line.finding)}”", at=_AT, styles=("", "dim"))
    if page.where:
        out.blank()
        out.say("Names in quotation marks stand for what is computed:", "  ", "dim")
        for name, meaning in page.where:
            out.labelled("-", f"“{name}”: {neutral(meaning)}", at=4)
    written = [line for line in page.decision if line.condition]
    if written:
        out.blank()
        out.say("As it is written, in CEL; the first line that holds decides:", "  ", "dim")
    for line in written:
        out.labelled(capital(line.verdict), " ".join((line.condition or "").split()), at=_AT)
    if page.lets:
        out.say("where", "  ", "dim")
        for name, expression in page.lets.items():
            out.say(f"{name} = {expression}", "    ")
    out.heading("Assumptions")
    for text in page.assumptions:
        out.labelled("-", neutral(text), at=4)
    for number in page.numbers:
        out.labelled("-", f"{number.name} is {number.value} ({number.basis}). {neutral(number.why)}", at=4)
    for heading, example in zip(page.headings, (page.fails, page.passes), strict=True):
        out.heading(heading)
        _example_text(out, example)
    out.heading("Remedy")
    out.say(neutral(page.remedy or "None is needed: it is a strength."), "  ")
    out.heading("Sources")
    for source in page.sources:
        out.labelled("-", neutral(source), at=4)
    return out.text(colour=colour)


def _example_text(out: Page, example: Example | None) -> None:
    if example is None:
        out.say("None.", "  ")
        return
    out.say(f"{capital(neutral(example.name))}:", "  ")
    out.blank()
    for line in example.description.rstrip("\n").split("\n"):
        bare = line.lstrip(" ")
        out.lines.append((("    " + " " * (len(line) - len(bare)), ""), (neutral(bare), "")))
    for label, text in (("Finding", example.finding), ("Remedy", example.remedy)):
        if text:
            out.blank()
            out.labelled(label, neutral(text), at=_AT)


# --- docs/rules/ ---------------------------------------------------------------------------------------------------


def rule_pages(packs: Packs) -> Mapping[str, str]:
    """The pages of all rules and combined findings: the name of the file and its text; ``README.md`` lists them."""
    pages: dict[str, str] = {}
    index = [
        "# The rules",
        "",
        "One page for each rule, made from the packs by `python -m goodcommission.report.rule_pages`.",
        "`goodcommission rules show ID` prints the same. The examples are cases by which a rule is tested, audited as",
        "for a large contract.",
    ]
    order = sorted((one.pack for one in packs.packs if one.pack.pack), key=lambda pack: not pack.rules)
    for pack in order:
        parts: list[Rule | Pattern] = [*pack.rules, *pack.patterns]
        held = [count(len(pack.rules), "rule")] if pack.rules else []
        held += [count(len(pack.patterns), "combined finding")] if pack.patterns else []
        index += [
            "",
            f"## {pack.title}",
            "",
            f"`{pack.id}` {pack.version}: {listed(held)}. {pack.about or ''}".rstrip(),
            "",
        ]
        for part in parts:
            pages[f"{part.id}.md"] = page_markdown(rule_page(packs, pack, part))
            index.append(f"- [{part.id}]({part.id}.md) {part.title} ({part.severity})")
    pages["README.md"] = "\n".join(index) + "\n"
    return pages


def write_pages(folder: Path) -> None:
    """Write all pages into a folder, and take away pages of rules that are no more."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = rule_pages(load_packs())
    for stale in folder.glob("*.md"):
        if stale.name not in pages:
            stale.unlink()
    for name, text in pages.items():
        replace_file(folder / name, text.encode())


if __name__ == "__main__":
    write_pages(Path(__file__).parent.parent.parent / "docs" / "rules")
