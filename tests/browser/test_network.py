"""The JavaScript client over connections that are cut, stalled and half-closed at any byte."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from playwright.sync_api import Browser, Page

from roomkit.client import Room, connect
from tests.browser.conftest import Serve
from tests.browser.example_server import ExampleServer
from tests.crash.calm import OBSERVER, read_out
from tests.crash.record import Draft, Ending, Person, Record, Revision
from tests.crash.verdict import faults
from tests.network.proxy import Plan, Proxy, proxying, trouble

pytestmark = pytest.mark.browser

TALKING = Path(__file__).with_name("talking.js")
SEEDS = range(4 if os.environ.get("CI") else 2)
ROOM = "general"
CONNECTIONS = 16
CHAOS_S, CALM_S = 20.0, 30.0
SETTINGS = {
    "ROOMKIT_FRAMES_PER_S": "10000",
    "ROOMKIT_FRAMES_BURST": "10000",
    "ROOMKIT_MESSAGES_PER_S": "10000",
    "ROOMKIT_MESSAGES_BURST": "10000",
    "ROOMKIT_JOINS_BURST": "10000",
    "ROOMKIT_CONNECTIONS_PER_USER": "1000",
    "ROOMKIT_PRESENCE_GRACE_MS": "60000",
    "ROOMKIT_HEARTBEAT_MS": "800",
    "ROOMKIT_PONG_MS": "400",
}


@pytest.fixture
def portal() -> Iterator[BlockingPortal]:
    """An event loop beside the browser's, for the proxy and a client that looks on."""
    with start_blocking_portal() as portal:
        yield portal


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_missing_or_doubled_whatever_happens_to_connections(
    seed: int, browser: Browser, serve: Serve, portal: BlockingPortal
) -> None:
    server = serve(**SETTINGS)
    with portal.wrap_async_context_manager(proxying(server.port, lambda number: Plan())) as proxy:
        origins = {"alice": f"http://127.0.0.1:{proxy.port}", "bob": server.url}
        pages = {name: begin(browser, name, origin) for name, origin in origins.items()}
        portal.call(proxy.agitate, trouble(seed))
        wear_out(proxy, pages["alice"])
        portal.call(proxy.calm)
        record = record_of(pages, server, portal)
    print(f"{proxy.opened} connections, {dict(proxy.done)}, {record.acked} acknowledged")
    assert faults(record) == []
    assert proxy.done.total() >= CONNECTIONS // 2


def begin(browser: Browser, name: str, origin: str) -> Page:
    """Open a tab and have somebody begin to write there."""
    page = browser.new_context().new_page()
    page.route(
        "**/talking.js", lambda route: route.fulfill(path=TALKING, content_type="text/javascript")
    )
    page.goto(f"{origin}/health")
    page.evaluate(
        """async ([name, room]) => {
          window.talk = await (await import("/talking.js")).begin(name, room);
        }""",
        [name, ROOM],
    )
    return page


def wear_out(proxy: Proxy, page: Page) -> None:
    """Until so many connections were spoilt: a lost one is tried again at once."""
    end = time.monotonic() + CHAOS_S
    while proxy.opened < CONNECTIONS and time.monotonic() < end:
        page.evaluate("talk.chat.connection.state === 'offline' && talk.chat.retryNow()")
        page.wait_for_timeout(50)


def record_of(pages: dict[str, Page], server: ExampleServer, portal: BlockingPortal) -> Record:
    """Have everybody stop writing, and compare once they are where the server is."""
    for page in pages.values():
        page.evaluate("talk.quiet = true, talk.chat.retryNow()")
    for page in pages.values():
        page.evaluate("talk.over")
    url = f"ws://127.0.0.1:{server.port}/ws"
    with portal.wrap_async_context_manager(connect(url, username=OBSERVER)) as observer:
        room: Room = portal.call(observer.room, ROOM)
        history, occupants = portal.call(read_out, room)
        agree(pages, room)
        views = {
            name: page.evaluate("[talk.room.view.messages, talk.room.view.occupants]")
            for name, page in pages.items()
        }
        return Record(
            [person_of(name, page) for name, page in pages.items()],
            {ROOM: Ending(history, occupants, views)},
        )


def agree(pages: dict[str, Page], room: Room) -> None:
    """Wait until every tab is where the onlooker is, who is the last to have come."""
    end, seqs = time.monotonic() + CALM_S, set[object]()
    while time.monotonic() < end:
        position = room.view.position
        seqs = {
            page.evaluate("talk.room.view.state === 'joined' && talk.room.view.position.seq")
            for page in pages.values()
        }
        if position is not None and seqs == {position.seq}:
            return
        next(iter(pages.values())).wait_for_timeout(50)
    pytest.fail(f"the tabs are at {seqs}, the server is at {room.view.position}")


def person_of(name: str, page: Page) -> Person:
    """Return what a tab noted."""
    noted = page.evaluate("({ ...talk.record, userIds: [...talk.record.userIds] })")
    drafts = [
        Draft(
            ROOM,
            draft["text"],
            "acked",
            draft["id"],
            draft["seq"],
            draft["link"],
            [Revision(**revision) for revision in draft["revisions"]],
        )
        for draft in noted["drafts"]
    ]
    shown = {ROOM: [(seq, link) for seq, link in noted["shown"]]}
    left = [gone["username"] for gone in noted["left"]]
    return Person(name, drafts, set(noted["userIds"]), shown, seen_leaving=left)
