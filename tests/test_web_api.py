"""The HTTP API: the same verdicts as the library, and answers that say what is wrong."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.testclient import TestClient

import goodcommission
from goodcommission import audit, improve, read_description, read_documents
from goodcommission.description.reading import read_source
from goodcommission.packs.loading import shipped_folder
from goodcommission.report.formats import render
from goodcommission.web.app import create_app
from goodcommission.web.limits import RateLimit
from goodcommission.web.service import MEDIA_TYPES
from goodcommission.web.settings import WebSettings, digest_of_key, new_key

EXAMPLES = shipped_folder("examples")
FILES = sorted(
    path for folder in (EXAMPLES, EXAMPLES / "ocds") for path in folder.iterdir() if path.suffix in (".json", ".yaml")
)
DAY = dt.date(2026, 11, 20)
JSON = {"content-type": "application/json"}
YAML = {"content-type": "application/yaml"}


@pytest.fixture(scope="module")
def client() -> Any:
    with TestClient(create_app()) as client:
        yield client


def media(path: Path) -> dict[str, str]:
    return JSON if path.suffix == ".json" else YAML


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_report_is_byte_for_byte_that_of_the_library(client: Any, path: Path) -> None:
    body = path.read_bytes()
    answer = client.post(f"/v1/audit?as_of={DAY}", content=body, headers=media(path))
    assert answer.status_code == 200, answer.text
    documents = read_documents("-", stream=io.BytesIO(body), name=f"document{path.suffix}")
    reports = [audit(one, as_of=DAY) for one in documents]
    assert answer.content.decode("utf-8") == render("json", reports)
    if len(reports) == 1:
        assert answer.text == reports[0].to_json()


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_every_format_is_given_with_its_media_type(client: Any, form: str) -> None:
    body = (EXAMPLES / "tender.json").read_bytes()
    answer = client.post(f"/v1/audit?as_of={DAY}&format={form}", content=body, headers=JSON)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPES[form]
    (document,) = read_documents("-", stream=io.BytesIO(body), name="document.json")
    assert answer.text == render(
        form, [audit(document, as_of=DAY)], sources=[document.source] if document.source else []
    )


def test_how_to_audit_stands_in_the_query(client: Any) -> None:
    body = (EXAMPLES / "tender.json").read_bytes()
    query = f"as_of={DAY}&tier=small&pack=subcontracting&pack=equality-impact&require_evidence=true"
    report = client.post(f"/v1/audit?{query}", content=body, headers=JSON).json()
    assert report["tier"] == {"name": "small", "basis": "override"}
    assert [one["id"] for one in report["packs"]] == ["equality-impact", "subcontracting"]
    assert report["as_of"] == DAY.isoformat()


@pytest.mark.parametrize("path", ["audit", "improve"])
def test_a_profile_comes_beside_the_document(client: Any, path: str) -> None:
    body = b"kind: tender\nstage: published\n"
    given = b"commissioner:\n  sector_route: {exists: false}\n"
    profile = read_source("-", stream=io.BytesIO(given), name="ours.yaml")
    (document,) = read_documents("-", stream=io.BytesIO(body), name="tender.yaml", commissioner=profile)
    expected = (audit if path == "audit" else improve)(document, as_of=DAY).to_json()
    query = {"as_of": str(DAY)}
    files = {"document": ("../tender.yaml", body), "commissioner": ("ours.yaml", given)}
    assert client.post(f"/v1/{path}", params=query, files=files).text == expected
    assert client.post(f"/v1/{path}", params=query, files={"document": ("tender.yaml", body)}).text != expected
    wrong = client.post(f"/v1/{path}", files={**files, "commissioner": ("ours.yaml", given.replace(b"false", b"Mars"))})
    assert wrong.status_code == 422
    assert [(one["file"], one["line"]) for one in wrong.json()["faults"]] == [("ours.yaml", 2)]
    without = client.post(f"/v1/{path}", files={"commissioner": ("ours.yaml", given)})
    assert without.status_code == 422 and "no part named document" in without.json()["detail"]
    for body in (b"--b\r\nnonsense", b"", b"--c--"):
        broken = client.post(f"/v1/{path}", content=body, headers={"content-type": "multipart/form-data; boundary=b"})
        assert broken.status_code == 422
    assert client.post("/v1/validate", files=files).status_code == 415


def test_what_is_wrong_has_its_line_and_pointer(client: Any) -> None:
    text = "kind: tender\nterm:\n  month: 3\nvalue: lots\n"
    answer = client.post("/v1/audit", content=text, headers=YAML)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:goodcommission:problem:invalid-document"
    assert problem["detail"] == "2 things are wrong with it."
    first, second = problem["faults"]
    assert (first["line"], first["pointer"]) == (3, "/term/month")
    assert "months" in first["suggestion"]
    assert (second["line"], second["pointer"]) == (4, "/value")


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b"", JSON, 422, "the file is empty"),
        (b"{", JSON, 422, "this is not JSON"),
        (b"\xff\xfe\x00", JSON, 422, "UTF-16"),
        (b"%PDF-1.7", {}, 422, "a PDF"),
        (b"kind: tender", {"content-type": "text/html"}, 415, "application/json or application/yaml"),
        (b"[" * 100_000, JSON, 422, "64 sections within each other"),
        (b'{"kind": "tender"}' + b" " * 1_000_000, JSON, 413, "1,000,000 bytes"),
    ],
)
def test_bad_input_is_answered_clearly(
    client: Any, body: bytes, headers: dict[str, str], status: int, said: str
) -> None:
    for path in ("audit", "validate", "convert", "improve"):
        answer = client.post(f"/v1/{path}", content=body, headers=headers)
        if path == "validate" and status == 422:
            assert answer.status_code == 200
            assert answer.json()["valid"] is False
        else:
            assert answer.status_code == status, path
        assert said in answer.text


def test_a_body_without_its_length_is_cut_off_as_well(client: Any) -> None:
    def endless() -> Any:
        for _ in range(30):
            yield b"x" * 100_000

    assert client.post("/v1/audit", content=endless(), headers=JSON).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/rules/PP-99", 404),
        ("GET", "/v1/audit", 405),
        ("POST", "/v1/audit?tier=huge", 422),
        ("POST", "/v1/audit?as_of=tomorrow", 422),
        ("POST", "/v1/audit?format=pdf", 422),
        ("POST", "/v1/audit?pack=nix", 422),
    ],
)
def test_a_wrong_address_or_parameter_is_a_problem(client: Any, method: str, path: str, status: int) -> None:
    answer = client.request(method, path, content=b"kind: tender\n" if method == "POST" else None, headers=YAML)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_document_is_checked_without_an_audit(client: Any) -> None:
    body = (EXAMPLES / "contract.yaml").read_bytes()
    answer = client.post("/v1/validate", content=body, headers=YAML).json()
    assert answer["valid"]
    assert answer["documents"][0]["kind"] == "contract"
    assert answer["documents"][0]["facts"] > 20


def test_a_notice_becomes_a_description_that_audits_alike(client: Any) -> None:
    path = next(path for path in FILES if path.parent.name == "ocds" and len(read_documents(path)) == 1)
    for form, parse in (("yaml", yaml.safe_load), ("json", json.loads)):
        answer = client.post(f"/v1/convert?format={form}", content=path.read_bytes(), headers=JSON)
        assert answer.status_code == 200
        converted = read_description(parse(answer.text))
        assert audit(converted, as_of=DAY).score == audit(path, as_of=DAY).score


def test_the_cheapest_edits_are_those_of_the_library(client: Any) -> None:
    body = (EXAMPLES / "tender.json").read_bytes()
    answer = client.post(f"/v1/improve?as_of={DAY}&target=70", content=body, headers=JSON)
    (document,) = read_documents("-", stream=io.BytesIO(body), name="document.json")
    assert answer.text == improve(document, as_of=DAY, target=70).to_json()


def test_packs_and_rules_are_listed_and_told(client: Any) -> None:
    packs = client.get("/v1/packs").json()
    rules = client.get("/v1/rules").json()
    assert {rule["pack"] for rule in rules} <= {pack["id"] for pack in packs}
    rule = client.get("/v1/rules/pp-03").json()
    assert rule["id"] == "PP-03"
    assert rule["page"]["fails"]["finding"]
    assert client.get("/v1/rules/PP-03?format=markdown").text.startswith("# PP-03: ")


def test_without_pages_there_is_only_what_asks_for_a_key(tmp_path: Path) -> None:
    key, digest = new_key()
    settings = WebSettings(keys=(digest,), api_only=True, database=f"sqlite:///{tmp_path / 'audits.db'}")
    with TestClient(create_app(settings), headers={"accept": "text/html"}) as client:
        for path in ("/", "/rules", "/questions", "/saved", "/saved/export", "/static/web.css", "/check"):
            answer = client.get(path)
            assert answer.status_code == 404, path
            assert answer.headers["content-type"] == "application/problem+json"
        for path in ("/check", "/saved", "/download/json", "/what-if", "/questions"):
            assert client.post(path, data={"text": "kind: tender"}).status_code == 404, path
        operations = client.get("/v1/openapi.json").json()["paths"]
        closed = [path for path in operations if client.get(path.replace("{id}", "1")).status_code in (401, 405)]
        assert sorted(closed) == sorted(path for path in operations if path.startswith("/v1/"))
        assert client.get("/v1/audits", headers={"x-api-key": key}).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_a_wrong_parameter_is_told_in_words(client: Any) -> None:
    def said(query: str) -> Any:
        return client.post(f"/v1/audit?{query}", content=b"kind: tender\n", headers=YAML).json()["detail"]

    assert said("as_of=31/3/2026") == "as_of is a day, such as 2026-11-20"
    assert said("tier=huge").startswith("tier: ") and "'small'" in said("tier=huge")
    assert client.get("/v1/nothing").json()["detail"] == "There is nothing at this address."
    assert client.get("/v1/audit").json()["detail"] == "This address does not take such a request."


def test_only_the_names_of_the_server_are_answered() -> None:
    with TestClient(create_app(WebSettings(hosts=("Audits.example.org",)))) as client:
        for host in ("audits.example.org", "AUDITS.example.org:8000", "127.0.0.1:8000", "localhost", "[::1]:8000"):
            assert client.get("/healthz", headers={"host": host}).status_code == 200, host
        for host in ("evil.example", "audits.example.org.evil.example", "", "127.0.0.1.evil.example:8000"):
            refused = client.get("/healthz", headers={"host": host})
            assert refused.status_code == 400, host
            assert refused.headers["content-type"] == "application/problem+json"
        page = client.get("/", headers={"host": "evil.example", "accept": "text/html"})
        assert page.status_code == 400 and "<h1" in page.text


def test_health_and_figures(client: Any) -> None:
    assert client.get("/healthz").json()["version"] == goodcommission.__version__
    figures = client.get("/metrics").text
    assert 'goodcommission_requests_total{method="GET",route="/healthz",status="200"}' in figures
    assert "goodcommission_audits_held 0.0" in figures
    counted = 'goodcommission_audits_total{grade="insufficient evidence",kind="tender",origin="description"} '
    before = figures.partition(counted)[2].partition("\n")[0]
    client.post("/v1/audit", content=b"kind: tender\n", headers=YAML)
    after = client.get("/metrics").text.partition(counted)[2].partition("\n")[0]
    assert float(after) == float(before or 0) + 1


def test_every_answer_has_safe_headers(client: Any) -> None:
    for answer in (client.get("/healthz"), client.get("/nothing"), client.post("/v1/audit", content=b"x" * 1_100_000)):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_keys_are_asked_for_where_there_are_some() -> None:
    key, digest = new_key()
    assert digest == digest_of_key(key)
    with TestClient(create_app(WebSettings(keys=(digest_of_key("another"), digest)))) as client:
        assert client.get("/v1/packs").status_code == 401
        assert client.get("/v1/packs", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/v1/packs", headers={"authorization": f"Bearer {key}"}).status_code == 200
        assert client.get("/v1/packs", headers={"x-api-key": key}).status_code == 200
        assert client.get("/healthz").status_code == 200


def test_a_full_queue_is_refused_at_once() -> None:
    app = create_app(WebSettings(at_once=1, waiting=0))
    with TestClient(app) as client:
        app.state.workers.held = 1
        answer = client.post("/v1/audit", content=b"kind: tender\n", headers=YAML)
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert "goodcommission_audits_refused_total 1.0" in client.get("/metrics").text
        app.state.workers.held = 0
        assert client.post("/v1/audit", content=b"kind: tender\n", headers=YAML).status_code == 200


def test_an_audit_that_takes_too_long_is_given_up() -> None:
    with TestClient(create_app(WebSettings(seconds=0.001))) as client:
        body = (EXAMPLES / "tender.json").read_bytes()
        answer = client.post("/v1/improve", content=body, headers=JSON)
        assert answer.status_code == 503
        assert "longer than 0.001 s" in answer.json()["detail"]


def test_a_client_that_asks_too_often_waits() -> None:
    with TestClient(create_app(WebSettings(per_minute=2))) as client:
        statuses = [client.get("/v1/packs").status_code for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        assert int(client.get("/v1/packs").headers["retry-after"]) in range(1, 32)
        assert client.get("/healthz").status_code == 200


def test_a_bucket_fills_evenly() -> None:
    now = 0.0
    limit = RateLimit(None, 60, clock=lambda: now)  # type: ignore[arg-type]
    assert all(limit.allowed("a") == 0 for _ in range(60))
    assert limit.allowed("a") == pytest.approx(1.0)
    assert limit.allowed("b") == 0
    now = 1.0
    assert limit.allowed("a") == 0
    assert limit.allowed("a") > 0


def test_the_openapi_document_names_every_operation(client: Any) -> None:
    held = client.get("/v1/openapi.json").json()
    assert held["openapi"].startswith("3.1")
    assert set(held["paths"]) == {
        *("/v1/audit", "/v1/validate", "/v1/convert", "/v1/improve", "/v1/packs", "/v1/rules", "/v1/rules/{id}"),
        *("/healthz", "/metrics"),
    }
