"""``goodcommission diff``: what got better or worse between two documents or saved reports."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goodcommission.cli.frame import (
    BAD_INPUT,
    FINE,
    GATE_FAILED,
    Day,
    check_output,
    complain,
    deliver,
    fail,
    fault_lines,
    form_option,
    look,
    output_option,
    read,
)
from goodcommission.cli.settings import (
    audit_given,
    audit_options,
    configurations,
    packs_of,
    path_of,
    settled,
)
from goodcommission.exceptions import Fault, GoodCommissionError

if TYPE_CHECKING:
    from goodcommission.comparing import Comparison, Comparisons
    from goodcommission.description.document import Document
    from goodcommission.packs.compiling import Packs
    from goodcommission.packs.model import Tier
    from goodcommission.report.model import AuditReport

_REPORT = re.compile(r'\s*(\[\s*)?\{\s*"schema_version"')


@click.command()
@click.argument("old")
@click.argument("new")
@click.option("--fail-on-worse", is_flag=True, help="Exit with 1 if anything got worse.")
@form_option
@output_option
@click.option(
    "--as-of", type=Day(), help="The day of the audits; the saved report's day, or today, if it is not given."
)
@audit_options
def diff(
    old: str,
    new: str,
    fail_on_worse: bool,
    form: str,
    output: Path | None,
    as_of: dt.date | None,
    config: Path | None,
    no_config: bool,
    **how: Any,
) -> None:
    """Compare two documents or saved reports (audit --format json), in any mix ("-" is standard input).

    Documents are audited with the same rules and as of the same day: that of the saved report, where one is compared.
    Of files with several, those with the same id or name are compared. The configuration is that of NEW or, where NEW
    is a saved report, of OLD.
    """
    from goodcommission.comparing import Comparisons, pairs

    commissioner, tier, require_evidence = how["commissioner"], how["tier"], how["require_evidence"]
    if [old, new].count("-") + (commissioner == "-") > 1:
        fail("standard input (-) can be named only once.")
    options = audit_given(how, as_of)
    sources = [_open(file) for file in (old, new)]
    audited = [one for one in sources if not one.report]
    settings = None
    if audited:
        path = path_of(audited[-1].file)
        settings = settled(configurations(config, no_config)(path), path, options)
        commissioner = settings["commissioner"].value
    check_output(output, [one for one in (old, new, commissioner) if one])
    before, after = _all_read(sources, commissioner)
    chosen = day = None
    if settings is not None:
        chosen = packs_of(settings)
        tier, day = settings["tier"].value, settings["as_of"].value
        require_evidence = settings["require_evidence"].value
    matched, only_before, only_after = pairs(before, after, _named)
    if not matched:
        advice = "Documents of the two are compared if they have the same id, or the same name."
        fail(Fault(f"{old} and {new} have no document in common", suggestion=advice))
    compare = _Compare(chosen, as_of, day, tier, bool(require_evidence))
    found = Comparisons(
        comparisons=tuple(compare(*pair) for pair in matched),
        only_before=tuple(_named(one)[1] for one in only_before),
        only_after=tuple(_named(one)[1] for one in only_after),
    )
    deliver(_shown(found, form, output is None), output, as_bytes=form == "json")
    if fail_on_worse and found.worse:
        for one in found.comparisons:
            if one.worse:
                complain(f"{one.after.name}: {one.worse} {'change' if one.worse == 1 else 'changes'} for the worse.")
        sys.exit(GATE_FAILED)
    sys.exit(FINE)


# --- Reading -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Opened:
    file: str
    report: bool
    data: bytes | None
    """What standard input held, which can't be read twice."""


def _open(file: str) -> _Opened:
    """Find out whether a file is a saved report; what can't be read is said when it is read as a document."""
    from goodcommission.description.reading import read_source

    data = sys.stdin.buffer.read() if file == "-" else None
    try:
        text = read_source(file, stream=io.BytesIO(data) if data is not None else None).text
    except GoodCommissionError:
        return _Opened(file, False, data)
    return _Opened(file, '"schema_version"' in text and _is_report(text), data)


def _is_report(text: str) -> bool:
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError):
        # Cut off or spoilt: what is wrong with it is said of a report.
        return _REPORT.match(text) is not None
    first = raw[0] if isinstance(raw, list) and raw else raw
    return isinstance(first, dict) and "schema_version" in first


