"""``goodcommission audit``."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goodcommission.cli.frame import (
    BAD_INPUT,
    FINE,
    GATE_FAILED,
    Day,
    check_output,
    commissioner_option,
    complain,
    deliver,
    fail,
    files_argument,
    look,
    output_option,
    pack_option,
    printable,
    read,
    rules_option,
    say_once,
    tier_option,
)
from goodcommission.cli.settings import (
    agreed,
    config_option,
    configurations,
    evidence_option,
    gate_options,
    gates_given,
    lock_option,
    no_config_option,
    packs_of,
    path_of,
    settled,
)
from goodcommission.exceptions import AnswerError, CaseFileError, EngineError, Fault, GoodCommissionError
from goodcommission.report.formats import FORMATS

if TYPE_CHECKING:
    from goodcommission.answers import Answers
    from goodcommission.configuration import Output, Settings
    from goodcommission.description.case import Case
    from goodcommission.description.document import Document, Source
    from goodcommission.report.model import AuditReport


@click.command()
@files_argument
@pack_option
@rules_option
@lock_option
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), help="By default what the output's name says, or text."
)
@output_option
@commissioner_option
@click.option("--as-of", type=Day(), help="The day of the audit; today if it is not given.")
@click.option(
    "--engine",
    type=click.Choice(["auto", "durable", "reference"]),
    help="What combines the findings; auto, the default, takes durable-rules where it is installed.",
)
@tier_option
@evidence_option
@click.option("--answers", metavar="FILE", help="Signed answers to the questions that only a person can answer.")
@click.option(
    "--regime",
    metavar="ID",
    help="The law that it is run under, such as procurement_act_2023; by default worked out, and the report says how.",
)
@click.option("--waivers", metavar="FILE", help="Findings that somebody answers for until a day: they do not count.")
@click.option("--baseline", metavar="FILE", help="Findings that were there before: no gate fails for them.")
@click.option("--update-baseline", is_flag=True, help="Take out of the baseline what is mended; nothing is ever added.")
@click.option(
    "--template", is_flag=True, help="The files are templates: say of each rule whether it holds whatever is filled in."
)
@click.option(
    "--placeholder",
    "placeholders",
    multiple=True,
    metavar="FORM",
    help='How placeholders of a template are written, such as "[[name]]"; repeatable.',
)
@click.option("--strict", is_flag=True, help="Stop if the two engines differ.")
@click.option(
    "--case", "together", is_flag=True, help="The files describe one service: audit them together, with one score."
)
@click.option("--passes", is_flag=True, help="Show the rules that are met as well.")
@click.option("--all", "everything", is_flag=True, help="Show every rule, also those that do not apply.")
@gate_options
@config_option
@no_config_option
def audit(
    files: tuple[str, ...],
    packs: tuple[str, ...],
    folders: tuple[str, ...],
    lock: str | None,
    form: str | None,
    output: Path | None,
    commissioner: str | None,
    as_of: dt.date | None,
    engine: str | None,
    tier: str | None,
    regime: str | None,
    require_evidence: bool | None,
    answers: str | None,
    waivers: str | None,
    baseline: str | None,
    update_baseline: bool,
    template: bool,
    placeholders: tuple[str, ...],
    strict: bool,
    together: bool,
    passes: bool,
    everything: bool,
    config: Path | None,
    no_config: bool,
    **gates: Any,
) -> None:
    """Audit tenders, contracts, decommissioning plans, grant programmes or OCDS notices ("-" is standard input).

    With --template, the files hold placeholders, and the report says for which of their values a rule is met; it exits
    with 1 if a rule is never met.

    With --case, the files are audited together as the documents of one service; a case file, which lists them, says
    the same without it.

    A file that cannot be read or is not valid gets no report, and all that is wrong with it is said; the others are
    audited all the same. With --output, nothing is written unless all of them can be audited.

    What is not given as an option is taken from the nearest configuration file: see goodcommission config show.
    """
    from goodcommission.configuration import RUN_SETTINGS
    from goodcommission.gating import check_gates, gates_of

    given: dict[str, tuple[Any, str]] = {
        "packs": (packs, "--pack"),
        "rules": (folders, "--rules"),
        "lock": (lock, "--lock"),
        "commissioner": (commissioner, "--commissioner"),
        "tier": (tier, "--tier"),
        "regime": (regime, "--regime"),
        "require_evidence": (require_evidence, "--require-evidence"),
        "answers": (answers, "--answers"),
        "as_of": (as_of, "--as-of"),
        "engine": (engine, "--engine"),
        "waivers": (waivers, "--waivers"),
        "baseline": (baseline, "--baseline"),
        "placeholders": (placeholders, "--placeholder"),
        "outputs": (_outputs(form, output), "--format"),
        **gates_given(gates),
    }
    configuration_for = configurations(config, no_config)
    settings_of = {file: settled(configuration_for(path_of(file)), path_of(file), given) for file in files}
    if template and together:
        fail(Fault("--case can't be used with --template", suggestion="Audit templates by themselves."))
    if template:
        sys.exit(_audit_templates(files, settings_of, given))
    if placeholders:
        fail(Fault("--placeholder is for templates", suggestion="Add --template."))
    run = {name: agreed(name, settings_of.values()).value for name in RUN_SETTINGS}
    outputs: Sequence[Output] = run["outputs"]
    for one in outputs:
        read_too = (run["waivers"], run["baseline"], *_read_beside(settings_of.values()))
        check_output(one.file, [*files, *(file for file in read_too if file)])
    documents, faults = _read(files, settings_of)
    if together:
        documents = [] if faults else [_one_case(documents)]
    else:
        _tell_of_cases(documents)
    for one in outputs:
        check_output(one.file, [text.name for text in _texts(documents)])
    day = run["as_of"] or _today()
    reports: list[AuditReport] = []
    signed = _answers([settings["answers"].value for _, settings in documents])
    for document, settings in documents:
        report = _audit(document, settings, day, run["engine"], signed.get(settings["answers"].value))
        if strict and report.engine.differences:
            raise EngineError(*(f"the engines differ on {document.name}: {one}" for one in report.engine.differences))
        reports.append(report)
    reports = _waived(reports, [settings for _, settings in documents], day, run)
    reports = _known_before(reports, run["baseline"], update=update_baseline and not faults)
    to_files = any(one.file for one in outputs)
    if reports and not (faults and to_files):
        several = (len(files) > 1 and not together) or len(reports) > 1
        _write(outputs, reports, _texts(documents), several=several, passes=passes, everything=everything)
    if faults:
        for one in outputs:
            if one.file:
                complain(f"{one.file}: not written, because not all files could be audited.")
        sys.exit(BAD_INPUT)
    failed = [
        result.line(report.document.name)
        for report, (_, settings) in zip(reports, documents, strict=True)
        for result in check_gates(report, gates_of(settings))
        if not result.passed
    ]
    for line in failed:
        complain(line)
    sys.exit(GATE_FAILED if failed else FINE)


def _audit_templates(
    files: Sequence[str], settings_of: Mapping[str, Settings], given: Mapping[str, tuple[Any, str]]
) -> int:
    """Audit templates; the exit status. A template has no score: of the gates, only the one on severity is for it."""
    from goodcommission.cli.template import TemplateSettings, run_template

    for name, (value, option) in given.items():
        for_documents = ("waivers", "baseline", "engine", "require_evidence", "answers", "regime")
        of_documents = name in for_documents or name.startswith("gates.")
        if of_documents and name != "gates.fail_on" and value not in (None, ()):
            fail(Fault(f"{option} can't be used with --template", suggestion="Of the gates, --fail-on can."))
    outputs: tuple[Output, ...] = given["outputs"][0]
    form, output = (outputs[0].format, outputs[0].file) if outputs else ("text", None)
    if form not in ("text", "json"):
        fail(Fault(f"the report on a template can't be written as {form}", suggestion="There are text and json."))

    def settings_for(file: str) -> TemplateSettings:
        settings = settings_of[file]
        fail_on = settings["gates.fail_on"]
        return TemplateSettings(
            packs_of(settings),
            settings["commissioner"].value,
            settings["tier"].value,
            "low" if fail_on.origin.kind == "default" else fail_on.value,
        )

    return run_template(
        files,
        settings_for,
        as_of=agreed("as_of", settings_of.values()).value or _today(),
        form=form,  # type: ignore[arg-type]
        output=output,
        syntax=agreed("placeholders", settings_of.values()).value,
    )


def _today() -> dt.date:
    return dt.datetime.now().astimezone().date()


def _outputs(form: str | None, output: Path | None) -> tuple[Output, ...]:
    """The one output that is asked for on the command line, which stands for all that are configured."""
    from goodcommission.configuration import Output
    from goodcommission.report.formats import format_for

    if form is None and output is None:
        return ()
    return (Output(form or format_for(output) or "text", output),)


_Audited = list[tuple["Document | Case", "Settings"]]


def _read(files: Sequence[str], settings_of: Mapping[str, Settings]) -> tuple[_Audited, bool]:
    """All documents and cases with their settings, and whether something is wrong with a file."""
    profiles = {settings["commissioner"].value for settings in settings_of.values()}
    if [*files, *profiles].count("-") > 1:
        fail("standard input (-) can be named only once.")
    said: dict[str, None] = {}
    found: _Audited = []
    for file in files:
        settings = settings_of[file]
        commissioner = settings["commissioner"].value
        try:
            found += [(document, settings) for document in read((file,), commissioner, said, cases=True)[0]]
        except CaseFileError:
            if case := _listed(file, commissioner, said):
                found.append((case, settings))
    return found, bool(said)


def _listed(file: str, commissioner: str | None, said: dict[str, None]) -> Case | None:
    """The case that a file lists; what is wrong with it is said."""
    from goodcommission.description.case import read_case_file

    try:
        case = read_case_file(file, commissioner=commissioner)
    except GoodCommissionError as error:
        say_once(error, said)
        return None
    return replace(case, documents=tuple(printable(document) for document in case.documents))


def _one_case(given: _Audited) -> tuple[Case, Settings]:
    """All that was read as one case, with the settings that hold for all of it."""
    from goodcommission.description.case import Case, gathered

    documents: list[Document] = []
    for one, _ in given:
        if isinstance(one, Case):
            advice = "Name the case file alone, without --case, or name documents."
            fail(Fault("this is a case file, and --case is for documents", one.file, suggestion=advice))
        documents.append(one)
    first, *others = (settings for _, settings in given)
    for other in others:
        for name in sorted(first.keys() | other.keys()):
            values = [settings[name].value if name in settings else None for settings in (first, other)]
            if values[0] != values[1]:
                advice = "Name one configuration with --config."
                fail(Fault(f"{name} is not the same for all documents of the case", suggestion=advice))
    return gathered(documents), first


def _tell_of_cases(given: _Audited) -> None:
    """Say which documents could be audited together."""
    from goodcommission.description.document import Document
    from goodcommission.report.wording import listed

    cases: dict[str, list[str]] = {}
    for one, _ in given:
        if isinstance(one, Document) and one.description.case is not None:
            cases.setdefault(one.description.case, []).append(one.name)
    for id, names in cases.items():
        if len(names) > 1:
            complain(f"{listed(names)} belong to one case ({id}): with --case they are audited together.")


def _texts(audited: _Audited) -> list[Source]:
    """The texts of all that is audited, and of the profiles."""
    from goodcommission.description.document import Document
    from goodcommission.report.quoting import texts_of

    return texts_of(
        [one for given, _ in audited for one in ((given,) if isinstance(given, Document) else given.documents)]
    )


def _read_beside(settings: Iterable[Settings]) -> Iterator[str | None]:
    """The files that are read for single documents, beside them."""
    for of_one in settings:
        yield from (of_one["commissioner"].value, of_one["answers"].value)


def _answers(files: Sequence[str | None]) -> Mapping[str | None, Answers]:
    """The answers of each file; an answer must say for which document it is, where several share a file."""
    from goodcommission.answers import read_answers, without_document

    read_files: dict[str | None, Answers] = {}
    for file in dict.fromkeys(file for file in files if file):
        read_files[file] = read_answers(file)
        if files.count(file) > 1 and (faults := without_document(read_files[file])):
            raise AnswerError(*faults)
    return read_files


def _audit(
    document: Document | Case, settings: Settings, day: dt.date, engine: Any, answers: Answers | None
) -> AuditReport:
    from goodcommission.description.document import Document

    options: dict[str, Any] = {
        "as_of": day,
        "engine": engine,
        "tier": settings["tier"].value,
        "regime": settings["regime"].value,
        "require_evidence": settings["require_evidence"].value,
        "answers": answers,
    }
    if isinstance(document, Document):
        from goodcommission.auditing import audit as audit_one

        return audit_one(document, packs_of(settings), **options)
    from goodcommission.casework import audit_case

    return audit_case(document, packs_of(settings), **options)


def _waived(
    reports: list[AuditReport], settings: Sequence[Settings], day: dt.date, run: Mapping[str, Any]
) -> list[AuditReport]:
    """The reports with the waivers that hold; what may never fail can't be waived."""
    if run["waivers"] is None or not reports:
        return reports
    from goodcommission.waivers import apply_all, read_waivers

    never = {id for of_one in settings for name in ("never_fail", "must_pass") for id in of_one[f"gates.{name}"].value}
    waivers = read_waivers(run["waivers"], most_days=run["waiver_days"])
    return list(apply_all(reports, waivers, day, never=never))


