"""Who comes in, and as whom: the handshake's answers, from a list instead of a host's hook."""

from __future__ import annotations

from itertools import count

from roomkit.core.commands import Hello
from roomkit.core.events import User
from roomkit.ids import SessionId, UserId
from roomkit.runtime.tokens import Tokens
from roomkit.testing.laws import LawBroken

__all__ = ["Door"]


class Door:
    """Who may come in, and as whom: what all nodes of one service have in common.

    Args:
        people: users the host knows, by token; None if everybody is a guest.
    """

    def __init__(self, people: dict[str, User] | None) -> None:
        self._people = people
        self._guests = count(1)
        self._sessions = count(1)

    def user(self, hello: Hello | None, tokens: Tokens, username: str) -> User:
        """Return who this is.

        Args:
            tokens: the node's.
            username: of the host's user who comes without `hello`.

        Raises:
            LawBroken: a guest's token is not known any more (law 8).
        """
        token = hello.token if hello is not None else None
        if self._people is not None:
            return self._people[token or username]
        wish = (hello.username or "") if hello is not None else ""
        if token is None:
            return User(UserId(f"guest-{next(self._guests)}"), wish, guest=True)
        known = tokens.guest(token)
        if known is None:
            raise LawBroken(8, f"the guest with the token {token} came back as somebody else")
        return User(known, wish, guest=True)

    def session(self, hello: Hello | None, tokens: Tokens, user: User) -> SessionId:
        """Return the session a client brings back, else a fresh one.

        Raises:
            LawBroken: its token is not known any more (law 8).
        """
        token = hello.session if hello is not None else None
        if token is None:
            return SessionId(f"s-{next(self._sessions)}")
        known = tokens.session(token, user.user_id)
        if known is None:
            raise LawBroken(8, f"{user.username} came back with the session {token}: not known")
        return known

    @property
    def guests(self) -> bool:
        """Whether everybody is a guest."""
        return self._people is None
