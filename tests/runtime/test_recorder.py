"""The black box: all of its life is in it, no secret is, and the chat never feels its troubles."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from roomkit import Action, Hub, Limits, TraceError, User, UserId
from roomkit.core.inputs import Asked, HostPost
from roomkit.ids import RequestId, RoomId
from roomkit.runtime import recorder
from roomkit.testing.socketless import connect
from roomkit.testing.transport_suite.harness import hello, join, join_seed
from roomkit.testing.websocket_client import WebsocketClient
from roomkit.trace import TraceFolder, read_trace, replay
from roomkit.trace.folder import segments
from roomkit_websockets import listen
from tests.trace.recorded import differences

SECRET = "correct horse battery staple"
BRIEF = Limits(presence_grace_ms=50, typing_resend_ms=50, typing_expiry_ms=100, close_ms=500)
ALICE = User(UserId("u-alice"), "alice")


def but_for_signals(user: User, room: RoomId, action: Action) -> bool:
    if action is Action.SIGNAL:
        raise LookupError("the host's table is gone")
    return action is not Action.MODERATE


async def some_life(hub: Hub, url: str) -> list[str]:
    """Join, talk, type, edit, drop, come back, be kicked; return every token that was given out."""
    tokens: list[str] = []
    connect = WebsocketClient.connect
    async with connect(url) as alice, connect(url) as carol:
        welcome = await hello(alice, "alice")
        tokens += [str(welcome["session"]), str(welcome["guest_token"])]
        await join(alice, "general")
        await join_seed(carol, "general", "carol")
        async with connect(url) as bob:
            welcome = await hello(bob, "bob")
            tokens += [str(welcome["session"]), str(welcome["guest_token"])]
            await join(bob, "general")
            await bob.send("typing_start", room="general")
            await alice.until("user_typing")
            await bob.send("send_message", room="general", message="psst", ref="1")
            acked = await bob.until("ack")
            await bob.send("edit_message", room="general", id=acked["id"], message="hi", ref="2")
            await bob.until("ack")
            await bob.send("send_signal", room="general", name="wave", ref="3")
            await bob.until("error")
        async with connect(url) as bob:
            await hello(bob, "bob", token=tokens[3], session=tokens[2])
            await join(bob, "general")
            await hub.post("general", "welcome back", as_=ALICE)
            user_id = (await hub.users("general")).occupants[-1].user_id
            await hub.kick("general", user_id, reason="spam")
            await alice.until("user_moderated")
    return tokens


@pytest.mark.socket
async def test_all_of_a_hubs_life_is_in_its_trace_and_no_secret(tmp_path: Path) -> None:
    tokens: list[str] = []
    for _ in range(2):
        hub = Hub(secret=SECRET, limits=BRIEF, policy=but_for_signals, record=tmp_path)
        async with listen(hub, "127.0.0.1", 0) as (host, port):
            tokens += await some_life(hub, f"ws://{host}:{port}")
    played = list(replay(read_trace(tmp_path)))
    assert [one.number for one in played if one.difference is not None] == []
    assert len({one.header.run for one in played}) == 2
    kinds = {type(one.step.input).__name__ for one in played}
    assert kinds >= {"Connected", "Opened", "Received", "Closed", "Asked", "Appended", "Drain"}
    assert {None, True, False} == {answer for one in played for answer in one.step.answers}
    plain = "".join(repr((one.step, one.header, one.effects)) for one in played)
    plain += "".join(repr(segment.state()) for segment in read_trace(tmp_path))
    assert "psst" in plain
    macs = [token.rpartition(".")[2] for token in tokens]
    assert len(macs) == 8
    assert [secret for secret in (SECRET, *tokens, *macs) if secret in plain] == []
    for segment in segments(tmp_path):
        whole = segment.read_bytes()
        assert [secret for secret in (SECRET, *tokens, *macs) if secret.encode() in whole] == []


async def test_a_trace_is_written_while_the_hub_runs(tmp_path: Path) -> None:
    async with Hub(record=tmp_path) as hub:
        await hub.post("general", "hello", as_=ALICE)
        with anyio.fail_after(5):
            while "HostPost" not in str(told(tmp_path)):  # noqa: ASYNC110 - a file tells nobody
                await anyio.sleep(0.01)


def told(trace: Path) -> list[object]:
    try:
        return [played.step.input for played in replay(read_trace(trace))]
    except TraceError:
        return []


async def test_a_hub_that_cannot_write_its_trace_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    hub = Hub(record=tmp_path / "file")
    for _ in range(2):
        with pytest.RaisesGroup(TraceError, allow_unwrapped=True, flatten_subgroups=True):
            await hub.__aenter__()
    assert not hub.running


def test_a_trace_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="a trace needs 1 MiB or more"):
        Hub(record="trace", record_mib=0)


async def test_a_full_disk_ends_the_trace_and_not_the_chat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write = os.write

    def no_space(file: int, data: bytes) -> int:
        if len(data) < 100:
            raise OSError(28, "No space left on device")
        return write(file, data[:50])

    async with Hub(record=tmp_path) as hub:
        await hub.post("general", "before", as_=ALICE)
        with anyio.fail_after(5):
            while not told(tmp_path):  # noqa: ASYNC110 - a file tells nobody
                await anyio.sleep(0.01)
        monkeypatch.setattr(os, "write", no_space)
        with anyio.fail_after(5):
            while not caplog.messages:
                await hub.post("general", "after", as_=ALICE)
                await anyio.sleep(0.01)
        monkeypatch.setattr(os, "write", write)
        await hub.post("general", "long after", as_=ALICE)
        assert len((await hub.history("general")).messages) > 2
    assert caplog.messages == [
        "the trace ends here (No space left on device): enter the hub anew to begin another"
    ]
    assert differences(tmp_path) == []
    assert "long after" not in str(told(tmp_path))


async def test_a_disk_too_slow_leaves_a_hole_and_not_a_full_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "_BEHIND_BYTES", 5_000)
    async with Hub(record=tmp_path) as hub:
        with anyio.fail_after(10):
            while not caplog.messages:
                await hub.post("general", "x" * 1_000, as_=ALICE)
            while len(segments(tmp_path)) < 2:
                await hub.post("general", "goes on", as_=ALICE)
                await anyio.sleep(0.01)
    assert set(caplog.messages) == {"the trace has a hole: its disk is too slow"}
    played = list(replay(read_trace(tmp_path)))
    assert [one.number for one in played if one.difference is not None] == []
    numbers = [one.number for one in played]
    assert numbers == sorted(set(numbers))
    assert numbers != list(range(1, len(numbers) + 1))


async def test_what_nobody_can_pack_leaves_a_hole(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A lone surrogate fits into no encoding; the hub lets none in, so the engine is given one."""
    async with Hub(record=tmp_path) as hub, connect(hub) as alice:
        await alice.send("hello", {"protocol": 2, "username": "alice"})
        await alice.receive_type("welcome")
        unpackable = HostPost(RoomId("general"), "\ud800")
        hub._require().node.step(Asked(RequestId(1_000_000), unpackable))
        with anyio.fail_after(5):
            while "the trace has a hole" not in caplog.text:
                await hub.users("other")
        with anyio.fail_after(5):
            while len(segments(tmp_path)) < 2:
                await hub.users("other")
                await anyio.sleep(0.01)
    assert differences(tmp_path) == []


