"""The scan for Python: typed results, made chunk by chunk, or the two tables as Polars or Arrow have them."""

from __future__ import annotations

import datetime as dt
import io
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal

import orjson
import polars as pl

from goodcommission.exceptions import Fault, ScanError
from goodcommission.packs.compiling import Packs
from goodcommission.packs.model import Severity, Tier
from goodcommission.scan.inputs import Reader, Rejection, chunks, find_inputs
from goodcommission.scan.merging import merging
from goodcommission.scan.running import Counts, Done, Options, Plan, Register, cores, prepare, run
from goodcommission.scan.summary import Counts as SummaryCounts
from goodcommission.scan.summary import Partial, Summary, merged, summarise
from goodcommission.scan.tables import NOTICES, RULES

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_SUMS: Final = 50
"""Sums of chunks that are kept before they are added up."""
Verdict = Literal["pass", "fail", "unknown", "not_applicable", "not_yet_due"]


@dataclass(frozen=True, slots=True)
class ScannedRule:
    """What one rule says of one notice."""

    rule: str
    pack: str
    verdict: Verdict
    provisional: bool
    severity: Severity
    decided_by: tuple[str, ...]
    """The facts that decided it."""
    values: Mapping[str, Any] | None
    """Their values, of a rule that is met or not met."""
    missing: tuple[str, ...]
    """The facts that it would need."""


@dataclass(frozen=True, slots=True)
class ScannedNotice:
    """One notice, as the table of notices has it; what it does not state is None."""

    notice: int
    """Its number: the same in both tables."""
    file: str
    line: int
    """1-based, where the notice's JSON text begins."""
    pointer: str
    """JSON pointer of the release in that text."""
    ocid: str | None
    release: str | None
    date: dt.date | None
    as_of: dt.date | None
    """The day on which it was audited."""
    publisher: str | None
    buyer: str | None
    kind: str
    stage: str | None
    route: str | None
    cpv: str | None
    """The first code of what is bought."""
    value: float | None
    """In pounds, without VAT."""
    value_including_vat: float | None
    tier: str | None
    regime: str | None
    score: float | None
    """Points of 100; so are ``low`` and ``high``, between which it lies whatever the missing facts are."""
    low: float | None
    high: float | None
    coverage: float | None
    grade: str | None
    passed: int
    failed: int
    unknown: int
    not_applicable: int
    not_yet_due: int
    provisional: int
    law_failed: int
    decided_share: float | None
    rules: tuple[ScannedRule, ...]
    """Each rule that is asked of a notice of this kind."""


@dataclass(frozen=True, slots=True)
class _Memory:
    """Hands the tables to the main process."""

    def put(self, number: int, notices: pl.DataFrame, rules: pl.DataFrame) -> bytes:
        """The tables as bytes."""
        parts = []
        for table in (notices, rules):
            buffer = io.BytesIO()
            table.write_ipc(buffer)
            parts.append(buffer.getvalue())
        return len(parts[0]).to_bytes(8, "big") + b"".join(parts)


def _tables(data: bytes) -> tuple[pl.DataFrame, pl.DataFrame]:
    size = int.from_bytes(data[:8], "big")
    return pl.read_ipc(io.BytesIO(data[8 : 8 + size])), pl.read_ipc(io.BytesIO(data[8 + size :]))


