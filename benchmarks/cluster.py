"""Two nodes, one room: what a message takes from one to the other, and how many copies they make.

Half of the members are at each node, those who write at the first, and those whose time is taken at
the second. All use one Valkey, and are asked in turns.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Callable, Generator, Sequence
from importlib.util import find_spec
from typing import NamedTuple

from benchmarks.load_generator.crowd import Crowd, LoadError, Place
from benchmarks.load_generator.dialect import ROOMKIT, Dialect
from benchmarks.load_generator.socket_io import SOCKET_IO
from benchmarks.load_generator.talk import Publisher, Talk, at_a_rate, in_flight, percentile
from benchmarks.load_generator.watch import Ledger, Watch
from benchmarks.processes import Server, say, server
from benchmarks.valkey import valkey

__all__ = ["compare_clusters"]

RATED = (100, 50)
"""Members of the room, and messages a second, where the time is taken."""

FULL = (200, 8)
"""Members, and messages in flight of each of two writers, where copies are counted."""

WRITERS, WATCHED = 2, 10
WARM_S = 0.5
Figures = dict[str, float]


class _Pair(NamedTuple):
    """A server that runs as two processes."""

    module: str
    arguments: Sequence[str] = ()
    dialect: Dialect = ROOMKIT
    library: str = "roomkit"

    @contextlib.contextmanager
    def running(self) -> Generator[list[Server]]:
        """Run both on a Valkey of their own."""
        with valkey() as store, contextlib.ExitStack() as stack:
            given = [*self.arguments, f"redis://127.0.0.1:{store.port}"]
            yield [stack.enter_context(server(*given, module=self.module)) for _ in range(2)]


class _Untimed(Ledger):
    """The same messages, whose copies at the node of those who write are not timed."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.sent_at, self.authors = ledger.sent_at, ledger.authors


PAIRS = {
    "roomkit, websockets": _Pair("benchmarks.servers", ["websockets"]),
    "roomkit, uvicorn": _Pair("benchmarks.servers", ["starlette"]),
    "python-socketio": _Pair(
        "benchmarks.peers.socketio_server", dialect=SOCKET_IO, library="socketio"
    ),
    "Django Channels": _Pair("benchmarks.peers.channels_server", library="channels_redis"),
}


def compare_clusters(seconds: float, turns: int) -> dict[str, object]:
    """Return medians of each, and how the others stand to roomkit on websockets.

    Args:
        seconds: of each measurement.
        turns: of all of them.

    Raises:
        LoadError: roomkit could not be measured.
    """
    runs: dict[str, list[Figures]] = {}
    for turn in range(turns):
        for name, pair in PAIRS.items():
            if find_spec(pair.library) is None:
                say(f"cluster: {name} is not here: the library {pair.library} is not installed")
                continue
            try:
                found = _measure(pair, seconds)
            except (LoadError, OSError) as error:
                say(f"cluster {turn + 1}/{turns} {name}: FAILED: {error}")
                continue
            runs.setdefault(name, []).append(found)
            say(
                f"cluster {turn + 1}/{turns} {name}: from node to node p50 {found['p50_ms']:.1f} "
                f"p99 {found['p99_ms']:.1f} ms, lost {found['lost']:.0f}; "
                f"{found['copies_per_s']:,.0f} copies/s"
            )
    medians = {
        name: {figure: statistics.median(run[figure] for run in found) for figure in found[0]}
        for name, found in runs.items()
    }
    ours = medians.get("roomkit, websockets")
    if ours is None:
        raise LoadError("roomkit itself could not be measured: see above")
    for name, figures in medians.items():
        figures["runs"] = len(runs[name])
        figures["p99_by_ours"] = figures["p99_ms"] / ours["p99_ms"]
        figures["copies_by_ours"] = ours["copies_per_s"] / max(figures["copies_per_s"], 1e-9)
        say(
            f"{name}: p99 {figures['p99_by_ours']:.2f} x that of roomkit, "
            f"which makes {figures['copies_by_ours']:.1f} x as many copies"
        )
    return {"cluster": medians}


def _measure(pair: _Pair, seconds: float) -> Figures:
    members, per_s = RATED
    rated = _talk(pair, members, lambda crowd, some: at_a_rate(crowd, some, per_s, seconds))
    members, window = FULL
    full = _talk(pair, members, lambda crowd, some: in_flight(crowd, some, window, seconds))
    return {
        "p50_ms": percentile(rated.latencies, 50),
        "p99_ms": percentile(rated.latencies, 99),
        "lost": float(rated.lost),
        "copies_per_s": full.copies / full.seconds,
        "lost_when_full": float(full.lost),
        "load_share": full.load_share,
    }


def _talk(pair: _Pair, members: int, talking: Callable[[Crowd, Sequence[Publisher]], Talk]) -> Talk:
    """Have two at the first node write; who writes is watched only to see that it came back."""
    with pair.running() as nodes:
        crowd = Crowd([node.port for node in nodes], pair.dialect)
        try:
            places = [Place(f"user-{number}", "room") for number in range(members)]
            crowd.arrive(places)
            here, there = crowd.connections[::2], crowd.connections[1::2]
            publishers = [
                Publisher.of(pair.dialect, connection, f"user-{2 * number}", "room", members)
                for number, connection in enumerate(here[:WRITERS])
            ]
            for connection in there[:WATCHED]:
                crowd.watch(connection)
            for connection in here[:WRITERS]:
                crowd.listen(
                    connection, Watch(connection, _Untimed(crowd.ledger), crowd.own.append)
                )
            at_a_rate(crowd, publishers, 20, WARM_S)
            return talking(crowd, publishers)
        finally:
            crowd.close()
