"""The published JSON Schema of a rule pack, made from the model: editors check and complete packs by it."""

from __future__ import annotations

import json
from typing import Any

from goodcommission.packs.model import Pack

SCHEMA_ID = "urn:goodcommission:schema:rule-pack:1"


def pack_schema() -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) of a pack or a file of definitions.

    That conditions compile, names exist and cases hold is left to ``goodcommission packs check``.
    """
    schema = Pack.model_json_schema(by_alias=True)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, "title": "A rule pack"}
    one_of = [{"required": ["pack"]}, {"required": ["definitions"]}]
    return {**head, **{key: value for key, value in schema.items() if key != "title"}, "oneOf": one_of}


def schema_text() -> str:
    """The schema as it is published in ``schemas/rule-pack.schema.json``."""
    return json.dumps(pack_schema(), ensure_ascii=False, indent=2) + "\n"
