"""Editing and deleting messages."""

from __future__ import annotations

import pytest

from roomkit.core import facts
from roomkit.core.commands import DeleteMessage, EditMessage, GetHistory, SendMessage
from roomkit.core.effects import Append, PageMessages
from roomkit.core.events import (
    Acked,
    Event,
    Failure,
    HistoryListed,
    Message,
    MessageDeleted,
    MessageEdited,
    RoomJoined,
    User,
)
from roomkit.core.inputs import HostDelete, HostEdit, HostPost, MessagesPaged
from roomkit.core.policy import Action
from roomkit.core.storage import Stored, Unknown
from roomkit.errors import ErrorCode
from roomkit.ids import ConnectionId, MessageId, Position, RoomId, UserId, message_id
from roomkit.limits import Limits
from tests.core.chat import LOBBY, Chat, codes, only

ALICE = UserId("u-alice")
FORGETFUL = Limits(
    history_window=1, history_on_join=1, snapshot_every=2, log_entries=4, replay_entries=2
)
"""Of few messages only the newest is in memory."""


def alice_said(
    *texts: str, limits: Limits | None = None, nodes: int = 1
) -> tuple[Chat, ConnectionId, list[MessageId]]:
    """Alice in the lobby, and the ids of what she said there."""
    chat = Chat(limits, nodes=nodes)
    alice = chat.open("alice")
    chat.join(alice)
    said: list[MessageId] = []
    for text in texts:
        (ack,) = only(Acked, chat.say(alice, text))
        assert ack.position is not None
        said.append(message_id(ack.position))
    return chat, alice, said


def edit(
    chat: Chat, who: ConnectionId, name: str, text: str, if_version: int | None = None
) -> list[Event]:
    command = EditMessage(room="lobby", id=name, message=text, ref="e", if_version=if_version)
    return chat.send(who, command)


def delete(chat: Chat, who: ConnectionId, name: str, if_version: int | None = None) -> list[Event]:
    command = DeleteMessage(room="lobby", id=name, ref="d", if_version=if_version)
    return chat.send(who, command)


def history(chat: Chat, who: ConnectionId) -> dict[str, tuple[str, int]]:
    """The text and version of every message, by id."""
    (page,) = only(HistoryListed, chat.send(who, GetHistory(room="lobby", ref="h", limit=200)))
    return {
        message_id(Position(one.seq, one.link)): (one.text, one.version) for one in page.messages
    }


def test_an_edit_is_told_to_everybody_and_acknowledged() -> None:
    chat, alice, (said,) = alice_said("helo")
    bob = chat.open("bob")
    chat.join(bob)
    edited, ack = edit(chat, alice, said, "hello")[-2:]
    now = chat.world.clock.now().wall
    assert isinstance(edited, MessageEdited)
    form = Message(2, edited.message.link, now, ALICE, "alice", "hello", version=2, edited=now)
    assert (edited.message, edited.by, edited.seq) == (form, ALICE, 4)
    assert chat.take(bob)[-1] == edited
    place = Position(edited.seq, edited.link)
    assert ack == Acked("e", LOBBY, place, now, message=said, version=2)


def test_a_deletion_leaves_a_tombstone() -> None:
    chat = Chat()
    alice = chat.open("alice")
    chat.join(alice)
    post = HostPost(LOBBY, "look", User(ALICE, "alice"), "key", "1-x", {"colour": "red"})
    posted = chat.ask(post)
    assert isinstance(posted, Acked) and posted.position is not None
    said = message_id(posted.position)
    edit(chat, alice, said, "look!")
    deleted = only(MessageDeleted, chat.send(alice, DeleteMessage(room="lobby", id=said)))[0]
    now = chat.world.clock.now().wall
    link = posted.position.link
    left = Message(2, link, now, ALICE, "alice", "", idempotency_key="key", version=3, deleted=now)
    assert deleted.message == left
    (joined,) = only(RoomJoined, chat.join(alice))
    assert joined.messages == (left,)


@pytest.mark.parametrize(
    "name", ["", "2", "-", "x-y", "2-", "2-0000000000000000", "99-0000000000000000", "٣-x"]
)
def test_what_is_no_message_is_not_found(name: str) -> None:
    chat, alice, _ = alice_said("hello")
    assert codes(edit(chat, alice, name, "x")) == [ErrorCode.NOT_FOUND]
    assert codes(delete(chat, alice, name)) == [ErrorCode.NOT_FOUND]
    assert len(chat.log()) == 2


