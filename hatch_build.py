"""Compiles what reads and judges notice after notice into a wheel, with mypyc, where a build asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompilingHook(BuildHookInterface[Any]):
    """The hook ``custom`` of pyproject.toml: compiled modules lie beside their sources, which Python then passes by."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile copies, so that nothing is left in the checkout."""
        if version == "editable":  # sources that are edited are not those that were compiled
            return
        self._copies = TemporaryDirectory(prefix="goodcommission-mypyc-")
        copies = Path(self._copies.name).resolve()
        shutil.copytree(
            Path(self.root, "goodcommission"), copies / "goodcommission", ignore=shutil.ignore_patterns("__pycache__")
        )
        # Types of other packages gain nothing, and to read them takes minutes.
        apart = ("--no-site-packages", "--ignore-missing-imports", "--disable-error-code=import-untyped")
        done = subprocess.run(  # noqa: S603 - our own files
            [sys.executable, "-m", "mypyc", "--follow-imports=silent", *apart, *self.config["modules"]],
            cwd=copies,
            env={**os.environ, "MYPYC_DEBUG_LEVEL": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"mypyc could not compile goodcommission:\n{done.stdout}")
        shutil.rmtree(copies / "build")
        for ending in ("*.so", "*.pyd"):
            for file in sorted(copies.rglob(ending)):
                build_data["force_include"][str(file)] = str(file.relative_to(copies))
        build_data["pure_python"], build_data["infer_tag"] = False, True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Throw the copies away."""
        if version != "editable":
            self._copies.cleanup()
