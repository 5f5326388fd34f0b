"""``goodcommission audit --template``: what rules say of templates, whatever is filled in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from goodcommission.cli.frame import BAD_INPUT, FINE, GATE_FAILED, check_output, complain, deliver, fault_lines, look
from goodcommission.description.templates import SYNTAX
from goodcommission.exceptions import GoodCommissionError

if TYPE_CHECKING:
    from goodcommission.packs.compiling import Packs
    from goodcommission.packs.model import Tier
    from goodcommission.report.template_model import TemplateReport

Gate = Literal["high", "medium", "low", "never"]
_ORDER = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class TemplateSettings:
    """How one template is audited."""

    packs: Packs
    commissioner: str | None = None
    tier: Tier | None = None
    fail_on: Gate = "low"
    """The severity from which a rule that is never met is too much; ``never``: none is."""


def run_template(
    files: Sequence[str],
    settings: Callable[[str], TemplateSettings],
    *,
    as_of: dt.date,
    form: Literal["text", "json"] = "text",
    output: Path | None = None,
    syntax: Sequence[str] = SYNTAX,
) -> int:
    """Audit templates and write the reports.

    Args:
        files: The templates.
        settings: What is used for each of them.
        as_of: The day of the audit.
        form: Text, or JSON (a list of reports if there are several files).
        output: The file to write to; by default standard output.
        syntax: How placeholders are written.

    Returns:
        The exit status: 1 if a rule is never met, 2 if a file cannot be read or is not valid.
    """
    from goodcommission.templating import audit_template

    check_output(output, files)
    reports: list[tuple[TemplateReport, TemplateSettings]] = []
    faulty = False
    for file in files:
        used = settings(file)
        try:
            report = audit_template(
                file, used.packs, syntax=syntax, commissioner=used.commissioner, as_of=as_of, tier=used.tier
            )
        except GoodCommissionError as error:
            faulty = True
            for line in fault_lines(error.faults):
                complain(line)
        else:
            reports.append((report, used))
    if reports and not (faulty and output):
        _write([report for report, _ in reports], len(files) > 1, form, output)
    if faulty:
        if output:
            complain(f"{output}: not written, because not all files could be audited.")
        return BAD_INPUT
    failed = [reason for report, used in reports if (reason := gate(report, used.fail_on))]
    for reason in failed:
        complain(reason)
    return GATE_FAILED if failed else FINE


def _write(reports: Sequence[TemplateReport], several: bool, form: str, output: Path | None) -> None:
    if form == "json":
        bodies = [report.to_json() for report in reports]
        joined = "[\n" + ",\n".join(body.rstrip("\n") for body in bodies) + "\n]\n" if several else bodies[0]
        deliver(joined, output, as_bytes=True)
        return
    from goodcommission.report.template_text import render

    width, colour = look() if output is None else (80, False)
    deliver(render(reports, width=width, colour=colour), output)


def gate(report: TemplateReport, fail_on: Gate) -> str | None:
    """Why a template is not let through: the rules of a severity that are never met; None if it is."""
    if fail_on == "never":
        return None
    worse = _ORDER[_ORDER.index(fail_on) :]
    ids = [r.rule.id for r in report.rules if r.holds == "never" and r.rule.scored and r.severity in worse]
    if not ids:
        return None
    rules = "1 rule is" if len(ids) == 1 else f"{len(ids)} rules are"
    return f"{report.template.name}: {rules} never met, whatever is filled in: {', '.join(ids)}."
