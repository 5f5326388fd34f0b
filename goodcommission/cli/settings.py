"""Settings of a command: its options, before the overrides and the rest of the configuration file, before defaults."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from goodcommission.cli.frame import (
    Command,
    Points,
    commissioner_option,
    fail,
    pack_option,
    rules_option,
    tier_option,
)
from goodcommission.exceptions import Fault

if TYPE_CHECKING:
    from goodcommission.configuration import Configuration, Setting, Settings
    from goodcommission.packs.compiling import Packs

config_option = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Use this configuration instead of the nearest goodcommission.toml or pyproject.toml.",
)
evidence_option = click.option(
    "--require-evidence",
    is_flag=True,
    default=None,
    help="Count as unknown what is stated without evidence; what a document says against itself stands.",
)
lock_option = click.option(
    "--lock",
    metavar="FILE",
    help="Refuse packs that are not in this lock file; by default goodcommission.lock beside the configuration.",
)
no_config_option = click.option("--no-config", is_flag=True, help="Use no configuration file.")

_GATE_OPTIONS = (
    click.option("--fail-under", type=Points(), help="Exit with 1 if a score is below this, or there is none."),
    click.option("--min-low", type=Points(), help="Exit with 1 if the low end of the score is below this."),
    click.option(
        "--min-coverage", type=Points(), metavar="PERCENT", help="Exit with 1 if less than this share is judged."
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["high", "medium", "low", "never"]),
        help="Exit with 1 if there is a finding of this severity or above, combined findings included.",
    ),
    click.option(
        "--never-fail",
        multiple=True,
        metavar="ID",
        help="Exit with 1 if this rule is not met, even if it is waived; repeatable.",
    ),
    click.option(
        "--must-pass",
        multiple=True,
        metavar="ID",
        help="As --never-fail; it may not stay unknown either; repeatable.",
    ),
)

_AUDIT_OPTIONS: Final = {
    "packs": (pack_option, "--pack"),
    "rules": (rules_option, "--rules"),
    "lock": (lock_option, "--lock"),
    "commissioner": (commissioner_option, "--commissioner"),
    "tier": (tier_option, "--tier"),
    "require_evidence": (evidence_option, "--require-evidence"),
}


def audit_options(command: Command) -> Command:
    """Add to a command what every audit can be told; `audit_given` takes it."""
    for option in (no_config_option, config_option, *(option for option, _ in reversed(_AUDIT_OPTIONS.values()))):
        command = option(command)
    return command


def audit_given(options: Mapping[str, Any], as_of: dt.date | None) -> dict[str, tuple[Any, str]]:
    """The settings that these options are, each with the option's name."""
    named = {
        name: (options["folders" if name == "rules" else name], said) for name, (_, said) in _AUDIT_OPTIONS.items()
    }
    return {**named, "as_of": (as_of, "--as-of")}


def gate_options(command: Command) -> Command:
    """Add the options of all gates to a command; they come as ``gates``."""
    for option in reversed(_GATE_OPTIONS):
        command = option(command)
    return command


def gates_given(options: Mapping[str, Any]) -> dict[str, tuple[Any, str]]:
    """The gates among options: by the name of the setting, its value and the option."""
    names = ("fail_under", "min_low", "min_coverage", "fail_on", "never_fail", "must_pass")
    return {f"gates.{name}": (options[name], "--" + name.replace("_", "-")) for name in names}


def configurations(config: Path | None, no_config: bool) -> Callable[[str | None], Configuration]:
    """What gives the configuration for a document, by its path; each file is read once."""
    from goodcommission.configuration import (
        Configuration,
        find_configuration,
        read_configuration,
        without_configuration,
    )

    if config is not None and no_config:
        fail(Fault("--config and --no-config can't be used together"))
    read = lru_cache(maxsize=None)(read_configuration)

    def configuration_for(document: str | None) -> Configuration:
        if no_config:
            return Configuration()
        file = config or find_configuration(document)
        return read(file) if file else without_configuration(document)

    return configuration_for


def settled(
    configuration: Configuration, document: str | None, options: Mapping[str, tuple[Any, str]]
) -> dict[str, Setting]:
    """All settings that hold for a document.

    Args:
        configuration: Where they are looked up.
        document: Its path; None for standard input.
        options: By the name of a setting: the value that was given on the command line (None or () if none was), and
            the option.
    """
    from goodcommission.configuration import DEFAULTS, Origin, Setting

    settings = {name: Setting(value, Origin("default")) for name, value in DEFAULTS.items()}
    settings.update(configuration.settings_for(document))
    for name, (value, option) in options.items():
        if value not in (None, ()):
            settings[name] = Setting(value, Origin("option", option=option))
    return settings


def path_of(file: str | None) -> str | None:
    """The path by which a document's settings are looked up: none for standard input."""
    return None if file in (None, "-", "<stdin>") else file


def packs_of(settings: Settings) -> Packs:
    """The packs that settings ask for.

    Raises:
        PackError: A pack can't be read, does not compile, is not there, or is not locked.
    """
    from goodcommission.configuration import adjustments
    from goodcommission.packs.loading import load_packs

    return load_packs(
        settings["packs"].value,
        rules=settings["rules"].value,
        adjustments=adjustments(settings),
        lock=settings["lock"].value,
    )


def agreed(name: str, all_settings: Iterable[Settings]) -> Setting:
    """A setting that holds for all that is audited together.

    Raises:
        GoodCommissionError: The files have configurations that differ in it.
    """
    first, *others = (settings[name] for settings in all_settings)
    for other in others:
        if other.value != first.value:
            advice = "Audit them separately, or name one configuration with --config."
            message = f"{name} is not the same for all of these files ({first.origin} and {other.origin})"
            fail(Fault(message, suggestion=advice))
    return first
