"""Saved audits: off unless a database is named, a history by document, and nothing changed by another site's page."""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient

from goodcommission import audit, audit_case, read_description, read_documents
from goodcommission.cli import main
from goodcommission.description.reading import read_source
from goodcommission.exceptions import GoodCommissionError
from goodcommission.packs.loading import shipped_folder
from goodcommission.report.reading import read_reports
from goodcommission.web.app import create_app
from goodcommission.web.settings import WebSettings, digest_of_key
from goodcommission.web.storage import Storage, StorageError

EXAMPLES = shipped_folder("examples")
TENDER = (EXAMPLES / "tender.json").read_bytes()
DAY = dt.date(2026, 11, 20)
JSON = {"content-type": "application/json"}
HOSTILE = "<script>alert(1)</script>\u202e"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'audits.db'}"


@pytest.fixture
def client(url: str) -> Any:
    with TestClient(create_app(WebSettings(database=url))) as client:
        yield client


def token(text: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', text)
    assert found
    return found[1]


def tender(**changed: Any) -> bytes:
    return json.dumps({**json.loads(TENDER), **changed}).encode()


def save(client: Any, body: bytes = TENDER, query: str = "") -> dict[str, Any]:
    answer = client.post(f"/v1/audits?as_of={DAY}{query}", content=body, headers=JSON)
    assert answer.status_code == 201, answer.text
    (one,) = answer.json()
    return dict(one)


def test_without_a_database_nothing_of_it_is_there() -> None:
    with TestClient(create_app()) as client:
        assert client.get("/saved").status_code == 404
        assert client.get("/v1/audits").status_code == 404
        assert "/v1/audits" not in client.get("/v1/openapi.json").json()["paths"]
        shown = client.post("/check", data={"text": TENDER.decode()})
        assert shown.status_code == 200
        assert "Save this audit" not in shown.text
        assert "set-cookie" not in shown.headers


def test_a_report_is_saved_from_its_page_and_shown_again(client: Any) -> None:
    shown = client.post("/check", data={"text": TENDER.decode(), "name": "tender.json"})
    cookie = shown.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    fields = {"text": TENDER.decode(), "name": "tender.json", "as_of": str(DAY), "token": token(shown.text)}
    answer = client.post("/saved", data=fields)
    assert answer.status_code == 200
    title = json.loads(TENDER)["title"]
    assert title in answer.text and "1 saved audit" in answer.text
    listed = client.get("/saved").text
    assert title in listed
    (path,) = re.findall(r'href="(/saved/\d+/report)"', listed)
    again = client.get(path)
    assert title in again.text
    assert "default-src 'none'" in again.headers["content-security-policy"]
    (held,) = read_reports("-", stream=io.BytesIO(client.get(path.replace("/report", "/download/json")).content))
    (document,) = read_documents("-", stream=io.BytesIO(TENDER), name="tender.json")
    assert held.to_json() == audit(document, as_of=DAY).to_json()


@pytest.mark.parametrize("together", ["", "1"])
def test_several_files_are_saved_as_they_were_audited(client: Any, together: str) -> None:
    files = [EXAMPLES / "case" / name for name in ("tender.yaml", "contract.yaml")]
    profile = b"commissioner:\n  territory: wales\n"
    shown = client.post("/check", files=[("file", (one.name, one.read_bytes())) for one in files])
    assert "Save these audits" in shown.text
    fields = {
        "text": [one.read_text("utf-8") for one in files],
        "name": [one.name for one in files],
        "commissioner": profile.decode(),
        "commissioner_name": "ours.yaml",
        "pack": ["equality-impact", "market-diversity"],
        "evidence": "1",
        "together": together,
        "as_of": str(DAY),
        "token": token(shown.text),
    }
    assert client.post("/saved", data=fields).status_code == 200
    kept = client.get("/v1/audits").json()["audits"]
    texts = [client.get(f"/v1/audits/{one['id']}").text for one in reversed(kept)]
    given = read_source("-", stream=io.BytesIO(profile), name="ours.yaml")
    documents = [
        read_documents("-", stream=io.BytesIO(one.read_bytes()), name=one.name, commissioner=given)[0] for one in files
    ]
    if together:
        made = [audit_case(documents, fields["pack"], as_of=DAY, require_evidence=True)]
    else:
        made = [audit(one, fields["pack"], as_of=DAY, require_evidence=True) for one in documents]
    assert texts == [one.to_json() for one in made]
    again = client.post("/check", files={"file": (files[0].name, files[0].read_bytes())}, data={"evidence": "1"})
    assert "Save this audit" in again.text


@pytest.mark.parametrize(
    "change",
    [
        lambda fields, client: fields.update(token=""),
        lambda fields, client: fields.update(token="é.é"),
        lambda fields, client: fields.update(token="00." + "0" * 64),
        lambda fields, client: client.cookies.clear(),
    ],
    ids=["no token", "no token's form", "a guess", "no cookie"],
)
def test_a_form_of_another_is_refused(client: Any, change: Any) -> None:
    one = save(client)
    shown = client.post("/check", data={"text": TENDER.decode()})
    fields = {"text": TENDER.decode(), "token": token(shown.text)}
    change(fields, client)
    for path in ("/saved", f"/saved/{one['id']}/delete", f"/saved/{one['document']}/delete-all"):
        assert client.post(path, data=fields).status_code == 403
    assert len(client.get("/v1/audits").json()["audits"]) == 1


def test_a_page_of_another_site_changes_nothing(client: Any) -> None:
    one = save(client)
    shown = client.post("/check", data={"text": TENDER.decode()})
    foreign = {"sec-fetch-site": "cross-site"}
    fields = {"text": TENDER.decode(), "token": token(shown.text)}
    assert client.post("/saved", data=fields, headers=foreign).status_code == 403
    assert client.post("/v1/audits", content=TENDER, headers={**JSON, **foreign}).status_code == 403
    assert client.delete(f"/v1/audits/{one['id']}", headers=foreign).status_code == 403
    # What a page may send without asking is not taken for a document.
    for headers in ({"content-type": "text/plain"}, {}):
        assert client.post("/v1/audits", content=TENDER, headers=headers).status_code == 415
    assert len(client.get("/v1/audits").json()["audits"]) == 1


def test_a_history_is_that_of_one_document(client: Any) -> None:
    first = save(client, tender(id="T-1"))
    second = save(client, tender(id="T-1", title="Changed"))
    other = save(client, tender(id="T-2"))
    assert first["document"] == second["document"] != other["document"]
    found = client.get(f"/v1/audits?document={first['document']}").json()["audits"]
    assert [one["id"] for one in found] == [second["id"], first["id"]]
    shown = client.get(f"/saved/{first['document']}").text
    assert "<svg" in shown and "polyline" in shown and "The score went from" in shown
    assert "<svg" not in client.get(f"/saved/{other['document']}").text


def test_scores_that_do_not_compare_are_not_joined(client: Any) -> None:
    first = save(client, tender(id="T-1"))
    save(client, tender(id="T-1"), "&pack=equality-impact")
    shown = client.get(f"/saved/{first['document']}").text
    assert "don’t compare with the one before" in shown
    assert shown.count("<polyline") == 2
    assert "The same text as before" in shown


def test_documents_that_nobody_named_are_not_thrown_together(client: Any) -> None:
    plain = json.loads(TENDER)
    plain.pop("id", None)
    one = save(client, json.dumps(plain).encode())
    same = save(client, json.dumps(plain).encode())
    other = save(client, json.dumps({**plain, "title": "Another"}).encode())
    assert one["document"] == same["document"] != other["document"]
    named = save(client, json.dumps({**plain, "title": "Another"}).encode(), "&name=advice")
    later = save(client, json.dumps({**plain, "title": "Another one"}).encode(), "&name=advice")
    assert named["document"] == later["document"]
    assert named["name"] == "advice.json"


def test_what_a_document_says_is_escaped(client: Any) -> None:
    one = save(client, tender(id=HOSTILE, title=HOSTILE))
    for path in ("/saved", f"/saved/{one['document']}", f"/saved/{one['id']}/report"):
        shown = client.get(path).text
        assert "<script>alert" not in shown and "\u202e" not in shown


def test_the_list_has_pages(client: Any) -> None:
    (document,) = read_documents("-", stream=io.BytesIO(TENDER), name="tender.json")
    client.app.state.storage.save([audit(document, as_of=DAY)] * 60)
    first, second = client.get("/saved").text, client.get("/saved?page=2").text
    assert first.count("<tr>") == 51 and "Page 1 of 2" in first and "Older" in first and "Newer" not in first
    assert second.count("<tr>") == 11 and "Newer" in second and "Older" not in second
    answer = client.get("/v1/audits?most=40").json()
    assert [one["id"] for one in answer["audits"]] == list(range(60, 20, -1))
    rest = client.get(f"/v1/audits?most=40&before={answer['before']}").json()
    assert [one["id"] for one in rest["audits"]] == list(range(20, 0, -1))
    assert rest["before"] is None


def test_one_is_deleted_or_all_of_a_document(client: Any) -> None:
    ones = [save(client, tender(id="T-1")) for _ in range(3)]
    kept = save(client, tender(id="T-2"))
    held = token(client.get(f"/saved/{ones[0]['document']}").text)
    assert client.post(f"/saved/{ones[0]['id']}/delete", data={"token": held}).status_code == 200
    assert client.get(f"/v1/audits/{ones[0]['id']}").status_code == 404
    assert client.delete(f"/v1/audits/{ones[1]['id']}").status_code == 204
    assert client.delete(f"/v1/audits/{ones[1]['id']}").status_code == 404
    assert client.post(f"/saved/{ones[0]['document']}/delete-all", data={"token": held}).status_code == 200
    assert [one["id"] for one in client.get("/v1/audits").json()["audits"]] == [kept["id"]]
    assert save(client)["id"] > kept["id"]


def test_everything_can_be_taken_along(client: Any) -> None:
    ones = [save(client, tender(id=f"T-{number}")) for number in range(3)]
    answer = client.get("/saved/export")
    assert answer.headers["content-disposition"] == 'attachment; filename="saved-audits.jsonl"'
    lines = [json.loads(line) for line in answer.text.splitlines()]
    for one, line in zip(ones, lines, strict=True):
        report = line.pop("report")
        assert line == one
        assert report == client.get(f"/v1/audits/{one['id']}").json()


def test_what_is_too_old_is_deleted(url: str) -> None:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    report = audit(read_description({"kind": "tender"}), as_of=DAY)
    storage = Storage(url, 30, clock=lambda: now)
    storage.save([report])
    now = dt.datetime(2026, 1, 30, tzinfo=dt.UTC)
    storage.save([report])
    assert storage.expire() == 0
    now = dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
    assert storage.expire() == 1
    storage.close()
    late = Storage(url, 30, clock=lambda: dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
    assert late.count() == 0
    late.close()


def test_all_reports_of_a_request_are_saved_or_none(url: str) -> None:
    storage = Storage(url, 30)
    report = audit(read_description({"kind": "tender"}), as_of=DAY)
    broken = report.model_copy(update={"document": report.document.model_copy(update={"kind": None})})
    with pytest.raises(StorageError):
        storage.save([report, broken])
    assert storage.count() == 0
    storage.close()


def test_many_may_save_at_once(url: str) -> None:
    report = audit(read_description({"kind": "tender"}), as_of=DAY)
    # Two of them, as two servers would share a file.
    storages = [Storage(url, 30), Storage(url, 30)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: storages[number % 2].save([report]), range(100)))
    assert storages[0].count() == 100
    for storage in storages:
        storage.close()


def test_a_database_that_fails_later_is_said_in_one_sentence(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goodcommission.web.storage._WAIT", 0.1)
    storage = client.app.state.storage
    storage.writing.acquire()
    answer = client.post("/v1/audits", content=TENDER, headers=JSON)
    storage.writing.release()
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert "it is busy with another change" in answer.json()["detail"]
    holds, done = threading.Event(), threading.Event()

    def hold() -> None:
        other = sqlite3.connect(tmp_path / "audits.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        holds.set()
        done.wait(30)
        other.execute("DROP TABLE goodcommission_audits")
        other.execute("COMMIT")
        other.close()

    holder = threading.Thread(target=hold)
    holder.start()
    holds.wait(30)
    answer = client.post("/v1/audits", content=TENDER, headers=JSON)
    assert answer.status_code == 503 and "it is locked by another program" in answer.json()["detail"]
    done.set()
    holder.join()
    page = client.get("/saved", headers={"accept": "text/html"})
    assert page.status_code == 503 and "no such table" in page.text and "SELECT" not in page.text


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "--database is no URL"),
        ("sqlite://", "needs a file"),
        ("sqlite:////nowhere/at/all/audits.db", "unable to open database file"),
        ("strange://somebody:secret@host/x", "--database is no URL"),
    ],
)
def test_a_database_that_can_not_be_opened_ends_the_start(url: str, said: str) -> None:
    run = CliRunner().invoke(main, ["serve", "--port", "0", "--database", url])
    assert run.exit_code == 2
    assert said in run.stderr and "Traceback" not in run.stderr and "secret" not in run.stderr


