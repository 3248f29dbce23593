"""Traces of short scenes in the room general, under virtual time, for the command line to read."""

from __future__ import annotations

from pathlib import Path

from roomkit.cli import main
from roomkit.core.commands import JoinRoom
from roomkit.ids import ConnectionId
from roomkit.testing.world import Node, World

ROOM = "general"


def alice_and_bob(world: World, node: Node) -> tuple[ConnectionId, ConnectionId]:
    """Have both join; what they do next is step 12, at 12:00:00."""
    alice, bob = node.open("alice-tab", "alice"), node.open("bob-tab", "bob")
    for person in (alice, bob):
        node.send(person, JoinRoom(room=ROOM, ref="join"))
        world.settle()
    return alice, bob


def explain(trace: Path, *arguments: str, user: str = "bob") -> int:
    """Run `roomkit explain` about what a user was told in the room."""
    return main(["explain", str(trace), "--user", user, "--room", ROOM, *arguments])
