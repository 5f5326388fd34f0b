"""The quick check: which question to ask next, what a typed answer means, and how far it has settled the score.

It asks the questions of ``rules/quick-check/questions.yaml``, the most decisive first, and leaves out what can no
longer matter. The description so far is a plain dict: a fact that is absent was not asked, ``None`` is "don't know".
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from goodcommission.auditing import audit
from goodcommission.description.facts import COMPLETE, Fact, dictionary
from goodcommission.description.model import Kind
from goodcommission.description.raw import held, place
from goodcommission.description.reading import read_description
from goodcommission.description.starting import Question, questions_for
from goodcommission.engine.texts import say_date
from goodcommission.exceptions import DescriptionError, Fault, GoodCommissionError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.loading import load_packs
from goodcommission.packs.model import Tier
from goodcommission.report.model import AuditReport

BASICS: Final = Question(
    0,
    "Basics",
    "Where it stands",
    "A rule that is asked from a later stage on stays open until the stage is known.",
    ("stage",),
)
_SEVERITY: Final[Mapping[str, float]] = {"high": 5.0, "medium": 3.0, "low": 1.0}
_ABSENT: Final = object()
_YES: Final = frozenset({"y", "yes", "true", "1"})
_NO: Final = frozenset({"n", "no", "false", "0"})
_DONT_KNOW: Final = frozenset({"?", "dk", "don't know", "dont know", "don’t know", "unknown", "null"})
_MOST_DIGITS: Final = 40
"""Of a number that is an answer; Python takes its time over thousands of them, or refuses to."""
_DAY: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?\s+([a-z]+)\s+(\d{4})")
_SLASHED: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class AnswerError(GoodCommissionError):
    """An answer can't be understood; the message says what is expected."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, with those of its answers that still matter."""

    question: Question
    facts: tuple[Fact, ...]
    decides: tuple[str, ...]
    """The rules that its answers help to decide."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the answers have settled the audit; the score in points of 100, shares in percent."""

    score: float | None
    low: float | None
    high: float | None
    grade: str
    coverage: float
    decided: int
    rules: int
    """Rules that apply or may apply."""


