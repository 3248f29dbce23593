"""One of several processes that serve an application: `python -m ... APP SOCKET LEASH [--factory]`.

What `roomkit serve` starts. SOCKET is the descriptor of a socket that listens, and that all of them
accept from: so whoever is least busy takes the next, and one that died takes none with it. LEASH is
that of a pipe which ends with the process that started this one.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import socket
import sys
import threading
from typing import Any

from roomkit import SettingsError
from roomkit.settings import load_settings
from roomkit_starlette.uvicorn import ChatServer, chat_config

__all__ = ["main"]


def main() -> None:
    """Serve until asked to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("app")
    parser.add_argument("socket", type=int)
    parser.add_argument("leash", type=int)
    parser.add_argument("--factory", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one decides
    threading.Thread(target=_stop_with, args=(options.leash,), daemon=True).start()
    try:
        app = _find(options.app)
        if options.factory:
            app = app()
        limits = load_settings().limits
    except (ImportError, AttributeError, SettingsError) as error:
        sys.exit(f"roomkit: {error}")
    door = socket.socket(fileno=options.socket)
    host, port = door.getsockname()[:2]
    ChatServer(chat_config(app, limits, host=host, port=port)).run([door])


def _find(name: str) -> Any:
    """Return what `module:attribute` names; modules in the current folder come first."""
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    return getattr(importlib.import_module(module), attribute)


def _stop_with(leash: int) -> None:
    """Nobody is left to stop this process: it does so itself."""
    os.read(leash, 1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