class Scan:
    """A scan of published notices; it is made while it is looked at, chunk by chunk, in constant memory.

    Each time it is iterated over, the inputs are read again.
    """

    def __init__(
        self,
        paths: Sequence[str | os.PathLike[str]],
        options: Options,
        packs: Packs,
        jobs: int,
        stream: IO[bytes] | None = None,
    ) -> None:
        self._paths, self._options, self._packs, self._jobs, self._stream = paths, options, packs, jobs, stream
        self.counts = Counts()
        """What became of the releases that have been read so far, or by the last look at all of them."""
        self.errors: tuple[Rejection, ...] = ()
        """What was rejected, with file, line, pointer and reason."""
        self._sums: list[Partial] = []

    def __iter__(self) -> Iterator[ScannedNotice]:
        for notices, rules in self.chunks():
            yield from _typed(notices, rules)

    def chunks(self) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
        """The tables of notices and of rules, chunk by chunk.

        Raises:
            ScanError: An input is not there, or the processes can't be started.
        """
        self.counts, self.errors, self._sums = Counts(), (), []
        inputs, _ = find_inputs(self._paths)
        reader = Reader(inputs, self._stream)
        plan = Plan(self._options, _Memory(), self._packs)
        with tempfile.TemporaryDirectory(prefix="goodcommission-scan-") as folder:
            register = Register(Path(folder) / "releases.sqlite", left=self._options.limit)
            items = merging(reader, Path(folder)) if self._options.merge else reader.texts()
            try:
                for done in run(chunks(items), plan, register.answer, self._jobs):
                    yield self._taken(done)
            finally:
                register.close()

    def _taken(self, done: Done) -> tuple[pl.DataFrame, pl.DataFrame]:
        self.counts += done.counts
        self.errors += tuple(Rejection(**orjson.loads(line)) for line in done.errors.splitlines())
        self._sums.append(Partial.from_bytes(done.sums))
        if len(self._sums) > _MOST_SUMS:
            self._sums = [merged(self._sums)]
        return _tables(done.tables)

    def to_polars(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The tables of notices and of rules, all in memory."""
        notices: list[pl.DataFrame] = [pl.DataFrame(schema=dict(NOTICES))]
        rules: list[pl.DataFrame] = [pl.DataFrame(schema=dict(RULES))]
        for some in self.chunks():
            notices.append(some[0])
            rules.append(some[1])
        return pl.concat(notices), pl.concat(rules)

    def to_arrow(self) -> tuple[pa.Table, pa.Table]:
        """The tables of notices and of rules, all in memory."""
        notices, rules = self.to_polars()
        return notices.to_arrow(), rules.to_arrow()

    def summary(self) -> Summary:
        """The summary of what the last look found; if there was none, all is read first."""
        if not self._sums:
            for _ in self.chunks():
                pass
        return summarise(merged(self._sums), self._packs, summary_counts(self.counts))


def summary_counts(counts: Counts) -> SummaryCounts:
    """The counts as the summary has them."""
    return SummaryCounts(
        read=counts.read,
        audited=counts.audited,
        rejected=counts.rejected,
        left_out=counts.left_out,
        merged=counts.merged,
    )


def scan(
    paths: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    packs: Packs | Sequence[str] | None = None,
    *,
    rules: Sequence[str | os.PathLike[str]] = (),
    as_of: dt.date | None = None,
    tier: Tier | None = None,
    regime: str | None = None,
    since: dt.date | None = None,
    cpv: Sequence[str] = (),
    where: str | None = None,
    limit: int | None = None,
    merge: bool = False,
    jobs: int | None = None,
    stream: IO[bytes] | None = None,
    lock: str | os.PathLike[str] | None = None,
) -> Scan:
    """Scan published notices (OCDS): each is audited as ``goodcommission.audit`` audits it.

    Args:
        paths: Files (JSON Lines, releases, records, packages of them, also compressed as gzip, Zstandard or zip),
            folders, patterns, or "-" for standard input.
        packs: Ids of packs; all shipped packs by default. What ``load_packs`` gave can be used with one process.
        rules: Files and folders with packs of your own.
        as_of: The day of all audits; by default each notice's own governing day.
        tier: How much to ask; by default what the value says.
        regime: The law that all stand under; by default worked out for each.
        since: Only notices of this day or later.
        cpv: Only notices with a CPV code that begins with one of these, such as ``85``.
        where: Only notices for which this holds: CEL over the facts, such as ``value.total > 100000.0``.
        limit: Read so many releases, and no more.
        merge: Merge the releases of one process, within a file or of files that follow each other.
        jobs: How many processes audit; by default one for each core. More than one needs, in a script, the guard
            ``if __name__ == "__main__":``.
        stream: What to read for "-", instead of the process's standard input.
        lock: A lock file of packs (``goodcommission packs lock``): a pack that isn't in it as it is, is refused.

    Returns:
        The scan, which has not begun: it goes on as it is iterated over.

    Raises:
        ScanError: An option is not what it should be, such as a fact that there is not.
        PackError: There is no such pack or law.
    """
    if jobs is not None and jobs < 1:
        raise ScanError(f"jobs is the number of processes, one at least, and not {jobs}")
    if limit is not None and limit < 1:
        raise ScanError(f"limit is a number of releases, one at least, and not {limit}")
    given = (paths,) if isinstance(paths, str | os.PathLike) else tuple(paths)
    loaded = packs if isinstance(packs, Packs) else None
    if loaded is not None:
        if jobs not in (None, 1):
            advice = "Give the ids of the packs, and folders as `rules`; or jobs=1."
            raise ScanError(Fault("packs that are loaded can't be sent to other processes", suggestion=advice))
        jobs = 1
    options = Options(
        None if packs is None or loaded is not None else tuple(packs),  # type: ignore[arg-type]
        tuple(os.fspath(path) for path in rules),
        as_of,
        tier,
        regime,
        since,
        where,
        limit,
        merge,
        tuple(cpv),
        None if lock is None else os.fspath(lock),
    )
    return Scan(given, options, prepare(options, loaded), jobs or cores(), stream)


# --- Rows as values ----------------------------------------------------------------------------------------------

_OF_NOTICE: Final = tuple(one.name for one in fields(ScannedNotice) if one.name != "rules")


def _typed(notices: pl.DataFrame, rules: pl.DataFrame) -> Iterator[ScannedNotice]:
    said = rules.sort("notice", maintain_order=True).iter_rows(named=True)
    row = next(said, None)
    for one in notices.select(_OF_NOTICE).iter_rows(named=True):
        mine: list[ScannedRule] = []
        while row is not None and row["notice"] == one["notice"]:
            mine.append(_rule(row))
            row = next(said, None)
        yield ScannedNotice(**one, rules=tuple(mine))


def _rule(row: Mapping[str, Any]) -> ScannedRule:
    return ScannedRule(
        row["rule"],
        row["pack"],
        row["verdict"],
        row["provisional"],
        row["severity"],
        tuple((row["decided_by"] or "").split()),
        None if row["values"] is None else orjson.loads(row["values"]),
        tuple((row["missing"] or "").split()),
    )