def test_an_entry_that_is_no_message_is_not_found() -> None:
    chat, alice, _ = alice_said()
    (entered,) = chat.log()
    (told,) = edit(chat, alice, message_id(entered.position), "x")
    assert isinstance(told, Failure) and told.code is ErrorCode.NOT_FOUND


def test_a_tombstone_is_final() -> None:
    chat, alice, (said,) = alice_said("hello")
    delete(chat, alice, said)
    for answer in (edit(chat, alice, said, "again"), delete(chat, alice, said)):
        assert codes(answer) == [ErrorCode.NOT_FOUND]
    assert isinstance(chat.ask(HostEdit(LOBBY, said, "again", UserId("host"))), Failure)


def test_another_version_than_asked_for_is_a_conflict() -> None:
    chat, alice, (said,) = alice_said("one")
    edit(chat, alice, said, "two", if_version=1)
    assert codes(edit(chat, alice, said, "three", if_version=1)) == [ErrorCode.VERSION_CONFLICT]
    assert codes(delete(chat, alice, said, if_version=3)) == [ErrorCode.VERSION_CONFLICT]
    assert history(chat, alice) == {said: ("two", 2)}
    delete(chat, alice, said, if_version=2)
    assert history(chat, alice) == {said: ("", 3)}


def test_a_blank_text_is_refused_and_a_long_one() -> None:
    chat, alice, (said,) = alice_said("hello")
    assert codes(edit(chat, alice, said, " ")) == [ErrorCode.BAD_ARGUMENT]
    assert codes(edit(chat, alice, said, "x" * 4_001)) == [ErrorCode.TOO_LARGE]


def test_only_who_may_moderate_touches_what_others_wrote() -> None:
    def policy(user: User, room: RoomId, action: Action) -> bool:
        return action is not Action.MODERATE or user.username == "bob"

    chat = Chat(policy=policy)
    alice, bob, carol = chat.open("alice"), chat.open("bob"), chat.open("carol")
    for one in (alice, bob, carol):
        chat.join(one)
    (ack,) = only(Acked, chat.say(alice, "hello"))
    assert ack.position is not None
    said = message_id(ack.position)
    assert codes(edit(chat, carol, said, "x")) == [ErrorCode.FORBIDDEN]
    assert codes(delete(chat, carol, said)) == [ErrorCode.FORBIDDEN]
    chat.take(alice)
    delete(chat, bob, said)
    (deleted,) = only(MessageDeleted, chat.take(alice))
    assert (deleted.by, deleted.message.user_id) == ("u-bob", ALICE)


@pytest.mark.parametrize("refused", [Action.EDIT, Action.DELETE])
def test_a_policy_may_refuse_one_without_the_other(refused: Action) -> None:
    chat = Chat(policy=lambda user, room, action: action is not refused)
    alice = chat.open("alice")
    chat.join(alice)
    (ack,) = only(Acked, chat.say(alice, "hello"))
    assert ack.position is not None
    said = message_id(ack.position)
    found = [*edit(chat, alice, said, "hello!"), *delete(chat, alice, said)]
    assert codes(found) == [ErrorCode.FORBIDDEN]
    assert len(only(Acked, found)) == 1


def test_what_the_host_says_in_its_own_name_is_nobodys() -> None:
    chat, alice, _ = alice_said()
    posted = chat.ask(HostPost(LOBBY, "maintenance at noon"))
    assert isinstance(posted, Acked) and posted.position is not None
    said = message_id(posted.position)
    assert codes(edit(chat, alice, said, "x")) == [ErrorCode.FORBIDDEN]
    done = chat.ask(HostDelete(LOBBY, said, UserId("host"), "over"))
    assert isinstance(done, Acked) and (done.message, done.version) == (said, 2)


def test_edits_are_paced_as_messages_are() -> None:
    chat, alice, (said,) = alice_said("hello", limits=Limits(messages_burst=2))
    assert codes(edit(chat, alice, said, "one")) == []
    assert codes(edit(chat, alice, said, "two")) == [ErrorCode.RATE_LIMITED]


