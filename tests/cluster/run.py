"""A campaign: people who never stop, four nodes, and one fault after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import anyio

from tests.cluster.befalling import FAULTS, Fault
from tests.cluster.losing import losses, untold
from tests.cluster.site import Site, lasting, site
from tests.crash.calm import endings
from tests.crash.crowd import Crowd
from tests.crash.record import Record
from tests.crash.verdict import faults
from tests.network.walls import Walls

__all__ = ["Outcome", "Row", "campaign"]

NAMES = ("alice", "bob", "carol", "dave", "erin", "grace")
ROOMS = ("general", "kitchen")
CALM_S = 60.0


@dataclass(frozen=True)
class Row:
    """What one fault came to.

    Attributes:
        took_s: how long it was done to them.
        silent_s: the longest time meanwhile and after without an acknowledgement.
        back_s: from its end until everybody had talked in every room, and all had heard them.
        acked: how many messages were acknowledged from its beginning until then.
        gaps: how often somebody was told a gap.
    """

    name: str
    took_s: float
    silent_s: float
    back_s: float
    acked: int
    gaps: int


@dataclass
class Outcome:
    """What a campaign came to.

    Attributes:
        wrong: what must not be; empty if all is well.
        lost: acknowledged messages that are gone, where a fault takes them.
    """

    rows: list[Row] = field(default_factory=list[Row])
    wrong: list[str] = field(default_factory=list[str])
    acked: int = 0
    lost: int = 0


async def campaign(
    names: Sequence[str],
    deployment: str,
    seed: int,
    say: Callable[[str], None],
    spoil: bool = False,
    walls: Walls | None = None,
) -> Outcome:
    """Have faults befall a site, one after the other; judge in the end.

    Args:
        names: of `FAULTS`.
        deployment: one of `DEPLOYMENTS`.
        say: shows progress.
        spoil: nodes acknowledge what they do not store.
        walls: everything is behind walls of its own.
    """
    (durability,) = {FAULTS[name].durability for name in names}
    record, outcome = Record(), Outcome()
    crowd = Crowd(seed, ROOMS, record)
    async with (
        site(deployment, durability, seed, spoil, walls) as running,
        anyio.create_task_group() as people,
    ):
        for name in NAMES:
            people.start_soon(crowd.visit, name, running.url)
        with anyio.fail_after(CALM_S):
            await _all_talk(crowd, [0] * len(NAMES))
        for number, name in enumerate(names, 1):
            row = await _befall(running, crowd, name, outcome)
            say(
                f"{number:3}/{len(names)} {name}: {row.took_s:.1f} s, silent {row.silent_s:.1f} s, "
                f"back after {row.back_s:.1f} s, {row.acked} acknowledged, {row.gaps} gaps told"
            )
        say("quiet: waiting until everybody agrees")
        try:
            with anyio.fail_after(CALM_S):
                record.endings = await endings(crowd, running.url)
        except TimeoutError:
            outcome.wrong.append(f"they did not agree within {CALM_S:g} s")
        people.cancel_scope.cancel()
    lossy = any(FAULTS[name].loses for name in names)
    outcome.wrong += untold(record) if lossy else faults(record, may_leave=True)
    outcome.acked, outcome.lost = record.acked, losses(record)
    if outcome.lost and durability != "redis":
        outcome.wrong.append(f"{outcome.lost} acknowledged by {durability} are lost")
    return outcome


async def _befall(running: Site, crowd: Crowd, name: str, outcome: Outcome) -> Row:
    fault: Fault = FAULTS[name]
    await lasting(running.chance.uniform(0.1, 0.6))
    acked, gaps, begun = crowd.acks, _gaps(crowd), anyio.current_time()
    silence = _Silence()
    async with anyio.create_task_group() as watching:
        watching.start_soon(silence.watch, crowd)
        await fault.do(running)
        ended = anyio.current_time()
        crowd.tell_network_is_back()
        since = [len(person.drafts) for person in crowd.record.people]
        with anyio.move_on_after(fault.within_s) as waiting:
            await _all_talk(crowd, since)
        back = anyio.current_time() - ended
        watching.cancel_scope.cancel()
    if waiting.cancelled_caught:
        outcome.wrong.append(f"{name}: not everybody talked again within {fault.within_s:g} s")
    acked, gaps = crowd.acks - acked, _gaps(crowd) - gaps
    row = Row(name, ended - begun, silence.longest_s, back, acked, gaps)
    outcome.rows.append(row)
    return row


async def _all_talk(crowd: Crowd, since: Sequence[int]) -> None:
    """Wait until everybody was acknowledged something new in every room, and all were shown it."""
    while not _all_heard(crowd, since):
        await anyio.sleep(0.02)
        for chat in crowd.chats.values():
            if chat.state == "offline":
                chat.hint()


def _all_heard(crowd: Crowd, since: Sequence[int]) -> bool:
    people = crowd.record.people
    if len(people) < len(NAMES):
        return False
    for person, mark in zip(people, since, strict=True):
        for room in ROOMS:
            new = [
                draft.seq
                for draft in person.drafts[mark:]
                if draft.room == room and draft.outcome == "acked"
            ]
            if not new:
                return False
            for other in people:
                if not any(seq >= new[0] for seq, _ in other.shown.get(room, [])[-100:]):
                    return False
    return True


class _Silence:
    """Measures the longest time without an acknowledgement."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self, crowd: Crowd) -> None:
        while True:
            acks, begun = crowd.acks, anyio.current_time()
            while crowd.acks == acks:
                await anyio.sleep(0.01)
                self.longest_s = max(self.longest_s, anyio.current_time() - begun)


def _gaps(crowd: Crowd) -> int:
    return sum(len(gaps) for person in crowd.record.people for gaps in person.gaps.values())
