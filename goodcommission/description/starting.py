"""Starting files: a description to be filled in, in YAML, with its questions and all that may be answered as comments.

The file as it is printed is a valid description that states nothing: each answer is ``null``, not known. There are two
forms. The full one asks for every fact that the loaded rules read in this kind of document, in the order of the model.
The quick one asks the questions of the quick check (``rules/quick-check/questions.yaml``) that bear on it.

YAML holds each section once, and the quick check's questions go to and fro between sections. So a section stands at
the first question that is at home in it, and holds all its answers in the order of the questions; a question that has
answers in several sections is taken up again there, by its number.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, get_args

from goodcommission.description.facts import Fact, dictionary
from goodcommission.description.kinds import KINDS, KINDS_OF_SEVERAL
from goodcommission.description.model import Description, Evidence, Kind
from goodcommission.description.parsing import parse
from goodcommission.description.reading import read_source
from goodcommission.description.types import Listed, Money, Part
from goodcommission.packs.asking import Asked, asked
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs, shipped_folder

WIDTH: Final = 100
_ALWAYS: Final = ("stage", "id", "title", "commissioner.name")
_NAMED: Final = 3
"""Up to so many rules are named with their titles; more than that is a list nobody reads."""


# --- The quick check -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """One question of the quick check."""

    number: int
    heading: str
    title: str
    help: str
    facts: tuple[str, ...]
    """All that the model can hold of the answer; the first says in which section the question is at home."""

    @property
    def home(self) -> str:
        """The section in which it is at home."""
        return self.facts[0].partition(".")[0]


@cache
def quick_check() -> tuple[Question, ...]:
    """The questions of the quick check, in their order."""
    raw = parse(read_source(shipped_folder("rules") / "quick-check" / "questions.yaml"))
    questions: list[Question] = []
    for group in raw["headings"]:
        for one in group["questions"]:
            number = len(questions) + 1
            questions.append(Question(number, group["heading"], one["title"], one["help"].strip(), tuple(one["facts"])))
    return tuple(questions)


def questions_for(kind: Kind, packs: Packs) -> tuple[tuple[Question, tuple[str, ...]], ...]:
    """The questions that bear on a kind of document, each with those of its facts that decide a rule or pattern."""
    deciding = asked(packs, kind).deciding
    found = ((question, tuple(fact for fact in question.facts if fact in deciding)) for question in quick_check())
    return tuple((question, facts) for question, facts in found if facts)


# --- What a line says ------------------------------------------------------------------------------------------------


def _comment(text: str, indent: str) -> list[str]:
    lead = f"{indent}# "
    return textwrap.wrap(text, WIDTH, initial_indent=lead, subsequent_indent=lead, break_on_hyphens=False)


def sentence(fact: Fact) -> str:
    """The question that a fact answers, or its title, as a sentence."""
    text = _capital(fact.help or fact.title)
    return text if text[-1] in ".?)" else f"{text}."


def asked_as(fact: Fact) -> str:
    """The question that a fact answers, with the section it stands in where others like it are asked too."""
    section = fact.name.rpartition(".")[0]
    question = sentence(fact) if "?" in fact.help or not fact.help else f"{fact.title}. {fact.help}"
    if section.count(".") == 0:
        return _capital(question)
    return f"{_capital(_sections()[section].title)}: {question[0].lower()}{question[1:]}"


def _either(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} or {values[-1]}"


def hint(fact: Fact) -> str:
    """How the value is written."""
    none = ", or none" if fact.may_be_none else ""
    match fact.type:
        case "bool":
            return "true or false"
        case "int":
            return f"a whole number ({fact.unit})" if fact.unit else "a whole number"
        case "double":
            if fact.unit == "share":
                return "a share between 0 and 1: 0.25 is 25 %"
            if fact.unit == "per year":
                return "a number a year"
            return f"a number ({fact.unit})" if fact.unit else "a number"
        case "money":
            return "{amount: 300000, currency: GBP}" + (", a year" if fact.unit == "per year" else "") + none
        case "date":
            return "a date, such as 2026-03-31" + none
        case "enum":
            return _either(fact.values)
        case "text":
            return "text, in double quotes" + none
        case _:
            return "a list; [] = there are none"


def _sample(fact: Fact) -> str:
    """A value for an example, as YAML."""
    return {
        "bool": "true",
        "int": "1",
        "double": "0.25",
        "money": "{amount: 300000, currency: GBP}",
        "date": "2026-03-31",
        "enum": fact.values[0] if fact.values else "",
        "text": '"…"',
    }[fact.type]


def _example(fact: Fact, indent: str) -> Iterator[str]:
    """The items of a list as commented lines: with "# " taken away they are in the right place below its name."""
    lead = f"{indent}#   "
    yield f"{lead}complete: true  # these are all; leave the line out if there may be more"
    if fact.type == "list_enum":
        yield f"{lead}items: [{', '.join(fact.values[:2])}]"
    elif fact.type == "list_text":
        yield f'{lead}items: ["…"]'
    else:
        yield f"{lead}items:"
        bullet = "- "
        for name, part in fact.fields.items():
            shown = "" if part.type in ("bool", "money") else hint(part)
            said = _capital(part.title) + (f": {shown}" if shown else "")
            line = f"{lead}  {bullet}{name}: {_sample(part)}"
            if len(f"{line}  # {said}") > WIDTH:
                yield from (f"{lead}    # {text}" for text in textwrap.wrap(said, WIDTH - len(lead) - 6))
                yield line
            else:
                yield f"{line}  # {said}"
            bullet = "  "


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def _answer(fact: Fact, indent: str, *, question: bool) -> Iterator[str]:
    """The question, and the line on which it is answered."""
    name = fact.name.rpartition(".")[2]
    shown, said = hint(fact), sentence(fact) if question else ""
    line = f"{indent}{name}: null"
    if fact.type == "list_enum":
        said = f"{said} Any of: {', '.join(fact.values)}."
    elif len(f"{line}  # {shown}") > WIDTH:
        said, shown = f"{said} One of: {shown}.", ""
    yield from _comment(said, indent)
    yield f"{line}  # {shown}" if shown else line
    if fact.type.startswith("list_"):
        yield from _example(fact, indent)


# --- The tree of sections --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    about: str
    model: type[Part]


@cache
def _sections() -> Mapping[str, _Section]:
    """The sections of the model, by path."""
    found: dict[str, _Section] = {}

    def visit(model: type[Part], prefix: str) -> None:
        for name, info in model.model_fields.items():
            for inner in get_args(info.annotation):
                if isinstance(inner, type) and issubclass(inner, Part) and not issubclass(inner, Listed | Money):
                    found[prefix + name] = _Section(info.title or name, (inner.__doc__ or "").strip(), inner)
                    visit(inner, f"{prefix}{name}.")

    visit(Description, "")
    return found


@dataclass(slots=True)
class _Writer:
    """Writes nested sections; in the quick form with the questions where their answers begin."""

    of_fact: Mapping[str, Question] = field(default_factory=dict)
    """For the quick form: the question that each fact belongs to."""
    bears_on: Mapping[int, str] = field(default_factory=dict)
    """For the quick form: number of the question → what its answers decide."""
    lines: list[str] = field(default_factory=list)
    current: int = 0
    begun: set[int] = field(default_factory=set)

    def section(self, tree: Mapping[str, Any], prefix: str, indent: str, said: set[tuple[type[Part], str]]) -> None:
        """Write the fields of a section.

        Args:
            tree: Name → None for a field, or the tree of a section within.
            prefix: The section's path, with a dot at its end.
            indent: The blanks before its fields.
            said: What sections of the same form beside it have said already (six phases ask the same).
        """
        beside: set[tuple[type[Part], str]] = set()
        for name, inner in tree.items():
            path = prefix + name
            self.question(path, inner, indent)
            if inner is None:
                key = (_sections()[prefix[:-1]].model, name) if prefix else None
                self.lines.extend(_answer(dictionary()[path], indent, question=key not in said))
                if key:
                    said.add(key)
                continue
            section = _sections()[path]
            if not self.of_fact:
                if not prefix:
                    self.lines.append("")
                self.lines.extend(_comment(_capital(section.about if not prefix else f"{section.title}:"), indent))
            self.lines.append(f"{indent}{name}:")
            self.section(inner, f"{path}.", indent + "  ", beside)

    def question(self, path: str, inner: Mapping[str, Any] | None, indent: str) -> None:
        """Head the answers to a question, before the first of them and where they go on after others."""
        first = path
        while inner:
            name, inner = next(iter(inner.items()))
            first = f"{first}.{name}"
        question = self.of_fact.get(first)
        if question is None or question.number == self.current:
            return
        self.current = question.number
        again = question.number in self.begun
        self.begun.add(question.number)
        more = ", continued" if again else ""
        self.lines.append("")
        self.lines.extend(_comment(f"{question.number}. {question.title} ({question.heading}{more})", indent))
        if not again:
            self.lines.extend(_comment(question.help, indent))
            self.lines.extend(_comment(self.bears_on[question.number], indent))
            self.lines.append(f"{indent}#")


def _tree(paths: Iterable[str]) -> dict[str, Any]:
    """Paths as nested sections; a section stands where it is first met."""
    tree: dict[str, Any] = {}
    for path in paths:
        *sections, name = path.split(".")
        here = tree
        for section in sections:
            here = here.setdefault(section, {})
        here[name] = None
    return tree


# --- The two forms ---------------------------------------------------------------------------------------------------


_HOW: Final = """\
Write each answer in the place of null. An answer that stays null is not known: it never counts as a no, and no rule
fails for it. Leave what you do not know; a section that you do not need can be cut out.

