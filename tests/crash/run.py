"""One run: a crowd, a server that is killed again and again, quiet, and what there is then."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import anyio

from tests.crash.calm import endings
from tests.crash.crowd import Crowd
from tests.crash.mortal import MortalServer
from tests.crash.record import Record
from tests.crash.tap import tapped

__all__ = ["Figures", "run"]

NAMES = ("alice", "bob", "carol", "dave", "erin")
PATIENT = ("erin",)
"""They wait out their back-off; the others are told when the network is back, as browsers are."""

ROOMS = ("general", "kitchen")
KILL_S = 8.0
CALM_S = 60.0


@dataclass(frozen=True)
class Figures:
    """What a run was, beside what it recorded.

    Attributes:
        up_s: how long each start of the server took until it listened.
        away_s: how long each client was away each time.
        moments: what each kill waited for.
    """

    kills: int
    up_s: list[float]
    away_s: list[float]
    moments: list[str]


async def run(
    kills: int, seed: int, store: str, *, fresh_keys: bool = False, say: Callable[[str], None]
) -> tuple[Record, Figures]:
    """Run it and return what was recorded.

    Args:
        seed: decides who writes what and when the server is killed.
        store: as `tests.crash.server` takes it.
        fresh_keys: as in `tapped`.
        say: shows progress.

    Raises:
        TimeoutError: it did not come to rest in time.
    """
    record, server, chance = Record(), MortalServer(store), random.Random(seed)
    crowd = Crowd(seed, ROOMS, record)
    moments: list[str] = []
    try:
        with anyio.fail_after(kills * KILL_S + CALM_S), tapped(fresh_keys=fresh_keys) as acks:
            await server.start()
            async with anyio.create_task_group() as people:
                for name in NAMES:
                    people.start_soon(crowd.visit, name, server.url)
                await crowd.until(lambda: crowd.acks >= len(NAMES), KILL_S)
                for number in range(1, kills + 1):
                    moments.append(await _moment(crowd, chance))
                    crowd.killed()
                    await server.die_and_rise()
                    crowd.tell_network_is_back(but=PATIENT)
                    say(f"kill {number}/{kills}, {moments[-1]}: {crowd.acks} acknowledged")
                say("quiet: waiting until everybody agrees")
                record.endings = await endings(crowd, server.url)
                people.cancel_scope.cancel()
            record.duplicates = sum(ack.get("duplicate") is True for ack in acks)
    finally:
        server.kill()
    return record, Figures(server.kills, server.back_s, crowd.away_s, moments)


async def _moment(crowd: Crowd, chance: random.Random) -> str:
    """Wait for the moment of a kill: a time, so many acknowledgements, or somebody coming back."""
    kind = chance.choice(("time", "acks", "return"))
    if kind == "time":
        wait = chance.uniform(0.05, 1.5)
        await crowd.until(lambda: False, wait)
        return f"after {wait:.2f} s"
    number = chance.randint(1, 60) if kind == "acks" else chance.randint(1, len(NAMES) - 1)
    if kind == "acks":
        goal = crowd.acks + number
        await crowd.until(lambda: crowd.acks >= goal, KILL_S / 2)
        return f"after {number} acks"
    goal = crowd.returns + number
    await crowd.until(lambda: crowd.returns >= goal, KILL_S / 2)
    return f"after {number} came back"
