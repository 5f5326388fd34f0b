"""The server as it is started: audits in processes, requests finished when it is stopped, load that is shed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from goodcommission.packs.loading import shipped_folder
from goodcommission.web.processes import _PLACE, _context

TENDER = (shipped_folder("examples") / "tender.json").read_bytes()
NOTICE = (shipped_folder("examples") / "ocds" / "find-a-tender-heating-study-tender.json").read_text("utf-8")
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(address: str, path: str, body: bytes = TENDER, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"{address}{path}", data=body, headers={"Content-Type": "application/json", **headers}, method="POST"
    )
    try:
        with NO_PROXY.open(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii")
    return [int(one) for one in text.split()]


def test_a_port_that_is_taken_is_said_and_a_free_one_is_named() -> None:
    command = [sys.executable, "-m", "goodcommission", "serve", "--at-once", "1", "--port"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([*command, port], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    reason = f"127.0.0.1:{port} can't be listened on: {os.strerror(errno.EADDRINUSE)}."
    assert done.stderr == f"{reason} Name another with --host and --port.\n"
    with subprocess.Popen([*command, "0"], env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        address = server.stderr.readline().split()[3]
        try:
            assert NO_PROXY.open(f"{address}healthz", timeout=60).status == 200
        finally:
            server.terminate()


linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")


def test_requests_are_finished_when_the_server_is_stopped(serving: Any) -> None:
    with serving("--at-once", "2") as (address, server), ThreadPoolExecutor(8) as pool:
        post(address, "/v1/audit")
        asked = [pool.submit(post, address, "/v1/improve?target=60") for _ in range(4)]
        time.sleep(0.2)
        server.send_signal(signal.SIGTERM)
        # What had come before is answered in full; what comes later finds nobody.
        answers = [one.result() for one in asked]
        assert all(status == 200 and json.loads(text) for status, text in answers)
        assert server.wait(30) in (0, -signal.SIGTERM)
        with pytest.raises(OSError, match="refused"):
            post(address, "/v1/audit")


@linux
def test_processes_and_threads_give_the_same_bytes_and_the_same_faults(serving: Any) -> None:
    with serving("--at-once", "1") as (threads, one), serving("--at-once", "2") as (processes, two):
        assert len(children(one.pid)) == 0
        assert len(children(two.pid)) == 2
        for path in ("/v1/audit?as_of=2026-11-20", "/v1/audit?as_of=2026-11-20&format=html", "/v1/audit?pack=nix"):
            assert post(threads, path) == post(processes, path)
        package = json.dumps([json.loads(TENDER)] * 2).encode()
        for body in (b"kind: tender\nvalue: lots\n", b"{", package):
            told = post(processes, "/v1/audit", body)
            assert told == post(threads, "/v1/audit", body)
            assert told[0] == 422 and json.loads(told[1])["faults"]


@linux
def test_each_of_many_answers_is_the_one_that_was_asked_for(serving: Any) -> None:
    titled = [json.dumps({**json.loads(TENDER), "title": f"No. {number}"}).encode() for number in range(24)]
    with serving("--at-once", "2") as (address, _), ThreadPoolExecutor(12) as pool:
        # Among them one that is too long for the memory that the processes share.
        package = json.dumps(
            {"releases": [json.loads(NOTICE) | {"ocid": f"ocds-h6vhtk-{number:06}"} for number in range(6)]}
        ).encode()
        asked = [pool.submit(post, address, "/v1/audit", body) for body in (*titled, package)]
        answers = [one.result() for one in asked]
    assert {status for status, _ in answers} == {200}
    reports = [json.loads(text) for _, text in answers]
    assert [one["document"]["title"] for one in reports[:-1]] == [f"No. {number}" for number in range(24)]
    assert len(answers[-1][1]) > _PLACE and len({one["document"]["digest"] for one in reports[-1]}) == 1


@linux
def test_processes_end_with_the_server_however_it_ends(serving: Any) -> None:
    with serving("--at-once", "2") as (address, server):
        post(address, "/v1/audit")
        ones = children(server.pid)
        server.kill()
        server.wait(30)
        for _ in range(100):
            if not any(alive(one) for one in ones):
                break
            time.sleep(0.1)
        assert not any(alive(one) for one in ones)


@linux
def test_a_process_that_ends_costs_one_answer_and_no_more(serving: Any) -> None:
    with serving("--at-once", "2") as (address, server):
        os.kill(children(server.pid)[0], signal.SIGKILL)
        time.sleep(0.5)
        statuses = [post(address, "/v1/audit?as_of=2026-11-20")[0] for _ in range(3)]
        assert statuses[1:] == [200, 200]


def deaf(pipe: Any) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe.send("begun")
    time.sleep(60)


@linux
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_processes_that_do_not_hear_sigterm_can_be_ended() -> None:
    """The pool of Python 3.12 and later waits for them when one of them has died, and nothing else goes on."""
    context = _context()
    mine, its = context.Pipe()
    process = context.Process(target=deaf, args=(its,))
    process.start()
    assert mine.recv() == "begun"
    process.terminate()
    process.join(20)
    assert process.exitcode == -signal.SIGKILL


def test_what_is_too_much_is_refused_at_once(serving: Any) -> None:
    with serving("--at-once", "2", "--waiting", "0") as (address, _), ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(address, "/v1/improve?target=60"), range(24)))
        statuses = {status for status, _ in answers}
        assert statuses == {200, 503}
        assert post(address, "/v1/audit")[0] == 200


def alive(process: int) -> bool:
    with contextlib.suppress(OSError):
        return ") Z" not in Path(f"/proc/{process}/stat").read_text("ascii")
    return False
