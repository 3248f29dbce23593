"""Coming back: from a position, within the grace, and as the twin of a tab that is still there."""

from __future__ import annotations

from roomkit import Limits
from roomkit.testing.transport_suite.harness import Harness, fields, hello, join, listed

__all__ = ["Returning"]


class Returning(Harness):
    """What a client that lost its connection finds."""

    async def test_what_was_missed_is_replayed_and_nothing_else(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            async with chat.connect() as bob:
                welcome = await hello(bob, "bob")
                joined = await join(bob, "lobby")
            since = {"seq": joined["seq"], "link": joined["link"]}
            missed = [await chat.hub.post("lobby", f"missed {number}") for number in range(3)]
            async with chat.connect() as bob:
                again = await hello(
                    bob, "bob", session=welcome["session"], token=welcome["guest_token"]
                )
                assert (again["resumed"], again["user"]) == (True, welcome["user"])
                await bob.send("join_room", room="lobby", since=since, ref="back")
                await bob.expect("room_joined", ref="back", recovered=True, gap=None, **since)
                for post in missed:
                    await bob.expect("new_message", seq=post.seq, link=post.link, type="system")
                live = await chat.hub.post("lobby", "live")
                await bob.expect("new_message", seq=live.seq, message="live")

    async def test_a_position_of_another_log_gets_a_snapshot_and_the_reason(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            since = {"seq": 1, "link": "0123456789abcdef"}
            await chat.hub.post("lobby", "something")
            await alice.send("join_room", room="lobby", since=since, ref="1")
            await alice.expect(
                "room_joined", recovered=False, gap={"from_seq": 2, "reason": "forked"}, total=1
            )

    async def test_a_drop_shorter_than_the_grace_is_not_shown(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            async with chat.connect() as bob:
                welcome = await hello(bob, "bob")
                await join(bob, "lobby")
                await alice.expect("roster_changed")
            async with chat.connect() as bob:
                await hello(bob, "bob", session=welcome["session"], token=welcome["guest_token"])
                await join(bob, "lobby")
                await bob.send("send_message", room="lobby", message="back already")
                await alice.expect("new_message", username="bob", message="back already")

    async def test_whoever_stays_away_has_left(self) -> None:
        limits = Limits(presence_grace_ms=50)
        async with self.chat(limits) as chat, chat.connect() as alice:
            await hello(alice, "alice")
            await join(alice, "lobby")
            async with chat.connect() as bob:
                await hello(bob, "bob")
                await join(bob, "lobby")
                await alice.expect("roster_changed")
            gone = await alice.expect("roster_changed", joined=[])
            assert [user["reason"] for user in listed(gone["left"])] == ["dropped"]

    async def test_a_second_connection_with_the_session_closes_the_first(self) -> None:
        async with self.chat() as chat, chat.connect() as first, chat.connect() as second:
            welcome = await hello(first, "alice")
            await join(first, "lobby")
            again = await hello(
                second, "alice", session=welcome["session"], token=welcome["guest_token"]
            )
            assert again["resumed"] is True
            assert (await first.until_closed()).code == 4005
            await join(second, "lobby")

    async def test_a_stranger_cannot_take_a_session(self) -> None:
        async with self.chat() as chat, chat.connect() as alice, chat.connect() as mallory:
            welcome = await hello(alice, "alice")
            await join(alice, "lobby")
            other = await hello(mallory, "mallory", session=welcome["session"], token="forged")
            assert (other["resumed"], other["session"] == welcome["session"]) == (False, False)
            await alice.send("ping", ref="still here")
            await alice.expect("pong", ref="still here")

    async def test_somebody_who_was_kicked_is_told_and_may_come_back(self) -> None:
        async with self.chat() as chat, chat.connect() as alice:
            user = fields((await hello(alice, "alice"))["user"])
            await join(alice, "lobby")
            await chat.hub.kick("lobby", str(user["user_id"]), reason="cool down")
            assert (await alice.until("room_left"))["reason"] == "kicked"
            await join(alice, "lobby")
