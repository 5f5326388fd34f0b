"""Audits that people chose to save, in a database: by document, so that a team sees its score over time."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from goodcommission.exceptions import Fault, GoodCommissionError
from goodcommission.report.model import AuditReport

UNNAMED: Final = frozenset({"", "document", "document.json", "document.yaml", "pasted text"})
"""Names that the server gave: two documents that have them are not thereby the same."""
_WAIT: Final = 5.0
"""Seconds that a write waits for another."""
_BATCH: Final = 50
_TABLES: Final = sa.MetaData()
_AUDITS: Final = sa.Table(
    "goodcommission_audits",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("saved", sa.String(20), nullable=False, index=True),
    sa.Column("document", sa.String(32), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("title", sa.Text),
    sa.Column("kind", sa.String(40), nullable=False),
    sa.Column("digest", sa.String(80), nullable=False),
    sa.Column("day", sa.String(10)),
    sa.Column("score", sa.Float),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("grade", sa.String(40), nullable=False),
    sa.Column("asked", sa.String(64), nullable=False),
    sa.Column("report", sa.LargeBinary(2**24), nullable=False),
    # An id that was given once is never given again: an address of a deleted audit leads nowhere, not elsewhere.
    sqlite_autoincrement=True,
)
_SHOWN: Final = tuple(column for column in _AUDITS.columns if column.name != "report")


@dataclass(frozen=True, slots=True)
class SavedAudit:
    """An audit that was saved, without its report."""

    id: int
    saved: str
    """When, in UTC, ISO 8601."""
    document: str
    """The key of the document: the same for each of its audits."""
    name: str
    """The document's id; without one its file name."""
    title: str | None
    kind: str
    digest: str
    """Of the document, as sha256:…."""
    day: str | None
    """The day of the audit."""
    score: float | None
    low: float | None
    high: float | None
    grade: str
    asked: str
    """Digest of the rules, the tier and what evidence is asked for: only alike do scores compare."""


class StorageError(Exception):
    """The database could not do what was asked; the message says why, in one sentence."""


