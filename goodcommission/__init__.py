"""Audit commissioning practice against good-practice rules.

>>> from goodcommission import audit
>>> report = audit({"kind": "tender", "process": {"same_as_large_contracts": True}})
>>> report.score.grade
'insufficient evidence'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from goodcommission.exceptions import DescriptionError, EngineError, Fault, GoodCommissionError, PackError
from goodcommission.version import VERSION

if TYPE_CHECKING:
    from goodcommission.auditing import audit
    from goodcommission.casework import audit_case
    from goodcommission.comparing import Comparison, compare
    from goodcommission.description.document import Document
    from goodcommission.description.model import Description
    from goodcommission.description.reading import read_description, read_documents
    from goodcommission.improving import Improvement, improve
    from goodcommission.packs.compiling import Packs
    from goodcommission.packs.loading import load_packs
    from goodcommission.report.model import AuditReport
    from goodcommission.report.template_model import TemplateReport
    from goodcommission.templating import audit_template

__version__ = VERSION
_HOMES = {
    "AuditReport": "goodcommission.report.model",
    "Comparison": "goodcommission.comparing",
    "Description": "goodcommission.description.model",
    "Document": "goodcommission.description.document",
    "Improvement": "goodcommission.improving",
    "Packs": "goodcommission.packs.compiling",
    "TemplateReport": "goodcommission.report.template_model",
    "audit": "goodcommission.auditing",
    "audit_case": "goodcommission.casework",
    "compare": "goodcommission.comparing",
    "audit_template": "goodcommission.templating",
    "improve": "goodcommission.improving",
    "load_packs": "goodcommission.packs.loading",
    "read_description": "goodcommission.description.reading",
    "read_documents": "goodcommission.description.reading",
}
"""Where the public names live: each is imported when it is first asked for, so that a command pays for what it uses."""

__all__ = [
    "AuditReport",
    "Comparison",
    "Description",
    "DescriptionError",
    "Document",
    "EngineError",
    "Fault",
    "GoodCommissionError",
    "Improvement",
    "PackError",
    "Packs",
    "TemplateReport",
    "__version__",
    "audit",
    "audit_case",
    "audit_template",
    "compare",
    "improve",
    "load_packs",
    "read_description",
    "read_documents",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'goodcommission' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value
