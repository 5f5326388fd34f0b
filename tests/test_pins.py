"""requirements-dev.txt fits pyproject.toml: each dependency is pinned, in its range, by hashes."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DIRECT = [
    requirement
    for text in (*PROJECT["dependencies"], *(one for of in PROJECT["optional-dependencies"].values() for one in of))
    if (requirement := Requirement(text)).name != PROJECT["name"]
]
ENTRIES = re.findall(
    r"^([A-Za-z0-9._-]+)==(\S+)[^\n]*\\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
    (ROOT / "requirements-dev.txt").read_text("utf-8"),
    re.MULTILINE,
)
PINNED: dict[str, list[str]] = {}
for _name, _version, _ in ENTRIES:
    PINNED.setdefault(canonicalize_name(_name), []).append(_version)


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_each_dependency_is_pinned_in_its_range(requirement: Requirement) -> None:
    versions = PINNED.get(canonicalize_name(requirement.name))
    assert versions, f"{requirement.name} is not in requirements-dev.txt: .ci/pin {requirement.name}"
    assert all(requirement.specifier.contains(version, prereleases=True) for version in versions)


def test_every_line_that_installs_has_its_hashes() -> None:
    lines = (ROOT / "requirements-dev.txt").read_text("utf-8").splitlines()
    named = [line for line in lines if line and not line.startswith((" ", "#"))]
    assert len(named) == len(ENTRIES) > len(DIRECT)
    assert not [line for line in lines if line.strip().startswith("-") and "--hash=sha256:" not in line]