def _all_read(
    sources: Sequence[_Opened], commissioner: str | None
) -> tuple[Sequence[Document | AuditReport], Sequence[Document | AuditReport]]:
    """What both files hold; all that is wrong with either is said."""
    said: dict[str, None] = {}
    before, after = (_read(one, commissioner, said) for one in sources)
    if said:
        sys.exit(BAD_INPUT)
    return before, after


def _read(source: _Opened, commissioner: str | None, said: dict[str, None]) -> Sequence[Document | AuditReport]:
    from goodcommission.description.reading import read_documents
    from goodcommission.report.reading import read_reports

    stream = io.BytesIO(source.data) if source.data is not None else None
    if not source.report and stream is None:
        return read((source.file,), commissioner, said)[0]
    try:
        if source.report:
            return read_reports(source.file, stream=stream)
        return read_documents(source.file, commissioner=commissioner, stream=stream)
    except GoodCommissionError as error:
        for line in fault_lines(error.faults):
            said[line] = None
            complain(line)
        return ()


def _named(given: Document | AuditReport) -> tuple[str | None, str]:
    from goodcommission.report.model import AuditReport

    if isinstance(given, AuditReport):
        return given.document.id, given.document.name
    return given.description.id, given.name


# --- Comparing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Compare:
    """Compares two of what was read, audited in the same way as far as they are audited."""

    packs: Packs | None
    asked: dt.date | None
    """The day that was given on the command line; it stands before a saved report's."""
    configured: dt.date | None
    tier: Tier | None
    require_evidence: bool

    def __call__(self, before: Document | AuditReport, after: Document | AuditReport) -> Comparison:
        from goodcommission.comparing import compare
        from goodcommission.report.model import AuditReport

        saved = [one for one in (before, after) if isinstance(one, AuditReport)]
        like = saved[0] if saved else None
        notes = self._notes(before, after, like) if like and len(saved) == 1 else ()
        return compare(
            self._audited(before, like),
            self._audited(after, like),
            documents=(
                None if isinstance(before, AuditReport) else before,
                None if isinstance(after, AuditReport) else after,
            ),
            notes=notes,
        )

    def _day(self, like: AuditReport | None) -> dt.date | None:
        if self.asked:
            return self.asked
        if like is not None:
            return None if like.as_of is None else dt.date.fromisoformat(like.as_of)
        return self.configured or dt.datetime.now().astimezone().date()

    def _tier(self, like: AuditReport | None) -> Tier | None:
        """The tier that was given; else that of a report which was told its tier as well."""
        return self.tier or (like.tier.name if like is not None and like.tier.basis == "override" else None)

    def _audited(self, given: Document | AuditReport, like: AuditReport | None) -> AuditReport:
        from goodcommission.auditing import audit
        from goodcommission.report.model import AuditReport

        if isinstance(given, AuditReport):
            return given
        required = self.require_evidence or (like is not None and like.require_evidence)
        law = like.regime.id if like is not None and like.regime.basis == "given" else None
        return audit(
            given, self.packs, as_of=self._day(like), tier=self._tier(like), require_evidence=required, regime=law
        )

    def _notes(
        self, before: Document | AuditReport, after: Document | AuditReport, like: AuditReport
    ) -> tuple[str, ...]:
        from goodcommission.engine.texts import say_date

        document = next(one for one in (before, after) if one is not like)
        name = _named(document)[1]
        notes = []
        if self.asked is None and like.as_of is not None:
            day = say_date(dt.date.fromisoformat(like.as_of))
            notes.append(f"{name} was audited as of {day}, the day of the saved report.")
        elif self.asked is None:
            notes.append(f"The saved report is of no particular day; {name} was audited as of its own date, if any.")
        if like.regime.basis == "given":
            notes.append(f"{name} was audited under {like.regime.title}, as the saved report was.")
        if like.require_evidence and not self.require_evidence:
            notes.append(f"Evidence was required of {name}, as in the saved report.")
        if self.tier is None and like.tier.basis == "override":
            notes.append(f"{name} was audited in the tier of the saved report, {like.tier.name}.")
        return tuple(notes)


def _shown(found: Comparisons, form: str, on_screen: bool) -> str:
    if form == "json":
        return found.to_json()
    from goodcommission.report.comparison import render_all

    width, colour = look() if on_screen else (80, False)
    return render_all(found, width=width, colour=colour)
