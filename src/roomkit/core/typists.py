"""Who is typing in a room, until when. The server's clock expires them, not the clients'.

Numbers from IRCv3 `typing` (re-sent every 3 s, gone after 6 s), the full list each time from
Matrix.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from roomkit.ids import ConnectionId, UserId

__all__ = ["Typist", "Typists"]


@dataclass(slots=True)
class Typist:
    """One user typing. Times in monotonic milliseconds; `connection` is None for another node's."""

    username: str
    since: int
    until: int
    connection: ConnectionId | None


@dataclass(slots=True)
class Typists:
    """A room's typists by user, in the order in which they began."""

    by_user: dict[UserId, Typist] = field(default_factory=dict[UserId, Typist])

    def start(self, user_id: UserId, typist: Typist, resend_ms: int) -> bool:
        """Note that a user types; False if it was told less than `resend_ms` ago.

        What is not told again still keeps the typist from expiring, so that a client that re-sends
        a little early does not flicker.
        """
        present = self.by_user.get(user_id)
        if present is not None and typist.since - present.since < resend_ms:
            present.until, present.connection = typist.until, typist.connection
            return False
        self.by_user[user_id] = typist
        return True

    def stop(self, user_id: UserId) -> Typist | None:
        """Forget a typist; None if that user was not typing."""
        return self.by_user.pop(user_id, None)

    def expired(self, now: int) -> list[UserId]:
        """Return those whose time is up."""
        return [user_id for user_id, typist in self.by_user.items() if typist.until <= now]

    def of_connection(self, connection: ConnectionId) -> list[UserId]:
        """Return those who typed on this connection last."""
        return [
            user_id for user_id, typist in self.by_user.items() if typist.connection == connection
        ]

    @property
    def next_expiry(self) -> int | None:
        """When the first of them expires."""
        return min((typist.until for typist in self.by_user.values()), default=None)

    def names(self, most: int) -> tuple[str, ...]:
        """Return at most `most` names, longest typing first."""
        return tuple(typist.username for typist in list(self.by_user.values())[:most])
