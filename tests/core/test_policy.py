"""The host's rule: what it refuses is refused, what it is asked, and what happens when it fails."""

import pytest

from roomkit.core.commands import (
    GetHistory,
    GetUsers,
    JoinRoom,
    SendMessage,
    SendSignal,
    TypingStart,
    TypingStop,
)
from roomkit.core.events import Acked, Event, Failure, Posted, RoomJoined, User
from roomkit.core.inputs import HostPost
from roomkit.core.policy import Action, allow_own
from roomkit.errors import ErrorCode
from roomkit.ids import RoomId, UserId
from tests.core.chat import GARDEN, LOBBY, Chat, codes, only


class Rule:
    """Refuses what it is told to refuse, and remembers what it was asked."""

    def __init__(self) -> None:
        self.refused: set[Action] = set()
        self.fails = False
        self.asked: list[tuple[User, RoomId, Action]] = []

    def __call__(self, user: User, room: RoomId, action: Action) -> bool:
        self.asked.append((user, room, action))
        if self.fails:
            raise LookupError("no such table")
        return action not in self.refused


def answer(events: list[Event]) -> Event:
    (event,) = events
    return event


def join_anew(chat: Chat) -> list[Event]:
    return chat.join(chat.open("alice"))


def test_by_default_all_is_allowed_but_to_act_on_what_others_wrote() -> None:
    alice = User(UserId("u-alice"), "alice")
    refused = [action for action in Action if not allow_own(alice, LOBBY, action)]
    assert refused == [Action.MODERATE]


def test_it_sees_the_verified_user_the_room_and_the_action() -> None:
    rule = Rule()
    chat = Chat(policy=rule)
    alice = chat.open("alice")
    chat.join(alice)
    assert (User(UserId("u-alice"), "alice"), LOBBY, Action.JOIN) in rule.asked
    assert (User(UserId("u-alice"), "alice"), LOBBY, Action.CREATE) in rule.asked


@pytest.mark.parametrize(
    ("action", "command"),
    [
        (Action.SEND, SendMessage(room="lobby", message="hello", ref="r")),
        (Action.TYPE, TypingStart(room="lobby", ref="r")),
        (Action.HISTORY, GetHistory(room="lobby", ref="r")),
        (Action.USERS, GetUsers(room="lobby", ref="r")),
        (Action.SIGNAL, SendSignal(room="lobby", name="wave", ref="r")),
        (Action.JOIN, JoinRoom(room="lobby", ref="r")),
    ],
)
def test_what_it_refuses_is_forbidden_and_changes_nothing(
    action: Action,
    command: SendMessage | TypingStart | GetHistory | GetUsers | SendSignal | JoinRoom,
) -> None:
    rule = Rule()
    chat = Chat(policy=rule)
    alice, bob = chat.open("alice"), chat.open("bob")
    chat.join(alice)
    chat.join(bob)
    chat.take(alice)
    tip = chat.room().tip
    rule.refused = {action}
    told = answer(chat.send(alice, command))
    assert told == Failure(ErrorCode.FORBIDDEN, f"you may not {action} in this room", "r", "lobby")
    assert chat.room().tip == tip
    assert chat.take(bob) == []


def test_who_types_no_more_may_always_say_so() -> None:
    rule = Rule()
    chat = Chat(policy=rule)
    alice = chat.open("alice")
    chat.join(alice)
    rule.refused = set(Action)
    assert answer(chat.send(alice, TypingStop(room="lobby", ref="r"))) == Acked("r", LOBBY)


def test_with_creating_off_a_room_without_a_log_is_not_found() -> None:
    rule = Rule()
    chat = Chat(policy=rule)
    alice = chat.open("alice")
    chat.join(alice)
    rule.refused = {Action.CREATE}
    assert codes(chat.join(alice, "garden")) == [ErrorCode.ROOM_NOT_FOUND]
    assert codes(chat.join(chat.open("bob"))) == []


def test_the_host_needs_no_permission() -> None:
    rule = Rule()
    rule.refused = set(Action)
    chat = Chat(policy=rule)
    assert isinstance(chat.ask(HostPost(LOBBY, "hello")), Acked)
    assert rule.asked == []


def test_a_joiner_is_told_what_is_allowed_here() -> None:
    rule = Rule()
    rule.refused = {Action.SEND, Action.SIGNAL, Action.MODERATE}
    chat = Chat(policy=rule)
    (joined,) = only(RoomJoined, join_anew(chat))
    assert joined.can == (
        Action.EDIT,
        Action.DELETE,
        Action.TYPE,
        Action.HISTORY,
        Action.USERS,
    )


def test_without_history_a_snapshot_has_no_messages() -> None:
    rule = Rule()
    chat = Chat(policy=rule)
    chat.ask(HostPost(LOBBY, "before"))
    rule.refused = {Action.HISTORY}
    bob = chat.open("bob")
    (joined,) = only(RoomJoined, chat.join(bob))
    assert (joined.messages, joined.has_before) == ((), False)
    chat.ask(HostPost(LOBBY, "after"))
    assert [event.message.text for event in only(Posted, chat.take(bob))] == ["after"]


def test_a_rule_that_fails_is_an_internal_error_and_changes_nothing() -> None:
    rule = Rule()
    chat = Chat(policy=rule)
    alice = chat.open("alice")
    chat.join(alice)
    tip = chat.room().tip
    rule.fails = True
    told = answer(chat.say(alice, "hello"))
    assert told == Failure(
        ErrorCode.INTERNAL,
        "the server could not decide whether you may: try again",
        "hello",
        "lobby",
    )
    assert chat.room().tip == tip


def test_what_a_failing_rule_says_nothing_of_is_not_listed_as_allowed() -> None:
    def rule(user: User, room: RoomId, action: Action) -> bool:
        if action is Action.SEND:
            raise LookupError("no such table")
        return True

    (joined,) = only(RoomJoined, join_anew(Chat(policy=rule)))
    assert Action.SEND not in joined.can
    assert Action.HISTORY in joined.can


def test_permission_is_judged_again_at_every_command() -> None:
    rule = Rule()
    chat = Chat(policy=rule)
    alice = chat.open("alice", session="s")
    chat.join(alice)
    chat.join(alice, "garden")
    chat.drop(alice)
    rule.refused = {Action.JOIN}
    again = chat.open("again", "alice", session="s")
    assert codes(chat.join(again)) == [ErrorCode.FORBIDDEN]
    chat.advance(15_000)
    assert chat.room().roster == {}
    assert chat.room(GARDEN).roster == {}
