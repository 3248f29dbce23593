"""Protocol 1: what a client of the seed's document, which knows of nothing newer, is sent."""

from __future__ import annotations

from unittest.mock import ANY

from roomkit.testing.transport_suite.harness import Harness, join_seed, names

__all__ = ["Protocol1"]


class Protocol1(Harness):
    """No `hello`, one room at a time, no answer but errors."""

    async def test_a_joiner_is_shown_the_history_then_the_users(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await alice.send("join_room", room="lobby", username="alice")
            await alice.expect("message_history", room="lobby", messages=[])
            await alice.expect("room_users", room="lobby", users=["alice"])

    async def test_the_others_are_told_who_comes_and_goes(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await join_seed(alice, "lobby", "alice")
            async with chat.connect() as bob:
                assert await join_seed(bob, "lobby", "bob") == ["alice", "bob"]
                await alice.expect(
                    "user_joined",
                    room="lobby",
                    username="bob",
                    message="bob joined the room",
                    timestamp=ANY,
                )
                assert names(await alice.expect("room_users")) == ["alice", "bob"]
                await bob.send("leave_room", room="lobby", username="bob")
                await alice.expect("user_left", room="lobby", username="bob", timestamp=ANY)
                assert names(await alice.expect("room_users")) == ["alice"]

    async def test_whoever_drops_has_left_at_once(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await join_seed(alice, "lobby", "alice")
            async with chat.connect() as bob:
                await join_seed(bob, "lobby", "bob")
                await alice.expect("user_joined", username="bob")
                await alice.expect("room_users")
            await alice.expect("user_left", username="bob")
            await alice.expect("room_users", users=["alice"])

    async def test_a_message_reaches_everybody_and_whoever_joins_later(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await join_seed(alice, "lobby", "alice")
            await join_seed(bob, "lobby", "bob")
            await bob.send("send_message", room="lobby", username="bob", message="hi <b>all</b>")
            own = await bob.until("new_message")
            assert {name: own[name] for name in ("room", "username", "message")} == {
                "room": "lobby",
                "username": "bob",
                "message": "hi <b>all</b>",
            }
            assert await alice.until("new_message") == own
            async with chat.connect() as carol:
                await carol.send("join_room", room="lobby", username="carol")
                await carol.expect("message_history", room="lobby", messages=[own])

    async def test_typing_is_shown_to_the_others_alone(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await join_seed(alice, "lobby", "alice")
            await join_seed(bob, "lobby", "bob")
            await bob.send("typing_start", room="lobby", username="bob")
            assert await alice.until("user_typing") == {
                "room": "lobby",
                "username": "bob",
                "user_id": ANY,
                "users": ["bob"],
                "total": 1,
                "expires_ms": chat.hub.limits.typing_expiry_ms,
            }
            await bob.send("typing_stop", room="lobby", username="bob")
            await alice.expect("user_stopped_typing", room="lobby", username="bob", users=[])
            await bob.send("send_message", message="done")
            frame = await bob.receive()
            while frame.type == "room_users":
                frame = await bob.receive()
            assert (frame.type, frame.data["message"]) == ("new_message", "done")

    async def test_room_and_username_may_be_left_out_after_the_join(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await join_seed(alice, "lobby", "alice")
            await alice.send("send_message", message="hi")
            await alice.expect("new_message", room="lobby", username="alice", message="hi")
            await alice.send("leave_room")
            await alice.send("send_message", message="gone")
            await alice.expect("error", code="not_joined")

    async def test_entering_another_room_leaves_the_first(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as bob:
            await join_seed(alice, "lobby", "alice")
            await join_seed(bob, "lobby", "bob")
            assert await join_seed(bob, "garden", "bob") == ["bob"]
            assert (await alice.until("user_left"))["username"] == "bob"

    async def test_a_name_somebody_has_is_taken(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as twin:
            await join_seed(alice, "lobby", "Straße")
            await twin.send("join_room", room="lobby", username="ＳＴＲＡＳＳＥ")
            await twin.expect("error", code="username_taken", room="lobby")
            assert await join_seed(twin, "lobby", "twin") == ["Straße", "twin"]

    async def test_what_belongs_to_protocol_2_is_unknown(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await join_seed(alice, "lobby", "alice")
            await alice.send("get_history", room="lobby", ref="1")
            error = await alice.expect("error", code="unknown_type")
            assert "ref" not in error
