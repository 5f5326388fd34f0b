"""How long one audit takes from the shell, beside an empty Python and Spectral linting the same file.

    python benchmarks/cold_start.py

Run it with the Python of an environment in which goodcommission is installed. Spectral is installed by npm, once,
into benchmarks/.spectral, which git ignores. The commands take turns; a figure is the median of its runs.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
TENDER = HERE.parent / "examples" / "tender.json"
SPECTRAL = HERE / ".spectral"


def spectral() -> list[str] | None:
    """The command for Spectral, installed if need be; None where there is no npm."""
    program = SPECTRAL / "node_modules" / ".bin" / "spectral"
    npm = shutil.which("npm")
    if not program.exists():
        if npm is None:
            return None
        SPECTRAL.mkdir(exist_ok=True)
        install = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(SPECTRAL), "@stoplight/spectral-cli"]
        subprocess.run(install, check=True, stdout=sys.stderr)
    return [str(program), "lint", "--quiet", "--ruleset", str(HERE / "spectral-ruleset.yaml"), str(TENDER)]


def goodcommission() -> list[str]:
    """The command as its users call it."""
    program = shutil.which("goodcommission", path=sysconfig.get_path("scripts"))
    if program is None:
        raise SystemExit("goodcommission is not installed in this environment: pip install .")
    return [program, "audit"]


def timed(command: Sequence[str], statuses: frozenset[int]) -> float:
    """Seconds from start to end; another exit status ends the benchmark."""
    began = time.perf_counter()
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    took = time.perf_counter() - began
    if run.returncode not in statuses:
        raise SystemExit(f"{' '.join(command)}\nended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return took


def main() -> int:
    """Measure, and print a table of ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    chosen = parser.parse_args()
    commands: dict[str, list[str]] = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "goodcommission audit": [*goodcommission(), str(TENDER)],
        "… with the reference engine": [*goodcommission(), "--engine", "reference", str(TENDER)],
        "… as JSON": [*goodcommission(), "--format", "json", str(TENDER)],
    }
    linter = spectral()
    if linter is None:
        print("There is no npm here, so Spectral is left out.", file=sys.stderr)
    else:
        commands["spectral lint"] = linter
    taken: Mapping[str, list[float]] = {name: [] for name in commands}
    for number in range(chosen.rounds + 1):
        for name, command in commands.items():
            took = timed(command, frozenset({0, 1} if name == "spectral lint" else {0}))
            if number:  # the first round fills the caches of the disk and writes bytecode
                taken[name].append(took)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    print(f"{'':30}{'median':>9}{'÷ python':>10}{'÷ Spectral':>12}")
    for name, median in medians.items():
        beside = f"{median / medians['spectral lint']:.2f}" if "spectral lint" in medians else "–"
        print(f"{name:30}{1000 * median:>6.0f} ms{median / medians['python -c pass']:>10.1f}{beside:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
