"""The doors by which what strangers wrote comes in: each a function of bytes that raises only if a promise is broken.

A door takes any bytes and gives nothing back. What goodcommission says of bad input, an error of its own, is no finding;
any other exception is. All that a door needs is loaded before, so that what it costs is the cost of its input.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import goodcommission
from goodcommission.exceptions import GoodCommissionError
from goodcommission.packs.loading import shipped_folder, shipped_packs

DAY: Final = dt.date(2026, 11, 21)
_EXAMPLES: Final = shipped_folder("examples")
_MOST_AUDITED: Final = 2
"""Of the documents of one input; an audit of each costs the same."""

Door = Callable[[bytes], None]


class BrokenPromiseError(AssertionError):
    """What came back is no result and no error of goodcommission's."""


@cache
def folder() -> Path:
    """A folder of this process, with the files that case files and packs stand beside."""
    place = Path(tempfile.mkdtemp(prefix="goodcommission-fuzzing-"))
    for example in (_EXAMPLES / "case").iterdir():
        shutil.copy(example, place)
    shutil.copy(_EXAMPLES / "tender.json", place)
    import atexit

    owner = os.getpid()
    atexit.register(lambda: os.getpid() == owner and shutil.rmtree(place, ignore_errors=True))
    return place


def _written(name: str, data: bytes) -> Path:
    path = folder() / f"{os.getpid()}-{name}"
    path.write_bytes(data)
    return path


def _ours(function: Callable[[], Any]) -> Any:
    """What the function gives; None where it raises an error of ours, which must be fit to be shown."""
    try:
        return function()
    except GoodCommissionError as error:
        if not error.faults:
            raise BrokenPromiseError("an error says nothing") from error
        for fault in error.faults[:20]:
            said = str(fault)
            if not fault.message.strip() or "Traceback" in said:
                raise BrokenPromiseError(f"an error says nothing: {said[:200]!r}") from error
            if len(fault.message) > 3000 or len(fault.suggestion or "") > 3000:
                raise BrokenPromiseError(f"an error quotes without end: {fault.message[:200]!r}") from error
            (fault.message + (fault.suggestion or "")).encode()  # half a character can't be written to any file
        return None


# --- Descriptions and notices ------------------------------------------------------------------------------------


def _audited(data: bytes, name: str) -> tuple[Any, ...]:
    from goodcommission.description.positions import locate
    from goodcommission.report.formats import render

    documents = _ours(lambda: goodcommission.read_documents("-", stream=io.BytesIO(data), name=name))
    for document in (documents or ())[:_MOST_AUDITED]:
        report = _ours(lambda document=document: goodcommission.audit(document, as_of=DAY))  # type: ignore[misc]
        if report is None:  # more entries than a condition may look at
            continue
        render("json", [report])
        render("text", [report])
        if document.source is not None:
            render("html", [report], sources=[document.source])
            for fact in report.facts:
                if fact.pointer and fact.line is None and document.origin == "description" and document.profile is None:
                    raise BrokenPromiseError(f"{fact.name} is stated and has no place ({fact.pointer})")
            locate(document.source, "")
    return (documents or ())[:_MOST_AUDITED]


def description_json(data: bytes) -> None:
    """A description in JSON: read, audited and reported."""
    _audited(data, "fuzz.json")


def description_yaml(data: bytes) -> None:
    """A description in YAML: read, audited and reported."""
    _audited(data, "fuzz.yaml")


def notices(data: bytes) -> None:
    """A file of OCDS notices as ``audit`` reads it; what can be read is written out as a description."""
    from goodcommission.description.writing import write

    for document in _audited(data, "notice.json"):
        text = write(document, "yaml")
        if len(text) < 100_000:  # a second reading
            goodcommission.read_documents("-", stream=io.BytesIO(text.encode()), name="again.yaml")


@cache
def _judge() -> Any:
    from goodcommission.scan.judging import Judge

    return Judge(goodcommission.load_packs())


