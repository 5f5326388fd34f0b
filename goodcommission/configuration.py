"""The configuration file: what a team sets once, for which documents, and where each setting comes from."""

from __future__ import annotations

import datetime as dt
import difflib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, NamedTuple

from goodcommission.description.entries import MOST_FAULTS
from goodcommission.description.parsing import quoted
from goodcommission.description.positions import line_and_column
from goodcommission.exceptions import ConfigurationError, Fault
from goodcommission.packs.adjusting import Adjustment, ParameterChange, Place, SeverityChange
from goodcommission.packs.locking import find_lock
from goodcommission.packs.model import SEVERITIES, TIERS

NAME: Final = "goodcommission.toml"
_PYPROJECT: Final = "pyproject.toml"
_TABLE: Final = ("tool", "goodcommission")
_MENTIONED: Final = re.compile(r"^[ \t]*+\[*+[ \t]*+tool[ \t]*+(\.\s*[\"']?goodcommission|\])", re.MULTILINE)
"""What a pyproject.toml with settings of ours holds; others are not parsed."""
MAXIMUM_BYTES: Final = 100_000
"""Of a configuration file: to read TOML takes its time."""
_LONG_KEY: Final = re.compile(r"(?:(?:(?<![\w-])[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}")
"""A name of so many parts that to note them all would fill the memory."""

Route = tuple[str | int, ...]
"""Where a value stands in a TOML file: the names and numbers that lead to it."""


class Origin(NamedTuple):
    """Where a setting comes from."""

    kind: Literal["default", "file", "override", "option"]
    place: Place | None = None
    option: str | None = None

    def __str__(self) -> str:
        return self.option or (str(self.place) if self.place else "default")


class Setting(NamedTuple):
    """One setting: its value, and where it comes from."""

    value: Any
    origin: Origin


class Output(NamedTuple):
    """A report that is written: in which format, and where (None is standard output)."""

    format: str
    file: Path | None


Settings = Mapping[str, Setting]
"""Settings by their name, such as ``tier``, ``gates.fail_under`` or ``parameters.common.large_tier_from``."""


@dataclass(frozen=True, slots=True)
class Override:
    """Settings for the documents of some paths."""

    paths: tuple[str, ...]
    settings: Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration file, read and checked; without a file it holds nothing."""

    file: Path | None = None
    settings: Settings = field(default_factory=dict)
    overrides: tuple[Override, ...] = ()
    lock: Path | None = None
    """The lock file of packs beside it, or, where there is no file, the nearest one; a setting comes before it."""

    def settings_for(self, document: str | os.PathLike[str] | None) -> Settings:
        """The settings for a document (None for one without a path): the file's, and what overrides say of it."""
        settings = dict(self.settings)
        if self.lock is not None:
            lock = as_shown(self.lock)
            settings.setdefault("lock", Setting(lock, Origin("file", Place(lock))))
        if document is not None and self.file is not None:
            path = _relative(Path(document), self.file.parent)
            for override in self.overrides:
                if any(_glob(pattern).fullmatch(path) for pattern in override.paths):
                    settings.update(override.settings)
        return settings


def find_configuration(document: str | os.PathLike[str] | None = None) -> Path | None:
    """The nearest configuration file: beside the document or above it, or above here for one without a path."""
    here = Path.cwd() if document is None else Path(os.path.abspath(document)).parent
    for folder in (here, *here.parents):
        for name in (NAME, _PYPROJECT):
            file = folder / name
            if file.is_file() and (name == NAME or _configures(file)):
                return file
    return None


def without_configuration(document: str | os.PathLike[str] | None = None) -> Configuration:
    """What holds where there is no configuration file: nothing but the nearest lock file of packs."""
    here = Path.cwd() if document is None else Path(os.path.abspath(document)).parent
    return Configuration(lock=next(filter(None, map(find_lock, (here, *here.parents))), None))


