"""What a URL says: which servers there are, and how to reach them.

`redis://` and `rediss://` (TLS) name one server, `redis+sentinel://` the sentinels of one and its
service, `redis+cluster://` some servers of a cluster; `valkey` for `redis` is the same; `unix://`
names a socket.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.connection import SSLConnection, parse_url

__all__ = ["SCHEMES", "Address"]

_PLAIN = ("redis", "rediss", "valkey", "valkeys")
SCHEMES = frozenset({"unix", *_PLAIN, *[f"{scheme}+sentinel" for scheme in _PLAIN],
                     *[f"{scheme}+cluster" for scheme in _PLAIN]})  # fmt: skip
_SENTINEL = "sentinel_"
_PORTS = {"": 6379, "cluster": 6379, "sentinel": 26379}
_SHAPES = {
    "": "redis://HOST:PORT/DATABASE",
    "sentinel": "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE",
    "cluster": "redis+cluster://HOST:PORT,HOST:PORT",
}


@dataclass(frozen=True)
class Address:
    """Where the rooms are.

    Attributes:
        kind: "" for one server, "sentinel" or "cluster".
        hosts: of the sentinels, or of some servers of the cluster.
        service: what the sentinels call the server.
        options: what redis-py needs to connect to a server: user, password, database, TLS.
        sentinel_options: what it needs to connect to a sentinel.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...]
    service: str
    options: dict[str, Any]
    sentinel_options: dict[str, Any]

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read a URL.

        Raises:
            ValueError: it is none of these.
        """
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in SCHEMES:
            raise ValueError(f"a store's URL begins with one of {', '.join(sorted(SCHEMES))}")
        plain, _, kind = scheme.partition("+")
        base = f"{plain.replace('valkey', 'redis')}://"
        if not kind:
            options = dict(parse_url(base + rest))
            if any(name.startswith(_SENTINEL) for name in options):
                raise ValueError(f"the URL names one server: {_SHAPES['']}")
            return cls(kind, (), "", options, {})
        parts = urlsplit("//" + rest)
        user, at, hosts = parts.netloc.rpartition("@")
        service, _, database = parts.path.strip("/").partition("/")
        if kind == "cluster":
            service, database = "", service
        if (kind == "sentinel" and not service) or (kind == "cluster" and database):
            raise ValueError(f"the URL should be like {_SHAPES[kind]}")
        options = dict(parse_url(f"{base}{user}{at}host/{database}?{parts.query}"))
        options.pop("host")
        given = {name: options.pop(name) for name in list(options) if name.startswith(_SENTINEL)}
        secured = options.get("connection_class") is SSLConnection
        return cls(
            kind,
            tuple([_host(host, _PORTS[kind]) for host in hosts.split(",")]),
            service,
            options,
            {
                **{name: value for name, value in options.items() if name.startswith("ssl_")},
                **{name.removeprefix(_SENTINEL): value for name, value in given.items()},
                **({"ssl": True} if secured else {}),
            },
        )


def _host(text: str, port: int) -> tuple[str, int]:
    """Read `host`, `host:port` or `[address]:port`."""
    parts = urlsplit("//" + text)
    if not parts.hostname:
        raise ValueError("the URL names no host")
    return parts.hostname, parts.port or port
