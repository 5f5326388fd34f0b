"""The report as GitHub workflow commands: an annotation for each finding, at its place in the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from goodcommission.report.findings import Entry, file_of, headline, path, standing
from goodcommission.report.terminal import neutral

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport

_COMMANDS: Final[Mapping[str, str]] = {"high": "error", "medium": "warning", "low": "notice"}


def render(reports: Sequence[AuditReport]) -> str:
    """One line a finding that counts, the worst first, and one with the score of each document.

    GitHub shows the first ten of each kind that a step gives; hence the order.
    """
    lines = [line for report in reports for line in _findings(report)]
    lines += [
        _command("notice", headline(report), file=path(file_of(report)), title="goodcommission") for report in reports
    ]
    return "".join(f"{line}\n" for line in lines)


def _findings(report: AuditReport) -> Iterable[str]:
    for one in standing(report):
        place = one.places[0] if one.places else None
        where: dict[str, str | int | None] = {"file": place.file if place else path(file_of(report))}
        if place:
            where.update(line=place.line, col=place.column)
        said = [one.message, f"Remedy: {one.remedy}"] if one.remedy else [one.message]
        yield _command(_COMMANDS[one.severity] if one.weighs else "notice", "\n".join(said), **where, title=_title(one))


def _title(one: Entry) -> str:
    return f"{one.id}: {one.title}"


def _command(command: str, message: str, **properties: str | int | None) -> str:
    given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value is not None)
    return f"::{command} {given}::{_data(message)}"


def _data(text: str) -> str:
    """A message in which nothing ends the line or starts another command."""
    lines = "\n".join(neutral(line) for line in text.split("\n"))
    return lines.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(neutral(text)).replace(":", "%3A").replace(",", "%2C")
