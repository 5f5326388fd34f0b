"""The example of a scan in Python runs, and draws its charts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_example_draws_its_charts(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, EXAMPLES / "scan_notices.py", EXAMPLES / "ocds", tmp_path],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert run.stderr == ""
    assert "Counts(read=13, audited=13, rejected=0" in run.stdout
    assert "charts: decided.svg, met.svg, missing.svg" in run.stdout
    for name, words in (
        ("decided", "proportionate-procurement"),
        ("missing", "value.total"),
        ("met", "TI-10 There is time to write a bid"),
    ):
        chart = (tmp_path / f"{name}.svg").read_text("utf-8")
        assert words in "".join(ElementTree.fromstring(chart).itertext())
