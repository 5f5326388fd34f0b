"""How many audits a second the server answers, how long each takes, and whether the server grows.

    python benchmarks/web_load.py                       32 clients for 20 s, and an empty endpoint beside it
    python benchmarks/web_load.py --requests 100000     watches the memory meanwhile
    python benchmarks/web_load.py --paced 150           so many a second, whether or not they are answered

The server runs in a process of its own, and so do the clients: they write requests to plain sockets, so that they take
little of the machine. Every answer is held against the library's bytes. Exits with 1 if one differs or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gc
import io
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from itertools import pairwise
from pathlib import Path

from goodcommission import audit, read_documents
from goodcommission.packs.loading import shipped_folder
from goodcommission.report.whole import render_bytes

DAY = dt.date(2026, 11, 20)
TENDER = shipped_folder("examples") / "tender.json"
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_EMPTY = """
import sys, uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import Response
app = FastAPI()
@app.post("/v1/audit")
async def empty(request: Request) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def started(command: list[str], port: int, path: str) -> subprocess.Popen[bytes]:
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1):
                return server
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{path} did not start")


def family(parent: int) -> list[int]:
    """A process and what it started (Linux)."""
    found = [parent]
    for one in found:
        path = Path(f"/proc/{one}/task/{one}/children")
        found.extend(int(child) for child in path.read_text("ascii").split() if path.exists())
    return found


def resident(parent: int) -> float:
    """Memory of the server in MB: what its processes share counts once (Linux)."""
    kilobytes = 0
    for one in family(parent):
        text = Path(f"/proc/{one}/smaps_rollup").read_text("ascii")
        kilobytes += int(re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE)[1])  # type: ignore[index]
    return kilobytes / 1000


def worked(parent: int) -> float:
    """Seconds of processor time that the server has used (Linux)."""
    ticks = 0
    for one in family(parent):
        fields = Path(f"/proc/{one}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


class Load:
    """Clients that keep their connections and ask without a pause, or at a pace."""

    def __init__(self, port: int, body: bytes, expected: bytes | None) -> None:
        head = f"POST /v1/audit?as_of={DAY} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        self.port = port
        self.request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        self.expected = expected
        self.took: list[float] = []
        self.statuses: Counter[str] = Counter()

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, since: float | None = None) -> None:
        began = since or time.perf_counter()
        writer.write(self.request)
        head = await reader.readuntil(b"\r\n\r\n")
        found = _LENGTH.search(head)
        answer = await reader.readexactly(int(found[1]) if found else 0)
        status = head[9:12].decode("ascii")
        if status == "200" and self.expected is not None and answer != self.expected:
            status = "200, but other bytes"
        self.statuses[status] += 1
        if status == "200":
            self.took.append(time.perf_counter() - began)

    async def client(self, until: float, amount: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**23)
        for _ in range(amount):
            if time.perf_counter() >= until:
                break
            await self.ask(reader, writer)
        writer.close()

    async def paced(self, a_second: float, seconds: float, clients: int) -> None:
        """One falls due every so often; the time counts from when it was due, also if no connection was free."""
        free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        for _ in range(clients):
            free.put_nowait(await asyncio.open_connection("127.0.0.1", self.port, limit=2**23))
        began = time.perf_counter()

        async def one(due: float) -> None:
            connection = await free.get()
            await self.ask(*connection, since=due)
            free.put_nowait(connection)

        async with asyncio.TaskGroup() as group:
            for number in range(int(a_second * seconds)):
                due = began + number / a_second
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(due))

    def told(self, name: str, seconds: float) -> float:
        rate = len(self.took) / seconds
        took = sorted(self.took) or [0.0]
        p50, p95, p99 = (took[min(len(took) - 1, int(len(took) * share))] * 1000 for share in (0.5, 0.95, 0.99))
        others = {status: amount for status, amount in self.statuses.items() if status != "200"}
        print(f"{name:<24}{rate:>9.0f}{p50:>8.0f}{p95:>8.0f}{p99:>8.0f}   {others or 'none'}", flush=True)
        return rate