def test_a_file_that_is_no_database_or_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "audits.db"
    path.write_bytes(b"this is a text" * 100)
    with pytest.raises(GoodCommissionError, match="not a database"):
        Storage(f"sqlite:///{path}", 30)
    older = sqlite3.connect(tmp_path / "older.db")
    older.execute("CREATE TABLE goodcommission_audits (id INTEGER, saved TEXT)")
    older.close()
    with pytest.raises(GoodCommissionError, match="another version"):
        Storage(f"sqlite:///{tmp_path / 'older.db'}", 30)


def test_the_api_of_saved_audits_asks_for_the_key(url: str) -> None:
    with TestClient(create_app(WebSettings(database=url, keys=(digest_of_key("open"),)))) as client:
        assert client.get("/v1/audits").status_code == 401
        assert client.delete("/v1/audits/1").status_code == 401
        assert client.get("/v1/audits", headers={"x-api-key": "open"}).status_code == 200


def test_a_report_of_another_version_can_still_be_taken(client: Any) -> None:
    one = save(client)
    storage = client.app.state.storage
    found = storage.one(one["id"])
    assert found
    assert client.get("/saved/999/report").status_code == 404
    assert client.get(f"/saved/{2**40}/report").status_code == 404
    assert client.get(f"/saved/{one['id']}/download/pdf").status_code == 404
    for form in ("html", "csv", "markdown", "sarif"):
        assert client.get(f"/saved/{one['id']}/download/{form}").status_code == 200
