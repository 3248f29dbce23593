"""Who a connection is: the host's authentication hook, or the guest rule.

A guest is whoever comes without a hook to ask. Its `guest_token` brings the same guest back; one
that is not ours (another secret, a store that forgot) makes a fresh guest, so that a client can
always come back.
"""

from __future__ import annotations

import inspect
import secrets
from collections.abc import Awaitable, Callable

import anyio

from roomkit.core.events import User
from roomkit.core.names import check_username
from roomkit.ids import SessionId, UserId
from roomkit.limits import Limits
from roomkit.runtime.tokens import Tokens
from roomkit.runtime.transport import Handshake

__all__ = ["Authenticate", "Identities", "mint"]

Authenticate = Callable[[Handshake], "User | Awaitable[User | None] | None"]
"""The host's hook: who is behind this request, or None for nobody who may come in.

It runs in the hub's event loop, before anything is said to the client; a plain function must not
block.
"""


def mint() -> str:
    """Return a fresh random id: 96 bits, safe in a URL."""
    return secrets.token_urlsafe(12)


class Identities:
    """Finds out who is there.

    Args:
        authenticate: the host's hook, or None for guests.
    """

    def __init__(self, authenticate: Authenticate | None, tokens: Tokens, limits: Limits) -> None:
        self._authenticate = authenticate
        self._tokens = tokens
        self._limits = limits

    @property
    def guests(self) -> bool:
        """True if there is no hook, so that everybody is a guest."""
        return self._authenticate is None

    async def identify(self, handshake: Handshake, username: str = "") -> User | None:
        """Return who this is, or None if the hook knows nobody.

        Args:
            username: what a guest would like to be called; a hook's user has a name already.

        Raises:
            TimeoutError: the hook took longer than `Limits.handshake_ms`.
            TypeError: the hook returned something else than a `User` or None.
            Refused: the hook's user has a name nobody may have.
        """
        if self._authenticate is None:
            returning = self._tokens.guest(handshake.token) if handshake.token else None
            return User(returning or UserId(f"guest-{mint()}"), username, guest=True)
        with anyio.fail_after(self._limits.handshake_ms / 1000):
            answer = self._authenticate(handshake)
            user = await answer if inspect.isawaitable(answer) else answer
        if user is None:
            return None
        if not isinstance(user, User):  # pyright: ignore[reportUnnecessaryIsInstance]  # hosts err
            raise TypeError(
                f"authenticate returned a {type(user).__name__}: return a roomkit.User, or None"
            )
        check_username(user.username, self._limits)
        return user

    def session(self, token: str | None, user: User) -> SessionId:
        """Return the session this token brings back to this user, else a fresh one."""
        known = self._tokens.session(token, user.user_id) if token else None
        return known or SessionId(mint())

    def guest_token(self, user: User) -> str | None:
        """Return what brings this guest back; None where the host says who is who."""
        return self._tokens.guest_token(user.user_id) if self._authenticate is None else None

    def session_token(self, session: SessionId, user: User) -> str:
        """Return what brings this tab back."""
        return self._tokens.session_token(session, user.user_id)
