"""The published JSON Schema of a description, made from the model: what editors and other tools check against."""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from typing import Any

from pydantic import TypeAdapter

from goodcommission.description.model import Description
from goodcommission.description.types import Text

SCHEMA_ID = "urn:goodcommission:schema:description:1"
_TEXT = TypeAdapter(Text).json_schema()
_ABOUT = (
    "One tender, contract, decommissioning plan or grant programme, as goodcommission audits it. Every field but kind "
    "may be left out or null: both mean that it is not known. false, 0, [] and, where it is allowed, the word none are "
    "statements. "
    "A list may be written plainly, or as {complete: true, items: [...]} where it names all there is."
)


def description_schema() -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) that accepts what a description may hold.

    Three things are left to the reading itself: dates that are in no calendar, statements that contradict each
    other, and evidence for fields that are not there.
    """
    schema = Description.model_json_schema()
    definitions = schema.pop("$defs")
    lists = {name: _half_filled_list(definitions.pop(name)) for name in list(definitions) if name.startswith("Listed_")}
    _allow_null(definitions["Money"], ("amount", "currency"))
    properties = schema.pop("properties")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "A description of one procurement",
        "description": _ABOUT,
        "type": "object",
        "required": schema["required"],
        "additionalProperties": False,
        "properties": _settled(properties, lists),
        "$defs": {
            **{name: _settled(definition, lists) for name, definition in sorted(definitions.items())},
            "Text": {"description": "At least one visible character; no control characters.", **_TEXT},
        },
    }


def schema_text() -> str:
    """The schema as it is written into `schemas/description.schema.json`."""
    return json.dumps(description_schema(), indent=2, ensure_ascii=False) + "\n"


def _allow_null(section: dict[str, Any], names: tuple[str, ...]) -> None:
    """Let required parts be null: the whole is unknown then."""
    for name in names:
        part = section["properties"][name]
        texts = {key: part.pop(key) for key in ("title", "description") if key in part}
        section["properties"][name] = {"anyOf": [part, {"type": "null"}], **texts}


def _half_filled_list(definition: dict[str, Any]) -> dict[str, Any]:
    plain, spelt_out = definition["anyOf"]
    plain = {key: value for key, value in plain.items() if key not in ("title", "description")}
    spelt_out = {key: value for key, value in deepcopy(spelt_out).items() if key not in ("title", "description")}
    _allow_null(spelt_out, ("items",))
    return {"anyOf": [plain, spelt_out]}


def _settled(node: Any, lists: dict[str, dict[str, Any]]) -> Any:
    """A part of the schema with lists written out, since their names tell nobody anything, and without defaults."""
    if isinstance(node, list):
        return [_settled(child, lists) for child in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    if name in lists:
        return _settled(deepcopy(lists[name]), lists)
    settled = {key: _settled(child, lists) for key, child in node.items() if not (key == "default" and child is None)}
    if settled.get("pattern") == _TEXT["pattern"]:
        settled = {"$ref": "#/$defs/Text"} | {key: value for key, value in settled.items() if key not in _TEXT}
    choices = settled.get("anyOf")
    if isinstance(choices, list):
        settled["anyOf"] = [
            inner
            for choice in choices
            for inner in (choice["anyOf"] if isinstance(choice, dict) and set(choice) == {"anyOf"} else [choice])
        ]
    return settled


if __name__ == "__main__":
    sys.stdout.write(schema_text())