def _configures(pyproject: Path) -> bool:
    """Whether a pyproject.toml has a table of ours; one that can't be read has none that we know of."""
    try:
        text = pyproject.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if _MENTIONED.search(text) is None:
        return False
    import tomllib

    if len(text) > MAXIMUM_BYTES or _LONG_KEY.search(text):
        return True
    try:
        return _TABLE[1] in tomllib.loads(text).get(_TABLE[0], {})
    except (tomllib.TOMLDecodeError, RecursionError):
        return True  # What is wrong with it is said when it is read.


def read_configuration(file: str | os.PathLike[str]) -> Configuration:
    """Read and check a configuration file (``goodcommission.toml``, or the table in a ``pyproject.toml``).

    Raises:
        ConfigurationError: It can't be read, or a setting is not known or has a wrong value; all are named.
    """
    import tomllib

    path = Path(file)
    name = as_shown(path)
    try:
        data = path.read_bytes()
        if len(data) > MAXIMUM_BYTES:
            raise ConfigurationError(Fault(f"this file has more than {MAXIMUM_BYTES // 1000} kB, and may not", name))
        text = data.decode("utf-8")
    except OSError as error:
        raise ConfigurationError(Fault(f"this file can't be read: {error.strerror or error}", name)) from None
    except UnicodeDecodeError:
        raise ConfigurationError(Fault("this file is not in UTF-8", name)) from None
    if long := _LONG_KEY.search(text):
        raise ConfigurationError(Fault("a name has too many parts", name, *line_and_column(text, long.start())))
    try:
        raw: Any = tomllib.loads(text)
    except RecursionError:
        raise ConfigurationError(Fault("there are too many lists or tables within each other", name)) from None
    except tomllib.TOMLDecodeError as error:
        place = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        message = "this is not TOML: " + re.sub(r" \(at .*\)$", "", str(error))
        line, column = (int(place[1]), int(place[2])) if place else (None, None)
        raise ConfigurationError(Fault(message, name, line, column)) from None
    places = _Scanner(text).places
    prefix: Route = ()
    if path.name == _PYPROJECT:
        prefix = _TABLE
        for step in _TABLE:
            raw = raw.get(step, {}) if isinstance(raw, dict) else {}
    reader = _Reader(name, path.parent, places)
    settings = reader.table(raw, prefix, overriding=False)
    overrides = tuple(reader.overrides(raw.get("overrides"), (*prefix, "overrides"))) if isinstance(raw, dict) else ()
    if reader.faults:
        raise ConfigurationError(*sorted(reader.faults, key=lambda fault: (fault.line or 0, fault.column or 0)))
    return Configuration(path, settings, overrides, find_lock(path.parent))


def as_shown(path: Path) -> str:
    """A path as a user would write it here."""
    text = str(path)
    try:
        near = os.path.relpath(path)
    except ValueError:  # Another drive.
        return text
    return near if path.is_absolute() and not near.startswith(os.pardir + os.sep + os.pardir) else text


def _relative(document: Path, folder: Path) -> str:
    """The path of a document from a folder, with / between its parts."""
    try:
        return Path(os.path.relpath(document, folder)).as_posix()
    except ValueError:  # Another drive.
        return document.as_posix()