class Storage:
    """The saved audits of one server. Every function may wait for the disk: call it from a thread."""

    def __init__(self, url: str, keep_days: int, clock: Callable[[], dt.datetime] | None = None) -> None:
        """Open the database, and make its table if it is new.

        Raises:
            GoodCommissionError: It can't be opened, or is not ours.
        """
        self.keep_days = keep_days
        self.clock = clock or (lambda: dt.datetime.now(dt.UTC))
        self.writing = threading.Lock()
        advice = "Give a URL such as sqlite:///audits.db, in a folder that the server may write to."
        try:
            parsed = sa.make_url(url)
            lite = parsed.get_backend_name() == "sqlite"
            if lite and parsed.database in (None, "", ":memory:"):
                raise GoodCommissionError(Fault("the database of saved audits needs a file", suggestion=advice))
            self.engine = sa.create_engine(
                parsed, connect_args={"timeout": _WAIT} if lite else {}, pool_pre_ping=not lite
            )
        except SQLAlchemyError:
            raise GoodCommissionError(Fault("--database is no URL of a database", suggestion=advice)) from None
        except ImportError as error:
            message = f"the driver of this database is not installed ({error.name})"
            raise GoodCommissionError(Fault(message, suggestion="Install it with pip, or use SQLite.")) from None
        if lite:
            sa.event.listen(self.engine, "connect", _set_up_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        shown = parsed.render_as_string(hide_password=True)
        try:
            _TABLES.create_all(self.engine)
            there = {column["name"] for column in sa.inspect(self.engine).get_columns(_AUDITS.name)}
            self.expire()
        except (SQLAlchemyError, StorageError) as error:
            reason = str(error) if isinstance(error, StorageError) else _reason(error)
            fault = Fault(f"the database {shown} can't be used: {reason}", suggestion=advice)
            raise GoodCommissionError(fault) from None
        if lacking := {column.name for column in _AUDITS.columns} - there:
            message = f"the database {shown} was made by another version: it has no {', '.join(sorted(lacking))}"
            raise GoodCommissionError(Fault(message, suggestion="Name a new file."))

    def save(self, reports: Sequence[AuditReport]) -> list[SavedAudit]:
        """Save reports, all of them or none.

        Raises:
            StorageError: The database refuses.
        """
        now = self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        rows = [_row(report, now) for report in reports]
        with self._writing() as connection:
            saved = []
            for row in rows:
                key = connection.execute(_AUDITS.insert().values(**row)).inserted_primary_key
                if key is None:
                    raise StorageError("it gave no id to what was saved")
                saved.append(SavedAudit(id=key[0], **{name: row[name] for name in row if name != "report"}))
            return saved

    def listed(
        self, *, most: int, skip: int = 0, document: str | None = None, before: int | None = None
    ) -> list[SavedAudit]:
        """Saved audits, the newest first.

        Raises:
            StorageError: The database refuses.
        """
        query = sa.select(*_SHOWN).order_by(_AUDITS.c.id.desc()).limit(most).offset(skip)
        if document is not None:
            query = query.where(_AUDITS.c.document == document)
        if before is not None:
            query = query.where(_AUDITS.c.id < before)
        with self._reading() as connection:
            return [SavedAudit(**row._mapping) for row in connection.execute(query)]

    def count(self, document: str | None = None) -> int:
        """How many there are.

        Raises:
            StorageError: The database refuses.
        """
        query = sa.select(sa.func.count()).select_from(_AUDITS)
        if document is not None:
            query = query.where(_AUDITS.c.document == document)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def one(self, id: int) -> tuple[SavedAudit, str] | None:
        """A saved audit and its report, the very bytes that were saved; None if there is none.

        Raises:
            StorageError: The database refuses.
        """
        if not 0 < id < 2**31:
            return None
        with self._reading() as connection:
            row = connection.execute(sa.select(_AUDITS).where(_AUDITS.c.id == id)).one_or_none()
        return _told(row) if row is not None else None

    def delete(self, id: int) -> bool:
        """Delete one; whether there was one.

        Raises:
            StorageError: The database refuses.
        """
        return 0 < id < 2**31 and self._delete(_AUDITS.c.id == id) > 0

    def delete_document(self, document: str) -> int:
        """Delete all of a document; how many there were.

        Raises:
            StorageError: The database refuses.
        """
        return self._delete(_AUDITS.c.document == document)

    def expire(self) -> int:
        """Delete what is older than it may be; how many there were.

        Raises:
            StorageError: The database refuses.
        """
        oldest = self.clock() - dt.timedelta(days=min(self.keep_days, 365_000))
        return self._delete(_AUDITS.c.saved < oldest.strftime("%Y-%m-%dT%H:%M:%SZ"))

    def exported(self) -> Iterator[str]:
        """All saved audits as JSON Lines, the oldest first, a few at a time.

        Raises:
            StorageError: The database refuses.
        """
        last = 0
        while True:
            query = sa.select(_AUDITS).where(_AUDITS.c.id > last).order_by(_AUDITS.c.id).limit(_BATCH)
            with self._reading() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            for saved, text in map(_told, rows):
                last = saved.id
                yield json.dumps({**_plain(saved), "report": json.loads(text)}, ensure_ascii=False) + "\n"

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    def _delete(self, condition: sa.ColumnElement[bool]) -> int:
        with self._writing() as connection:
            return connection.execute(_AUDITS.delete().where(condition)).rowcount

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StorageError(_reason(error)) from None

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """One writer at a time: those of this process wait here, those of another on the database's own lock."""
        if not self.writing.acquire(timeout=_WAIT):
            raise StorageError("it is busy with another change")
        try:
            with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
                yield connection
        except SQLAlchemyError as error:
            raise StorageError(_reason(error)) from None
        finally:
            self.writing.release()


def _plain(saved: SavedAudit) -> dict[str, Any]:
    return {name: getattr(saved, name) for name in SavedAudit.__slots__}


def _told(row: sa.Row[Any]) -> tuple[SavedAudit, str]:
    values = dict(row._mapping)
    try:
        text = zlib.decompress(values.pop("report")).decode("utf-8")
    except (zlib.error, UnicodeDecodeError):
        raise StorageError(f"the saved audit {values['id']} is damaged") from None
    return SavedAudit(**values), text


def _row(report: AuditReport, now: str) -> dict[str, Any]:
    document, score = report.document, report.score
    name = document.id or document.name
    # A tender and a contract may have the same id; their scores make no history together. A document that nobody
    # named is only the same as one with the same text.
    known = name if document.id or name not in UNNAMED else document.digest
    asked = json.dumps([report.packs_digest, report.tier.name, report.require_evidence])
    return {
        "saved": now,
        "document": hashlib.sha256(json.dumps([document.kind, known]).encode()).hexdigest()[:32],
        "name": name,
        "title": document.title,
        "kind": document.kind,
        "digest": document.digest,
        "day": report.as_of,
        "score": score.score,
        "low": score.low,
        "high": score.high,
        "grade": score.grade,
        "asked": hashlib.sha256(asked.encode()).hexdigest(),
        "report": zlib.compress(report.to_json().encode("utf-8"), 6),
    }


def _set_up_sqlite(connection: Any, record: object) -> None:
    # SQLAlchemy says when a transaction begins, not the driver: see _begin_sqlite.
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    # What is deleted is gone from the file as well.
    connection.execute("PRAGMA secure_delete=ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the lock of a write at its start: one that begins as a read can't wait for another's end."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _reason(error: SQLAlchemyError) -> str:
    """What the database says, without the statement and its values: those are of the document."""
    said = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0].rstrip(".")
    if "locked" in said:
        return "it is locked by another program"
    if "full" in said:
        return "its disk is full"
    return said[:200]
