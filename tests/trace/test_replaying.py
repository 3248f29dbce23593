"""A trace says again what it said; where it does not, the first step that differs is named."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from roomkit.core.commands import JoinRoom, SendMessage, SendSignal, TypingStart
from roomkit.core.effects import Append
from roomkit.core.events import User
from roomkit.core.inputs import Appended, Asked, HostKick, HostPost, Received
from roomkit.core.policy import Action
from roomkit.core.storage import Stored
from roomkit.errors import TraceError
from roomkit.ids import RequestId, RoomId, UserId
from roomkit.testing.world import Node, World
from roomkit.trace import read_trace
from roomkit.trace.folder import segments
from roomkit.trace.records import (
    MAGIC,
    Step,
    frame,
    frame_steps,
    pack_state,
    pack_step,
    read_frames,
)
from tests.trace.recorded import differences, recorded, steps

ROOM = RoomId("general")


def live(world: World, node: Node) -> None:
    """Have alice and bob do a little of everything."""
    alice = node.open("alice-tab", "alice")
    bob = node.open("bob-tab", "bob", protocol=1)
    for person in (alice, bob):
        node.send(person, JoinRoom(room=ROOM, username=None))
        world.settle()
    node.send(bob, TypingStart())
    node.send(alice, SendMessage(room=ROOM, message="hello", ref="1", meta={"b": 1, "a": [2]}))
    node.step(Asked(RequestId(1), HostPost(ROOM, "the host says hello")))
    world.settle()
    node.step(Asked(RequestId(2), HostKick(ROOM, UserId("u-bob"), "alice", "spam")))
    world.advance(2_000)
    node.drop(alice)
    world.advance(60_000)


def test_a_life_is_replayed_byte_for_byte(tmp_path: Path) -> None:
    with recorded(tmp_path) as (world, node):
        live(world, node)
    played = steps(tmp_path)
    assert played == list(range(1, len(played) + 1))
    assert differences(tmp_path) == []


def test_the_policy_is_not_asked_again(tmp_path: Path) -> None:
    """Its answers are in the trace, and so is that it raised."""
    asked: list[Action] = []

    def moody(user: User, room: RoomId, action: Action) -> bool:
        asked.append(action)
        if action is Action.SIGNAL:
            raise LookupError("the host's table is gone")
        return not (action is Action.SEND and len(asked) % 2)

    with recorded(tmp_path, policy=moody) as (world, node):
        live(world, node)
        alice = node.open("alice-tab", "alice")
        node.send(alice, JoinRoom(room=ROOM))
        world.settle()
        node.send(alice, SendSignal(room=ROOM, name="wave", ref="1"))
    recorded_answers = [
        answer for segment in read_trace(tmp_path) for step in segment.steps()
        for answer in step.answers
    ]  # fmt: skip
    before = len(asked)
    assert len(recorded_answers) == before
    assert {True, False, None} == set(recorded_answers)
    assert differences(tmp_path) == []
    assert len(asked) == before


def test_ids_minted_within_a_step_are_in_it(tmp_path: Path) -> None:
    with recorded(tmp_path) as (_, node):
        node.open("alice-tab", "alice", session="s-1")
        node.open("bob-tab", "bob", session="s-1")
    (segment,) = read_trace(tmp_path)
    assert [step.minted for step in segment.steps() if step.minted] == [("n1-3",)]
    assert differences(tmp_path) == []


def test_a_step_at_which_the_engine_fails_fails_again(tmp_path: Path) -> None:
    with recorded(tmp_path) as (world, node):
        node.step(Asked(RequestId(1), HostPost(ROOM, "hello")))
        node.perform(node.pending.popleft())
        node.perform(node.pending.popleft())
        (append,) = [one for one in node.pending if isinstance(one, Append)]
        with pytest.raises(ValueError, match="shorter"):
            node.step(Appended(ROOM, append.nonce, Stored(())))
        node.open("alice-tab", "alice")
        world.settle()
    (segment,) = read_trace(tmp_path)
    assert [step.raised for step in segment.steps() if step.raised] == ["ValueError"]
    assert differences(tmp_path) == []


def test_what_cannot_be_written_down_leaves_a_hole(tmp_path: Path) -> None:
    with recorded(tmp_path) as (world, node):
        alice = node.open("alice-tab", "alice")
        node.send(alice, JoinRoom(room=ROOM))
        world.settle()
        with pytest.raises(TypeError):
            node.step(Asked(RequestId(9), HostPost(ROOM, "hello", meta={"odd": object()})))
    (segment,) = read_trace(tmp_path)
    assert steps(tmp_path) == list(range(1, len(list(segment.steps())) + 1))
    assert differences(tmp_path) == []


def test_another_interpreter_says_the_same(tmp_path: Path) -> None:
    with recorded(tmp_path) as (world, node):
        live(world, node)
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "roomkit.cli", "replay", str(tmp_path)],
            capture_output=True,
            check=False,
            text=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.endswith("steps, byte for byte the same\n")


# Traces that were changed


def changed(trace: Path, change: Callable[[Step], Step | None]) -> None:
    """Write the one segment of a trace anew, with every step as `change` returns it."""
    (segment,) = read_trace(trace)
    packed: list[bytes] = []
    for step in segment.steps():
        new = change(step)
        if new is not None:
            one = pack_step(new.input, new.now, new.minted, new.answers, None, new.raised)
            fields: list[object] = msgspec.msgpack.decode(one)
            fields[5] = new.digest
            packed.append(msgspec.msgpack.encode(fields))
    opening = frame(segment.header) + frame(pack_state(segment.state()))
    segment.path.write_bytes(MAGIC + opening + frame_steps(packed))


def said(text: str) -> Callable[[Step], Step]:
    """Put another text into every message that alice sent."""

    def change(step: Step) -> Step:
        given = step.input
        if isinstance(given, Received) and isinstance(given.command, SendMessage):
            command = msgspec.structs.replace(given.command, message=text)
            given = msgspec.structs.replace(given, command=command)
        return msgspec.structs.replace(step, input=given)

    return change


def number_of_the_message(trace: Path) -> int:
    (segment,) = read_trace(trace)
    return next(
        number
        for number, step in enumerate(segment.steps(), 1)
        if isinstance(step.input, Received) and isinstance(step.input.command, SendMessage)
    )


def test_a_changed_input_is_found_at_its_step(tmp_path: Path) -> None:
    with recorded(tmp_path) as (world, node):
        live(world, node)
    number = number_of_the_message(tmp_path)
    changed(tmp_path, said("hello"))
    assert differences(tmp_path) == []
    changed(tmp_path, said("goodbye"))
    ((where, how),) = differences(tmp_path)
    assert where == number
    assert how.startswith("recorded: effects ")


def test_a_missing_step_is_found_by_what_follows(tmp_path: Path) -> None:
    with recorded(tmp_path) as (world, node):
        live(world, node)
    number = number_of_the_message(tmp_path)
    (segment,) = read_trace(tmp_path)
    message = list(segment.steps())[number - 1]
    changed(tmp_path, lambda step: None if step == message else step)
    ((where, _),) = differences(tmp_path)
    assert where >= number


def test_policy_and_ids_that_do_not_fit_are_told(tmp_path: Path) -> None:
    with recorded(tmp_path, policy=lambda user, room, action: True) as (world, node):
        live(world, node)
        node.open("b", "bob", session="s-alice-tab")
    (path,) = segments(tmp_path)
    whole = path.read_bytes()

    def without_answers(step: Step) -> Step:
        return msgspec.structs.replace(step, answers=())

    changed(tmp_path, without_answers)
    assert [how for _, how in differences(tmp_path)] == [
        "it asks the policy about join, as nobody did"
    ]
    path.write_bytes(whole)
    changed(tmp_path, lambda step: msgspec.structs.replace(step, answers=(*step.answers, True)))
    assert [how for _, how in differences(tmp_path)] == ["it asks the policy 1 times fewer"]
    path.write_bytes(whole)
    changed(tmp_path, lambda step: msgspec.structs.replace(step, minted=("x",)))
    assert [how for _, how in differences(tmp_path)] == ["it asks for 1 fewer ids than were minted"]
    path.write_bytes(whole)
    changed(tmp_path, lambda step: msgspec.structs.replace(step, raised="KeyError"))
    assert [how for _, how in differences(tmp_path)] == [
        "recorded: the engine failed with KeyError; now: it does not fail"
    ]


def test_a_state_that_is_not_the_one_reached_is_found_where_segments_meet(tmp_path: Path) -> None:
    with recorded(tmp_path) as (world, node):
        live(world, node)
    (segment,) = read_trace(tmp_path)
    count = len(list(segment.steps()))
    header = msgspec.structs.replace(segment.header, first=count + 1)
    second = tmp_path / "00000002.segment"
    second.write_bytes(MAGIC + frame(header) + frame(pack_state(node.engine.state)))
    assert differences(tmp_path) == []
    node.engine.state.draining = True
    second.write_bytes(MAGIC + frame(header) + frame(pack_state(node.engine.state)))
    ((where, how),) = differences(tmp_path)
    assert where == count
    assert how == "the state after it: .draining is True; now False"


# Traces that are damaged


def test_a_torn_record_ends_what_can_be_read(tmp_path: Path) -> None:
    """Wherever the file is cut, what is whole before the cut is replayed."""
    with recorded(tmp_path) as (world, node):
        live(world, node)
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    opening = len(MAGIC) + sum(len(frame(one)) for one in list(read_frames(whole))[:2])
    for length in range(opening, len(whole), 97):
        path.write_bytes(whole[:length])
        (segment,) = read_trace(tmp_path)
        assert segment.torn == length - opening
        assert steps(tmp_path) == []
    path.write_bytes(whole + frame_steps([])[:-1])
    assert differences(tmp_path) == []
    assert len(steps(tmp_path)) > 10


def test_a_segment_whose_state_was_never_written_is_left_out(tmp_path: Path) -> None:
    with recorded(tmp_path):
        pass
    (path,) = segments(tmp_path)
    whole = path.read_bytes()
    for length in (0, 5, len(MAGIC) + 3):
        (tmp_path / "00000002.segment").write_bytes(whole[:length])
        assert [segment.path for segment in read_trace(tmp_path)] == [path]
    path.unlink()
    with pytest.raises(TraceError, match="holds no trace"):
        read_trace(tmp_path)


def test_what_is_no_trace_is_told_so(tmp_path: Path) -> None:
    odd = tmp_path / "notes.txt"
    odd.write_text("bring milk")
    with pytest.raises(TraceError, match="is no segment of a trace"):
        read_trace(odd)
    with pytest.raises(TraceError, match="cannot be read"):
        read_trace(tmp_path / "nowhere")


def test_a_record_nobody_wrote_is_told_so(tmp_path: Path) -> None:
    for body in (b"not packed", zlib.compress(b"\xc1"), zlib.compress(b"\x91" * 10_000)):
        head = len(body).to_bytes(4) + zlib.crc32(body).to_bytes(4)
        (tmp_path / "00000001.segment").write_bytes(MAGIC + head + body)
        with pytest.raises(TraceError, match="read it with the roomkit that wrote it"):
            read_trace(tmp_path)


def test_a_trace_of_a_newer_format_names_the_version_that_reads_it(tmp_path: Path) -> None:
    with recorded(tmp_path):
        pass
    (segment,) = read_trace(tmp_path)
    newer = msgspec.structs.replace(segment.header, format=2, version="9.9")
    segment.path.write_bytes(MAGIC + frame(newer) + frame(pack_state(segment.state())))
    with pytest.raises(TraceError, match=r"read it with roomkit 9\.9"):
        read_trace(tmp_path)