def _glob(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression: * within a folder, ** through folders; without a / it is a name in any folder."""
    if "/" not in pattern:
        pattern = f"**/{pattern}"
    parts = []
    for part in re.findall(r"\*\*/|/\*\*$|\*\*|\*|\?|\[[^\]]+\]|[^*?\[]+|\[", pattern.removeprefix("./")):
        if part == "**/":
            parts.append("(?:[^/]+/)*")
        elif part in ("/**", "**"):
            parts.append("/.*" if part == "/**" else ".*")
        elif part == "*":
            parts.append("[^/]*")
        elif part == "?":
            parts.append("[^/]")
        elif part[0] == "[" and len(part) > 1:
            inner = part[1:-1].replace("\\", "\\\\")
            parts.append(f"[{'^' + inner[1:] if inner[0] == '!' else inner}]")
        else:
            parts.append(re.escape(part))
    return re.compile("".join(parts), re.DOTALL)


def adjustments(settings: Settings) -> tuple[Adjustment, ...]:
    """The changed parameters and severities among the settings."""
    return tuple(s.value for name, s in settings.items() if name.startswith(("parameters.", "severities.")))


# --- What may be set ---------------------------------------------------------------------------------------------


class _Wrong(Exception):
    """A value that a setting can't have."""

    def __init__(self, expected: str, at: Route = ()) -> None:
        super().__init__(expected)
        self.expected = expected
        self.at = at


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong("a text")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise _Wrong("a list of texts, in square brackets")
    for index, item in enumerate(value):
        if not isinstance(item, str) or not item.strip():
            raise _Wrong("a text", (index,))
    return tuple(value)


def _points(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        raise _Wrong("a number from 0 to 100")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong("true or false")
    return value


def _day(value: Any) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise _Wrong("a day without quotation marks, such as 2026-03-31")
    return value


def _days(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _Wrong("a whole number of days")
    return value


def _syntax(value: Any) -> tuple[str, ...]:
    for index, form in enumerate(forms := _texts(value)):
        if form.count("name") != 1 or form.strip() == "name":
            raise _Wrong('written with the word "name" in it, such as "[[name]]"', (index,))
    return forms


def _one_of(*known: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in known:
            raise _Wrong(f"one of {', '.join(known)}")
        return str(value)

    return check


_GATES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "fail_under": _points,
    "min_low": _points,
    "min_coverage": _points,
    "fail_on": _one_of("high", "medium", "low", "never"),
    "never_fail": _texts,
    "must_pass": _texts,
}
_OF_DOCUMENTS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "packs": _texts,
    "rules": _texts,
    "commissioner": _text,
    "tier": _one_of(*TIERS),
    "regime": _text,
    "require_evidence": _flag,
    "answers": _text,
}
"""What may differ from document to document."""
_OF_RUNS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "as_of": _day,
    "engine": _one_of("auto", "durable", "reference"),
    "waivers": _text,
    "waiver_days": _days,
    "baseline": _text,
    "placeholders": _syntax,
}
"""What holds for all that is audited together."""
_OF_FILES: Final[Mapping[str, Callable[[Any], Any]]] = {"lock": _text}
"""What holds for all documents of a configuration file."""
_PATHS: Final = frozenset({"rules", "commissioner", "answers", "baseline", "waivers", "lock"})
_TABLES: Final = ("parameters", "severities", "gates")
DEFAULTS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("packs", "rules", "lock")),
    **dict.fromkeys(_OF_DOCUMENTS),
    **dict.fromkeys(_OF_RUNS),
    "rules": (),
    "require_evidence": False,
    "engine": "auto",
    "waiver_days": 365,
    "placeholders": ("{{ name }}", "${name}", "<<name>>"),
    "outputs": (Output("text", None),),
    **{f"gates.{name}": None for name in _GATES},
    "gates.fail_on": "never",
    "gates.never_fail": (),
    "gates.must_pass": (),
}
"""What holds where nothing is set; None is what the documents themselves say, or nothing."""
RUN_SETTINGS: Final = (*_OF_RUNS, "outputs")