def _known_before(reports: list[AuditReport], file: str | None, *, update: bool) -> list[AuditReport]:
    """The reports with what is in the baseline marked; the baseline without what is mended, where that is asked for."""
    if file is None:
        if update:
            fail(Fault("there is no baseline to update", suggestion="Name it with --baseline FILE."))
        return reports
    from goodcommission import baselines

    baseline = baselines.read_baseline(file)
    if update:
        ratchet = baselines.update(baseline, reports)
        if ratchet.mended:
            deliver(ratchet.baseline.to_json(), Path(file), as_bytes=True)
            mended = len(ratchet.mended)
            complain(f"{file}: {mended} {'finding is' if mended == 1 else 'findings are'} mended, and taken out of it.")
    return [baselines.apply(report, baseline) for report in reports]


def _write(
    outputs: Sequence[Output],
    reports: Sequence[AuditReport],
    sources: Sequence[Source],
    *,
    several: bool,
    passes: bool,
    everything: bool,
) -> None:
    """Write all outputs."""
    from goodcommission.report.formats import for_terminal, render

    for one in outputs:
        width, colour = look() if one.file is None else (80, False)
        text = render(
            one.format,
            reports,
            width=width,
            colour=colour,
            passes=passes,
            everything=everything,
            several=several,
            sources=sources,
        )
        deliver(text, one.file, as_bytes=not for_terminal(one.format))
