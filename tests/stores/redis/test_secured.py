"""A server that speaks TLS, and one that allows a user no more than need be."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from ssl import PROTOCOL_TLS_CLIENT, SSLContext

import anyio
import pytest
import trustme
from redis.credentials import CredentialProvider

from roomkit.core.effects import Append, FactItem
from roomkit.core.storage import Hint, Interrupted, Nonce, Snapshot, Stored
from roomkit.errors import StoreError
from roomkit.ids import NodeId, Position
from roomkit.stores.redis import RedisStore
from tests.stores.redis.servers import SERVERS, TestServer, serving
from tests.stores.redis.using import LOBBY, NOW, hear, hear_seq, said, settle

RIGHTS = (
    "~roomkit:* &roomkit:* +@read +@write +@scripting +@pubsub +@transaction +@connection "
    "+info +wait +cluster|slots +config|get"
)
"""What the docs say a user needs."""


@pytest.fixture(params=SERVERS)
def guarded(request: pytest.FixtureRequest) -> Generator[TestServer]:
    """A server where alice may do what the docs say, and nobody else anything."""
    with serving(request.param) as server:
        assert server.say(f"ACL SETUSER alice on >hush {RIGHTS}") == "+OK\r\n"
        server.say("ACL SETUSER default off")
        yield server


async def use(store: RedisStore) -> None:
    """Do a bit of everything."""
    other = store.another()
    item = FactItem("key", b"hello")
    async with store.open(), other.open(), store.feed() as feed:
        await store.follow(LOBBY)
        nonce = Nonce(NodeId("node"), 1)
        (outcome,) = await other.append([Append(LOBBY, nonce, "", (item,), control=False)], NOW)
        assert isinstance(outcome, Stored)
        with anyio.fail_after(10):
            async for heard in feed:
                if isinstance(heard, Hint):
                    break
        (entry,) = (await store.read(LOBBY, 0, 10)).entries
        snapshot = Snapshot(Position(entry.seq, entry.link), 1, b"state")
        assert await store.save(LOBBY, snapshot, [], NOW)
        assert (await store.load(LOBBY)).snapshot == snapshot
        await store.renew(NodeId("node"), 1_000)
        assert await store.lapsed([NodeId("node"), NodeId("other")]) == ["other"]
        assert await store.rooms(None, 10) == [LOBBY]
        assert await store.secret() == await other.secret()


async def test_a_user_needs_no_more_rights_than_the_docs_say(guarded: TestServer) -> None:
    await use(RedisStore(f"redis://alice:hush@127.0.0.1:{guarded.port}"))


@pytest.mark.parametrize("user", ["", "alice:wrong@"])
async def test_who_is_not_let_in_is_told_where_to_look(guarded: TestServer, user: str) -> None:
    with pytest.raises(StoreError, match="look at the URL's user"):
        async with RedisStore(f"redis://{user}127.0.0.1:{guarded.port}").open():
            pass


async def why_not(store: RedisStore) -> str:
    """Ask for something, and return why it cannot be had."""
    with pytest.raises(StoreError) as refused:
        await store.tips([LOBBY])
    return str(refused.value)


class Rotating(CredentialProvider):
    """Says who we are, and may say something else later."""

    def __init__(self, password: str) -> None:
        self.password = password

    def get_credentials(self) -> tuple[str, str]:
        return "alice", self.password


@pytest.mark.parametrize("kind", SERVERS)
async def test_a_password_changes_while_rooms_are_used(kind: str) -> None:
    with serving(kind) as server:
        server.say(f"ACL SETUSER alice on >first {RIGHTS}")
        mine = Rotating("first")
        store = RedisStore(server.url, credentials=mine)
        other = store.another()
        async with store.open(), other.open(), store.feed() as feed:
            await store.follow(LOBBY)
            await settle(other, said(1))
            await hear_seq(feed, 1)
            server.say("ACL SETUSER alice resetpass >second")
            mine.password = "second"
            server.say("CLIENT KILL USER alice")
            await hear(feed, Interrupted)
            await settle(other, said(2))
            await hear_seq(feed, 2)


@pytest.mark.parametrize("kind", SERVERS)
async def test_whoever_is_locked_out_is_told_and_comes_back_when_let_in(kind: str) -> None:
    with serving(kind) as server:
        server.say(f"ACL SETUSER alice on >first {RIGHTS}")
        store = RedisStore(f"redis://alice:first@127.0.0.1:{server.port}")
        other = store.another()
        async with store.open(), other.open(), store.feed() as feed:
            await store.follow(LOBBY)
            await settle(other, said(1))
            await hear_seq(feed, 1)
            server.say("ACL SETUSER alice resetpass")
            server.say("CLIENT KILL USER alice")
            with anyio.fail_after(10):
                while "look at the URL's user" not in await why_not(other):
                    pass  # a connection that was open says at first that it has been closed
            server.say("ACL SETUSER alice >first")
            await hear(feed, Interrupted)
            await settle(other, said(2))
            await hear_seq(feed, 2)


def test_a_user_is_named_once() -> None:
    with pytest.raises(ValueError, match="take user and password out of the URL"):
        RedisStore("redis://alice:hush@127.0.0.1:6379", credentials=Rotating("hush"))


async def test_a_server_is_reached_by_tls_and_only_if_it_is_trusted(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    options = (
        "--tls-cert-file", f"{tmp_path}/cert.pem", "--tls-key-file", f"{tmp_path}/key.pem",
        "--tls-ca-cert-file", f"{tmp_path}/ca.pem", "--tls-auth-clients", "no",
    )  # fmt: skip
    with serving("redis", *options, tls=context) as server:
        url = f"rediss://127.0.0.1:{server.port}"
        await use(RedisStore(f"{url}?ssl_ca_certs={tmp_path}/ca.pem"))
        with pytest.raises(StoreError, match="CERTIFICATE_VERIFY_FAILED"):
            async with RedisStore(url).open():
                pass
