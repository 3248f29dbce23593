"""A small deployment, really run: does the model say what its server takes?"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack

import msgspec

from benchmarks.processes import say
from benchmarks.scale.model import Costs, Shape, demand
from benchmarks.scale.node import READY
from benchmarks.servers import UNPACED
from benchmarks.valkey import fact_of, valkey

__all__ = ["check"]

_SETTLE_S = 2.0


def check(shape: Shape, costs: Costs, seconds: float) -> dict[str, object]:
    """Run a deployment of a shape; return what the model says of it and what was measured.

    Args:
        shape: each user is in one room.
        seconds: for how long it is looked at.
    """
    expected = demand(shape, costs, UNPACED)
    say(f"{shape.users:,} users in {shape.rooms:,} rooms at {shape.nodes} nodes, {seconds:g} s ...")
    with valkey() as server, ExitStack() as stack:
        share = shape.users // shape.nodes
        nodes = [
            stack.enter_context(_node(server.port, number * share, share, shape))
            for number in range(shape.nodes)
        ]
        for node in nodes:
            assert node.stdout is not None
            if node.stdout.readline().strip() != READY:
                raise ChildProcessError("a node of the deployment has ended")
        time.sleep(_SETTLE_S)
        before, appends, begun = sum(server.usage()), _appends(server.port), time.perf_counter()
        time.sleep(seconds)
        took = time.perf_counter() - begun
        used = (sum(server.usage()) - before) / took
        per_s = (_appends(server.port) - appends) / took
        for node in nodes:
            node.kill()
    found: dict[str, object] = {
        "shape": msgspec.to_builtins(shape),
        "appends_per_s": {"model": expected.per_s["append"], "measured": per_s},
        "processors": {"model": expected.processors, "measured": used},
        "measured_over_model": used / expected.processors,
    }
    say(
        f"  appends a second: {expected.per_s['append']:,.0f} by the model, {per_s:,.0f} measured; "
        f"the server's processor: {expected.processors:.3f} and {used:.3f}"
    )
    return found


def _appends(port: int) -> int:
    return fact_of(port, "commandstats", "cmdstat_evalsha:calls=")


def _node(port: int, first: int, count: int, shape: Shape) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "benchmarks.scale.node", f"redis://127.0.0.1:{port}",
        str(first), str(count), msgspec.json.encode(shape).decode(),
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