The word none, where it is offered, states that there is none (no reason was recorded, no notice was given). Text
stands in double quotes: "like this".

Below a list is an example. To use it, delete the word null above it, take away the "# " before its lines, and change
what it says. A list of your own can also be written [one, two].
"""
_STAGE: Final = "Give it first: a rule that is asked from a later stage on stays open until it is known."
_EVIDENCE: Final = (
    "Documents that show statements of this file to be true. Without them what is met counts as claimed, which does "
    "not lift a grade above the middle. The pointer is the path of a field, written with slashes."
)


def starting_file(kind: Kind, *, quick: bool = False, packs: Packs | None = None) -> str:
    """A description of one kind to be filled in, as YAML with comments.

    Args:
        kind: What will be described.
        quick: Whether to ask only the questions of the quick check, in its order.
        packs: The rules that are to be answered; the shipped ones by default.

    Returns:
        The text of the file. It is a valid description already, in which nothing is known.
    """
    used = packs or load_packs()
    return "\n".join([*(_quick(kind, used) if quick else _full(kind, used)), *_evidence(), ""])


def _full(kind: Kind, packs: Packs) -> list[str]:
    read = asked(packs, kind)
    facts = [fact for fact in dictionary() if fact in _ALWAYS or fact in read.deciding or fact in read.advising]
    one, many = f"A {KINDS[kind]}", KINDS_OF_SEVERAL[kind]
    lines = _head(
        f"{one}, to be filled in and audited: goodcommission audit FILE",
        f"It has a place for each of the {len(facts)} facts that the rules for {many} ask for, along the commissioning "
        f"cycle. For a start with less, there is goodcommission new {kind} --quick.",
    )
    writer = _Writer(lines=[*lines, *_top(kind, ("stage", "id", "title"))])
    writer.section(_tree(fact for fact in facts if "." in fact), "", "", set())
    return writer.lines


def _quick(kind: Kind, packs: Packs) -> list[str]:
    read = asked(packs, kind)
    questions = questions_for(kind, packs)
    of_fact = {fact: question for question, facts in questions for fact in facts}
    homes: dict[str, int] = {}
    for question, _ in questions:
        homes.setdefault(question.home, question.number)
    for fact, question in of_fact.items():
        homes.setdefault(fact.partition(".")[0], question.number)
    order = sorted(of_fact, key=lambda fact: (homes[fact.partition(".")[0]], of_fact[fact].number))
    one, many = f"A {KINDS[kind]}", KINDS_OF_SEVERAL[kind]
    lines = _head(
        f"{one}, to be filled in and audited: goodcommission audit FILE",
        f"The quick check: of its {len(quick_check())} questions, the {len(questions)} that bear on {many}. They keep "
        "their numbers. A section of the file holds all its answers together, so the numbers jump here and there; this "
        "is their order:",
        contents=_contents(questions),
    )
    bears_on = {question.number: _bears_on(facts, read, packs, many) for question, facts in questions}
    writer = _Writer(of_fact, bears_on, [*lines, *_top(kind, ("stage", "title"))])
    writer.section(_tree(order), "", "", set())
    return writer.lines


def _head(*paragraphs: str, contents: Sequence[str] = ()) -> list[str]:
    lines: list[str] = []
    for paragraph in paragraphs:
        lines += [*_comment(paragraph, ""), "#"]
    if contents:
        lines[-1:] = [line for entry in contents for line in _comment(entry, "")]
        lines.append("#")
    for paragraph in _HOW.split("\n\n"):
        lines += [*_comment(paragraph, ""), "#"]
    return lines[:-1]


def _contents(questions: Sequence[tuple[Question, tuple[str, ...]]]) -> list[str]:
    headings: dict[str, list[str]] = {}
    for question, _ in questions:
        headings.setdefault(question.heading, []).append(f"{question.number} {question.title}")
    return [f"{heading}: {', '.join(titles)}." for heading, titles in headings.items()]


def _top(kind: Kind, facts: Sequence[str]) -> list[str]:
    lines = ["", f"kind: {kind}"]
    for name in facts:
        if name == "stage":
            lines += _comment(f"{sentence(dictionary()[name])} {_STAGE}", "")
            lines += list(_answer(dictionary()[name], "", question=False))
        else:
            lines += list(_answer(dictionary()[name], "", question=True))
    return lines


def _bears_on(facts: Sequence[str], read: Asked, packs: Packs, many: str) -> str:
    """Why a question is asked: the rules that its answers help to decide, or the patterns if it is only those."""
    ids = [id for id in read.rules if any(id in read.deciding[fact] for fact in facts)]
    titles = {rule.rule.id: rule.rule.title for rule in packs.rules}
    if not ids:
        titles = {one.pattern.id: one.pattern.title for one in packs.patterns}
        ids = sorted({id for fact in facts for id in read.deciding[fact]})
    if len(ids) <= _NAMED:
        return "Bears on " + "; ".join(f"{id}, {titles[id]}" for id in ids) + "."
    if 2 * len(ids) > len(read.rules):
        return f"Bears on {len(ids)} of the {len(read.rules)} rules for {many}."
    return f"Bears on {len(ids)} rules: {', '.join(ids)}."


def _evidence() -> Iterator[str]:
    fields = Evidence.model_fields
    samples = {"pointer": "/title", "document": '"…"', "page": '"…"', "url": '"https://…"', "date": "2026-03-31"}
    yield ""
    yield from _comment(_EVIDENCE, "")
    yield "evidence: null  # a list"
    bullet = "- "
    for name, info in fields.items():
        yield f"#   {bullet}{name}: {samples[name]}  # {_capital(info.title or name)}"
        bullet = "  "
