"""``goodcommission serve``: the page and the HTTP API."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path
from typing import Final

import click

from goodcommission.cli.frame import complain, fail, leave_the_end_to_the_system, rules_option, show
from goodcommission.exceptions import Fault

_BACKLOG: Final = 1024
_STOP: Final = 10
"""Seconds that requests have to finish when the server is told to stop."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port; 0 takes a free one."
)
@rules_option
@click.option("--lock", metavar="FILE", help="Refuse packs that are not in this lock file.")
@click.option("--most-bytes", type=click.IntRange(1), default=1_000_000, show_default=True, help="Of one request.")
@click.option("--seconds", type=click.FloatRange(0.1), default=10.0, show_default=True, help="That one audit may take.")
@click.option("--at-once", type=click.IntRange(1), help="Audits at the same time; by default one for each core.")
@click.option("--waiting", type=click.IntRange(0), default=64, show_default=True, help="Requests that may wait.")
@click.option(
    "--per-minute", type=click.IntRange(0), default=0, show_default=True, help="Requests of one client; 0 is no limit."
)
@click.option(
    "--keys",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ask for an API key; the file has the SHA-256 of each key on a line (see --new-key).",
)
@click.option("--api-only", is_flag=True, help="Leave the pages out: keys are asked for by the API only.")
@click.option("--new-key", is_flag=True, help="Print a new API key and its SHA-256, and stop.")
@click.option("--database", metavar="URL", help="Keep audits that are saved here, such as sqlite:///audits.db.")
@click.option(
    "--keep-days", type=click.IntRange(1), default=365, show_default=True, help="After so many they are deleted."
)
@click.option("--allow-host", "hosts", multiple=True, metavar="NAME", help="Answer only to this host name; repeatable.")
@click.option("--behind-https", is_flag=True, help="Cookies and links for HTTPS only: behind a proxy that speaks it.")
def serve(
    host: str,
    port: int,
    folders: tuple[str, ...],
    lock: str | None,
    most_bytes: int,
    seconds: float,
    at_once: int | None,
    waiting: int,
    per_minute: int,
    keys: Path | None,
    api_only: bool,
    new_key: bool,
    database: str | None,
    keep_days: int,
    hosts: tuple[str, ...],
    behind_https: bool,
) -> None:
    """Serve the page and the HTTP API (needs the extra "web").

    Nothing that is audited is kept, unless --database names a place for what people choose to save.
    """
    try:
        import uvicorn

        from goodcommission.web.app import create_app
        from goodcommission.web.settings import WebSettings
        from goodcommission.web.settings import new_key as make_key
    except ImportError as error:
        advice = "Install them: pip install 'goodcommission[web]'."
        fail(Fault(f"the server's libraries are not installed ({error.name})", suggestion=advice))
    if new_key:
        key, digest = make_key()
        show(f"key     {key}\nSHA-256 {digest}\n")
        complain("Give the key to the client, and put the SHA-256 on a line of the file for --keys.")
        return
    settings = WebSettings(
        most_bytes=most_bytes,
        seconds=seconds,
        at_once=at_once or _cores(),
        processes=True,
        waiting=waiting,
        per_minute=per_minute,
        keys=_keys(keys),
        api_only=api_only,
        database=database,
        keep_days=keep_days,
        rules=folders,
        lock=lock,
        hosts=hosts,
        secure_cookies=behind_https,
    )
    config = uvicorn.Config(
        create_app(settings),
        host=host,
        port=port,
        log_level="warning",
        server_header=False,
        proxy_headers=behind_https,
        timeout_graceful_shutdown=_STOP,
        backlog=_BACKLOG,
        lifespan="on",
    )
    try:
        sockets = _bound(host, port)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fail(Fault(f"{host}:{port} can't be listened on: {reason}", suggestion="Name another with --host and --port."))
    shown = f"[{host}]" if ":" in host else host
    taken = sockets[0].getsockname()[1]
    complain(f"goodcommission is at http://{shown}:{taken}/{'v1/' if api_only else ''} (Ctrl+C stops it)")
    if keys and not api_only:
        complain(
            "Only the API asks for keys: the pages are open to whoever reaches them, unless --api-only leaves them out."
        )
    leave_the_end_to_the_system()  # the server ends its requests first
    uvicorn.Server(config).run(sockets)


def _bound(host: str, port: int) -> list[socket.socket]:
    """Sockets at all addresses of a host.

    Raises:
        OSError: There is no such host, or another program has the port.
    """
    sockets: list[socket.socket] = []
    missing: OSError | None = None
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            one = socket.socket(family, kind, protocol)
        except OSError as error:  # a family that this machine does not have
            missing = error
            continue
        try:
            if os.name == "posix":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address[0], sockets[0].getsockname()[1], *address[2:]) if sockets else address)
            one.listen(_BACKLOG)
        except OSError as error:
            one.close()
            if error.errno != errno.EADDRNOTAVAIL:  # such as ::1 where IPv6 is switched off
                for other in sockets:
                    other.close()
                raise
            missing = error
        else:
            sockets.append(one)
    if not sockets:
        raise missing or OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
    return sockets


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _keys(path: Path | None) -> tuple[str, ...]:
    """The digests of API keys, one a line; blank lines and comments are passed over."""
    if path is None:
        return ()
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fail(Fault(f"this file of keys can't be read: {reason}", str(path)))
    keys = tuple(line.partition("#")[0].strip().lower() for line in lines)
    found = tuple(key for key in keys if key)
    if not found:
        fail(Fault("there is no key in this file: the API would be open", str(path)))
    return found