class _Reader:
    """Checks a configuration and takes its settings; what is wrong is gathered."""

    def __init__(self, name: str, folder: Path, places: Mapping[Route, tuple[int, int]]) -> None:
        self.name = name
        self.folder = folder
        self.places = places
        self.faults: list[Fault] = []

    def place(self, path: Route) -> Place:
        while path and path not in self.places:
            path = path[:-1]
        return Place(self.name, *self.places.get(path, (1, 1)))

    def fault(self, path: Route, message: str, suggestion: str | None = None) -> None:
        self.faults.append(Fault(message, *self.place(path), suggestion=suggestion))
        if len(self.faults) == MOST_FAULTS:
            raise ConfigurationError(*self.faults)

    def unknown(self, path: Route, known: Sequence[str], what: str = "setting", where: str = "") -> None:
        near = difflib.get_close_matches(str(path[-1])[:80], known, n=1)
        advice = f'Did you mean "{near[0]}"?' if near else f"There are: {', '.join(known)}."
        self.fault(path, f"there is no {what} {quoted(str(path[-1]))}{where}", advice)

    def checked(self, check: Callable[[Any], Any], value: Any, path: Route) -> Any:
        try:
            return check(value)
        except _Wrong as wrong:
            shown = f"not {_shown_toml(value)}" if not isinstance(value, dict | list) else ""
            self.fault((*path, *wrong.at), f"{path[-1]} is {wrong.expected}" + (f", {shown}" if shown else ""))
            return None

    def is_table(self, value: Any, path: Route) -> bool:
        if not isinstance(value, dict):
            self.fault(path, f"{path[-1]} is a table of settings")
        return isinstance(value, dict)

    def table(self, data: Any, path: Route, *, overriding: bool) -> dict[str, Setting]:
        """The settings of the whole file or of one override."""
        found: dict[str, Setting] = {}
        if not self.is_table(data, path or (self.name,)):
            return found
        kind: Literal["file", "override"] = "override" if overriding else "file"
        simple = _OF_DOCUMENTS if overriding else {**_OF_DOCUMENTS, **_OF_FILES, **_OF_RUNS}
        known = (*simple, *_TABLES, *(("paths",) if overriding else ("outputs", "overrides")))
        for key, value in data.items():
            at = (*path, key)
            if key in simple:
                checked = self.checked(simple[key], value, at)
                if checked is not None:
                    found[key] = Setting(self.resolved(key, checked), Origin(kind, self.place(at)))
            elif key == "parameters":
                found.update(self.parameters(value, at, kind))
            elif key == "severities":
                found.update(self.severities(value, at, kind))
            elif key == "gates":
                found.update(self.gates(value, at, kind))
            elif key == "outputs" and not overriding:
                outputs = self.outputs(value, at)
                found[key] = Setting(outputs, Origin(kind, self.place(at)))
            elif overriding and key in _OF_FILES:
                self.fault(at, f"{key} holds for all documents of this file, and can't differ by path")
            elif overriding and key in (*_OF_RUNS, "outputs"):
                self.fault(at, f"{key} holds for all that is audited together, and can't differ by path")
            elif key not in known:
                self.unknown(at, known)
        return found

    def resolved(self, key: str, value: Any) -> Any:
        """A path is relative to the configuration file."""
        if key not in _PATHS:
            return value
        if isinstance(value, tuple):
            return tuple(as_shown(self.folder / one) for one in value)
        return as_shown(self.folder / value)

    def gates(self, data: Any, path: Route, kind: Any) -> Iterator[tuple[str, Setting]]:
        for key, value in data.items() if self.is_table(data, path) else ():
            at = (*path, key)
            if key not in _GATES:
                self.unknown(at, tuple(_GATES), "gate")
                continue
            checked = self.checked(_GATES[key], value, at)
            if checked is not None:
                yield f"gates.{key}", Setting(checked, Origin(kind, self.place(at)))

    def parameters(self, data: Any, path: Route, kind: Any) -> Iterator[tuple[str, Setting]]:
        for pack, values in data.items() if self.is_table(data, path) else ():
            at = (*path, pack)
            if not isinstance(values, dict):
                example = "Write [parameters.PACK] above them, with the id of the pack."
                self.fault(at, "parameters stand under the pack that they belong to", example)
                continue
            for name, written in values.items():
                change = self.parameter(pack, name, written, (*at, name))
                if change is not None:
                    yield f"parameters.{pack}.{name}", Setting(change, Origin(kind, change.place))

    def parameter(self, pack: str, name: str, written: Any, path: Route) -> ParameterChange | None:
        value, unit, reason = written, None, None
        if isinstance(written, dict):
            known = ("value", "unit", "reason")
            for key in written:
                if key not in known:
                    self.unknown((*path, key), known, "field", f" of {name}")
                    return None
            if "value" not in written:
                self.fault(path, f"the value of {name} is missing", "Write it as {value = 1.5}, or the number alone.")
                return None
            value = written["value"]
            unit = written.get("unit")
            reason = written.get("reason")
            for key, text in (("unit", unit), ("reason", reason)):
                if text is not None and self.checked(_text, text, (*path, key)) is None:
                    return None
        if isinstance(value, list):
            value = self.bands(value, path, name)
            if value is None:
                return None
        elif isinstance(value, bool) or not isinstance(value, int | float | str):
            self.fault(path, f"{name} is a number, a text or a list of steps")
            return None
        return ParameterChange(pack, name, value, unit, reason, self.place(path))

    def bands(self, steps: Sequence[Any], path: Route, name: str) -> tuple[tuple[float | None, float], ...] | None:
        taken = []
        for step in steps:
            good = isinstance(step, dict) and set(step) in ({"is"}, {"below", "is"})
            if not good or any(isinstance(v, bool) or not isinstance(v, int | float) for v in step.values()):
                self.fault(
                    path, f"each step of {name} is written as {{below = 50000, is = 10}}, the last as {{is = 20}}"
                )
                return None
            taken.append((step.get("below"), step["is"]))
        return tuple(taken)

    def severities(self, data: Any, path: Route, kind: Any) -> Iterator[tuple[str, Setting]]:
        for id, written in data.items() if self.is_table(data, path) else ():
            at = (*path, id)
            example = f'{id} = {{severity = "low", reason = "…"}}'
            if not isinstance(written, dict):
                self.fault(at, f"a reason for the severity of {id} is missing", f"Write it as {example}.")
                continue
            unknown = [key for key in written if key not in ("severity", "reason")]
            for key in unknown:
                self.unknown((*at, key), ("severity", "reason"), "field", f" of {id}")
            missing = [key for key in ("severity", "reason") if key not in written]
            if missing:
                self.fault(at, f"the {' and the '.join(missing)} of {id} is missing", f"Write it as {example}.")
            if unknown or missing:
                continue
            severity = self.checked(_one_of(*SEVERITIES, "off"), written["severity"], (*at, "severity"))
            reason = self.checked(_text, written["reason"], (*at, "reason"))
            if severity is not None and reason is not None:
                change = SeverityChange(id, severity, reason, self.place(at))
                yield f"severities.{id}", Setting(change, Origin(kind, change.place))

    def outputs(self, data: Any, path: Route) -> tuple[Output, ...]:
        from goodcommission.report.formats import FORMATS, format_for

        taken: list[Output] = []
        if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
            self.fault(path, "outputs are written as [[outputs]], each with a format and mostly a file")
            return ()
        for index, item in enumerate(data):
            at = (*path, index)
            for key in item:
                if key not in Output._fields:
                    self.unknown((*at, key), Output._fields, "field", " of an output")
            file = self.checked(_text, item["file"], (*at, "file")) if "file" in item else None
            form = item.get("format") or format_for(None if file is None else PurePosixPath(file))
            if form is None:
                self.fault(at, "the format of this output is missing", f"There are: {', '.join(FORMATS)}.")
                continue
            form = self.checked(_one_of(*FORMATS), form, (*at, "format"))
            output = Output(form or "", None if file is None else Path(as_shown(self.folder / file)))
            if output.file in [other.file for other in taken]:
                where = "is written to standard output" if output.file is None else f"writes to {output.file}"
                self.fault(at, f"another output {where} already", "Give each a file of its own.")
            taken.append(output)
        return tuple(taken)

    def overrides(self, data: Any, path: Route) -> Iterator[Override]:
        if data is None:
            return
        if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
            self.fault(path, "overrides are written as [[overrides]], each with its paths")
            return
        for index, item in enumerate(data):
            at = (*path, index)
            settings = self.table(item, at, overriding=True)
            if "paths" not in item:
                self.fault(at, "the paths of this override are missing", 'Write them as paths = ["grants/**"].')
                continue
            paths = self.checked(_texts, item["paths"], (*at, "paths"))
            if paths == ():
                self.fault((*at, "paths"), "an override without paths changes nothing")
            if paths:
                yield Override(tuple(PurePosixPath(p).as_posix() if "/" in p else p for p in paths), settings)