def scan(data: bytes) -> None:
    """Lines or texts of a scan: read, merged and judged together."""
    from goodcommission.scan.inputs import Rejection, chunks, texts_in
    from goodcommission.scan.notices import merged, processes
    from goodcommission.scan.running import BATCH

    def judged(found: list[Any]) -> None:
        tables = _judge().tables(found)
        if tables.notices.height + len(tables.rejected) != len(found):
            raise BrokenPromiseError("a notice was neither judged nor rejected")

    batch: list[Any] = []
    for chunk in chunks(texts_in("notices.jsonl", 1, data)):
        for one in processes(chunk):
            if isinstance(one, Rejection):
                one.to_json()
                continue
            batch.append(merged(one))
            if len(batch) == BATCH:
                judged(batch)
                batch = []
    judged(batch)


def profile(data: bytes) -> None:
    """A commissioner's profile beside a description."""
    from goodcommission.description.reading import read_source

    def read() -> Any:
        given = read_source("-", stream=io.BytesIO(data), name="profile.yaml")
        return goodcommission.read_documents(_EXAMPLES / "contract.yaml", commissioner=given)

    for document in _ours(read) or ():
        goodcommission.audit(document, as_of=DAY).to_json()


# --- What stands beside descriptions -----------------------------------------------------------------------------


def case(data: bytes) -> None:
    """A case file that lists the documents of the example."""
    path = _written("case.yaml", data)
    report = _ours(lambda: goodcommission.audit_case(path, as_of=DAY))
    if report is not None:
        report.to_json()


@cache
def _contract() -> Any:
    return goodcommission.read_description(_EXAMPLES / "contract.yaml")


def answers(data: bytes) -> None:
    """Signed answers, used in an audit."""
    from goodcommission.answers import read_answers

    path = _written("answers.yaml", data)
    read = _ours(lambda: read_answers(path))
    if read is not None:
        report = _ours(lambda: goodcommission.audit(_contract(), as_of=DAY, answers=read))
        if report is not None:
            report.to_json()


def template(data: bytes) -> None:
    """A template with placeholders, worked out for all that they may stand for."""
    path = _written("template.yaml", data)
    report = _ours(lambda: goodcommission.audit_template(path, as_of=DAY))
    if report is not None:
        report.to_json()


# --- Packs -------------------------------------------------------------------------------------------------------


@cache
def _documents() -> tuple[Any, ...]:
    names = ("tender.json", "contract.yaml", "decommissioning-plan.yaml")
    return tuple(goodcommission.read_description(_EXAMPLES / name) for name in names)


def pack(data: bytes) -> None:
    """A pack of a stranger's: checked, and used in audits where it passes."""
    from goodcommission.packs.checking import check_packs

    path = _written("pack.yaml", data)
    checked = check_packs([path])
    for fault in checked.faults[:50]:
        str(fault).encode("utf-8", "replace")
        if len(fault.message) > 3000:
            raise BrokenPromiseError(f"an error quotes without end: {fault.message[:200]!r}")
    used = _ours(lambda: goodcommission.load_packs(rules=[path]))
    if used is None:
        shipped = {one.pack.id for one in shipped_packs()}  # checking puts another in its place, loading does not
        if not checked.faults and shipped.isdisjoint(one.pack.id for one in checked.targets):
            raise BrokenPromiseError("a pack that passes checking can't be loaded")
        return
    for document in _documents():
        report = _ours(lambda document=document: goodcommission.audit(document, used, as_of=DAY))  # type: ignore[misc]
        if report is not None:
            report.to_json()


