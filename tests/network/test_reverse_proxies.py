"""What the page on deploying puts in front of nodes, really in front of two of them."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from secrets import token_hex

import anyio
import anyio.to_thread
import pytest

from roomkit import Hub
from roomkit.stores.redis import RedisStore
from roomkit.testing.websocket_client import WebsocketClient
from roomkit_websockets import listen
from tests.conversation import converse
from tests.stores.redis.servers import free_port, serving

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def shown(language: str, door: int, first: int, second: int) -> str:
    """Return the page's block in a language, with its addresses those of this test."""
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    text = found[1]
    for there, here in (("10.0.0.11:8000", first), ("10.0.0.12:8000", second)):
        assert there in text
        text = text.replace(there, f"127.0.0.1:{here}")
    text, doors = re.subn(r"(listen |bind :|^:)80\b", rf"\g<1>{door}", text, flags=re.MULTILINE)
    assert doors == 1
    return text


def nginx(folder: Path, text: str) -> list[str]:
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;\n"
        f"fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"{text} }}"
    )
    return ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def haproxy(folder: Path, text: str) -> list[str]:
    (folder / "haproxy.cfg").write_text(text)
    return ["haproxy", "-f", str(folder / "haproxy.cfg")]


def caddyfile(folder: Path, text: str) -> list[str]:
    (folder / "Caddyfile").write_text("{\n  admin off\n}\n" + text)
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


PROXIES = {"nginx": nginx, "haproxy": haproxy, "caddyfile": caddyfile}


@asynccontextmanager
async def two_nodes(url: str) -> AsyncGenerator[tuple[list[Hub], list[int]]]:
    """Run two nodes of one service; yields them and their ports."""
    store = RedisStore(url, prefix=token_hex(4))
    async with AsyncExitStack() as stack:
        hubs = [Hub(store=store.another()) for _ in range(2)]
        doors = [await stack.enter_async_context(listen(hub, "127.0.0.1", 0)) for hub in hubs]
        yield hubs, [port for _, port in doors]


@asynccontextmanager
async def running(command: list[str], folder: Path, door: int) -> AsyncGenerator[None]:
    """Run a proxy, and wait until it listens."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"] + ":/usr/sbin"}
    async with await anyio.open_process(command, cwd=folder, env=environment) as proxy:
        try:
            with anyio.fail_after(20):
                while not await listens(door):
                    await anyio.sleep(0.02)
                    assert proxy.returncode is None, command
            yield
        finally:
            with suppress(ProcessLookupError):
                proxy.terminate()


async def listens(port: int) -> bool:
    try:
        stream = await anyio.connect_tcp("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True


@pytest.mark.socket
@pytest.mark.parametrize("language", PROXIES)
async def test_people_talk_through_what_the_page_shows(language: str, tmp_path: Path) -> None:
    program = language.removesuffix("file")
    if shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin") is None:
        pytest.skip(f"no {program} here: install Debian's package {program}")
    door = free_port()
    with serving("valkey") as server:
        async with two_nodes(server.url) as (hubs, ports):
            command = PROXIES[language](tmp_path, shown(language, door, *ports))
            async with running(command, tmp_path, door), AsyncExitStack() as people:
                url = f"ws://127.0.0.1:{door}"
                page = {"Origin": f"http://127.0.0.1:{door}"}
                for _ in range(4):
                    connected = WebsocketClient.connect(url, headers=page)
                    await people.enter_async_context(connected)
                assert [hub.stats.connections for hub in hubs] == [2, 2]
                await anyio.to_thread.run_sync(converse, url)
