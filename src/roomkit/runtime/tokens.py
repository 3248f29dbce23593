"""The two secrets a client may hold, signed: who it is (a guest) and which tab it is (a session).

A token is `1.<value>.<mac>`: the version, an id in the clear, and a base64url HMAC-SHA256 over it.
Each purpose has its own key, derived from one secret, so a token never passes for one of the other
kind. A token is good for as long as the secret is (protocol page, Two secrets).
"""

from __future__ import annotations

import base64
import hmac

from roomkit.ids import SessionId, UserId

__all__ = ["SECRET_BYTES", "TOKEN_CHARS", "Tokens"]

SECRET_BYTES = 16
"""Fewest bytes a secret may have."""

TOKEN_CHARS = 512
"""A longer token is not looked at."""

_VERSION = "1"


class Tokens:
    """Signs tokens and checks them. Every node of one service needs the same secret.

    Raises:
        ValueError: the secret is shorter than `SECRET_BYTES`.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_BYTES:
            raise ValueError(
                f"the secret has {len(secret)} bytes; tokens need {SECRET_BYTES} or more that "
                "nobody can guess: make one with secrets.token_hex(32), or leave it to the store"
            )
        self._guest_key = hmac.digest(secret, b"roomkit guest token", "sha256")
        self._session_key = hmac.digest(secret, b"roomkit session token", "sha256")

    def guest_token(self, user_id: UserId) -> str:
        """Return the token that brings this guest back."""
        return _sign(self._guest_key, user_id, "")

    def guest(self, token: str) -> UserId | None:
        """Return the guest this token was made for, or None if it is not ours."""
        value = _check(self._guest_key, token, "")
        return None if value is None else UserId(value)

    def session_token(self, session: SessionId, user_id: UserId) -> str:
        """Return the token that brings this tab back to this user, and to nobody else."""
        return _sign(self._session_key, session, user_id)

    def session(self, token: str, user_id: UserId) -> SessionId | None:
        """Return the session this token was made for; None if it is not ours or not this user's."""
        value = _check(self._session_key, token, user_id)
        return None if value is None else SessionId(value)


def _sign(key: bytes, value: str, bound_to: str) -> str:
    signed = f"{_VERSION}.{value}"
    digest = hmac.digest(key, f"{signed}\0{bound_to}".encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _check(key: bytes, token: str, bound_to: str) -> str | None:
    if len(token) > TOKEN_CHARS or not token.isascii():
        return None
    signed, _, _ = token.rpartition(".")
    version, _, value = signed.partition(".")
    if version != _VERSION or not hmac.compare_digest(_sign(key, value, bound_to), token):
        return None
    return value
