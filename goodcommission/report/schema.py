"""The published JSON Schema of a report, made from the model."""

from __future__ import annotations

import json
from typing import Any

from goodcommission.report.model import AuditReport

SCHEMA_ID = "urn:goodcommission:schema:report:1"


def report_schema() -> dict[str, Any]:
    """The JSON Schema (Draft 2020-12) of what ``goodcommission audit --format json`` gives for one document."""
    schema = AuditReport.model_json_schema(mode="serialization")
    schema["properties"]["digest"] = {
        "title": "Digest",
        "description": "SHA-256 of the report as it is written, without this line.",
        "type": "string",
        "pattern": "^sha256:[0-9a-f]{64}$",
    }
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "The audit of one document",
    }
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def schema_text() -> str:
    """The schema as it is published in ``schemas/report.schema.json``."""
    return json.dumps(report_schema(), ensure_ascii=False, indent=2) + "\n"
