"""Who somebody is, by the JSON Web Token that ZestAPI's `create_access_token` makes."""

from __future__ import annotations

from jose import JWTError, jwt
from zestapi import Settings
from zestapi.core.security import ALGORITHM

from roomkit import Handshake, User
from roomkit.ids import UserId
from roomkit.runtime import Authenticate

__all__ = ["zestapi_users"]

_NOT_CONFIGURED = Settings.model_fields["jwt_secret"].default


def zestapi_users(settings: Settings) -> Authenticate | None:
    """Return what to give a hub as `authenticate`; None, for guests, if no JWT is configured.

    The token is `hello.token` or, for HTTP and clients that are no browser, `Authorization:
    Bearer …`. Its `sub` is the user's id; the name is `name`, else `username`, else `sub`.

    Args:
        settings: of the application. `create_access_token` signs with those of the environment,
            so set `JWT_SECRET` there.
    """
    if not settings.jwt_secret or settings.jwt_secret == _NOT_CONFIGURED:
        return None

    def who(handshake: Handshake) -> User | None:
        token = handshake.token or _bearer(handshake.headers.get("authorization", ""))
        try:
            claims = jwt.decode(token, settings.jwt_secret, algorithms=[ALGORITHM])
        except JWTError:
            return None
        subject = claims.get("sub")
        if not subject:
            return None
        username = claims.get("name") or claims.get("username") or subject
        return User(UserId(subject), str(username))

    return who


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
