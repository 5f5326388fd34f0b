"""All that users build on, as lines: what is public and how it is called, for comparing it with the last release.

``python tests/public_surface.py`` writes the snapshot anew, which is part of making a release: see docs/reliability.md.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import inspect
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import click
from pydantic import BaseModel

ROOT = Path(__file__).parents[1]
SNAPSHOT = Path(__file__).with_name("public_surface.txt")
MODULES = ("goodcommission", "goodcommission.exceptions", "goodcommission.scan")
FURTHER = {
    "goodcommission.scan.spark": ("SparkScan", "scan"),
    "goodcommission.web.app": ("create_app",),
    "goodcommission.web.settings": ("WebSettings",),
}
"""Public names of modules that say so only in the documentation."""
SCHEMAS = {
    "case": "case.schema.json",
    "description": "description.schema.json",
    "pack": "rule-pack.schema.json",
    "report": "report.schema.json",
}


class Entry(NamedTuple):
    """One thing that users can name."""

    subject: str
    """What it is called; a change of it is named so in the changelog."""
    form: str

    def __str__(self) -> str:
        return f"{self.subject}\t{self.form}"


def surface() -> dict[str, str]:
    """Everything, by its subject."""
    found = [*_library(), *_commands(), *_http(), *_schemas(), *_packs(), *_configuration(), *_formats()]
    entries = dict(found)
    assert len(entries) == len(found), "two things are called alike"
    return dict(sorted(entries.items()))


def text(entries: Mapping[str, str]) -> str:
    """The snapshot's text."""
    return "".join(f"{Entry(*entry)}\n" for entry in entries.items())


def snapshot() -> dict[str, str]:
    """What the last release promised."""
    lines = SNAPSHOT.read_text("utf-8").splitlines()
    return {subject: form for subject, _, form in (line.partition("\t") for line in lines)}


# --- The library -------------------------------------------------------------------------------------------------


def _library() -> Iterator[Entry]:
    for name in MODULES:
        module = importlib.import_module(name)
        public = getattr(module, "__all__", None) or [
            one for one, value in vars(module).items() if inspect.isclass(value) and value.__module__ == name
        ]
        for one in sorted(public):
            yield from _object(f"{name}.{one}", getattr(module, one))
    for name, public in FURTHER.items():
        module = importlib.import_module(name)
        for one in public:
            yield from _object(f"{name}.{one}", getattr(module, one))


def _object(name: str, value: Any) -> Iterator[Entry]:
    if inspect.isclass(value):
        yield Entry(name, "class of " + ", ".join(base.__name__ for base in value.__bases__))
        yield from _class(name, value)
    elif callable(value):
        yield from _function(name, value)
    else:
        yield Entry(name, type(value).__name__)


def _class(name: str, value: type) -> Iterator[Entry]:
    ours = [one for one in reversed(value.__mro__) if one.__module__.startswith("goodcommission.")]
    if dataclasses.is_dataclass(value) or issubclass(value, BaseModel):
        fields = {field: said for one in ours for field, said in vars(one).get("__annotations__", {}).items()}
        fields = {field: said for field, said in fields.items() if field[0] != "_" and "ClassVar" not in str(said)}
        needed = _needed(value)
        for field, said in fields.items():
            yield Entry(f"{name}.{field}", f"{_spaces(said)}{', needed' if field in needed else ''}")
    elif "__init__" in vars(value):
        yield from _function(name, value.__init__, called=f"{name}()")
    for method in sorted({method for one in ours for method in vars(one) if method[0] != "_"}):
        found = inspect.getattr_static(value, method)
        if isinstance(found, property):
            yield Entry(f"{name}.{method}", f"property: {inspect.signature(found.fget).return_annotation}")  # type: ignore[arg-type]
        elif isinstance(found, classmethod | staticmethod):
            yield from _function(f"{name}.{method}", found.__func__)
        elif inspect.isfunction(found):
            yield from _function(f"{name}.{method}", found)


def _needed(value: Any) -> set[str]:
    """The fields without which it can't be made."""
    if issubclass(value, BaseModel):
        return {field for field, about in value.model_fields.items() if about.is_required()}
    none = dataclasses.MISSING
    return {one.name for one in dataclasses.fields(value) if one.init and one.default is one.default_factory is none}


def _function(name: str, value: Any, called: str | None = None) -> Iterator[Entry]:
    signature = inspect.signature(value)
    yield Entry(called or f"{name}()", f"-> {_spaces(signature.return_annotation)}")
    for number, one in enumerate(signature.parameters.values()):
        if one.name in ("self", "cls"):
            continue
        place = "by name only" if one.kind is one.KEYWORD_ONLY else f"number {number + 1}"
        default = "needed" if one.default is one.empty else f"= {one.default!r}"
        yield Entry(f"{name}({one.name})", f"{_spaces(one.annotation)}, {place}, {default}")


def _spaces(annotation: Any) -> str:
    return " ".join(str(annotation).split())


# --- Commands ----------------------------------------------------------------------------------------------------


def _commands() -> Iterator[Entry]:
    from goodcommission.cli import main

    yield from _command("goodcommission", main)


