"""The names of what is kept in the server.

All keys of a room have its name between braces, so they are in one slot of a cluster, and a script
may touch them together. The `#` before it is for rooms whose name begins with a brace.
"""

from __future__ import annotations

from roomkit.ids import NodeId, RoomId

__all__ = ["Keys"]


class Keys:
    """Names under one prefix.

    Args:
        prefix: what all of them begin with.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.rooms = f"{prefix}:rooms"
        self.secret = f"{prefix}:secret"

    def head(self, room: RoomId) -> str:
        """A hash: tip, fence, snapshot, and of each node its last nonce with the answer."""
        return self._of(room, "head")

    def log(self, room: RoomId) -> str:
        """A stream: the entries, each with the id `<seq>-0`."""
        return self._of(room, "log")

    def messages(self, room: RoomId) -> str:
        """A sorted set: archived messages by seq, each `<seq>:<body>`."""
        return self._of(room, "messages")

    def of_an_append(self, room: RoomId) -> list[str]:
        """What an append touches: head, log, idempotency keys, the same by age, messages."""
        return [
            self.head(room), self.log(room), self._of(room, "keys"), self._of(room, "aging"),
            self.messages(room),
        ]  # fmt: skip

    def channel(self, room: RoomId) -> str:
        """Where hints and signals of a room are published."""
        return self._of(room, "feed")

    def canary(self, handle: str) -> str:
        """Where a handle publishes for itself, to see that it hears."""
        return f"{self._prefix}:canary:{handle}"

    def lease(self, node: NodeId) -> str:
        return f"{self._prefix}:lease:{node}"

    def _of(self, room: RoomId, what: str) -> str:
        return f"{self._prefix}:{{#{room}}}:{what}"
