"""Which web pages may connect: those of our own host, and those of the origins a host lists.

Browsers send cookies along with any page's websocket and no other check stands between (RFC 6455,
10.2), so adapters ask before accepting and answer 403.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

__all__ = ["accepts_origin"]

_DEFAULT_PORTS = {"http": 80, "https": 443}


def accepts_origin(headers: Mapping[str, str], listed: Collection[str]) -> bool:
    """Say whether the page behind these request headers may connect.

    A request without `Origin` comes from no page and may. A proxy in front must pass `Host` on, or
    the public origin must be listed.

    Args:
        headers: request headers, names in lower case.
        listed: origins in lower case, as browsers write them.
    """
    origin = headers.get("origin")
    if origin is None:
        return True
    origin = origin.lower()
    if origin in listed:
        return True
    scheme, _, authority = origin.partition("://")
    default = _DEFAULT_PORTS.get(scheme)
    if default is None:
        return False
    ours = _host_and_port(headers.get("host", "").lower(), default)
    return ours is not None and _host_and_port(authority, default) == ours


def _host_and_port(authority: str, default: int) -> tuple[str, int] | None:
    """Return what an authority names, or None if it is none."""
    try:
        parts = urlsplit(f"//{authority}")
        port = parts.port
    except ValueError:
        return None
    if not parts.hostname or parts.netloc != authority or "@" in authority:
        return None
    return parts.hostname, default if port is None else port
