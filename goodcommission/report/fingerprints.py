"""Names a finding so that it is recognised again after the document was reformatted, reordered or corrected in part."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from goodcommission.report.model import AuditedDocument, PatternResult, RuleResult, WaiverFinding

LENGTH: Final = 32
_NUMBERED: Final = re.compile(r"\[\d+\]")


def fingerprint(result: RuleResult | PatternResult | WaiverFinding, document: AuditedDocument) -> str:
    """What stays the same of a result: which rule, in which document, decided by facts of which names.

    Values, lines, the order of the items in a list and the folder of the file change it as little as a new version of
    goodcommission does. A combined finding is the same with one member more or less, since each member is a finding
    of its own.

    Args:
        result: What a rule or a pattern says, or what is wrong with a waiver.
        document: What was audited, as the report names it.

    Returns:
        32 hexadecimal digits.
    """
    if isinstance(result, RuleResult):
        id, names = result.rule.id, sorted({_NUMBERED.sub("[]", name) for name in result.decided_by})
    elif isinstance(result, WaiverFinding):
        id, names = f"{result.kind} waiver", [result.waiver.rule, result.waiver.pointer or ""]
    else:
        id, names = result.id, []
    file = re.split(r"[/\\]", document.name)[-1]
    stated = json.dumps([id, document.id or file, names], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(stated.encode("ascii")).hexdigest()[:LENGTH]
