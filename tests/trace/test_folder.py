"""A trace stays within its size, belongs to its owner, and says when it cannot be written."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import anyio
import pytest

from roomkit.core.commands import JoinRoom, SendMessage
from roomkit.errors import TraceError
from roomkit.limits import Limits
from roomkit.testing.world import Node, World
from roomkit.trace import TraceFolder, read_trace, replay
from roomkit.trace.folder import segments
from tests.trace.recorded import MIB, differences, recorded, steps

PLENTY = 10**6
UNPACED = Limits(
    messages_per_s=PLENTY, messages_burst=PLENTY, frames_per_s=PLENTY, frames_burst=PLENTY,
    history_window=10, history_on_join=10, replay_entries=20, snapshot_every=16, log_entries=32,
)  # fmt: skip


async def talk(world: World, node: Node, folder: Path, enough: int) -> None:
    """Have alice and bob say what no compression helps with, until there are so many segments."""
    people = [node.open(name, name) for name in ("alice", "bob")]
    for person in people:
        node.send(person, JoinRoom(room="lobby"))
        world.settle()
    while int(max([path.stem for path in segments(folder)], default="0")) < enough:
        for person in people * 10:
            node.send(person, SendMessage(room="lobby", message=os.urandom(1500).hex(), ref="r"))
            world.settle()
        await anyio.sleep(0.001)


async def test_the_oldest_goes_so_that_the_whole_stays_within_its_size(tmp_path: Path) -> None:
    with anyio.fail_after(60), recorded(tmp_path, UNPACED, most_bytes=MIB * 3) as (world, node):
        await talk(world, node, tmp_path, 6)
    kept = segments(tmp_path)
    assert sum(segment.stat().st_size for segment in kept) <= MIB * 3
    assert 2 <= len(kept) < 6
    assert steps(tmp_path)[0] > 1
    assert differences(tmp_path) == []


async def test_every_segment_can_be_replayed_on_its_own(tmp_path: Path) -> None:
    with anyio.fail_after(60), recorded(tmp_path, UNPACED, most_bytes=MIB * 2) as (world, node):
        await talk(world, node, tmp_path, 3)
    whole = steps(tmp_path)
    apart = [step for segment in segments(tmp_path) for step in steps(segment)]
    assert apart == whole == list(range(whole[0], whole[0] + len(whole)))
    assert [differences(segment) for segment in segments(tmp_path) if differences(segment)] == []


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    with recorded(tmp_path / "deep" / "trace"):
        pass
    (segment,) = segments(tmp_path / "deep" / "trace")
    assert stat.S_IMODE(segment.stat().st_mode) == 0o600
    assert stat.S_IMODE(segment.parent.stat().st_mode) == 0o700


def test_another_run_goes_on_behind_the_one_before(tmp_path: Path) -> None:
    for _ in range(2):
        with recorded(tmp_path) as (_, node):
            node.open("alice", "alice")
    assert [path.name for path in segments(tmp_path)] == ["00000001.segment", "00000002.segment"]
    played = list(replay(read_trace(tmp_path)))
    assert [one.number for one in played].count(1) == 2
    assert differences(tmp_path) == []


def test_where_nothing_can_be_written_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(TraceError, match="give `record` a folder that this process may write to"):
        TraceFolder(tmp_path / "file", MIB)


def test_a_state_too_large_for_the_trace_says_how_much_it_needs(tmp_path: Path) -> None:
    with recorded(tmp_path) as (_, node):
        node.open("alice", "alice")
    (segment,) = read_trace(tmp_path)
    folder = TraceFolder(tmp_path / "small", MIB)
    with pytest.raises(TraceError, match="set record_mib to 2 or more"):
        folder.begin(segment.header, os.urandom(MIB // 3))
