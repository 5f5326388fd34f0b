"""Cases: the documents that describe one service together, and the files that list them."""

from __future__ import annotations

import difflib
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, get_args

from goodcommission.description.document import Document, Source
from goodcommission.description.model import Description, Kind
from goodcommission.description.parsing import parse, quoted
from goodcommission.description.positions import positions, to_pointer
from goodcommission.description.reading import is_case_file, read_documents, read_source
from goodcommission.exceptions import DescriptionError, Fault

NAMING: Final[Mapping[str, str]] = {
    "kind": "it says which document this is",
    "id": "each document has its own",
    "case": "it is the case's own name",
    "title": "each document has its own",
    "summary": "each document has its own",
}
"""Facts that name a document, and why: no document takes them from another, and no two contradict each other."""

OF_ITS_TIME: Final[Mapping[str, str]] = {
    "stage": "a contract that is live does not make its tender live",
    "as_at": "each document was true on a day of its own",
    "notice": "each notice has a number and a date of its own",
}
"""Facts (or sections) that say where a kind of document stands, and why: only documents of one kind share them."""

CHANGING: Final[Mapping[str, str]] = {
    "users": "involvement grows while a service is designed, bought and run",
    "vcs.phases": "as for service users",
    "equality.phases": "what was not assessed yet is assessed later",
    "equality.took_part": "more people take part later",
    "equality.groups": "the caseload is counted anew",
    "equality.selection_failures": "it is counted anew",
    "equality.meeting_planned_for": "plans move",
    "market.bids_received": "it is counted anew in each procurement",
    "market.bids_from_sme": "as for all bids",
    "market.bids_from_vcse": "as for all bids",
    "collaboration.existing_providers": "it is counted anew",
    "information.documents": "each notice publishes papers of its own",
    "information.contact_list_shared_on": "what was not shared yet is shared later",
    "subcontracting.position": "what was wanted in the tender is in use in the contract",
    "subcontracting.dialogue_channels": "channels open while a service runs",
    "subcontracting.dialogue_planned_for": "plans move",
    "subcontracting.prime_changed": "it happens while a service runs",
    "subcontracting.value_before_change": "it belongs to the latest change",
    "subcontracting.value_after_change": "it belongs to the latest change",
    "subcontracting.actual_vcs_share": "it is counted anew",
    "subcontracting.subcontractors_at_start": "it is counted anew each year",
    "subcontracting.subcontractors_exited": "it is counted anew each year",
    "subcontracting.exits_reviewed": "what was not reviewed yet is reviewed later",
    "provider.annual_income": "it is another each year",
    "contract_terms.changes": "changes are added while a contract runs",
    "decommissioning.informed": "people are told one after the other",
    "decommissioning.users_informed_date": "as above",
    "decommissioning.current_users": "it is counted anew",
}
"""Facts (or sections) that two documents may say differently without contradicting each other, and why."""

_FIELDS: Final = ("case", "title", "documents")
_LONGEST: Final = 1000
"""Characters of a name or a path."""
_MOST_DOCUMENTS: Final = 200
_ADVICE: Final = "Write {case: ID, documents: [tender.json, contract.yaml]}; the files are looked up beside this one."


