"""What a URL names."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import SSLConnection, UnixDomainSocketConnection

from roomkit.stores.redis import RedisStore
from roomkit.stores.redis.address import Address

PASSWORD = {"username": "alice", "password": "s@cret"}


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://cache:7000/2", Address("", (), "", {"host": "cache", "port": 7000, "db": 2}, {})),
        (
            "valkeys://alice:s%40cret@cache?ssl_cert_reqs=none",
            Address(
                "",
                (),
                "",
                {"host": "cache", "connection_class": SSLConnection, "ssl_cert_reqs": "none"}
                | PASSWORD,
                {},
            ),
        ),
        (
            "unix:///run/valkey.sock",
            Address(
                "",
                (),
                "",
                {"path": "/run/valkey.sock", "connection_class": UnixDomainSocketConnection},
                {},
            ),
        ),
        (
            "redis+sentinel://alice:s%40cret@one,two:26380,[::1]:26381/chat/3?sentinel_password=x",
            Address(
                "sentinel",
                (("one", 26379), ("two", 26380), ("::1", 26381)),
                "chat",
                PASSWORD | {"db": 3},
                {"password": "x"},
            ),
        ),
        (
            "rediss+sentinel://one/chat?ssl_ca_certs=ca.pem",
            Address(
                "sentinel",
                (("one", 26379),),
                "chat",
                {"connection_class": SSLConnection, "ssl_ca_certs": "ca.pem"},
                {"ssl": True, "ssl_ca_certs": "ca.pem"},
            ),
        ),
        (
            "valkey+cluster://one,two:7001",
            Address("cluster", (("one", 6379), ("two", 7001)), "", {}, {}),
        ),
    ],
)
def test_a_url_names_servers(url: str, address: Address) -> None:
    assert Address.parse(url) == address


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://cache", "begins with one of"),
        ("redis:cache", "begins with one of"),
        ("redis+sentinel://one,two", "like redis.sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE"),
        ("redis+cluster://one/3", "like redis.cluster://HOST:PORT,HOST:PORT"),
        ("redis+cluster://,one", "names no host"),
        ("redis://one?sentinel_password=x", "names one server"),
        ("redis+cluster://one:many", "Port could not be cast"),
    ],
)
def test_anything_else_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        RedisStore(url)


@pytest.mark.parametrize("name", ["full", "redis-replicated", "redis-replicated(0)", ""])
def test_a_durability_has_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="must be redis, redis-fsync or redis-replicated"):
        RedisStore("redis://localhost", durability=name)
