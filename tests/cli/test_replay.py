"""`roomkit replay`: what it prints, and its exit status, in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from roomkit.cli import main
from roomkit.core.commands import SendMessage
from roomkit.trace.folder import segments
from tests.cli.scenes import ROOM, alice_and_bob
from tests.trace.recorded import recorded
from tests.trace.test_replaying import changed, said


def roomkit(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a fresh process."""
    return subprocess.run(
        [sys.executable, "-m", "roomkit.cli", *arguments],
        capture_output=True,
        check=False,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "utf-8"},
    )


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    with recorded(tmp_path / "trace") as (world, node):
        alice, _ = alice_and_bob(world, node)
        world.advance(1_000)
        node.send(alice, SendMessage(room=ROOM, message="hello", ref="1"))
        world.settle()
    return tmp_path / "trace"


SUMMARY = """\
run n1-1, recorded by roomkit VERSION
  from step 1, 2024-01-01 12:00:00.000 UTC
  to step 13, 2024-01-01 12:00:01.000 UTC
       3  Appended
       3  Received
       2  Connected
       2  Opened
       1  LeaseRenewed
       1  RoomLoaded
       1  Tick
      13  steps, byte for byte the same
"""


def without_version(text: str) -> str:
    return re.sub(r"(?<=recorded by roomkit )\S+", "VERSION", text)


def test_a_trace_that_is_the_same_is_summed_up(trace: Path) -> None:
    done = roomkit("replay", str(trace))
    assert (done.returncode, without_version(done.stdout), done.stderr) == (0, SUMMARY, "")


def test_every_step_is_shown_if_asked_for(trace: Path) -> None:
    done = roomkit("replay", str(trace), "--verbose")
    shown = [line for line in done.stdout.splitlines() if re.match(r"12:\d\d:\d\d\.\d{3}  ", line)]
    assert [line.split()[2] for line in shown] == [str(number) for number in range(1, 14)]
    assert "Received(connection='alice-tab', command=SendMessage(message='hello'" in shown[-2]
    assert "                Broadcast(room='general', event=Posted(" in done.stdout


def test_the_first_step_that_differs_is_told_and_fails(trace: Path) -> None:
    changed(trace, said("goodbye"))
    done = roomkit("replay", str(trace))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[2] == "step 12 differs, 2024-01-01 12:00:01.000 UTC"
    assert re.fullmatch(r"  recorded: effects \w{16}; now: effects \w{16}", lines[3])
    assert lines[4].startswith("  input: Received(connection='alice-tab', command=SendMessage(mess")
    assert lines[5].startswith("  now: Append(room='general', nonce=Nonce(node='n1-2', counter=3)")
    assert len(lines) == 6


def test_what_is_explained_ends_where_the_replay_differs(trace: Path) -> None:
    changed(trace, said("goodbye"))
    done = roomkit("explain", str(trace), "--user", "bob", "--room", ROOM)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[-1] == (
        "the replay differs from step 12 on: nothing after it is explained"
    )


def test_torn_ends_other_runs_and_holes_are_told(trace: Path) -> None:
    (first,) = segments(trace)
    whole = first.read_bytes()
    with recorded(trace) as (world, node):
        alice_and_bob(world, node)
    shutil.copy(first, trace / "00000003.segment")
    first.write_bytes(whole + b"\0\0\1\0torn")
    lines = without_version(roomkit("replay", str(trace)).stdout).splitlines()
    assert lines[:4] == [
        "00000001.segment: its last 8 bytes are torn, and left out",
        *SUMMARY.splitlines()[:3],
    ]
    assert lines[-1] == "      37  steps, byte for byte the same"


def test_the_command_is_installed_under_its_name() -> None:
    (command,) = entry_points(group="console_scripts", name="roomkit")
    assert command.load() is main


@pytest.mark.parametrize("arguments", [[], ["replay"], ["explain", "trace"], ["serve"]])
def test_a_wrong_command_line_says_what_is_expected(arguments: list[str]) -> None:
    done = roomkit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: roomkit")


def test_no_trace_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    done = roomkit("replay", str(tmp_path / "nowhere"))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("roomkit: ")
    assert "cannot be read" in line


def test_whoever_has_read_enough_may_hang_up(trace: Path) -> None:
    command = [sys.executable, "-m", "roomkit.cli", "replay", str(trace), "--verbose"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.close()
        assert (running.stderr.read(), running.wait(30)) == (b"", 0)