class QuickCheck:
    """One quick check: answers come in, and the questions left and the interval follow.

    Args:
        kind: What is described.
        packs: The rules; all shipped packs by default. Law among them is left out: it never changes the score.
        answers: The description so far, as it was written: what is in it is not asked again.
        commissioner: The commissioner's profile, as for `audit`.
        as_of: The day of the audit.
        tier: How much to ask, as for `audit`.

    Raises:
        DescriptionError: What is there already is not valid.
    """

    def __init__(
        self,
        kind: Kind,
        packs: Packs | None = None,
        *,
        answers: Mapping[str, Any] | None = None,
        commissioner: Any = None,
        as_of: dt.date | None = None,
        tier: Tier | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.packs = (packs or load_packs()).practice
        self._options: dict[str, Any] = {"as_of": as_of, "tier": tier}
        self._commissioner = commissioner
        self.answers: dict[str, Any] = {**_copied(answers or {}), "kind": kind}
        self._questions = ((BASICS, BASICS.facts), *questions_for(kind, self.packs))
        self._skipped: set[str] = set()
        self.report: AuditReport = self._audit(self.answers)

    def _audit(self, answers: Mapping[str, Any]) -> AuditReport:
        document = read_description(answers, commissioner=self._commissioner)
        return audit(document, self.packs, **self._options)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        score = self.report.score
        asked = [one for one in self.report.results if one.verdict in ("pass", "fail", "unknown")]
        return Progress(
            score.score,
            score.low,
            score.high,
            score.grade,
            score.coverage,
            sum(one.verdict != "unknown" for one in asked),
            len(asked),
        )

    def remaining(self) -> tuple[Asked, ...]:
        """The questions that can still settle something, the most decisive first.

        A question weighs what it can contribute to rules that are open: the weight of each by its severity, divided by
        the square of the number of facts that the rule still waits for. Shared equally, a rule that waits for ten facts
        would call for its questions as loudly as one that the next answer decides.
        """
        waiting: dict[str, list[str]] = {}
        worth: dict[str, float] = {}
        for result in self.report.results:
            open_ = result.verdict == "unknown" or result.provisional
            names = {_base(name) for name in result.missing}
            if open_ and names:
                for name in names:
                    waiting.setdefault(name, []).append(result.rule.id)
                    worth[name] = worth.get(name, 0.0) + _SEVERITY[result.rule.severity] / len(names) ** 2
        for pattern in self.report.patterns:
            for name in pattern.missing:
                waiting.setdefault(_base(name), [])
                worth.setdefault(_base(name), 0.0)
        found = []
        for question, names_ in self._questions:
            left = tuple(name for name in names_ if name in waiting and not self.settled(name))
            if left:
                decides = tuple(dict.fromkeys(rule for name in left for rule in waiting[name]))
                facts = tuple(dictionary()[name] for name in left)
                found.append((-sum(worth[name] for name in left), Asked(question, facts, decides)))
        return tuple(asked for _, asked in sorted(found, key=lambda one: one[0]))

    def settled(self, name: str) -> bool:
        """Whether a fact was answered, with "don't know" as well, or passed over."""
        return name in self._skipped or held(self.answers, name, _ABSENT) is not _ABSENT

    def skip(self, name: str) -> None:
        """Pass a fact over for now: it stays absent, and is asked again another time."""
        self._skipped.add(name)

    def answer(self, name: str, value: Any) -> None:
        """State a fact, as a description holds it; None is "don't know".

        Raises:
            AnswerError: It does not fit the fact; nothing is changed.
        """
        answers = _copied(self.answers)
        section, last = place(answers, name)
        section[last] = value
        try:
            self.report = self._audit(answers)
        except DescriptionError as error:
            raise AnswerError(*error.faults) from None
        self.answers = answers

    def take_back(self, name: str) -> None:
        """Forget an answer: it is asked again."""
        self._skipped.discard(name)
        _remove(self.answers, name)
        self.report = self._audit(self.answers)


# --- What a typed answer means -------------------------------------------------------------------------------------


def read_answer(fact: Fact, text: str, currency: str = "GBP") -> Any:
    """A typed answer as a description holds it; None is "don't know".

    Money may be written £300,000 or 300k, a share 25%, a date 2026-03-31, 31/3/2026 or 31 March 2026, a choice by its
    name or number, a list with commas.

    Raises:
        AnswerError: It can't be understood.
    """
    said = text.strip()
    low = said.lower()
    if low in _DONT_KNOW:
        return None
    if low == "none" and fact.may_be_none:
        return "none"
    match fact.type:
        case "bool":
            if low in _YES | _NO:
                return low in _YES
            raise _expected("yes, no or ? for don't know", said)
        case "int":
            if len(said) <= _MOST_DIGITS and re.fullmatch(r"[0-9][0-9,]*", said):
                return int(said.replace(",", ""))
            raise _expected("a whole number", said)
        case "double":
            return float(_number(said.removesuffix("%"), said) / (100 if said.endswith("%") else 1))
        case "money":
            amount = _money(said)
            return {
                "amount": int(amount) if amount == amount.to_integral_value() else float(amount),
                "currency": currency,
            }
        case "date":
            return _date(said)
        case "enum":
            return _choice(fact.values, said)
        case "text":
            return said
        case "list_enum":
            items = [_choice(fact.values, part) for part in _parts(said)]
            return [] if low in ("none", "[]") else items
        case "list_text":
            return [] if low in ("none", "[]") else _parts(said)
    raise _expected("a list, which is asked for item by item", said)


def _expected(what: str, said: str) -> AnswerError:
    return AnswerError(Fault(f"{what} is expected, not “{said[:40]}”"))


def _parts(said: str) -> list[str]:
    return [] if said.lower() in ("none", "[]") else [part.strip() for part in said.split(",") if part.strip()]


def _number(text: str, said: str) -> Decimal:
    try:
        number = Decimal(text.strip().replace(",", ""))
    except InvalidOperation:
        raise _expected("a number", said) from None
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        raise _expected("a number", said)
    return number


def _money(said: str) -> Decimal:
    text = said.lower().removeprefix("£").removeprefix("gbp").strip()
    for ending, factor in (("million", 1_000_000), ("m", 1_000_000), ("k", 1_000)):
        if text.endswith(ending):
            return _number(text.removesuffix(ending), said) * factor
    return _number(text, said)


def _date(said: str) -> str:
    text = " ".join(said.lower().replace(",", " ").split())
    day: tuple[int, int, int] | None = None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        day = int(text[:4]), int(text[5:7]), int(text[8:])
    elif found := _SLASHED.fullmatch(text):
        day = int(found[3]), int(found[2]), int(found[1])
    elif (found := _DAY.fullmatch(text)) and found[2][:3] in _MONTHS:
        day = int(found[3]), _MONTHS.index(found[2][:3]) + 1, int(found[1])
    try:
        return dt.date(*(day or (0, 0, 0))).isoformat()
    except ValueError:
        example = say_date(dt.date(2026, 3, 31))
        raise _expected(f"a date, such as 2026-03-31 or {example},", said) from None


def _choice(values: Sequence[str], said: str) -> str:
    """One of some values, by its number from 1 on, its name or the beginning of it."""
    if said.isdecimal() and len(said) <= _MOST_DIGITS and 1 <= int(said) <= len(values):
        return values[int(said) - 1]
    name = re.sub(r"[\s-]+", "_", said.strip().lower())
    if name in values:
        return name
    near = [value for value in values if name and value.startswith(name)]
    if len(near) == 1:
        return near[0]
    words = ", ".join(value.replace("_", " ") for value in values)
    raise _expected(f"one of {words}", said)


# --- The description so far ----------------------------------------------------------------------------------------


def _base(name: str) -> str:
    """The fact of the dictionary that a missing reference belongs to."""
    return name.partition("[")[0].removesuffix(COMPLETE)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


def _remove(answers: dict[str, Any], name: str) -> None:
    section, _, last = name.rpartition(".")
    here: Any = answers
    for part in section.split(".") if section else []:
        here = here.get(part) if isinstance(here, dict) else None
    if isinstance(here, dict):
        here.pop(last, None)
    if section and isinstance(here, dict) and not here:
        _remove(answers, section)
