"""Names a finding so that it is recognised again after the document was reformatted, reordered or corrected in part."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Final

from goodcommission.report.model import AuditedDocument, Contradiction, PatternResult, RuleResult, WaiverFinding, plain

LENGTH: Final = 32
_NUMBERED: Final = re.compile(r"\[\d+\]")
_FOLDERS: Final = re.compile(r"^.*[/\\]", re.DOTALL)


def fingerprint(result: RuleResult | PatternResult | Contradiction | WaiverFinding, document: AuditedDocument) -> str:
    """What stays the same of a result: which rule, in which document, decided by facts of which names.

    Values, lines, the order of the items in a list and the folder of the file change it as little as a new version of
    goodcommission does. A combined finding is the same with one member more or less, since each member is a finding
    of its own.

    Args:
        result: What a rule or a pattern says, what documents contradict, or what is wrong with a waiver.
        document: What was audited, as the report names it.

    Returns:
        32 hexadecimal digits.
    """
    if isinstance(result, RuleResult):
        id, names = result.rule.id, sorted({_NUMBERED.sub("[]", plain(name)) for name in result.decided_by})
        if result.document is not None:
            names.append(f"in {_FOLDERS.sub('', result.document)}")
    elif isinstance(result, Contradiction):
        id, names = "contradiction", [result.name]
    elif isinstance(result, WaiverFinding):
        id, names = f"{result.kind} waiver", [result.waiver.rule, result.waiver.pointer or ""]
    else:
        id, names = result.id, []
    file = _FOLDERS.sub("", document.name)
    stated = json.dumps([id, document.id or file, names], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(stated.encode("ascii")).hexdigest()[:LENGTH]