def test_a_message_out_of_memory_is_paged_in_and_judged_in_the_order_sent() -> None:
    chat, alice, said = alice_said("two", "three", "four", "five", "six", limits=FORGETFUL)
    chat.hold = True
    chat.send(alice, EditMessage(room="lobby", id=said[0], message="2", ref="e"))
    chat.say(alice, "seven")
    (page,) = chat.waiting(PageMessages)
    assert chat.waiting(Append) == []
    chat.settle()
    assert page.limit == 1
    edited, message = chat.log()[-2:]
    assert isinstance(facts.decode(edited.fact), facts.Edited)
    assert isinstance(facts.decode(message.fact), facts.Posted)
    assert history(chat, alice)[said[0]] == ("2", 2)


def test_the_archive_failing_refuses_the_edit_and_the_connection_goes_on() -> None:
    chat, alice, said = alice_said("two", "three", "four", "five", "six", limits=FORGETFUL)
    chat.hold = True
    chat.send(alice, EditMessage(room="lobby", id=said[0], message="2", ref="e"))
    (page,) = chat.waiting(PageMessages)
    chat.node.pending.remove(page)
    chat.step(MessagesPaged(LOBBY, page.page, None))
    assert codes(chat.take(alice)) == [ErrorCode.UNAVAILABLE]
    chat.settle()
    assert only(Acked, chat.say(alice, "seven"))


def test_what_was_paged_in_before_a_snapshot_is_paged_in_again() -> None:
    """Between paging a message in and judging it, another edit of it may go into the archive."""
    chat, alice, said = alice_said(
        "two", "three", "four", "five", "six", "seven", limits=FORGETFUL, nodes=2
    )
    near, far = chat.nodes
    bob, twin = chat.open("bob"), chat.open("alice-far", "alice", node=far)
    chat.join(bob)
    chat.join(twin)
    chat.hold = True
    chat.send(alice, EditMessage(room="lobby", id=said[0], message="late", ref="e"))
    chat.say(bob, "meanwhile")
    (page,) = chat.waiting(PageMessages)
    near.pending.remove(page)
    near.perform(page)
    far.send(twin, EditMessage(room="lobby", id=said[0], message="early"))
    far.settle()
    for text in ("more", "and more", "and more again", "enough"):
        chat.advance(1_000)
        far.send(twin, SendMessage(room="lobby", message=text))
        far.settle()
    assert chat.kept().tip().snapshot_seq > 8
    chat.settle()
    chat.advance(10_000)
    (ack,) = [one for one in only(Acked, chat.take(alice)) if one.ref == "e"]
    assert ack.version == 3
    assert history(chat, alice)[said[0]] == ("late", 3)


def test_a_lost_answer_is_settled_without_editing_twice() -> None:
    chat, alice, (said,) = alice_said("hello")
    chat.hold = True
    chat.send(alice, EditMessage(room="lobby", id=said, message="hullo", ref="e"))
    (append,) = chat.waiting(Append)
    stored = chat.node.append(append)
    assert isinstance(stored, Stored)
    chat.append(Unknown("nobody knows"))
    chat.settle()
    chat.advance(1_000)
    (ack,) = only(Acked, chat.take(alice))
    assert ack.version == 2
    assert len(chat.log()) == 3


def test_two_nodes_editing_at_once_make_two_versions_in_one_order() -> None:
    chat, alice, (said,) = alice_said("hello", nodes=2)
    far = chat.open("alice-far", "alice", node=chat.nodes[1])
    chat.join(far)
    chat.hold = True
    chat.send(alice, EditMessage(room="lobby", id=said, message="near", ref="e", if_version=1))
    chat.send(far, EditMessage(room="lobby", id=said, message="far", ref="e", if_version=1))
    chat.settle()
    answers = [*chat.take(alice), *chat.take(far)]
    assert len(only(Acked, answers)) == 1
    assert codes(answers) == [ErrorCode.VERSION_CONFLICT]


def test_an_edit_survives_the_room_being_forgotten_and_loaded() -> None:
    chat, alice, said = alice_said("two", "three", "four", "five", "six", limits=FORGETFUL)
    edit(chat, alice, said[0], "2")
    chat.drop(alice)
    chat.advance(200_000)
    assert LOBBY not in chat.node.engine.state.rooms
    again = chat.open("alice-again", "alice")
    chat.join(again)
    assert history(chat, again)[said[0]] == ("2", 2)
    for number in range(6):
        chat.advance(1_000)
        chat.say(again, f"more {number}")
    assert history(chat, again)[said[0]] == ("2", 2)
