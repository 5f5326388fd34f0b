"""``goodcommission check``: the quick check, asked at the terminal or answered by a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import click

from goodcommission.cli.frame import (
    Day,
    check_output,
    commissioner_option,
    deliver,
    fail,
    look,
    pack_option,
    rules_option,
    show,
)
from goodcommission.cli.settings import (
    config_option,
    configurations,
    lock_option,
    no_config_option,
    packs_of,
    path_of,
    settled,
)
from goodcommission.description.model import Kind
from goodcommission.exceptions import Fault, GoodCommissionError

if TYPE_CHECKING:
    from goodcommission.description.facts import Fact
    from goodcommission.quick_check import Asked, QuickCheck

_FIRST: Final = 5
_BAR: Final = 30
_KEYS: Final = "Enter: leave it for now · ?: I don't know · why · back · stop"
_HEAD: Final = ("Written by goodcommission check. null means that the answer is not known.",)


class _StopError(Exception):
    """The person has had enough for now."""


class _BackError(Exception):
    """The person wants to answer the last question again."""


@click.command()
@click.argument("what", metavar="KIND|FILE")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The file for the answers (.yaml or .json).")
@click.option(
    "--answers",
    type=click.Path(path_type=Path),
    help="Take the answers from this file and ask nothing at the terminal.",
)
@click.option("--most", type=click.IntRange(1), metavar="N", help="Ask at most so many questions this time.")
@pack_option
@rules_option
@lock_option
@commissioner_option
@click.option("--as-of", type=Day(), help="The day of the audit; today if it is not given.")
@click.option("--tier", type=click.Choice(["small", "medium", "large"]), help="How much to ask.")
@config_option
@no_config_option
def check(
    what: str,
    output: Path | None,
    answers: Path | None,
    most: int | None,
    packs: tuple[str, ...],
    folders: tuple[str, ...],
    lock: str | None,
    commissioner: str | None,
    as_of: dt.date | None,
    tier: str | None,
    config: Path | None,
    no_config: bool,
) -> None:
    """Ask the questions of the quick check, the most decisive first, and write a description.

    Begin with a kind of document (tender, contract, decommissioning_plan, grant_programme); go on with the file that
    was written. Each answer may be left out or not known, and it can be stopped at any question.
    """
    from goodcommission.quick_check import QuickCheck

    kind, begun, target = _begin(what, output)
    check_output(target, [str(path) for path in (answers, commissioner) if path])
    given: dict[str, tuple[Any, str]] = {
        "packs": (packs, "--pack"),
        "rules": (folders, "--rules"),
        "lock": (lock, "--lock"),
        "commissioner": (commissioner, "--commissioner"),
        "tier": (tier, "--tier"),
        "as_of": (as_of, "--as-of"),
    }
    place = path_of(str(target))
    settings = settled(configurations(config, no_config)(place), place, given)
    used = packs_of(settings)
    if not used.practice.rules:
        message = "the quick check asks what the score rests on, and of these packs nothing enters the score"
        advice = f"Name another pack with --pack; a file with a place for all facts: goodcommission new {kind}."
        fail(Fault(message, ", ".join(used.ids), suggestion=advice))
    session = QuickCheck(
        kind,
        used,
        answers=begun,
        commissioner=settings["commissioner"].value,
        as_of=settings["as_of"].value or dt.datetime.now().astimezone().date(),
        tier=settings["tier"].value,
    )
    if answers is not None:
        _from_file(session, answers)
        _save(session, target)
    else:
        _conversation(session, target, most)
    _ending(session, target)


def _begin(what: str, output: Path | None) -> tuple[Kind, Mapping[str, Any], Path]:
    """The kind of document, what is answered already, and the file for the answers."""
    kinds: tuple[Kind, ...] = get_args(Kind)
    kind = next((one for one in kinds if one == what.replace("-", "_")), None)
    if kind is None and not Path(what).exists():
        fail(Fault(f"this is neither a kind of document ({', '.join(kinds)}) nor a file", what))
    begun = Path(what) if kind is None else output or Path(f"{what}.yaml")
    if kind is not None and not begun.exists():
        return kind, {}, begun
    held, answers = _read(begun)
    if kind is not None and held != kind:
        message = f"this file is there already, and describes another kind: {held.replace('_', ' ')}"
        fail(Fault(message, str(begun), suggestion="Name another file with --output."))
    return held, answers, output or begun


def _read(path: Path) -> tuple[Kind, dict[str, Any]]:
    """The kind of a description, and all of it as it was written; it is checked."""
    from goodcommission.description.parsing import parse
    from goodcommission.description.reading import read_description, read_source
    from goodcommission.engine.mending import plain

    document = read_description(path)
    if document.origin == "ocds":
        advice = "Make a description of it first: goodcommission convert."
        fail(Fault("a published notice can't be completed here", str(path), suggestion=advice))
    # What was checked, and not what may stand there by now.
    raw: Any = plain(parse(document.source or read_source(path)))
    return document.description.kind, dict(raw)


def _save(session: QuickCheck, target: Path) -> None:
    from goodcommission.description.writing import written

    form = "json" if target.suffix.lower() == ".json" else "yaml"
    deliver(written(session.answers, form, _HEAD), target, as_bytes=True)  # type: ignore[arg-type]


# --- At the terminal -----------------------------------------------------------------------------------------------


def _conversation(session: QuickCheck, target: Path, most: int | None) -> None:
    from goodcommission.report.wording import count

    remaining = session.remaining()
    show(f"The quick check: up to {count(len(remaining), 'question')}, the most decisive first.\n{_KEYS}\n")
    asked_now = 0
    last: Asked | None = None
    try:
        while remaining and (most is None or asked_now < most):
            try:
                _question(session, remaining[0], len(remaining))
            except _BackError:
                if last is None:
                    show("There is no question before this one to go back to.\n")
                    continue
                for fact in last.facts:
                    session.take_back(fact.name)
                remaining, last, asked_now = (last, *session.remaining()), None, asked_now - 1
                continue
            last, asked_now = remaining[0], asked_now + 1
            _save(session, target)
            show(f"\n{_standing(session)}\n")
            remaining = session.remaining()
    except _StopError:
        pass
    _save(session, target)


def _question(session: QuickCheck, asked: Asked, left: int) -> None:
    from goodcommission.report.text import wrap

    width = min(look()[0], 100)
    question = asked.question
    show(f"\n{'─' * width}\n{question.title} ({question.heading}); {left - 1} more after this\n")
    for line in wrap(question.help, width - 2):
        show(f"  {line}\n")
    for fact in asked.facts:
        # An answer can make the rest of its question idle.
        still = {one.name for now in session.remaining() if now.question == question for one in now.facts}
        if fact.name in still:
            _fact(session, fact, asked, width)


def _fact(session: QuickCheck, fact: Fact, asked: Asked, width: int) -> None:
    from goodcommission.description.starting import asked_as
    from goodcommission.report.text import wrap

    show("\n")
    for line in wrap(asked_as(fact), width):
        show(f"{line}\n")
    if fact.values:
        for number, value in enumerate(fact.values, 1):
            show(f"  {number} {value.replace('_', ' ')}\n")
    while True:
        try:
            value = _list(fact, asked) if fact.type == "list_record" else _typed(fact, asked)
            if value is _LEFT:
                session.skip(fact.name)
            else:
                session.answer(fact.name, value)
        except GoodCommissionError as error:
            for fault in error.faults:
                show(f"  {_capital(fault.message)}.\n")
        else:
            return


_LEFT: Final = object()
"""What stands for an answer that is left for now."""


def _typed(fact: Fact, asked: Asked) -> Any:
    from goodcommission.quick_check import read_answer

    said = _line(_hint(fact), asked)
    if not said:
        return _LEFT
    value = read_answer(fact, said)
    if fact.type in ("list_enum", "list_text") and value:
        return _whole(value, asked)
    return value


def _list(fact: Fact, asked: Asked) -> Any:
    """A list of records, asked item by item."""
    from goodcommission.quick_check import AnswerError, read_answer

    said = _line("How many are there? (0 = none) ", asked)
    if not said:
        return _LEFT
    if said in ("?", "dk"):
        return None
    if not said.isdecimal() or len(said) > 2 or int(said) > 50:
        raise AnswerError(Fault("a number from 0 to 50 is expected"))
    items: list[dict[str, Any]] = []
    for number in range(1, int(said) + 1):
        item: dict[str, Any] = {}
        for part in fact.fields.values():
            while True:
                label = f"  {number}. {part.help or _capital(part.title)} {_hint(part)}"
                answer = _line(label, asked)
                if not answer:
                    break
                try:
                    value = read_answer(part, answer)
                except AnswerError as error:
                    show(f"  {_capital(error.faults[0].message)}.\n")
                    continue
                if value is not None:
                    item[part.name.rpartition(".")[2]] = value
                break
        items.append(item)
    return _whole(items, asked) if items else []


def _whole(items: list[Any], asked: Asked) -> Any:
    """The list, with whether it names all."""
    said = _line("Are these all? (yes, or Enter if there may be more) ", asked).lower()
    return {"complete": True, "items": items} if said in ("y", "yes") else items


def _hint(fact: Fact) -> str:
    from goodcommission.description.starting import hint

    words = {
        "bool": "yes or no",
        "money": "an amount, such as 300000" + (" a year" if fact.unit == "per year" else ""),
        "date": "a date, such as 31 March 2026",
        "enum": "a number from the list",
        "list_enum": "numbers from the list, with commas",
        "list_text": "with commas between",
        "double": "such as 25%" if fact.unit == "share" else "a number",
    }.get(fact.type) or hint(fact)
    none = ", or none" if fact.may_be_none and "none" not in words else ""
    if fact.type in ("list_enum", "list_text"):
        none = ", or none"
    return f"({words}{none}) > "


def _line(prompt: str, asked: Asked) -> str:
    """What is typed, without its blanks; the words that steer are done here."""
    while True:
        show(prompt)
        try:
            said = input().strip()
        except EOFError:
            show("\n")
            raise _StopError from None
        if said.lower() in ("stop", "q", "quit", "exit"):
            raise _StopError
        if said.lower() in ("back", "b"):
            raise _BackError
        if said.lower() in ("why", "w"):
            rules = ", ".join(asked.decides)
            show(f"  It helps to decide {rules or 'what findings mean together'}. (goodcommission rules show ID)\n")
            continue
        return said


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _standing(session: QuickCheck) -> str:
    from goodcommission.report.text import bar
    from goodcommission.report.wording import score_words

    now = session.progress
    drawn = "".join(text for text, _ in bar(now.low or 0.0, now.high or 0.0, _BAR)) if now.high is not None else ""
    return f"{drawn}  {score_words(session.report.score)}; {now.decided} of {now.rules} rules decided"


# --- From a file ---------------------------------------------------------------------------------------------------


def _from_file(session: QuickCheck, path: Path) -> None:
    """State all answers of a file.

    Raises:
        GoodCommissionError: Some can't be understood; all of them are named, and none is stated.
    """
    from goodcommission.description.parsing import parse
    from goodcommission.description.reading import read_source

    source = read_source(path)
    raw: Any = parse(source)
    if not isinstance(raw, dict) or not isinstance(raw.get("answers"), dict):
        advice = "Write them as answers: with a line for each, such as value.total: 300000."
        fail(Fault("there are no answers in this file", source.name, 1, 1, "", advice))
    faults = list(_state(session, raw["answers"], source))
    if faults:
        raise GoodCommissionError(*faults)


def _state(session: QuickCheck, answers: Mapping[str, Any], source: Any) -> Iterator[Fault]:
    import difflib

    from goodcommission.description.facts import dictionary
    from goodcommission.description.positions import positions
    from goodcommission.quick_check import read_answer

    known = dictionary()
    for name, written in answers.items():
        pointer = f"/answers/{str(name).replace('~', '~0').replace('/', '~1')}"
        line, column = positions(source).nearest(pointer) or (None, None)
        if name not in known or name == "kind":
            near = difflib.get_close_matches(str(name), known, n=1)
            advice = f"Did you mean {near[0]}?" if near else None
            yield Fault(f'there is no fact "{name}"', source.name, line, column, pointer, advice)
            continue
        try:
            fact = known[name]
            plain = isinstance(written, bool | int | float | str) and not fact.type.startswith("list_")
            session.answer(name, read_answer(fact, _as_typed(written)) if plain else written)
        except GoodCommissionError as error:
            for fault in error.faults:
                yield Fault(f"{name}: {fault.message}", source.name, line, column, pointer, fault.suggestion)


def _as_typed(written: Any) -> str:
    if isinstance(written, bool):
        return "yes" if written else "no"
    return str(written)


def _ending(session: QuickCheck, target: Path) -> None:
    from goodcommission.report.wording import count

    left = session.remaining()
    show(f"\n{_standing(session)}\n")
    if left:
        titles = "; ".join(one.question.title for one in left[:_FIRST])
        show(f"{count(len(left), 'question')} left that can settle more. Next would be: {titles}.\n")
        show(f"To go on: goodcommission check {target}\n")
    else:
        show("No question of the quick check is left.\n")
    show(f"The whole report: goodcommission audit {target}\n")