SERVER = """
import sys, anyio
from roomkit import Hub
from roomkit_websockets import listen

async def main():
    async with listen(Hub(record=sys.argv[1]), "127.0.0.1", 0) as (host, port):
        print(port, flush=True)
        await anyio.sleep_forever()

anyio.run(main)
"""


@pytest.mark.socket
async def test_a_killed_server_leaves_a_trace_that_can_be_replayed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    for run in (1, 2):
        with start(command) as one:
            try:
                assert one.stdout is not None
                port = await anyio.to_thread.run_sync(one.stdout.readline)
                async with WebsocketClient.connect(f"ws://127.0.0.1:{port.strip()}/") as alice:
                    await hello(alice, "alice")
                    await join(alice, "general")
                    with anyio.fail_after(10):
                        number = 0
                        while len(said(tmp_path, run)) < 5:
                            number += 1
                            await alice.send("send_message", room="general", message=f"m{number}")
                            await alice.until("new_message")
                            await anyio.sleep(0.02)
                    one.send_signal(signal.SIGKILL)
            finally:
                one.kill()
        assert one.returncode == -signal.SIGKILL
    assert differences(tmp_path) == []
    for run in (1, 2):
        texts = said(tmp_path, run)
        assert len(texts) >= 5
        assert texts == [f"m{number}" for number in range(1, len(texts) + 1)]


def start(command: list[str]) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def said(trace: Path, run: int) -> list[str]:
    """What alice is known to have said in a run, as far as it has been written."""
    runs: dict[str, list[str]] = {}
    for segment in read_trace(trace) if segments(trace) else ():
        texts = runs.setdefault(segment.header.run, [])
        for step in segment.steps():
            command = getattr(step.input, "command", None)
            if getattr(command, "message", None) is not None:
                texts.append(command.message)  # type: ignore[union-attr]  # it has one
    return list(runs.values())[run - 1] if len(runs) >= run else []


def test_a_folder_without_a_segment_can_be_closed(tmp_path: Path) -> None:
    TraceFolder(tmp_path, 1 << 20).close()
    assert segments(tmp_path) == []
