"""Our own errors: what is wrong, where (file, line, column, JSON pointer) and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input."""

    message: str
    """What is wrong and what was expected, in one sentence."""
    file: str | None = None
    line: int | None = None
    """1-based; None where the input has no text (a Python dict)."""
    column: int | None = None
    """1-based, in characters."""
    pointer: str | None = None
    """JSON pointer (RFC 6901) of the value; "" is the whole document."""
    suggestion: str | None = None
    """The nearest known name, or what to do."""

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        pointer = f" (at {self.pointer})" if self.pointer else ""
        advice = f". {self.suggestion}" if self.suggestion else ""
        return f"{place}{': ' if place else ''}{self.message.removesuffix('.')}{pointer}{advice}"


class GoodCommissionError(Exception):
    """Base of all errors that goodcommission raises on purpose.

    Args:
        faults: Everything that was found wrong, in the order of the document; at least one.
    """

    def __init__(self, *faults: Fault | str) -> None:
        self.faults: tuple[Fault, ...] = tuple(Fault(f) if isinstance(f, str) else f for f in faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class DescriptionError(GoodCommissionError):
    """A description cannot be read or is not valid."""


class CaseFileError(DescriptionError):
    """A case file was given where one description is expected."""


class ConfigurationError(GoodCommissionError):
    """A configuration file cannot be read, or sets something that cannot be set."""


class PackError(GoodCommissionError):
    """A rule pack cannot be read, does not compile or contradicts another."""


class ReportError(GoodCommissionError):
    """A saved report cannot be read or is not one."""


class AnswerError(GoodCommissionError):
    """A file of answers cannot be read, is not valid, or answers what is not asked."""


class WaiverError(GoodCommissionError):
    """A file of waivers cannot be read, is not valid, or names what is not there."""


class BaselineError(GoodCommissionError):
    """A baseline cannot be read, is not valid, or does not fit the findings."""


class EngineError(GoodCommissionError):
    """An engine could not do its work: a condition ran out of budget, engines disagree, an engine is not installed."""


class ScanError(GoodCommissionError):
    """A scan cannot begin, go on or be resumed; what is wrong with single notices never raises it."""