def _shown_toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else str(value)[:60]


def shown(name: str, value: Any) -> str:
    """A setting's value as ``config show`` prints it."""
    match value:
        case None | ():
            return {"packs": "all", "tier": "by value", "regime": "worked out", "as_of": "today"}.get(name, "none")
        case ParameterChange(value=new):
            return f"{new}, as in the pack"
        case SeverityChange(severity=severity, reason=reason):
            return f"{severity} ({reason})"
        case float():
            return f"{value:g}"
        case tuple():
            return ", ".join(_shown_output(one) if isinstance(one, Output) else str(one) for one in value)
    return str(value)


def _shown_output(output: Output) -> str:
    return output.format if output.file is None else f"{output.format} to {output.file}"


def plain(value: Any) -> Any:
    """A setting's value as JSON holds it."""
    match value:
        case ParameterChange(value=tuple(steps)):
            return [{"is": is_} if below is None else {"below": below, "is": is_} for below, is_ in steps]
        case ParameterChange(value=new):
            return new
        case SeverityChange(severity=severity, reason=reason):
            return {"severity": severity, "reason": reason}
        case Output(form, file):
            return {"format": form, "file": None if file is None else str(file)}
        case tuple():
            return [plain(one) for one in value]
        case dt.date():
            return value.isoformat()
    return value


