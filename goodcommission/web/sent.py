"""What the form of a page brings: documents, and how to audit them; and how the next page carries both on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple

from starlette.datastructures import FormData

from goodcommission.report.terminal import neutral
from goodcommission.web.problems import ProblemError
from goodcommission.web.service import AuditOptions, File

_CRLF: Final = "crlf"
_LONGEST: Final = 80
"""Characters of a name."""


class Sent(NamedTuple):
    """What a form brought to be audited, and how."""

    files: tuple[File, ...]
    """One or more; none if the form was empty."""
    options: AuditOptions
    together: bool
    """As one case: one report, one score."""


class Carried(NamedTuple):
    """A text as a page carries it on to the next request: browsers change the ends of its lines."""

    name: str
    text: str
    ends: str
    """How its lines ended where that is to be restored, so that its digest stays that of the file."""


def sent_in(form: FormData, files: Sequence[File] = (), profile: File | None = None) -> Sent:
    """What a form brings: files if there are some, else texts.

    Args:
        form: Its fields.
        files: What was uploaded to be audited.
        profile: What was uploaded as the commissioner's profile.

    Raises:
        ProblemError: A field has a value that no page offers.
    """
    texts = [str(one) for one in form.getlist("text")]
    if not files:
        names, ends = ([str(one) for one in form.getlist(field)] for field in ("name", "ends"))
        files = [
            File(_restored(text, end), safe_name(name or "pasted text"))
            for text, name, end in zip(texts, [*names, *[""] * len(texts)], [*ends, *[""] * len(texts)], strict=False)
            if text.strip()
        ]
    return Sent(tuple(files), options_in(form, profile), bool(form.get("together")) and len(files) > 1)


def options_in(form: FormData, profile: File | None = None) -> AuditOptions:
    """How a form says that its documents are to be audited; of today, unless it names a day.

    Raises:
        ProblemError: A field has a value that no page offers.
    """
    tier, day, text = (str(form.get(field) or "") for field in ("tier", "as_of", "commissioner"))
    if tier not in ("", "small", "medium", "large"):
        raise ProblemError(422, "The size is small, medium or large.")
    try:
        as_of = dt.date.fromisoformat(day) if day else dt.datetime.now(dt.UTC).date()
    except ValueError:
        raise ProblemError(422, "The day of the audit is a date, such as 2026-11-20.") from None
    if profile is None and text.strip():
        name = str(form.get("commissioner_name") or "commissioner’s profile")
        profile = File(_restored(text, str(form.get("commissioner_ends") or "")), safe_name(name))
    packs = tuple(sorted({str(one) for one in form.getlist("pack")}))
    return AuditOptions(as_of, tier or None, packs, bool(form.get("evidence")), profile)


def carried(file: File) -> Carried:
    """A file as a page carries it."""
    text = file.body.decode("utf-8", "replace")
    crlf = text.count("\r\n")
    return Carried(file.name, text, _CRLF if crlf and crlf == text.count("\n") else "")


def _restored(text: str, ends: str) -> bytes:
    """The bytes of a text that a form brings: browsers end all lines with CR LF."""
    plain = text.replace("\r\n", "\n")
    return (plain.replace("\n", "\r\n") if ends == _CRLF else plain).encode("utf-8", "surrogatepass")


def safe_name(name: str | None) -> str:
    """The name of what was sent, as the report may show it: no folders, nothing that acts, and not long."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return neutral(last).strip()[:_LONGEST] or "document"