@dataclass(frozen=True, slots=True)
class Case:
    """Documents that are audited together, in one order whatever order they were given in."""

    documents: tuple[Document, ...]
    """No two have the same name."""
    id: str | None = None
    title: str | None = None
    file: str | None = None
    """The case file, if there is one."""

    @property
    def name(self) -> str:
        """What the case is called: its file, its id, or the names of its documents."""
        names = " + ".join(os.path.basename(document.name) for document in self.documents)
        return self.file or self.id or names

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of the documents."""
        text = "\n".join(sorted(document.digest for document in self.documents))
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def is_among(name: str, facts: Mapping[str, str]) -> bool:
    """Whether a fact is among facts and sections."""
    parts = name.split(".")
    return any(".".join(parts[:size]) in facts for size in range(1, len(parts) + 1))


def read_case_file(
    path: str | os.PathLike[str], *, commissioner: str | os.PathLike[str] | Mapping[str, Any] | None = None
) -> Case:
    """The case whose documents a file lists.

    Raises:
        DescriptionError: It is no case file, cannot be read, or it or one of its documents is not valid.
    """
    source = read_source(path)
    raw = parse(source)
    if not is_case_file(raw):
        raise DescriptionError(Fault("this is no case file", source.name, suggestion=_ADVICE))
    files = _files(raw, source)
    documents: list[Document] = []
    faults: list[Fault] = []
    for index, file in enumerate(files):
        try:
            documents += read_documents(file, commissioner=commissioner)
        except DescriptionError as error:
            # What is not there is a fault of the list, and any other fault is the document's own.
            gone = not os.path.exists(file)
            faults += [_at(source, ("documents", index), str(one)) if gone else one for one in error.faults]
    if faults:
        raise DescriptionError(*faults)
    return gathered(documents, id=raw["case"], title=raw.get("title"), source=source)


def _files(raw: Mapping[str, Any], source: Source) -> list[str]:
    """The documents that a case file lists, as paths."""
    faults = []
    for name in islice(raw, _MOST_DOCUMENTS):
        if name not in _FIELDS:
            near = difflib.get_close_matches(name[:80], _FIELDS, 1, 0.6)
            advice = f"Did you mean {near[0]}?" if near else "A case file has case, title and documents."
            faults.append(_at(source, (name,), f"there is no field {quoted(name)} in a case file", advice))
    for name in ("case", "title"):
        value = raw.get(name)
        if name == "case" and value is None:
            faults.append(_at(source, (name,), "a case file says which case it is: `case` is missing", _ADVICE))
        elif value is not None and not (isinstance(value, str) and value.strip()):
            faults.append(_at(source, (name,), f"`{name}` is a text"))
        if isinstance(value, str) and len(value) > _LONGEST:
            faults.append(_at(source, (name,), f"`{name}` has {_LONGEST} characters at most"))
    listed = raw["documents"]
    if isinstance(listed, list) and len(listed) > _MOST_DOCUMENTS:
        faults.append(_at(source, ("documents",), f"a case has {_MOST_DOCUMENTS} documents at most"))
        listed = listed[:_MOST_DOCUMENTS]
    files: list[str] = []
    if not isinstance(listed, list) or not listed:
        faults.append(_at(source, ("documents",), "a case has at least one document, in a list", _ADVICE))
        listed = []
    seen: dict[str, int] = {}
    folder = os.path.dirname(source.name)
    for index, entry in enumerate(listed):
        usable = isinstance(entry, str) and entry.strip() and entry != "-" and "\0" not in entry
        if not usable or len(entry) > _LONGEST:
            faults.append(_at(source, ("documents", index), "a document is named by its file, such as contract.yaml"))
            continue
        file = os.path.normpath(os.path.join(folder, entry))
        first = seen.setdefault(os.path.realpath(file), index)
        if first != index:
            faults.append(_at(source, ("documents", index), f"{entry} is listed twice", "Leave one out."))
        files.append(file)
    if faults:
        raise DescriptionError(*faults)
    return files


def _at(source: Source, parts: tuple[str | int, ...], message: str, advice: str | None = None) -> Fault:
    pointer = to_pointer(parts)
    line, column = positions(source).nearest(pointer, key=isinstance(parts[-1], str)) or (None, None)
    return Fault(message, source.name, line, column, pointer, advice)


Given = Document | Description | Mapping[str, Any] | str | os.PathLike[str]


def read_case(
    given: Case | Sequence[Given] | str | os.PathLike[str],
    *,
    commissioner: str | os.PathLike[str] | Mapping[str, Any] | None = None,
) -> Case:
    """Read the documents of a case.

    Args:
        given: A case file, or the documents: files, dicts, or what ``read_description`` gave.
        commissioner: The commissioner's profile. Not for what ``read_description`` gave, which takes it there.

    Raises:
        DescriptionError: A document can't be read or is not valid; they are not of one case; one is there twice.
    """
    if isinstance(given, Case):
        return given
    if isinstance(given, str | os.PathLike):
        return read_case_file(given, commissioner=commissioner)
    if isinstance(given, Mapping | Description | Document):
        raise DescriptionError(Fault("a case is a list of documents", suggestion="Put it into a list."))
    documents: list[Document] = []
    for one in given:
        if isinstance(one, Document):
            documents.append(one)
        else:
            documents += read_documents(one, commissioner=commissioner)
    return gathered(documents)


def gathered(
    documents: Sequence[Document], *, id: str | None = None, title: str | None = None, source: Source | None = None
) -> Case:
    """A case of documents that were read.

    Raises:
        DescriptionError: There is none, one is there twice, or they name different cases.
    """
    if not documents:
        raise DescriptionError(Fault("a case has at least one document, and there is none"))
    faults = [*_twice(documents), *_other_case(documents, id, source)]
    if faults:
        raise DescriptionError(*faults)
    stated = next((one.description.case for one in documents if one.description.case is not None), None)
    kinds = get_args(Kind)
    ordered = sorted(documents, key=lambda one: (kinds.index(one.description.kind), one.name, one.digest))
    names: dict[str, int] = {}
    for index, document in enumerate(ordered):
        number = names[document.name] = names.get(document.name, 0) + 1
        if number > 1:
            ordered[index] = replace(document, name=f"{document.name} ({number})")
    return Case(tuple(ordered), id or stated, title, source.name if source else None)


def _twice(documents: Sequence[Document]) -> Iterator[Fault]:
    seen: dict[tuple[str, str | None], str] = {}
    for document in documents:
        notice = document.description.notice
        key = (document.digest, notice.ocid if notice and document.origin == "ocds" else None)
        if key in seen:
            same = "is there twice" if seen[key] == document.name else f"says word for word what {seen[key]} says"
            yield Fault(f"the document {same}: a case has each once", document.name, suggestion="Leave one out.")
        seen.setdefault(key, document.name)


def _other_case(documents: Sequence[Document], id: str | None, source: Source | None) -> Iterator[Fault]:
    """Documents that say that they belong to another case."""
    named = [(one, one.description.case) for one in documents if one.description.case is not None]
    expected, by = (id, source.name) if id is not None and source else (None, "")
    for document, case in named:
        if expected is None:
            expected, by = case, document.name
        if case != expected:
            place = positions(document.source).nearest("/case") if document.source else None
            line, column = place or (None, None)
            message = f'the document belongs to the case "{case}", and {by} to "{expected}"'
            advice = "Audit them as two cases, or give them one `case`."
            yield Fault(message, document.name, line, column, "/case", advice)


def case_schema() -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) of a case file."""
    text = {"type": "string", "pattern": r"\S"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:goodcommission:schema:case:1",
        "title": "A case file",
        "description": "Lists the documents that describe one service, to be audited together.",
        "type": "object",
        "required": ["case", "documents"],
        "additionalProperties": False,
        "properties": {
            "case": {**text, "description": "The case; documents that name one name this one."},
            "title": {**text, "description": "What the case is called at the head of its report."},
            "documents": {
                "description": "Files, looked up from the folder of this one.",
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": text,
            },
        },
    }