CONDITION_PACK: Final = """\
pack: hostile
version: 1.0.0
title: A pack of a stranger's
about: It asks whatever somebody wrote.
extends: [proportionate-procurement]
sources:
  itself: {title: Itself, publisher: Nobody, year: 2020, kind: guidance}
parameters:
  least: {value: 24, unit: months, basis: guidance, why: It is a number.}
rules:
  - id: HO-01
    title: Whatever it asks
    asks: Whatever it asks.
    phase: procurement
    applies_to: [tender, contract, decommissioning_plan]
    severity: medium
    strength: recommendation
    kind: direct
    when: term.months >= params.least
    require: @@
    finding: It is not so.
    why: It says so.
    remedy: There is none.
    sources: [{source: itself, section: "1"}]
"""


def condition(data: bytes) -> None:
    """A CEL condition in a pack that is otherwise sound."""
    text = data.decode("utf-8", "replace")
    pack(CONDITION_PACK.replace("@@", json.dumps(text, ensure_ascii=not text.isprintable())).encode("utf-8", "replace"))


# --- What goodcommission wrote, read back ------------------------------------------------------------------------


@cache
def saved() -> Any:
    """A report that is compared with."""
    return goodcommission.audit(goodcommission.read_description(_EXAMPLES / "tender.json"), as_of=DAY)


def sealed(body: str) -> str:
    """A report as ``audit --format json`` writes it, with the digest that fits: anybody can work it out."""
    digest = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()
    return f'{body[:-2]},\n  "digest": "sha256:{digest}"\n}}\n'


def report(data: bytes) -> None:
    """A saved report: shown in each form, compared, judged by gates, its findings kept, its figures worked out anew."""
    from goodcommission.baselines import apply as known_before
    from goodcommission.baselines import create
    from goodcommission.comparing import Comparisons, compare
    from goodcommission.configuration import Origin, Setting
    from goodcommission.gating import check_gates, gates_of
    from goodcommission.report.comparison import render_all
    from goodcommission.report.formats import FORMATS, render
    from goodcommission.report.reading import read_reports

    path = _written("report.json", data)
    reports = _ours(lambda: read_reports(path))
    if not reports:
        return
    for form in FORMATS:
        render(form, reports)
    found = Comparisons(
        comparisons=(compare(saved(), reports[0]), compare(reports[0], saved())), only_before=(), only_after=()
    )
    found.to_json()
    render_all(found)
    origin = Origin("option", option="--fail-under")
    settings = {
        "gates.fail_under": Setting(60.0, origin),
        "gates.min_coverage": Setting(0.5, origin),
        "gates.fail_on": Setting("high", origin),
    }
    check_gates(reports[0], gates_of(settings))
    baseline = create(reports, DAY)
    baseline.to_json()
    known_before(reports[0], baseline)


def verified(data: bytes) -> None:
    """A saved report that is verified; where it is JSON, with the digest that fits it."""
    from goodcommission.verifying import verify

    tender = folder() / "tender.json"
    for one in dict.fromkeys((data, _resealed(data))):
        path = _written("verified.json", one)
        try:
            _ours(lambda: verify(path, tender))
        except (OSError, UnicodeDecodeError) as error:
            if isinstance(error, UnicodeDecodeError) and _is_utf8(one):
                raise


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _resealed(data: bytes) -> bytes:
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        return data
    if not isinstance(raw, dict):
        return data
    raw.pop("digest", None)
    try:
        body = json.dumps(raw, ensure_ascii=False, indent=2)
    except (ValueError, RecursionError):
        return data
    return sealed(body).encode("utf-8", "surrogatepass")


def baseline(data: bytes) -> None:
    """A baseline, applied to a report and brought up to date with it."""
    from goodcommission.baselines import apply, create, read_baseline, update

    path = _written("baseline.json", data)
    read = _ours(lambda: read_baseline(path))
    if read is not None:
        _ours(lambda: apply(saved(), read))
        _ours(lambda: update(read, [saved()]).baseline.to_json())
        _ours(lambda: create([saved()], DAY, read).to_json())


