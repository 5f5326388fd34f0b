"""Audits a document over the HTTP API, with nothing but Python's standard library.

python api_client.py http://127.0.0.1:8000 tender.json
"""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Result:
    """What most programs need of a report; the rest is in ``report``."""

    score: float | None
    grade: str
    not_met: list[str]
    not_evidenced: list[str]
    report: dict[str, Any]


class Refused(Exception):
    """The server's answer to what it does not take: one line for each fault."""


class Client:
    """The API of one server."""

    def __init__(self, address: str, key: str | None = None, timeout: float = 30.0) -> None:
        self.address = address.rstrip("/")
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.timeout = timeout

    def audit(self, path: Path, **options: str) -> Result:
        """Audit one file. Options are those of the query: tier="small", as_of="2026-11-20"."""
        report = json.loads(self._post("/v1/audit", path, options))
        results = report["results"]
        return Result(
            score=report["score"]["score"],
            grade=report["score"]["grade"],
            not_met=[f"{one['rule']['id']} {one['finding']}" for one in results if one["verdict"] == "fail"],
            not_evidenced=[one["rule"]["id"] for one in results if one["verdict"] == "unknown"],
            report=report,
        )

    def _post(self, path: str, file: Path, options: dict[str, str]) -> bytes:
        kind = "application/json" if file.suffix == ".json" else "application/yaml"
        request = urllib.request.Request(
            f"{self.address}{path}?{urllib.parse.urlencode(options)}",
            data=file.read_bytes(),
            headers={"Content-Type": kind, **self.headers},
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as answer:
                body: bytes = answer.read()
                return body
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read())
            faults = [f"line {one['line']}: {one['message']}" for one in problem["faults"]]
            raise Refused("\n".join(faults or [problem["detail"]])) from None


def main() -> int:
    """Print what is not met; 1 if anything is not, 2 if the document can't be audited."""
    client = Client(sys.argv[1], os.environ.get("GOODCOMMISSION_KEY"))
    try:
        result = client.audit(Path(sys.argv[2]))
    except Refused as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Score: {result.score}, grade: {result.grade}")
    for finding in result.not_met:
        print(finding)
    return 1 if result.not_met else 0


if __name__ == "__main__":
    sys.exit(main())
