"""The server against drawn requests: it does what its OpenAPI document says, and nothing that is sent makes it fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from goodcommission.packs.loading import shipped_folder
from goodcommission.web.app import create_app
from goodcommission.web.settings import WebSettings

# One request after the other, the same ones each time: a failure can be seen again.
STEADY = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
TENDER = (shipped_folder("examples") / "tender.json").read_bytes()
CHECKS = (not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder: Path = tmp_path_factory.mktemp("saved")
    return create_app(WebSettings(database=f"sqlite:///{folder / 'audits.db'}", seconds=60))


@pytest.fixture(scope="module")
def client(app: Any) -> Iterator[TestClient]:
    # A fault is an answer with 500 here, as it is to whoever asks over the network.
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def api(app: Any, client: TestClient) -> Any:
    async def running(scope: Any, receive: Any, send: Any) -> None:
        """The server as the client above has started it; else it would be started and stopped for each request."""
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    return schemathesis.openapi.from_asgi("/v1/openapi.json", running)


def test_the_server_does_what_its_document_says(api: Any) -> None:
    tried = set()
    for found in api.get_all_operations():
        operation = found.ok()
        tried.add(operation.label)

        @STEADY
        @given(operation.as_strategy())
        def conforms(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        conforms()
    assert {"POST /v1/audit", "POST /v1/audits", "DELETE /v1/audits/{id}", "GET /v1/rules/{id}"} <= tried


@pytest.mark.parametrize("path", ["audit", "validate", "convert", "improve", "audits"])
def test_whatever_is_sent_is_answered(client: TestClient, path: str) -> None:
    held = json.loads(TENDER)
    values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*held, "", "x\0"]), inner),
        max_leaves=12,
    )
    changed = st.dictionaries(st.sampled_from(sorted(held)), values, max_size=3).map(lambda some: {**held, **some})
    bodies = (
        st.binary(max_size=200)
        | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
        | changed.map(lambda some: json.dumps(some).encode())
        | st.integers(1, 3000).map(lambda depth: b"[" * depth)
        | st.integers(1, 900_000).map(lambda size: b'{"kind": "tender", "title": "' + b"x" * size + b'"}')
        | st.integers(1, 2000).map(lambda depth: b"kind: tender\nx: " + b"{a: " * depth)
        | st.integers(1, 12).map(_anchors)
        | st.tuples(st.integers(0, len(TENDER)), st.binary(max_size=4)).map(
            lambda cut: TENDER[: cut[0]] + cut[1] + TENDER[cut[0] :]
        )
    )
    kinds = st.sampled_from(["application/json", "application/yaml", "application/octet-stream", "x", "a/b;=;\t"])

    @settings(STEADY, max_examples=40)
    @given(bodies, kinds)
    def answered(body: bytes, kind: str) -> None:
        answer = client.post(f"/v1/{path}", content=body, headers={"content-type": kind})
        assert answer.status_code in (200, 201, 413, 415, 422), answer.text
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"]

    answered()


def _anchors(levels: int) -> bytes:
    """Each level holds the one before ten times over: small to send, and huge if it were followed."""
    lines = [f"x{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10 if n else ['0'] * 10)}]" for n in range(levels)]
    return "\n".join(["kind: tender", *lines]).encode()


def test_whatever_is_uploaded_is_answered(client: TestClient) -> None:
    names = st.text(max_size=40) | st.sampled_from(
        ["../../etc/passwd", "C:\\a\\b.json", "\0", "a\r\nb: c", "", "…" * 200]
    )
    contents = (
        st.binary(max_size=300)
        | st.just(TENDER)
        | st.integers(1, 400_000).map(lambda size: b"kind: tender\ntitle: " + b"x" * size)
        | st.integers(1, 20_000).map(lambda lines: b"- x: [\n" * lines)
    )

    @settings(STEADY, max_examples=60)
    @given(names, contents, st.sampled_from(["check", "download/html", "download/nix", "saved"]), st.text(max_size=10))
    def answered(name: str, content: bytes, path: str, tier: str) -> None:
        head = f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        text = '\r\n--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n'
        size = f'\r\n--b\r\nContent-Disposition: form-data; name="tier"\r\n\r\n{tier}\r\n--b--\r\n'
        parts = (
            head.encode("utf-8", "replace"),
            content,
            text.encode(),
            content[:5000],
            size.encode("utf-8", "replace"),
        )
        answer = client.post(
            f"/{path}",
            content=b"".join(parts),
            headers={"content-type": "multipart/form-data; boundary=b", "accept": "text/html"},
        )
        assert answer.status_code in (200, 400, 403, 404, 413, 422), answer.text[:2000]

    answered()


def test_what_is_no_form_is_answered(client: TestClient) -> None:
    kinds = st.sampled_from(
        ["multipart/form-data", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded", "text/plain"]
    )

    @settings(STEADY, max_examples=60)
    @given(st.binary(max_size=300) | st.just(b"--b\r\n\r\n--b--") | st.just(b"&=" * 2000), kinds)
    def answered(body: bytes, kind: str) -> None:
        answer = client.post("/check", content=body, headers={"content-type": kind})
        assert answer.status_code in (200, 400, 413, 422), answer.text[:2000]

    answered()
