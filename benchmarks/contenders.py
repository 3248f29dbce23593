"""Who is measured: roomkit on each adapter and store, the bare loops, and the peers.

One that cannot run here is absent, and says why; it is never left out without a word.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Generator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.load_generator.brokers import MQTT, NATS
from benchmarks.load_generator.dialect import ROOMKIT, Dialect
from benchmarks.load_generator.socket_io import SOCKET_IO
from benchmarks.peers import brokers, node
from benchmarks.processes import Server, server

__all__ = ["BARE", "BARE_TICK", "CONTENDERS", "RAW", "UVICORN", "Contender"]


def _present() -> str:
    return ""


def _library(module: str) -> Callable[[], str]:
    """Return what says whether a library is there."""
    return lambda: (
        "" if find_spec(module) else f"the library {module} is not installed: scripts/bench does it"
    )


class Contender(NamedTuple):
    """A server that can be measured.

    Attributes:
        module: what runs it, with these arguments; it prints its port.
        keeps: whether it is given a path of its own, where there is nothing yet.
        absent: says why it cannot run here; nothing if it can.
    """

    name: str
    module: str
    arguments: Sequence[str] = ()
    dialect: Dialect = ROOMKIT
    keeps: bool = False
    absent: Callable[[], str] = _present

    @contextlib.contextmanager
    def running(self) -> Generator[Server]:
        """Run it, with a file of its own if it keeps anything."""
        with tempfile.TemporaryDirectory() as folder:
            kept = [str(Path(folder, "kept"))] if self.keeps else []
            with server(*self.arguments, *kept, module=self.module) as running:
                yield running


BARE = "bare loop"
BARE_TICK = "bare loop, each tick"
RAW = "roomkit, websockets"
UVICORN = "roomkit, uvicorn"

_ROOMKIT = "benchmarks.servers"
_ALL = [
    Contender(BARE, "benchmarks.peers.bare", ["one"]),
    Contender(BARE_TICK, "benchmarks.peers.bare", ["tick"]),
    Contender(RAW, _ROOMKIT, ["websockets"]),
    Contender(UVICORN, _ROOMKIT, ["starlette"]),
    Contender("roomkit, ZestAPI", _ROOMKIT, ["zestapi"]),
    Contender("roomkit, websockets, SQLite", _ROOMKIT, ["websockets"], keeps=True),
    Contender("roomkit, uvicorn, SQLite", _ROOMKIT, ["starlette"], keeps=True),
    Contender("roomkit, recorded", _ROOMKIT, ["recorded"], keeps=True),
    Contender("websockets loop", "benchmarks.peers.websockets_loop"),
    Contender("Starlette loop", "benchmarks.peers.starlette_loop"),
    Contender(
        "python-socketio",
        "benchmarks.peers.socketio_server",
        dialect=SOCKET_IO,
        absent=_library("socketio"),
    ),
    Contender("Django Channels", "benchmarks.peers.channels_server", absent=_library("channels")),
    Contender("ws on Node", "benchmarks.peers.node", ["ws.js"], absent=node.absent),
    Contender(
        "Socket.IO on Node",
        "benchmarks.peers.node",
        ["socketio.js"],
        dialect=SOCKET_IO,
        absent=node.absent,
    ),
    Contender(
        "mosquitto",
        "benchmarks.peers.brokers",
        ["mosquitto"],
        dialect=MQTT,
        keeps=True,
        absent=lambda: brokers.absent("mosquitto"),
    ),
    Contender(
        "NATS",
        "benchmarks.peers.brokers",
        ["nats-server"],
        dialect=NATS,
        keeps=True,
        absent=lambda: brokers.absent("nats-server"),
    ),
]
CONTENDERS = {contender.name: contender for contender in _ALL}
