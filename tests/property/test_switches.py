"""Each law, broken on purpose: the same checkers that pass on the engine must find the breakage.

Most breakages are found by random lives; what those would seldom meet is a scene of its own, which
must pass unbroken.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from roomkit.core.inputs import HostKick
from roomkit.limits import Limits
from roomkit.testing.laws import LawBroken, Laws
from roomkit.testing.lives.crowd import PEOPLE, ROOMS, Crowd
from roomkit.testing.lives.life import BRIEF, SMALL
from roomkit.testing.lives.rest import come_to_rest
from roomkit.testing.lives.trouble import Trouble
from roomkit.testing.machine import RoomMachine
from roomkit.testing.world import World
from tests.property import breakages
from tests.property.breakages import Break

HUNT = settings(
    max_examples=4_000,
    stateful_step_count=40,
    deadline=None,
    database=None,
    derandomize=True,
    report_multiple_bugs=False,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""Look until it is found, always in the same places, and do not make it small."""

FOUND_BY_LIVING: list[tuple[int, Break]] = [
    (0, breakages.lose_count),
    (1, breakages.forget_a_member),
    (2, breakages.replay_too_little),
    (3, breakages.lose_keys),
    (4, breakages.acknowledge_at_once),
    (5, breakages.snapshot_of_yesterday),
    (6, breakages.forget_the_departed),
    (7, breakages.type_for_ever),
    (7, breakages.type_while_speaking),
    (8, breakages.no_grace),
    (9, breakages.mourn_nobody),
    (10, breakages.speak_the_newer_language),
    (10, breakages.attach_early),
    (12, breakages.answer_twice),
    (12, breakages.lose_answers),
    (12, breakages.keep_the_charge),
    (13, breakages.judge_the_last_first),
    (14, breakages.roll_dice),
    (15, breakages.tell_one_something_else),
]


def one_is_put_out_while_writing() -> None:
    """A message judged at one node before a kick reaches the store after it."""
    world = World()
    crowd = Crowd(world, Laws(world))
    near, far = world.node(), world.node()
    alice, bob = (crowd.open(PEOPLE[at], 2, node) for at, node in enumerate((near, far)))
    for tab in (alice, bob):
        crowd.join(tab, ROOMS[0], "none", None, None)
    world.settle()
    crowd.say(bob, ROOMS[0], None)
    crowd.ask(near, HostKick(ROOMS[0], bob.user.user_id, "host"))
    near.settle()
    world.settle()


def one_comes_back_to_a_smaller_room() -> None:
    """While somebody is away from a room without roster, somebody else leaves it."""
    world = World(Limits(**BRIEF, roster_limit=1, roster_return=1))
    crowd = Crowd(world, Laws(world))
    node = world.node()
    alice, bob, carol = (crowd.open(PEOPLE[at], 2, node) for at in (0, 1, 4))
    for tab in (alice, bob, carol):
        crowd.join(tab, ROOMS[0], "none", None, None)
    crowd.pass_time(1_000, settled=True)
    crowd.drop(alice)
    crowd.leave(carol, ROOMS[0])
    crowd.pass_time(1_000, settled=True)
    crowd.connect(alice, node)
    crowd.join(alice, ROOMS[0], "own", None, None)
    come_to_rest(crowd, Trouble(world))


def one_edits_what_the_archive_has() -> None:
    """A message that is not in memory any more is edited, and read before the next snapshot."""
    world = World(Limits(**BRIEF | SMALL, messages_per_s=100))
    crowd = Crowd(world, Laws(world))
    alice = crowd.open(PEOPLE[0], 2, world.node())
    crowd.join(alice, ROOMS[0], "none", None, None)
    for _ in range(12):
        crowd.say(alice, ROOMS[0], None)
        crowd.pass_time(100, settled=True)
    crowd.revise(alice, ROOMS[0], 0, 1, "the new form")
    world.settle()
    crowd.page(alice, ROOMS[0], "after", 0, 1)
    world.settle()


def one_edits_what_was_deleted() -> None:
    """Somebody deletes a message, and then another tab of theirs edits it."""
    world = World()
    crowd = Crowd(world, Laws(world))
    alice = crowd.open(PEOPLE[0], 2, world.node())
    crowd.join(alice, ROOMS[0], "none", None, None)
    crowd.say(alice, ROOMS[0], None)
    world.settle()
    for text in (None, "back again"):
        crowd.revise(alice, ROOMS[0], 0, None, text)
        world.settle()


SCENES: list[tuple[int, Break, Callable[[], None]]] = [
    (5, breakages.page_the_old_form, one_edits_what_the_archive_has),
    (6, breakages.count_no_more, one_comes_back_to_a_smaller_room),
    (16, breakages.raise_the_dead, one_edits_what_was_deleted),
    (16, breakages.climb_the_fence, one_is_put_out_while_writing),
]


@pytest.mark.parametrize(
    ("law", "break_it"),
    FOUND_BY_LIVING,
    ids=[f"law_{law}-{one.__name__}" for law, one in FOUND_BY_LIVING],
)
def test_random_lives_find_a_broken_law(
    law: int, break_it: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    with pytest.raises(LawBroken) as broken:
        run_state_machine_as_test(RoomMachine, settings=HUNT)
    assert broken.value.law == law


@pytest.mark.parametrize(
    ("law", "break_it", "scene"),
    SCENES,
    ids=[f"law_{law}-{one.__name__}" for law, one, _ in SCENES],
)
def test_a_scene_finds_a_broken_law(
    law: int, break_it: Break, scene: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scene()
    break_it(monkeypatch)
    with pytest.raises(LawBroken) as broken:
        scene()
    assert broken.value.law == law


def test_every_law_but_the_outboxs_has_a_switch() -> None:
    """Law 11 is about bytes that wait, and is held by the runtime's tests."""
    switched = {law for law, *_ in FOUND_BY_LIVING} | {law for law, *_ in SCENES}
    assert switched == set(range(17)) - {11}
