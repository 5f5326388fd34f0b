"""Many published notices at once: what can be said of practice, and what the data can not tell.

>>> from goodcommission.scan import scan
>>> for notice in scan(["notices/"], jobs=1):
...     print(notice.ocid, notice.grade, [rule.rule for rule in notice.rules if rule.verdict == "fail"])

Needs the extra ``scan``: ``pip install 'goodcommission[scan]'``.
"""

from __future__ import annotations

from goodcommission.scan.results import Scan, ScannedNotice, ScannedRule, scan
from goodcommission.scan.running import Counts, Options
from goodcommission.scan.writing import Written, write_scan

__all__ = ["Counts", "Options", "Scan", "ScannedNotice", "ScannedRule", "Written", "scan", "write_scan"]
