"""The pages: every one opens, the report is the library's, what is sent is only ever text."""

from __future__ import annotations

import datetime as dt
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from goodcommission import audit, audit_case, read_documents
from goodcommission.description.reading import read_source
from goodcommission.packs.coverage import read_coverage
from goodcommission.packs.loading import load_packs, shipped_folder
from goodcommission.report.formats import render
from goodcommission.web.app import create_app
from goodcommission.web.guard import POLICY
from goodcommission.web.pages import DOWNLOADS
from goodcommission.web.settings import WebSettings

EXAMPLES = shipped_folder("examples")
TENDER = EXAMPLES / "tender.json"
CASE = [EXAMPLES / "case" / name for name in ("tender.yaml", "contract.yaml", "ending.yaml")]
DAY = dt.date(2026, 11, 20)
PAGE = {"accept": "text/html"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> \u202e{{ 7*7 }} </textarea>"
PACKS = load_packs()
PARTS = [one.id for held in PACKS.packs for one in (*held.pack.rules, *held.pack.patterns, *held.pack.questions)]


@pytest.fixture(scope="module")
def client() -> Any:
    with TestClient(create_app(), headers=PAGE) as client:
        yield client


def sent_again(page: str) -> dict[str, Any]:
    """What the form with the downloads sends, as a browser reads it."""
    form = re.search(r'<form method="post" class="downloads".*?</form>', page, re.DOTALL)
    assert form
    fields: dict[str, Any] = {}
    parts = r'<input type="hidden" (name=[^>]*)>|<textarea (name=[^>]*)>\n?(.*?)</textarea>'
    for hidden, area, inside in re.findall(parts, form.group(), re.DOTALL):
        name = re.search(r'name="(\w+)"', hidden or area)
        value = re.search(r'value="([^"]*)"', hidden)
        assert name
        ends = html.unescape(inside).replace("\r\n", "\n").replace("\n", "\r\n")
        fields.setdefault(name[1], []).append(html.unescape(value[1]) if value else ends)
    return fields


@pytest.mark.parametrize("path", ["/", "/rules", "/packs", "/coverage", "/sources", "/rules?q=notice&severity=high"])
def test_every_page_opens_with_its_policy_and_no_script_of_its_own(client: Any, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"] == POLICY
    assert "'unsafe" not in POLICY
    assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=", answer.text)
    assert set(re.findall(r'(?:src|href)="(https?:)?//[^"]*\.(?:js|css)', answer.text)) == set()


@pytest.mark.parametrize("id", PARTS)
def test_every_rule_finding_and_question_has_a_page(client: Any, id: str) -> None:
    answer = client.get(f"/rules/{id}")
    assert answer.status_code == 200
    assert f">{id} " in answer.text and "Sources</h2>" in answer.text
    assert client.get(f"/rules/{id.lower()}", follow_redirects=False).headers["location"] == f"/rules/{id}"


def test_all_links_between_the_pages_lead_somewhere(client: Any) -> None:
    seen: set[str] = set()
    for path in ("/", "/rules", "/packs", "/coverage", "/sources", "/rules/PP-03", "/rules/P-01"):
        seen |= {html.unescape(link) for link in re.findall(r'href="(/[^"]*)"', client.get(path).text)}
    pages = {link.partition("#")[0]: "" for link in seen}
    texts = {link: client.get(link) for link in pages}
    assert [link for link, answer in texts.items() if answer.status_code != 200] == []
    for link in seen:
        path, _, place = link.partition("#")
        assert not place or f'id="{place}"' in texts[path].text, link


def listed(client: Any, **query: str) -> list[str]:
    return re.findall(r'<a href="/rules/([A-Z0-9-]+)">', client.get("/rules", params=query).text)


def test_the_search_finds_by_words_id_and_source(client: Any) -> None:
    assert sorted(listed(client)) == sorted(PARTS)
    assert listed(client, q="pp-03")[0] == "PP-03"
    assert listed(client, q="Procurement Act 2023") and "MQ-08" in listed(client, q="diversity")
    by_source = listed(client, source="more-than-a-provider")
    held = [(one.pack, part) for one in PACKS.packs for part in (*one.pack.rules, *one.pack.patterns)]
    cited = {part.id for _, part in held if any(one.source == "more-than-a-provider" for one in part.sources)}
    assert cited <= set(by_source) and len(by_source) < len(PARTS)
    assert set(listed(client, severity="high")) < set(PARTS)
    assert set(listed(client, kind="grant_programme")) < set(PARTS)
    assert "Nothing fits" in client.get("/rules?q=xyzzy").text


def test_coverage_shows_every_entry_with_what_became_of_it(client: Any) -> None:
    table = read_coverage()
    whole = html.unescape(client.get("/coverage").text)
    for source in table.sources.values():
        for one in source.entries:
            assert one.says in whole and (one.gap is None or one.gap in whole)
    gaps = html.unescape(client.get("/coverage?became=gap").text)
    shown = gaps.count('<span class="tag gap">')
    assert shown == sum(source.number("gap") for source in table.sources.values()) > 0
    assert '<span class="tag checked">' not in gaps
    assert client.get("/coverage?became=nix").status_code == 422


def test_packs_say_how_well_they_are_tested(client: Any) -> None:
    page = html.unescape(client.get("/packs").text)
    for held in PACKS.packs:
        if held.pack.pack:
            assert held.pack.title in page and f"({held.pack.id})" in page
    assert "mistakes made in its rules on purpose" in page


@pytest.mark.parametrize("path", [TENDER, EXAMPLES / "contract.yaml", EXAMPLES / "decommissioning-plan.yaml"])
def test_the_report_has_the_verdicts_of_the_library(client: Any, path: Path) -> None:
    body = path.read_bytes()
    for sending in (
        {"files": {"file": (path.name, body)}, "data": {"as_of": str(DAY)}},
        {"data": {"text": body.decode(), "as_of": str(DAY)}},
    ):
        answer = client.post("/check", **sending)
        assert answer.status_code == 200
        # The report's own entries have their id; those of the values that can be tried have none.
        shown = dict(re.findall(r'<article[^>]*\bid="([^"]+)"[^>]*data-verdict="(\w+)"', answer.text))
        report = audit(path, as_of=DAY)
        expected = {one.rule.id: one.verdict for one in report.results}
        assert {id: verdict for id, verdict in shown.items() if id in expected} == expected


@pytest.mark.parametrize("form", DOWNLOADS)
@pytest.mark.parametrize("evidence", ["", "1"])
def test_a_download_is_byte_for_byte_the_report_of_the_library(client: Any, form: str, evidence: str) -> None:
    body = TENDER.read_bytes()
    page = client.post("/check", files={"file": (TENDER.name, body)}, data={"as_of": str(DAY), "evidence": evidence})
    made = client.post(f"/download/{form}", data=sent_again(page.text))
    (document,) = read_documents("-", stream=io.BytesIO(body), name=TENDER.name)
    report = audit(document, as_of=DAY, require_evidence=bool(evidence))
    assert made.content.decode() == render(form, [report], sources=[document.source] if document.source else [])
    assert made.headers["content-disposition"] == f'attachment; filename="{DOWNLOADS[form][0]}"'


@pytest.mark.parametrize("together", ["", "1"])
def test_several_files_are_reports_of_their_own_or_one_case(client: Any, together: str) -> None:
    files = [("file", (path.name, path.read_bytes())) for path in CASE]
    page = client.post("/check", files=files, data={"as_of": str(DAY), "together": together})
    assert page.status_code == 200
    made = client.post("/download/json", data=sent_again(page.text)).json()
    documents = [read_documents("-", stream=io.BytesIO(path.read_bytes()), name=path.name)[0] for path in CASE]
    if together:
        assert made == json.loads(audit_case(documents, as_of=DAY).to_json())
    else:
        assert made == [json.loads(audit(one, as_of=DAY).to_json()) for one in documents]


PROFILE = b"commissioner:\n  territory: wales\nevidence:\n  - {pointer: /commissioner/territory, document: Charter}\n"


@pytest.mark.parametrize("way", ["chosen", "pasted"])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_the_profile_the_packs_and_the_day_go_along(client: Any, way: str, ends: bytes) -> None:
    body, given = (EXAMPLES / "contract.yaml").read_bytes(), PROFILE.replace(b"\n", ends)
    body = body.replace(b"\n", ends)
    packs = ["uk-procurement-act-2023", "market-diversity"]
    data = {"as_of": "2026-03-02", "tier": "large", "pack": packs, "packs": "1"}
    files = {"file": ("contract.yaml", body)}
    if way == "chosen":
        files["profile"] = ("ours.yaml", given)
    else:
        data |= {"commissioner": given.decode(), "commissioner_name": "ours.yaml"}
        given = PROFILE
    page = client.post("/check", files=files, data=data)
    assert page.status_code == 200
    again = sent_again(page.text)
    made = client.post("/download/json", data=again)
    profile = read_source("-", stream=io.BytesIO(given), name="ours.yaml")
    (document,) = read_documents("-", stream=io.BytesIO(body), name="contract.yaml", commissioner=profile)
    report = audit(document, packs, as_of=dt.date(2026, 3, 2), tier="large")
    assert made.text == report.to_json()
    assert report.document.profile and report.document.profile.digest == profile.digest
    assert report.regime.territory == "wales"


def test_all_packs_are_ticked_and_none_is_a_mistake_that_is_told(client: Any) -> None:
    page = client.get("/").text
    held = {one.pack.id for one in PACKS.packs if one.pack.pack}
    assert set(re.findall(r'name="pack" value="([\w-]+)" checked', page)) == held
    text = TENDER.read_text("utf-8")
    every = client.post("/check", data={"text": text, "packs": "1", "pack": sorted(held)})
    (made,) = [client.post("/download/json", data=sent_again(every.text)).json()]
    assert made["packs_digest"] == PACKS.digest
    none = client.post("/check", data={"text": text, "packs": "1"})
    assert (
        none.status_code == 422 and "No rules are chosen" in none.text and '<details class="options" open>' in none.text
    )
    assert html.unescape(none.text).count(json.loads(text)["title"]) == 1
    unknown = client.post("/check", data={"text": text, "pack": "nix"})
    assert unknown.status_code == 422 and "there is no pack" in unknown.text
    some = client.post("/check", data={"text": "kind: nix\n", "packs": "1", "pack": "market-diversity"})
    assert re.findall(r'name="pack" value="([\w-]+)" checked', some.text) == ["market-diversity"]


def test_what_is_wrong_with_a_profile_is_said_at_its_line(client: Any) -> None:
    files = {
        "file": ("tender.json", TENDER.read_bytes()),
        "profile": ("ours.yaml", b"commissioner:\n  territory: Mars\n"),
    }
    answer = client.post("/check", files=files)
    assert answer.status_code == 422
    assert "ours.yaml, line 2" in answer.text and "  territory: Mars" in answer.text
    pasted = re.search(r'<textarea id="commissioner"[^>]*>(.*?)</textarea>', answer.text, re.DOTALL)
    assert pasted and "Mars" in pasted[1]
    both = client.post("/check", files={**files, "file": ("t.yaml", b"kind: tender\nvalue: lots\n")})
    assert "t.yaml, line 2" in both.text
    zipped = client.post("/check", files={**files, "profile": ("ours.zip", b"PK\x03\x04aaaa")})
    assert zipped.status_code == 422 and "zip file" in zipped.text


def test_what_is_wrong_is_said_at_its_line_whichever_file_it_is_in(client: Any) -> None:
    text = "kind: tender\r\nterm:\r\n  month: 3\r\nvalue: lots\r\n"
    answer = client.post("/check", data={"text": text, "tier": "small"})
    assert answer.status_code == 422
    assert '<a href="#line-3">Line 3</a>' in answer.text and 'id="line-4" class="wrong"' in answer.text
    assert "months" in answer.text and '<option value="small" selected>' in answer.text
    kept = re.search(r'<textarea id="text"[^>]*>(.*?)</textarea>', answer.text, re.DOTALL)
    assert kept and html.unescape(kept.group(1)).strip() == text.replace("\r\n", "\n").strip()
    bad = [("file", (name, b"kind: tender\nvalue: lots\n")) for name in ("one.yaml", "two.yaml")]
    several = client.post("/check", files=[*bad, ("file", ("good.json", TENDER.read_bytes()))])
    assert several.status_code == 422
    assert "one.yaml, line 2" in several.text and "two.yaml, line 2" in several.text
    assert len(re.findall(r'id="line-2"', several.text)) == 1


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..\\..\\x.json", "/etc/passwd", "a" * 3000, HOSTILE, "\0.json", "-"]
)
def test_the_name_of_a_file_is_shown_and_never_opened(client: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from goodcommission.description import reading

    def opened(path: str) -> bytes:
        raise AssertionError(path)

    monkeypatch.setattr(reading, "_read_file", opened)
    answer = client.post("/check", data={"text": TENDER.read_text("utf-8"), "name": name})
    assert answer.status_code == 200
    assert "/etc/" not in answer.text and "a" * 81 not in answer.text and "<img" not in answer.text
    assert "alert(1)</script>" not in answer.text


def test_hostile_text_is_only_text(client: Any) -> None:
    tender = json.loads(TENDER.read_text("utf-8"))
    good = client.post("/check", data={"text": json.dumps({**tender, "title": HOSTILE, "summary": HOSTILE})})
    bad = client.post("/check", data={"text": json.dumps({"kind": HOSTILE, HOSTILE: HOSTILE})})
    found = client.get("/rules", params={"q": HOSTILE, "pack": HOSTILE, "source": HOSTILE})
    gone = client.get("/rules/" + HOSTILE.replace("/", "")[:60])
    assert [one.status_code for one in (good, bad, found, gone)] == [200, 422, 200, 404]
    for answer in (good, bad, found, gone):
        assert "<script>alert" not in answer.text and "<img" not in answer.text
        assert "49 &lt;/textarea" not in answer.text


def test_a_megabyte_is_read_or_refused_as_a_page(client: Any) -> None:
    tender = TENDER.read_bytes()
    full = tender + b" " * (990_000 - len(tender))
    assert client.post("/check", files={"file": ("tender.json", full)}).status_code == 200
    refused = client.post("/check", files={"file": ("tender.json", full + b" " * 20_000)})
    assert refused.status_code == 413
    assert "<h1" in refused.text and "1,000,000 bytes" in refused.text


def test_an_empty_form_and_a_changed_one_are_told_of(client: Any) -> None:
    assert "Nothing was sent" in client.post("/check", data={"text": " "}).text
    assert "Nothing was sent" in client.post("/check", files={"file": ("", b"")}, data={"text": ""}).text
    assert "The file is empty" in client.post("/check", files={"file": ("tender.json", b"")}).text
    assert "There is nothing at this address" in client.get("/nothing").text
    for wrong in ({"tier": "huge"}, {"as_of": "tomorrow"}):
        answer = client.post("/check", data={"text": "kind: tender\n", **wrong})
        assert answer.status_code == 422 and "<h1" in answer.text
    assert client.post("/download/pdf", data={"text": "kind: tender\n"}).status_code == 404
    assert client.post("/download/json", data={}).status_code == 422
    assert "<h1" in client.post("/download/json", data={"text": "kind: nix\n"}).text


def test_a_person_gets_a_page_and_a_program_problem_details_for_every_refusal() -> None:
    with TestClient(create_app(WebSettings(per_minute=2, at_once=1, waiting=0))) as client:
        client.app.state.workers.held = 1  # type: ignore[attr-defined]
        busy = client.post("/check", data={"text": "kind: tender\n"}, headers=PAGE)
        missing = client.get("/nothing", headers=PAGE)
        often = client.get("/", headers=PAGE)
        client.app.state.workers.held = 0  # type: ignore[attr-defined]
        for answer, status in ((busy, 503), (missing, 404), (often, 429)):
            assert answer.status_code == status
            assert answer.headers["content-type"].startswith("text/html")
            assert "<h1" in answer.text and answer.headers["content-security-policy"] == POLICY
        assert int(often.headers["retry-after"]) > 0
        assert client.get("/", headers={"accept": "*/*"}).headers["content-type"] == "application/problem+json"
