"""Writes a document as a description of our own, to be completed by hand: what ``convert`` gives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from goodcommission.description.document import Document
from goodcommission.description.evidence import notice_evidence
from goodcommission.description.facts import COMPLETE, GIVEN, gather
from goodcommission.description.parsing import parse

Form = Literal["yaml", "json"]


def write(document: Document, form: Form) -> str:
    """The text of a file that reads as this document's description.

    What a published notice states is evidenced by the notice, so each statement taken from one is listed under
    ``evidence``; what is added later by hand is not.
    """
    description = document.description.model_dump(mode="json", exclude_none=True)
    plain: dict[str, Any] = description
    if document.origin == "ocds":
        plain["evidence"] = _evidence(document)
    return written(plain, form, _head(document))


def as_written(document: Document) -> dict[str, Any]:
    """The description as it is written in its file, in plain values; of a notice, as ``convert`` writes it.

    What a commissioner's profile filled is left out: it is not of the document.
    """
    from goodcommission.engine.mending import plain

    if document.source is not None and document.origin == "description":
        held: dict[str, Any] = plain(parse(document.source))
        return held
    made: dict[str, Any] = json.loads(write(document, "json"))
    if document.profile:
        filled = {"/" + name.replace(".", "/") for name in document.profile.facts}
        own = {name: value for name, value in made["commissioner"].items() if f"/commissioner/{name}" not in filled}
        made["commissioner"] = own
        made["evidence"] = [one for one in made.get("evidence", ()) if one["pointer"] not in filled]
    return made


def written(plain: Mapping[str, Any], form: Form, head: Sequence[str] = ()) -> str:
    """A description that is held as plain values, as the text of a file; in YAML with lines of comment before it."""
    held = _plain(dict(plain))
    if form == "json":
        return json.dumps(held, ensure_ascii=False, indent=2) + "\n"
    import yaml

    body: str = yaml.dump(held, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=110)
    return "".join(f"# {line}".rstrip() + "\n" for line in head) + body


def one_line(value: Any) -> str:
    """A value on one line of YAML, to be pasted into a file."""
    import yaml

    text: str = yaml.dump(
        value, Dumper=_dumper(), allow_unicode=True, sort_keys=False, default_flow_style=True, width=10**9
    )
    return text.strip()


class _Short(dict[str, Any]):
    """A section that is written on one line."""


@cache
def _dumper() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(base):  # type: ignore[misc]
        """Writes what reads alike as YAML 1.1 and 1.2."""

        def ignore_aliases(self, data: Any) -> bool:
            """Nothing is written as a reference to another place."""
            return True

    def text(dumper: Any, value: str) -> Any:
        # Versions of YAML differ on what is a number: whatever could begin one stands in quotes.
        quoted = "'" if value[:1] in "+-.0123456789" else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=quoted)

    def short(dumper: Any, value: _Short) -> Any:
        return dumper.represent_mapping("tag:yaml.org,2002:map", value.items(), flow_style=True)

    Dumper.add_representer(str, text)
    Dumper.add_representer(_Short, short)
    return Dumper


def _plain(value: Any) -> Any:
    """Lists that leave open whether there are more are written as plain lists."""
    if isinstance(value, dict):
        if "items" in value and value.keys() <= {"items", "complete"}:
            items = [_plain(item) for item in value["items"]]
            if not items or "complete" not in value:
                return items
            return {"complete": value["complete"], "items": items}
        if value.keys() == {"amount", "currency"}:
            return _Short(value)
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _evidence(document: Document) -> list[dict[str, Any]]:
    entry = notice_evidence(document.description).model_dump(mode="json", exclude_none=True, exclude={"pointer"})
    facts = dict.fromkeys(name.removesuffix(GIVEN).removesuffix(COMPLETE) for name in gather(document).values)
    return [_Short(pointer="/" + name.replace(".", "/"), **entry) for name in facts if name not in ("kind", "stage")]


def _head(document: Document) -> list[str]:
    lines = [f"Made from {document.name} by goodcommission convert."]
    if document.notes:
        lines += ["", "What to know about how it was read:", *(f"- {note}" for note in document.notes)]
    return [" ".join(line.split()) for line in lines]
