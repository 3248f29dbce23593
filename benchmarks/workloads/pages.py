"""W8: pages of history, and coming back to a room after having missed a hundred messages.

Twenty clients, each with one question on its way. A page is there when all its messages are.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence

from websockets.sync.client import connect

from benchmarks.contenders import Contender
from benchmarks.frames import text_frame
from benchmarks.load_generator.crowd import Crowd, Place
from benchmarks.load_generator.dialect import TEXT
from benchmarks.load_generator.talk import percentile
from benchmarks.load_generator.watch import Count
from benchmarks.processes import Server
from benchmarks.sizes import Sizes

__all__ = ["history_and_resume"]

_CLIENTS = 20
_PAGE = 50
_MISSED = 100
_SEED = 1
Position = dict[str, object]


def history_and_resume(contender: Contender, sizes: Sizes) -> dict[str, float]:
    """Fill a room, then ask for pages from anywhere in it, then resume from near its end."""
    missed = min(_MISSED, sizes.kept // 2)
    page = min(_PAGE, sizes.kept // 2)
    with contender.running() as running:
        positions = _fill(running.port, sizes.kept)
        crowd = Crowd(running.port, contender.dialect)
        crowd.arrive([Place(f"reader-{n}", "general") for n in range(_CLIENTS)])
        chance = random.Random(_SEED)
        since = positions[-missed - 1]
        resume = text_frame("join_room", room="general", history=0, since=since)

        def any_page() -> bytes:
            before = positions[chance.randrange(page, len(positions))]["seq"]
            return text_frame("get_history", room="general", limit=page, before=before)

        try:
            pages = _ask(crowd, running, any_page, page, sizes.seconds)
            resumes = _ask(crowd, running, lambda: resume, missed, sizes.seconds)
        finally:
            crowd.close()
    figures = {f"page_{name}": figure for name, figure in pages.items()}
    figures |= {f"resume_{name}": figure for name, figure in resumes.items()}
    return figures | {"load_share": max(pages["load_share"], resumes["load_share"])}


def _ask(
    crowd: Crowd, running: Server, question: Callable[[], bytes], messages: int, seconds: float
) -> dict[str, float]:
    """Have everybody ask, again as soon as they have so many messages, and return the cost."""
    took: list[float] = []
    asked_at: dict[int, float] = {}
    for connection in crowd.connections:
        crowd.listen(connection, Count(connection, messages, crowd.own.append))
        crowd.send(connection, question())
        asked_at[connection] = time.perf_counter()
    before, begun, used = running.usage(), time.perf_counter(), time.process_time()
    until = begun + seconds
    while asked_at:
        crowd.read(1.0)
        now = time.perf_counter()
        while crowd.own:
            connection = crowd.own.popleft()
            took.append(now - asked_at.pop(connection))
            if now < until:
                crowd.send(connection, question())
                asked_at[connection] = now
        if now > until + 10 * seconds + 10:
            break
    took_s = time.perf_counter() - begun
    spent = running.usage().since(before)
    took.sort()
    return {
        "count": len(took),
        "per_s": len(took) / took_s,
        "cpu_us": sum(spent) / max(len(took), 1) * 1e6,
        "p50_ms": percentile(took, 50),
        "p99_ms": percentile(took, 99),
        "load_share": (time.process_time() - used) / took_s,
    }


def _fill(port: int, messages: int) -> Sequence[Position]:
    """Post so many messages, and return where each is."""
    positions: list[Position] = []
    with connect(f"ws://127.0.0.1:{port}/ws", compression=None) as socket:

        def say(kind: str, **data: object) -> None:
            socket.send(json.dumps({"type": kind, "data": data}))

        say("hello", protocol=2, username="alice")
        say("join_room", room="general")
        for number in range(messages):
            say("send_message", room="general", message=TEXT, ref=str(number))
            while len(positions) <= number:
                frame = json.loads(socket.recv())
                if frame["type"] == "ack":
                    positions.append({name: frame["data"][name] for name in ("seq", "link")})
    return positions
