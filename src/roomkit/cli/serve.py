"""`roomkit serve`: an application in several processes, which are one chat."""

from __future__ import annotations

import argparse
import importlib.util
import os
import socket
import sys
from pathlib import Path

from roomkit.cli.embedded import EmbeddedValkey
from roomkit.cli.supervisor import Supervisor
from roomkit.errors import SettingsError, StoreError
from roomkit.settings import load_settings

__all__ = ["add_arguments", "serve"]

_STORE = "ROOMKIT_STORE"
_OF_ONE_PROCESS = ("memory:", "sqlite:")
_BACKLOG = 2_048


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Say what it is told."""
    parser.add_argument("app", metavar="MODULE:APP", help="the application, as uvicorn takes it")
    parser.add_argument("--factory", action="store_true", help="call it to get the application")
    parser.add_argument("--host", default="127.0.0.1", help="default 127.0.0.1")
    parser.add_argument("--port", type=int, default=8000, help="default 8000")
    parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="default 1")
    parser.add_argument(
        "--rooms",
        type=Path,
        default=Path("chat.valkey"),
        metavar="FOLDER",
        help="where several workers keep rooms, unless ROOMKIT_STORE names a server "
        "(default chat.valkey)",
    )


def serve(options: argparse.Namespace) -> int:
    """Serve until stopped.

    Returns:
        The exit status: 0 if it was asked to stop, 1 if it could not go on, 2 if not even begin.
    """
    if importlib.util.find_spec("uvicorn") is None or (
        importlib.util.find_spec("starlette") is None
    ):
        return _refuse("serve needs uvicorn and starlette: pip install 'roomkit-chat[serve]'")
    store = os.environ.get(_STORE, "")
    valkey = None
    try:
        settings = load_settings()
        if options.workers > 1 and store.startswith(_OF_ONE_PROCESS):
            return _refuse(
                f"{_STORE} is {store!r}, which belongs to one process: for several workers leave "
                "it out, and they share an embedded Valkey, or name a server (redis://...)"
            )
        door = _door(options.host, options.port)
        if options.workers > 1 and not store:
            valkey = EmbeddedValkey(options.rooms)
    except (SettingsError, StoreError, OSError) as error:
        return _refuse(str(error))
    environment = dict(os.environ)
    if valkey is not None:
        environment[_STORE] = valkey.url
    command = [sys.executable, "-m", "roomkit_starlette.worker", options.app, "{door}", "{leash}"]
    if options.factory:
        command.append("--factory")
    given = settings.shown_store if store else "the application's own store"
    kept = str(options.rooms) if valkey is not None else given
    host = "localhost" if options.host == "127.0.0.1" else options.host
    workers = f"{options.workers} worker{'s' * (options.workers > 1)}"
    with door:
        _say(f"rooms are kept in {kept}")
        _say(f"http://{host}:{door.getsockname()[1]}, {workers} (Ctrl-C stops it)")
        try:
            return Supervisor(command, options.workers, door, valkey, environment).run()
        except StoreError as error:
            return _refuse(str(error))


def _door(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        OSError: the port is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise OSError(f"cannot listen at {host}:{port}: {error.strerror}") from error


def _workers(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 256:
        raise ValueError(text)
    return number


def _refuse(reason: str) -> int:
    print(f"roomkit: {reason}", file=sys.stderr)  # noqa: T201 - this is what it is for
    return 2


def _say(text: str) -> None:
    print(f"roomkit: {text}", flush=True)  # noqa: T201 - this is what it is for
