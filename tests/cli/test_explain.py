"""From what somebody was told back to what caused it, each case as it is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from roomkit.core.commands import (
    EditMessage,
    GetUsers,
    JoinRoom,
    LeaveRoom,
    SendMessage,
    TypingStart,
)
from roomkit.core.inputs import Asked, Fed, HostKick, HostPost
from roomkit.core.storage import Behind, Entry, Hint, Interrupted, Unknown
from roomkit.ids import Position, RequestId, RoomId, UserId
from roomkit.limits import Limits
from tests.cli.scenes import ROOM, alice_and_bob, explain
from tests.trace.recorded import recorded

HELLO = SendMessage(room=ROOM, message="hello", ref="1")


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(capsys)


class Printed:
    """What was printed since this was last asked."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def lines(self) -> list[str]:
        out, err = self._capsys.readouterr()
        assert err == ""
        return out.splitlines()

    def chain(self) -> list[str]:
        """The lines of a chain, under the day: seconds after 12:00, the step, the cause."""
        day, *lines = self.lines()
        assert day == "2024-01-01, times in UTC"
        assert {line[:6] + line[12:19] for line in lines} == {"12:00:  step "}
        return [f"{line[6:12]} #{line[19:25].strip()}{line[25:]}" for line in lines]


def test_a_message_comes_from_who_sent_it(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice, _ = alice_and_bob(world, node)
        world.advance(1_234)
        node.send(alice, HELLO)
        world.settle()
    assert explain(tmp_path) == 0
    assert printed.chain() == [
        '01.234 #13  bob was told: alice: "hello" (entry 3)',
        "01.234 #13    the store answered append 3: entry 3",
        '01.234 #12      append 3 was sent: alice: "hello"',
        '01.234 #12        alice sent send_message "hello"',
    ]


def test_a_message_of_the_host_comes_from_the_host(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice_and_bob(world, node)
        node.step(Asked(RequestId(1), HostPost(RoomId(ROOM), "closing\n\x1b[2Jsoon")))
        world.settle()
    assert explain(tmp_path, "--event", "3") == 0
    assert printed.chain() == [
        '00.000 #13  bob was told: System: "closing⏎\\x1b[2Jsoon" (entry 3)',
        "00.000 #13    the store answered append 3: entry 3",
        '00.000 #12      append 3 was sent: System: "closing⏎\\x1b[2Jsoon"',
        '00.000 #12        the host asked to post "closing⏎\\x1b[2Jsoon"',
    ]


def test_an_arrival_comes_from_the_join(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice_and_bob(world, node)
    assert explain(tmp_path, "--event", "roster", user="alice") == 0
    assert printed.chain() == [
        "00.000 #11  alice was told: bob came (entry 2)",
        "00.000 #11    the store answered append 2: entry 2",
        "00.000 #10      append 2 was sent: bob enters",
        "00.000 #10        bob sent join_room",
    ]
    assert explain(tmp_path, "--event", "joined") == 0
    assert printed.chain()[0] == "00.000 #11  bob was told: joined at entry 2"


def test_who_was_dropped_has_been_away_for_the_grace(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice, _ = alice_and_bob(world, node)
        world.advance(5_000)
        node.drop(alice)
        world.advance(20_000)
    assert explain(tmp_path) == 0
    assert printed.chain() == [
        "20.000 #22  bob was told: alice left (dropped) (entry 3)",
        "20.000 #22    the store answered append 3: entry 3",
        "20.000 #20      append 3 was sent: 1 session leaves",
        "20.000 #20        alice's session is to leave (dropped)",
        "20.000 #20          alice had been away for the whole grace",
        "05.000 #14            alice's connection closed",
    ]


def test_who_left_said_so(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice, _ = alice_and_bob(world, node)
        node.send(alice, LeaveRoom(room=ROOM, ref="2"))
        world.settle()
    assert explain(tmp_path) == 0
    assert printed.chain() == [
        "00.000 #13  bob was told: alice left (left) (entry 3)",
        "00.000 #13    the store answered append 3: entry 3",
        "00.000 #12      append 3 was sent: 1 session leaves",
        "00.000 #12        alice sent leave_room",
    ]


def test_who_was_kicked_was_kicked_by_somebody(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice_and_bob(world, node)
        kick = HostKick(RoomId(ROOM), UserId("u-bob"), "alice", "spam")
        node.step(Asked(RequestId(1), kick))
        world.settle()
    assert explain(tmp_path) == 0
    assert printed.chain() == [
        "00.000 #13  bob was told: out of the room (kicked)",
        "00.000 #13    since kick of bob by alice: spam (entry 3)",
        "00.000 #13      the store answered append 3: entry 3",
        "00.000 #12        append 3 was sent: kick bob, by alice: spam",
        "00.000 #12          the host asked to kick bob, by alice: spam",
    ]


def test_a_gap_says_what_was_asked_and_why_not(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path, Limits(replay_entries=5)) as (world, node):
        alice, bob = alice_and_bob(world, node)
        since = node.engine.state.rooms[RoomId(ROOM)].tail.link_at(2)
        assert since is not None
        node.drop(bob)
        for _ in range(6):
            node.send(alice, HELLO)
            world.settle()
        again = node.open("bob-again", "bob", session="s-bob-tab")
        node.send(again, JoinRoom(room=ROOM, ref="2", since=Position(2, since)))
        world.settle()
    assert explain(tmp_path) == 0
    assert printed.chain() == [
        "00.000 #27  bob was told: joined anew at entry 8, not recovered (replay_limit)",
        "00.000 #27    entries from 3 on are more than this node keeps to send again",
        "00.000 #27    bob sent join_room, since entry 2",
    ]


def test_an_error_comes_from_the_frame_that_was_refused(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path, Limits(messages_burst=1, messages_per_s=1)) as (world, node):
        _, bob = alice_and_bob(world, node)
        node.send(bob, HELLO)
        node.send(bob, SendMessage(room=ROOM, message="again", ref="2"))
        world.settle()
    assert explain(tmp_path, "--event", "error") == 0
    assert printed.chain() == [
        '00.000 #13  bob was told: refused: rate_limited, "too many messages: wait 1000 ms"',
        '00.000 #13    bob sent send_message "again"',
    ]


def test_an_answer_that_did_not_come_names_the_append(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        _, bob = alice_and_bob(world, node)
        node.send(bob, HELLO)
        node.pending.clear()
        world.advance(10_000)
    assert explain(tmp_path, "--event", "error") == 0
    assert printed.chain() == [
        (
            "10.000 #15  bob was told: refused: unavailable, "
            '"no answer from the message store: it may have been stored; …"'
        ),
        "10.000 #15    commands had waited too long for the store",
        '00.000 #12      append 3 was sent: bob: "hello"',
        '00.000 #12        bob sent send_message "hello"',
    ]


def test_what_became_of_an_append_is_told_in_order(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice, _ = alice_and_bob(world, node)
        node.send(alice, HELLO)
        node.perform(node.pending.popleft(), Unknown("connection reset"))
        world.advance(50)
        node.send(alice, SendMessage(room=ROOM, message="again", ref="2"))
        node.perform(node.pending.popleft(), Behind())
        world.settle()
    assert explain(tmp_path, "--event", "3") == 0
    assert printed.chain() == [
        '00.050 #15  bob was told: alice: "hello" (entry 3)',
        "00.050 #15    the store answered append 3: entry 3",
        "00.050 #14      append 3 was sent again, unchanged",
        "00.000 #13      the store answered append 3: unknown (connection reset)",
        '00.000 #12      append 3 was sent: alice: "hello"',
        '00.000 #12        alice sent send_message "hello"',
    ]
    assert explain(tmp_path, "--event", "4") == 0
    assert printed.chain() == [
        '00.050 #19  bob was told: alice: "again" (entry 4)',
        "00.050 #19    the store answered append 5: entry 4",
        '00.050 #18      append 5 was sent: alice: "again"',
        "00.050 #17        the store answered append 4: refused, this node was behind",
        '00.050 #16        alice sent send_message "again"',
    ]


def test_typing_ends_by_its_timer_or_by_the_message(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice, _ = alice_and_bob(world, node)
        node.send(alice, TypingStart(room=ROOM))
        world.advance(7_000)
        node.send(alice, TypingStart(room=ROOM))
        node.send(alice, HELLO)
        world.settle()
    assert explain(tmp_path, "--event", "typing") == 0
    assert printed.chain()[:2] == [
        "07.000 #18  bob was told: alice stopped typing",
        '07.000 #18    since alice: "hello" (entry 3)',
    ]
    assert explain(tmp_path, "--event", "list") == 0
    _, *lines = printed.lines()
    assert [line.split(maxsplit=3)[2:] for line in lines] == [
        ["joined", "joined at entry 2"],
        ["typing", "alice types"],
        ["typing", "alice stopped typing"],
        ["typing", "alice types"],
        ["message", 'alice: "hello" (entry 3)'],
        ["typing", "alice stopped typing"],
    ]


def test_what_another_node_wrote_is_not_explained_away(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice_and_bob(world, node)
        other = world.node()
        carol = other.open("carol-tab", "carol")
        other.send(carol, JoinRoom(room=ROOM))
        world.settle()
    assert explain(tmp_path) == 0
    assert printed.chain() == [
        "00.000 #12  bob was told: carol came (entry 3)",
        "00.000 #12    entry 3 was written by another node, or before this trace begins",
        "00.000 #12      the feed said that the room has news",
    ]


def test_a_lost_node_is_written_off_by_whoever_finds_it(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice_and_bob(world, node)
        other = world.node()
        other.send(other.open("carol-tab", "carol"), JoinRoom(room=ROOM))
        world.settle()
        world.nodes.remove(other)
        world.advance(60_000)
    assert explain(tmp_path, "--event", "4") == 0
    assert [line[12:] for line in printed.chain()] == [
        "bob was told: carol left (node_lost) (entry 4)",
        "  the store answered append 3: entry 4",
        "    append 3 was sent: node n2-1 is lost",
        "      node n2-1 is to be written off",
        "        no live lease was found of node n2-1",
    ]


def test_a_fork_says_what_showed_it(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice_and_bob(world, node)
        node.step(Fed(Hint(RoomId(ROOM), (Entry(2, 1, "other", "another", b""),))))
        world.settle()
    assert explain(tmp_path, "--event", "gap") == 0
    assert printed.chain() == [
        "00.000 #13  bob was told: the room begins anew (forked)",
        "00.000 #13    the store loaded the room",
        "00.000 #12      what was folded here was dropped (forked): the log does not continue it",
        "00.000 #12        the feed said that the room has news",
    ]


def test_an_edit_and_its_answer_come_from_the_command(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        alice, _ = alice_and_bob(world, node)
        node.send(alice, HELLO)
        world.settle()
        room = node.engine.state.rooms[RoomId(ROOM)].room
        assert room is not None
        name = f"{room.tip.seq}-{room.tip.link}"
        node.send(alice, EditMessage(room=ROOM, id=name, message="hello!", ref="2"))
        world.settle()
    assert explain(tmp_path, "--event", "edit") == 0
    edited = printed.chain()
    assert edited[0] == (
        '00.000 #15  bob was told: message 3 is now "hello!", by u-alice (entry 4)'
    )
    assert edited[-1].endswith(f'alice sent edit_message {name}, to "hello!"')
    assert explain(tmp_path, "--event", "ack", user="alice") == 0
    assert [line[12:] for line in printed.chain()][:2] == [
        "alice was told: done, as entry 4",
        "  the store answered append 4: entry 4",
    ]


def test_what_was_answered_from_memory_needs_no_store(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        _, bob = alice_and_bob(world, node)
        node.step(Fed(Interrupted()))
        world.settle()
        node.send(bob, GetUsers(room=ROOM, ref="2"))
    assert explain(tmp_path) == 0
    assert printed.chain() == [
        "00.000 #14  bob was told: the list of users: alice, bob",
        "00.000 #14    bob sent get_users",
    ]


def test_a_list_owed_to_protocol_1_comes_from_the_roster(tmp_path: Path, printed: Printed) -> None:
    with recorded(tmp_path) as (world, node):
        bob = node.open("bob-tab", "bob", protocol=1)
        node.send(bob, JoinRoom(room=ROOM))
        world.settle()
        node.send(node.open("alice-tab", "alice"), JoinRoom(room=ROOM))
        world.settle()
    assert explain(tmp_path, "--event", "users") == 0
    assert printed.chain() == [
        "00.000 #12  bob was told: the list of users: bob, alice",
        "00.000 #12    the roster had changed, and protocol-1 clients were owed the list",
        "00.000 #11      the store answered append 2: stored as entry 2",
    ]


@pytest.mark.parametrize(
    ("user", "which", "told"),
    [
        (
            "dave",
            "last",
            "dave was told nothing in general in this trace; users in it are alice, bob",
        ),
        (
            "bob",
            "kick",
            (
                "bob was told nothing like 'kick' in general: give a seq, or one of joined; "
                "`--event list` shows what there is"
            ),
        ),
    ],
)
def test_what_was_never_told_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], user: str, which: str, told: str
) -> None:
    with recorded(tmp_path) as (world, node):
        alice_and_bob(world, node)
    assert explain(tmp_path, "--event", which, user=user) == 2
    assert capsys.readouterr() == ("", f"roomkit: {told}\n")
