"""What the machine tells its application; what it sends is held by the vectors."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping

import pytest

from roomkit.client.asks import (
    DISCONNECTED,
    EXPIRED,
    NOT_JOINED,
    OUTBOX_FULL,
    STOPPED,
    WITHDRAWN,
    Answered,
    Ask,
    Connect,
    Delete,
    Discard,
    Disconnect,
    Edit,
    Happened,
    History,
    Join,
    Leave,
    Output,
    Rejected,
    Send,
    Signal,
    StartTyping,
    StateChanged,
    StopTyping,
    Users,
)
from roomkit.client.lane import OUTBOX_LIMIT
from roomkit.client.machine import Machine
from roomkit.client.view_data import Problem

ROOM = "general"
LINK = "00000000000000aa"
USER = {"user_id": "u-alice", "username": "alice"}
TIME = "2024-01-01T12:00:00.000Z"


def made() -> Machine:
    keys = itertools.count(1)
    return Machine(random=lambda: 0.5, mint=lambda: f"key-{next(keys)}", username="alice")


def told(machine: Machine, type_: str, data: Mapping[str, object]) -> list[Output]:
    return machine.received(json.dumps({"type": type_, "data": data}), 0)


def welcome(machine: Machine, **more: object) -> list[Output]:
    data: dict[str, object] = {"session": "session-1", "heartbeat_ms": 25_000, "user": USER}
    return told(machine, "welcome", {**data, **more})


def joined(machine: Machine, **data: object) -> list[Output]:
    snapshot: dict[str, object] = {
        "room": ROOM,
        "seq": 1,
        "link": LINK,
        "recovered": None,
        "gap": None,
        "you": {"role": "participant", "can": []},
        "typing": {"users": [], "total": 0, "expires_ms": 6_000},
        "total": 0,
        "roster": "on",
        "messages": [],
        "occupants": [],
    }
    return told(machine, "room_joined", {**snapshot, **data})


def online() -> Machine:
    machine = made()
    machine.ask(Join(ROOM), 0)
    machine.start(0)
    machine.opened(0)
    welcome(machine)
    joined(machine, ref="1")
    return machine


def news(outputs: list[Output]) -> list[Output]:
    """Leave out what is for the socket."""
    return [
        one
        for one in outputs
        if isinstance(one, StateChanged | Happened | Answered | Rejected | Disconnect)
    ]


def message(seq: int, text: str, **more: object) -> dict[str, object]:
    place = {"room": ROOM, "seq": seq, "link": LINK, "id": f"{seq}-{LINK}", "timestamp": TIME}
    return {**place, **USER, "message": text, "type": "message", **more}


def test_states_are_told_as_they_change() -> None:
    machine = made()
    assert machine.state == "offline"
    assert machine.start(0) == [StateChanged("connecting"), Connect(0)]
    assert news(machine.opened(0)) == []
    assert news(welcome(machine)) == [StateChanged("online")]
    assert machine.closed(1006, 10) == [StateChanged("offline"), Connect(250)]
    assert machine.retry_at == 260
    assert machine.tick(260) == [StateChanged("connecting")]
    machine.opened(260)
    assert machine.closed(4503, 270) == [
        StateChanged("stopped", Problem("banned", "the server closed for good"))
    ]
    assert machine.next_deadline is None
    assert machine.start(300) == [StateChanged("connecting"), Connect(0)]


def test_a_code_nobody_knows_is_named_by_its_number() -> None:
    machine = online()
    machine.closed(4777, 10)
    assert machine.problem == Problem("closed_4777", "the server closed for good")


def test_starting_twice_is_harmless() -> None:
    machine = made()
    machine.start(0)
    assert machine.start(0) == []
    machine.opened(0)
    assert machine.start(0) == []


def test_secrets_are_kept_for_the_next_hello() -> None:
    machine = made()
    machine.start(0)
    machine.opened(0)
    welcome(machine, guest_token="guest-token-1")
    assert (machine.identity.session, machine.identity.token) == ("session-1", "guest-token-1")
    machine.present("token-2")
    assert machine.identity.token == "token-2"


def test_a_send_is_answered_with_the_message_shown_and_not_before_its_ack() -> None:
    machine = online()
    machine.ask(Send(ROOM, "hello"), 0, 7)
    posted = message(2, "hello", idempotency_key="key-1")
    assert news(told(machine, "new_message", posted)) == [Happened(ROOM, "new_message", posted)]
    assert machine.view.rooms[ROOM].pending == ()
    assert [one.key for one in machine.view.rooms[ROOM].unconfirmed] == ["key-1"]
    ack = {"ref": "2", "room": ROOM, "id": f"2-{LINK}", "seq": 2, "link": LINK, "timestamp": TIME}
    assert told(machine, "ack", {**ack, "duplicate": False}) == [Answered(7, posted)]
    assert machine.view.rooms[ROOM].unconfirmed == ()


def test_whoever_leaves_before_the_ack_has_sent_what_is_shown() -> None:
    machine = online()
    machine.ask(Send(ROOM, "hello"), 0, 7)
    posted = message(2, "hello", idempotency_key="key-1")
    told(machine, "new_message", posted)
    assert Answered(7, posted) in machine.ask(Leave(ROOM), 0, 8)
    assert machine.view.rooms[ROOM].unconfirmed == ()


def test_a_send_is_answered_by_an_ack_that_comes_first() -> None:
    machine = online()
    machine.ask(Send(ROOM, "hello", meta={"mood": "curious"}), 0, 7)
    ack = {"ref": "2", "room": ROOM, "id": f"2-{LINK}", "seq": 2, "link": LINK, "timestamp": TIME}
    posted = message(2, "hello", idempotency_key="key-1", meta={"mood": "curious"})
    assert told(machine, "ack", ack) == [Answered(7, posted)]
    assert [one.state for one in machine.view.rooms[ROOM].pending] == ["sent"]
    assert news(told(machine, "new_message", posted)) == [Happened(ROOM, "new_message", posted)]
    assert machine.view.rooms[ROOM].pending == ()


def test_a_message_of_another_with_our_key_is_not_ours() -> None:
    machine = online()
    machine.ask(Send(ROOM, "hello"), 0, 7)
    theirs = {**message(2, "hello", idempotency_key="key-1"), "user_id": "u-bob"}
    assert news(told(machine, "new_message", theirs)) == [Happened(ROOM, "new_message", theirs)]
    assert [one.key for one in machine.view.rooms[ROOM].pending] == ["key-1"]


def test_a_refusal_is_told_with_when_to_try_again() -> None:
    machine = online()
    machine.ask(Edit(ROOM, f"1-{LINK}", "x"), 0, 7)
    error = {"code": "rate_limited", "message": "wait", "retryable": True, "retry_after_ms": 150}
    assert told(machine, "error", {"ref": "2", "room": ROOM, **error}) == [
        Rejected(7, Problem("rate_limited", "wait"), 150)
    ]


def test_an_error_nobody_waits_for_is_news() -> None:
    machine = online()
    error: dict[str, object] = {"code": "too_large", "message": "no", "retryable": False}
    assert told(machine, "error", error) == [Happened(None, "error", error)]


@pytest.mark.parametrize(
    "ask",
    [
        Edit(ROOM, "1-x", "x"),
        Delete(ROOM, "1-x"),
        History(ROOM),
        Users(ROOM),
        Signal(ROOM, "wave"),
    ],
    ids=lambda ask: type(ask).__name__,
)
def test_a_cut_rejects_what_is_unanswered(ask: Ask) -> None:
    machine = online()
    machine.ask(ask, 0, 7)
    assert Rejected(7, DISCONNECTED) in machine.closed(1006, 0)
    assert machine.ask(ask, 0, 8) == [Rejected(8, NOT_JOINED)]


def test_a_cut_answers_a_leave() -> None:
    machine = online()
    machine.ask(Leave(ROOM), 0, 7)
    assert Answered(7, {}) in machine.closed(1006, 0)
    assert machine.ask(Leave(ROOM), 0, 8) == [Answered(8, {})]


@pytest.mark.parametrize(
    "ask", [Join(ROOM), StartTyping(ROOM), StopTyping(ROOM), Discard(ROOM, "key-9")]
)
def test_what_needs_no_server_is_answered_at_once(ask: Ask) -> None:
    assert Answered(7, {}) in online().ask(ask, 0, 7)


def test_nothing_is_asked_of_a_room_nobody_joined() -> None:
    machine = online()
    for ask in (Send("other", "x"), History("other"), Signal("other", "wave")):
        assert machine.ask(ask, 0, 7) == [Rejected(7, NOT_JOINED)]
    assert machine.ask(StartTyping("other"), 0) == []
    assert machine.ask(Discard("other", "key-1"), 0) == []


def test_the_outbox_is_bounded() -> None:
    machine = made()
    machine.ask(Join(ROOM), 0)
    for number in range(OUTBOX_LIMIT):
        machine.ask(Send(ROOM, str(number)), 0)
    assert machine.ask(Send(ROOM, "one more"), 0, 7) == [Rejected(7, OUTBOX_FULL)]


def test_what_waits_too_long_is_rejected_once() -> None:
    machine = made()
    machine.ask(Join(ROOM), 0)
    machine.ask(Send(ROOM, "hello"), 0, 7)
    assert machine.next_deadline == 1_800_000
    assert machine.tick(1_799_999) == []
    assert machine.tick(1_800_000) == [Rejected(7, EXPIRED)]
    assert machine.tick(1_900_000) == []


def test_a_message_taken_back_is_rejected() -> None:
    machine = made()
    machine.ask(Join(ROOM), 0)
    machine.ask(Send(ROOM, "hello"), 0, 7)
    assert machine.ask(Discard(ROOM, "key-1"), 0) == [Rejected(7, WITHDRAWN)]
    assert machine.view.rooms[ROOM].pending == ()


def test_stopping_rejects_everything_and_more_is_rejected_at_once() -> None:
    machine = online()
    machine.ask(Send(ROOM, "hello"), 0, 7)
    machine.ask(History(ROOM), 0, 8)
    assert news(machine.stop(0)) == [
        Disconnect(1000, ""),
        StateChanged("stopped"),
        Rejected(8, DISCONNECTED),
        Rejected(7, STOPPED),
    ]
    assert machine.ask(Send(ROOM, "more"), 0, 9) == [Rejected(9, STOPPED)]
    assert machine.stop(0) == []


def test_what_comes_after_hanging_up_is_not_heard() -> None:
    machine = online()
    machine.received("garbage", 0)
    view = machine.view
    assert told(machine, "new_message", message(2, "hello")) == []
    assert machine.view is view
