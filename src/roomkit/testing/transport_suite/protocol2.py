"""Protocol 2: hello, many rooms at once, and exactly one answer to each `ref`."""

from __future__ import annotations

from unittest.mock import ANY

import msgspec

from roomkit.testing.transport_suite.harness import Harness, fields, hello, join, listed

__all__ = ["Protocol2"]


class Protocol2(Harness):
    """What a client gets by asking for it."""

    async def test_hello_is_answered_by_welcome(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            welcome = await hello(alice, "alice", client="suite/1", features=["from the future"])
            assert welcome.pop("limits") == msgspec.structs.asdict(chat.hub.limits)
            assert welcome == {
                "protocol": 2,
                "features": [],
                "connection_id": ANY,
                "session": ANY,
                "guest_token": ANY,
                "user": {"user_id": ANY, "username": "alice"},
                "resumed": False,
                "server_time": ANY,
                "durability": "memory",
                "heartbeat_ms": chat.hub.limits.heartbeat_ms,
            }

    async def test_joining_shows_the_room_in_one_frame(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            user = fields((await hello(alice, "alice"))["user"])
            assert await join(alice, "lobby") == {
                "room": "lobby",
                "ref": "join",
                "seq": 1,
                "link": ANY,
                "recovered": None,
                "gap": None,
                "you": {"role": "participant", "can": ANY},
                "total": 1,
                "roster": "on",
                "messages": [],
                "occupants": [
                    {
                        "user_id": user["user_id"],
                        "username": "alice",
                        "sessions": 1,
                        "since": ANY,
                    }
                ],
                "typing": {"users": [], "total": 0, "expires_ms": ANY},
                "has_before": False,
                "complete": True,
            }

    async def test_the_others_see_the_roster_change(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await hello(alice, "alice")
            await join(alice, "lobby")
            user = fields((await hello(bob, "bob"))["user"])
            await join(bob, "lobby")
            who = {"user_id": user["user_id"], "username": "bob"}
            seen = [{**who, "sessions": 1, "since": ANY}]
            await alice.expect("roster_changed", room="lobby", seq=2, joined=seen, left=[])
            await bob.send("leave_room", room="lobby", ref="away")
            await bob.expect("room_left", room="lobby", reason="left", ref="away")
            gone = [{**who, "reason": "left"}]
            await alice.expect("roster_changed", room="lobby", seq=3, joined=[], left=gone)

    async def test_an_ack_names_the_entry_everybody_sees(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await hello(alice, "alice")
            await join(alice, "lobby")
            await hello(bob, "bob")
            await join(bob, "lobby")
            await alice.expect("roster_changed")
            await bob.send(
                "send_message", room="lobby", message="hi", ref="1", idempotency_key="once"
            )
            entry = await alice.expect("new_message", username="bob", message="hi", seq=3)
            frames = {frame.type: frame.data for frame in [await bob.receive() for _ in range(2)]}
            ack = {name: entry[name] for name in ("room", "id", "seq", "link", "timestamp")}
            assert frames == {
                "new_message": entry,
                "ack": {"ref": "1", "duplicate": False, **ack},
            }
            await bob.send(
                "send_message", room="lobby", message="again", ref="2", idempotency_key="once"
            )
            await bob.expect("ack", ref="2", duplicate=True, **ack)

    async def test_one_connection_is_in_many_rooms(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await hello(alice, "alice")
            await hello(bob, "bob")
            for room in ("lobby", "garden", "attic/2 ✿"):
                await join(alice, room)
            await join(bob, "garden")
            await alice.expect("roster_changed", room="garden")
            await bob.send("send_message", room="garden", message="in the garden")
            await alice.expect("new_message", room="garden", message="in the garden")
            await alice.send("send_message", room="attic/2 ✿", message="up here")
            await alice.expect("new_message", room="attic/2 ✿", message="up here")

    async def test_joining_and_sending_need_no_wait_between(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await alice.send("join_room", room="lobby", ref="1")
            await alice.send("send_message", room="lobby", message="first", ref="2")
            await alice.expect("room_joined", ref="1")
            frames = [(await alice.receive()).type for _ in range(2)]
            assert sorted(frames) == ["ack", "new_message"]

    async def test_typing_is_shown_with_everybody_typing(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await hello(alice, "alice")
            await join(alice, "lobby")
            await hello(bob, "bob")
            await join(bob, "lobby")
            await alice.expect("roster_changed")
            await bob.send("typing_start", room="lobby")
            await alice.expect("user_typing", room="lobby", username="bob", users=["bob"], total=1)
            await bob.send("send_message", room="lobby", message="said")
            frames = {frame.type: frame.data for frame in [await alice.receive() for _ in range(2)]}
            assert frames["user_stopped_typing"]["users"] == []
            assert frames["new_message"]["message"] == "said"

    async def test_a_signal_is_passed_on(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await hello(alice, "alice")
            await join(alice, "lobby")
            await hello(bob, "bob")
            await join(bob, "lobby")
            await alice.expect("roster_changed")
            await bob.send("send_signal", room="lobby", name="wave", payload={"hands": [1, 2]})
            await alice.expect("signal", name="wave", username="bob", payload={"hands": [1, 2]})

    async def test_history_and_users_are_answered_with_the_ref(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            for text in ("one", "two", "three"):
                await alice.send("send_message", room="lobby", message=text)
                await alice.expect("new_message", message=text)
            await alice.send("get_history", room="lobby", before=4, limit=1, ref="page")
            page = await alice.expect(
                "message_history",
                ref="page",
                first_seq=3,
                last_seq=3,
                has_before=True,
                has_after=True,
                complete=True,
            )
            assert [message["message"] for message in listed(page["messages"])] == ["two"]
            await alice.send("get_users", room="lobby", ref="who")
            await alice.expect("room_users", ref="who", users=["alice"], total=1, truncated=False)

    async def test_a_ping_is_answered(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await alice.send("ping", t=12345, ref="p")
            assert await alice.expect("pong") == {"t": 12345, "ref": "p", "server_time": ANY}
