"""``goodcommission gate``: whether saved reports may go on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goodcommission.cli.frame import (
    FINE,
    GATE_FAILED,
    as_json,
    check_output,
    deliver,
    fail,
    files_argument,
    form_option,
    output_option,
)
from goodcommission.cli.settings import (
    config_option,
    configurations,
    gate_options,
    gates_given,
    lock_option,
    no_config_option,
    path_of,
    settled,
)
from goodcommission.exceptions import Fault, PackError

if TYPE_CHECKING:
    from goodcommission.report.model import AuditReport


@click.command()
@files_argument
@gate_options
@lock_option
@config_option
@no_config_option
@form_option
@output_option
def gate(
    files: tuple[str, ...],
    lock: str | None,
    config: Path | None,
    no_config: bool,
    form: str,
    output: Path | None,
    **options: Any,
) -> None:
    """Judge saved reports (audit --format json) by gates, without auditing again ("-" is standard input).

    Gates are options, or stand under [gates] in the configuration. Each is judged by itself, for each report. Where
    there is a lock file, a report that was made with other packs is refused.
    """
    from goodcommission.gating import as_data, check_gates, gates_of
    from goodcommission.report.reading import read_reports
    from goodcommission.report.terminal import neutral

    check_output(output, files)
    given = {**gates_given(options), "lock": (lock, "--lock")}
    configuration_for = configurations(config, no_config)
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    for file in files:
        for report in read_reports(file):
            name, path = report.document.name, path_of(report.document.file)
            settings = settled(configuration_for(path), path, given)
            _check_packs(file, report, settings["lock"].value)
            gates = gates_of(settings)
            if not gates:
                advice = "Give one, such as --fail-under 60, or write it under [gates] in goodcommission.toml."
                fail(Fault(f"there is no gate for {name}", suggestion=advice))
            results = check_gates(report, gates)
            lines += [f"{'passed' if one.passed else 'FAILED'}  {one.line(neutral(name))}\n" for one in results]
            passed = all(one.passed for one in results)
            data.append({"report": file, "document": name, "passed": passed, "gates": as_data(results)})
    passed = all(one["passed"] for one in data)
    if form == "json":
        deliver(as_json({"passed": passed, "reports": data}), output, as_bytes=True)
    else:
        deliver("".join(lines), output)
    sys.exit(FINE if passed else GATE_FAILED)


def _check_packs(file: str, report: AuditReport, lock: str | None) -> None:
    """Refuse a report that was made with packs that aren't locked."""
    if lock is None:
        return
    from goodcommission.packs.locking import read_lock, unlocked

    used = [(pack.id, pack.digest) for pack in report.packs] + [(law.id, law.digest) for law in report.laws]
    if faults := unlocked(read_lock(lock), used, file):
        raise PackError(*faults)