# --- Lines and columns -------------------------------------------------------------------------------------------

_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_STRING: Final = re.compile(r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\])*"|\'[^\']*\'', re.DOTALL)
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE: Final = re.compile(r"[^,\]}#\n]*")


class _Scanner:
    """Finds the line and column of everything in a text that is valid TOML: the standard library does not tell."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[Route, tuple[int, int]] = {}
        self.lengths: dict[Route, int] = {}
        """How many tables of each array of tables there are so far."""
        self.table: Route = ()
        self.skip(_BLANK)
        while self.at < len(text):
            self.statement()
            self.skip(_BLANK)

    def skip(self, what: re.Pattern[str]) -> str:
        found = what.match(self.text, self.at)
        start, self.at = self.at, found.end() if found else self.at
        return self.text[start : self.at]

    def mark(self, path: Route, start: int) -> None:
        line = self.text.count("\n", 0, start) + 1
        self.places.setdefault(path, (line, start - self.text.rfind("\n", 0, start)))

    def statement(self) -> None:
        start = self.at
        if self.text.startswith("[[", start):
            self.at += 2
            keys = self.keys()
            path = (*self.inside(keys[:-1]), keys[-1])
            index = self.lengths[path] = self.lengths.get(path, -1) + 1
            self.table = (*path, index)
            self.mark(path, start)
            self.mark(self.table, start)
            self.at += 2
        elif self.text[start] == "[":
            self.at += 1
            self.table = self.inside(self.keys())
            for end in range(1, len(self.table) + 1):
                self.mark(self.table[:end], start)
            self.at += 1
        else:
            self.pair(self.table)

    def inside(self, keys: Sequence[str]) -> Route:
        """The path that keys lead to, through the last table of each array of tables."""
        path: Route = ()
        for key in keys:
            path = (*path, key)
            if path in self.lengths:
                path = (*path, self.lengths[path])
        return path

    def keys(self) -> tuple[str, ...]:
        keys = []
        while True:
            self.skip(_SPACE)
            if self.text[self.at] in "\"'":
                keys.append(_unquoted(self.skip(_STRING)))
            else:
                keys.append(self.skip(_BARE_KEY))
            self.skip(_SPACE)
            if self.text[self.at] != ".":
                return tuple(keys)
            self.at += 1

    def pair(self, table: Route) -> None:
        start = self.at
        path = table
        for key in self.keys():
            path = (*path, key)
            self.mark(path, start)
        self.at += 1  # =
        self.skip(_SPACE)
        self.value(path)

    def value(self, path: Route) -> None:
        opening = self.text[self.at]
        if opening in "\"'":
            self.skip(_STRING)
        elif opening in "[{":
            self.at += 1
            index = 0
            while self.skip(_BLANK) is not None and self.text[self.at] not in "]}":
                if opening == "[":
                    self.mark((*path, index), self.at)
                    self.value((*path, index))
                else:
                    self.pair(path)
                self.skip(_BLANK)
                if self.text[self.at] == ",":
                    self.at += 1
                index += 1
            self.at += 1
        else:
            self.skip(_BARE_VALUE)


def _unquoted(key: str) -> str:
    import tomllib

    return str(tomllib.loads(f"key = {key}")["key"])