def alone(body: bytes) -> str:
    """Milliseconds of a core for one audit in a process of its own, without a server: the best of some rounds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)  # as the server's processes have it
    best = [float("inf")] * 3
    for _ in range(20):
        at = [0.0] * 3
        for _ in range(10):
            times = [time.process_time()]
            (document,) = read_documents("-", stream=io.BytesIO(body), name="document.json")
            times.append(time.process_time())
            report = audit(document, as_of=DAY)
            times.append(time.process_time())
            render_bytes([report])
            times.append(time.process_time())
            at = [held + (end - start) * 100 for held, (start, end) in zip(at, pairwise(times), strict=True)]
        best = [min(pair) for pair in zip(best, at, strict=True)]
    read, audited, written = best
    return (
        f"one alone: {sum(best):.1f} ms of a core ({read:.1f} to read, {audited:.1f} to audit, {written:.1f} to write)"
    )


async def watch(server: int, load: Load, every: int) -> None:
    shown = 0
    while True:
        await asyncio.sleep(0.5)
        done = sum(load.statuses.values())
        if done >= shown + every:
            shown = done // every * every
            print(f"{shown:>8} requests {resident(server):>8.1f} MB", flush=True)


async def run(chosen: argparse.Namespace, load: Load, server: int) -> float:
    began = time.perf_counter()
    watching = asyncio.create_task(watch(server, load, chosen.requests // 10)) if chosen.requests else None
    if chosen.paced:
        await load.paced(chosen.paced, chosen.seconds, chosen.clients)
    else:
        amount = -(-chosen.requests // chosen.clients) if chosen.requests else sys.maxsize
        until = float("inf") if chosen.requests else began + chosen.seconds
        async with asyncio.TaskGroup() as group:
            for _ in range(chosen.clients):
                group.create_task(load.client(until, amount))
    if watching:
        watching.cancel()
    return time.perf_counter() - began


def main() -> int:
    """Start the servers, ask them, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--requests", type=int, default=0, help="so many instead of so long")
    parser.add_argument("--paced", type=float, default=0, help="so many a second")
    parser.add_argument("--at-once", type=int, default=0, help="processes of the server; by default one a core")
    chosen = parser.parse_args()
    body = TENDER.read_bytes()
    (document,) = read_documents(TENDER)
    report = audit(document, as_of=DAY)
    named = report.model_copy(update={"document": report.document.model_copy(update={"name": "document.json"})})
    print(f"{os.cpu_count()} cores, engine {report.engine.name}, {len(report.results)} rules, {len(body):,} bytes sent")
    if not chosen.requests:
        print(alone(body), flush=True)
    print(f"{'':<24}{'a second':>9}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}   other answers")
    rates = []
    serve = [sys.executable, "-m", "goodcommission", "serve", "--port"]
    extra = ["--at-once", str(chosen.at_once)] if chosen.at_once else []
    for name, command in (("audit", serve), ("an empty endpoint", [sys.executable, "-c", _EMPTY])):
        if name != "audit" and (chosen.paced or chosen.requests):
            continue
        port = free_port()
        server = started([*command, str(port), *(extra if name == "audit" else [])], port, name)
        try:
            expected = first(port, body) if name == "audit" else None
            if expected is not None and (wrong := compared(expected, named.to_json(), document.name)):
                print(wrong)
                return 1
            load = Load(port, body, expected)
            before = worked(server.pid)
            seconds = asyncio.run(run(chosen, load, server.pid))
            busy = (worked(server.pid) - before) * 1000 / max(1, sum(load.statuses.values()))
            rates.append(load.told(name, seconds))
            if name == "audit":
                failed = set(load.statuses) - {"200", "503"}
                amount = len(family(server.pid))
                print(
                    f"{'':<24}server: {busy:.1f} ms of a core each, {resident(server.pid):.0f} MB, {amount} processes"
                )
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    if len(rates) == 2:
        print(f"ratio {rates[0] / rates[1]:.3f}")
    return 1 if failed else 0


def first(port: int, body: bytes) -> bytes:
    """The first answer, which every later one has to equal."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/audit?as_of={DAY}", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return bytes(answer.read())


def compared(answer: bytes, expected: str, name: str) -> str | None:
    """Whether the answer is the library's, but for the name of the file, which the library took from the disk."""
    lines = [text.replace(name, "document.json").splitlines() for text in (answer.decode("utf-8"), expected)]
    differing = [one for one in zip(*lines, strict=True) if one[0] != one[1] and '"digest"' not in one[0]]
    return f"the answer is not the library's: {differing[0]}" if differing else None


if __name__ == "__main__":
    sys.exit(main())