def waivers(data: bytes) -> None:
    """A file of waivers, applied to a report."""
    from goodcommission.waivers import apply, read_waivers

    path = _written("waivers.yaml", data)
    read = _ours(lambda: read_waivers(path))
    if read is not None:
        for day in (DAY, None):
            waived = _ours(lambda day=day: apply(saved(), read, day))  # type: ignore[misc]
            if waived is not None:
                waived.to_json()


def configuration(data: bytes) -> None:
    """A configuration file, and what it changes in the packs."""
    from goodcommission.configuration import adjustments, find_configuration, read_configuration

    (folder() / "own").mkdir(exist_ok=True)
    path = folder() / "own" / "pyproject.toml"
    for name in ("pyproject.toml", "goodcommission.toml"):
        path = path.with_name(name)
        path.write_bytes(data)
        _ours(lambda: find_configuration(path))
        read = _ours(lambda path=path: read_configuration(path))  # type: ignore[misc]
        path.unlink()
        if read is not None:
            settings = _ours(lambda read=read: read.settings_for(folder() / "tender.json"))  # type: ignore[misc]
            if settings is not None:
                _ours(lambda settings=settings: adjustments(settings))  # type: ignore[misc]


# --- The server --------------------------------------------------------------------------------------------------


@cache
def _client() -> Any:
    from fastapi.testclient import TestClient

    from goodcommission.web.app import create_app
    from goodcommission.web.settings import WebSettings

    client = TestClient(create_app(WebSettings(seconds=1000.0)))
    client.__enter__()
    return client


_MEDIA: Final = (
    "application/json",
    "application/yaml",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "image/png",
)
_FORMS: Final = ("json", "html", "markdown", "sarif", "junit", "csv", "text")
_PATHS: Final = (
    "/v1/audit",
    "/v1/validate",
    "/v1/convert",
    "/v1/improve",
    "/check",
    "/what-if",
    "/what-if/outcome",
    "/download/json",
    "/v1/rules/PP-01",
)
_FIRST_LINE: Final = re.compile(rb"\A#([0-9]{1,3}),([0-9]{1,3}),([0-9]{1,3})(?:,([^\n]{0,200}))?\n")


def api(data: bytes) -> None:
    """A request to the server. A first line ``#path,media,form,query`` says which; without it, JSON to be audited."""
    found = _FIRST_LINE.match(data)
    numbers = [int(one) for one in found.groups()[:3]] if found else [0, 0, 0]
    query = (found[4] or b"").decode("latin-1") if found else ""
    body = data[found.end() :] if found else data
    path, media, form = (of[n % len(of)] for of, n in zip((_PATHS, _MEDIA, _FORMS), numbers, strict=True))
    from urllib.parse import quote

    url = f"{path}?as_of={DAY}&format={form}&{quote(query, safe='=&%')}"
    answer = _client().post(url, content=body, headers={"content-type": media, "origin": "http://testserver"})
    if answer.status_code >= 500:
        raise BrokenPromiseError(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    if answer.status_code >= 400 and path.startswith("/v1/") and "problem" not in answer.headers["content-type"]:
        raise BrokenPromiseError(f"{path} answered {answer.status_code} without saying what is wrong")


DOORS: Final[Mapping[str, Door]] = {
    "json": description_json,
    "yaml": description_yaml,
    "notices": notices,
    "scan": scan,
    "profile": profile,
    "case": case,
    "answers": answers,
    "template": template,
    "pack": pack,
    "condition": condition,
    "report": report,
    "verify": verified,
    "baseline": baseline,
    "waivers": waivers,
    "configuration": configuration,
    "api": api,
}


def warm(names: Iterable[str] = DOORS) -> None:
    """Load what the doors load the first time."""
    goodcommission.load_packs()
    for name in names:
        for data in (b"", b"{}", *(seed for seed in _seeds(name)[:1])):
            DOORS[name](data)


def _seeds(name: str) -> tuple[bytes, ...]:
    from fuzzing.draws import seeds

    return seeds(name)
