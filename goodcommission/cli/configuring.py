"""``goodcommission config``: what is set, and where each setting comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from goodcommission.cli.frame import as_json, deliver, form_option
from goodcommission.cli.settings import config_option, configurations, no_config_option, packs_of, path_of, settled

if TYPE_CHECKING:
    from goodcommission.configuration import Settings
    from goodcommission.packs.compiling import Packs


@click.group()
def config() -> None:
    """The configuration file (goodcommission.toml, or [tool.goodcommission] in pyproject.toml)."""


@config.command("show")
@click.argument("file", required=False)
@config_option
@no_config_option
@form_option
def config_show(file: str | None, config: Path | None, no_config: bool, form: str) -> None:
    """Show every setting that holds for FILE, its value, and where it comes from.

    Without FILE: what holds for a document on standard input.
    """
    from goodcommission.configuration import as_shown, plain

    path = path_of(file)
    configuration = configurations(config, no_config)(path)
    settings = settled(configuration, path, {})
    # What is changed is looked up, so that what an audit would refuse is refused here.
    packs = packs_of(settings)
    used = None if configuration.file is None else as_shown(configuration.file)
    if form == "json":
        rows = [
            {
                "name": name,
                "value": plain(value),
                "from": origin.kind,
                "file": origin.place.file if origin.place else None,
                "line": origin.place.line if origin.place else None,
            }
            for name, (value, origin) in settings.items()
        ]
        deliver(as_json({"file": used, "document": file, "settings": rows}), None, as_bytes=True)
    else:
        deliver(_table(used, file, settings, packs), None)


def _table(used: str | None, file: str | None, settings: Settings, packs: Packs) -> str:
    """The settings in three columns: name, where it comes from, value."""
    from goodcommission.configuration import shown
    from goodcommission.report.terminal import neutral

    changes = {f"parameters.{one.pack}.{one.name}": one for one in packs.changes if one.kind == "parameter"}
    rows = []
    for name, (value, origin) in settings.items():
        change = changes.get(name)
        text = f"{change.after} instead of {change.before}" if change else shown(name, value)
        place = f"{origin} (override)" if origin.kind == "override" else str(origin)
        rows.append(tuple(neutral(cell) for cell in (name, place, text)))
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    lines = [neutral(f"Configuration: {used or 'none'}" + (f", for {file}" if file else "")), ""]
    lines += [f"{name:<{first}}  {place:<{second}}  {text}" for name, place, text in rows]
    return "".join(f"{line}\n" for line in lines)