def _command(name: str, command: click.Command) -> Iterator[Entry]:
    yield Entry(name, "command")
    for one in command.params:
        called = max(one.opts, key=len) if isinstance(one, click.Option) else (one.name or "").upper()
        form = one.type.__class__.__name__
        if isinstance(one.type, click.Choice):
            form = "one of " + ", ".join(map(str, one.type.choices))
        parts = [form, *sorted({*one.opts, *one.secondary_opts} - {called})]
        flags = {"flag": getattr(one, "is_flag", False), "repeatable": one.multiple or one.nargs == -1}
        parts += [said for said, so in {**flags, "needed": one.required}.items() if so]
        yield Entry(f"{name} {called}", ", ".join(parts))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for inner in command.list_commands(context):
            found = command.get_command(context, inner)
            assert found is not None
            yield from _command(f"{name} {inner}", found)


# --- HTTP --------------------------------------------------------------------------------------------------------


def _http() -> Iterator[Entry]:
    from goodcommission.web.app import create_app
    from goodcommission.web.settings import WebSettings

    with tempfile.TemporaryDirectory() as folder:
        paths = create_app(WebSettings(database=f"sqlite:///{folder}/audits.db")).openapi()["paths"]
    for path, methods in paths.items():
        for method, about in methods.items():
            name = f"{method.upper()} {path}"
            sent = ", ".join(sorted(about.get("requestBody", {}).get("content", {})))
            yield Entry(name, f"takes {sent or 'nothing'}; answers {', '.join(sorted(about['responses']))}")
            for one in about.get("parameters", ()):
                form = json.dumps(_bare(one["schema"]), sort_keys=True)
                yield Entry(
                    f"{name} {one['name']}", f"in {one['in']}{', needed' if one.get('required') else ''}: {form}"
                )


# --- Schemas -----------------------------------------------------------------------------------------------------


def _schemas() -> Iterator[Entry]:
    from goodcommission.report.model import SCHEMA_VERSION

    yield Entry("schema report", f"version {SCHEMA_VERSION}")
    for name, file in SCHEMAS.items():
        schema = json.loads((ROOT / "schemas" / file).read_text("utf-8"))
        for part, about in {"": schema, **{f" {one}": at for one, at in schema.get("$defs", {}).items()}}.items():
            needed = about.get("required", ())
            for field, form in about.get("properties", {}).items():
                said = json.dumps(_bare(form), sort_keys=True, ensure_ascii=False)
                if len(said) > 120:
                    said = f"{said[:80]}… {hashlib.sha256(said.encode()).hexdigest()[:12]}"
                yield Entry(f"schema {name}{part}.{field}", f"{said}{', needed' if field in needed else ''}")
            if part and "properties" not in about:
                yield Entry(f"schema {name}{part}", json.dumps(_bare(about), sort_keys=True, ensure_ascii=False))


def _bare(schema: Any) -> Any:
    """A schema without what it says to people."""
    if isinstance(schema, dict):
        # Under `properties`, these words are the names of fields.
        return {
            key: {name: _bare(one) for name, one in value.items()} if key in ("properties", "$defs") else _bare(value)
            for key, value in schema.items()
            if key not in ("title", "description", "examples", "markdownDescription")
        }
    return [_bare(one) for one in schema] if isinstance(schema, list) else schema


# --- Packs, configuration, formats -------------------------------------------------------------------------------


def _packs() -> Iterator[Entry]:
    """Each rule with what decides its verdict and its weight; texts may be bettered without a word."""
    from goodcommission.packs.loading import shipped_packs

    shown = frozenset(
        {"title", "asks", "why", "remedy", "finding", "note", "notes", "cases", "sources", "about", "text"}
    )

    def digest(part: Any) -> str:
        def meant(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: meant(one) for key, one in value.items() if key not in shown}
            return [meant(one) for one in value] if isinstance(value, list) else value

        return hashlib.sha256(json.dumps(meant(part), sort_keys=True).encode()).hexdigest()[:12]

    for one in shipped_packs():
        pack = one.pack.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        yield Entry(f"pack {one.pack.id}", f"version {one.pack.version}")
        for kind in ("rules", "patterns", "questions"):
            for part in pack.pop(kind, ()):
                yield Entry(f"pack {one.pack.id} {part['id']}", digest(part))
        for name, value in pack.pop("parameters", {}).items():
            yield Entry(f"pack {one.pack.id} params.{name}", digest({**value, "why": None}))
        pack.pop("version")
        yield Entry(f"pack {one.pack.id} lets, groups and the like", digest(pack))


def _configuration() -> Iterator[Entry]:
    from goodcommission.configuration import DEFAULTS

    for name, value in DEFAULTS.items():
        yield Entry(f"setting {name}", f"= {value!r}" if not isinstance(value, tuple) else f"= {list(map(str, value))}")


def _formats() -> Iterator[Entry]:
    from goodcommission.report.formats import FORMATS
    from goodcommission.scan.tables import NOTICES, RULES

    for name in FORMATS:
        yield Entry(f"format {name}", "of reports")
    for table, columns in (("notices", NOTICES), ("rules", RULES)):
        for column, type_ in columns.items():
            yield Entry(f"column {table}.{column}", re.sub(r"\(.*", "", str(type_)))


if __name__ == "__main__":
    SNAPSHOT.write_text(text(surface()), "utf-8")
