"""A real Chromium, the real example server, and people who meet there.

The browser is a module's and not the session's: Playwright's loop counts as running in this thread
until it is stopped, and till then no async test of another module could start one of its own.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from tests.browser.example_server import ExampleServer
from tests.browser.visitor import Visitor

NAMES = ("chromium", "google-chrome", "chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP = {"width": 1280, "height": 800}

Meet = Callable[..., Visitor]
Serve = Callable[..., ExampleServer]


def find_chromium(bundled: str) -> str | None:
    """Return the browser to use: the one named, the machine's, or Playwright's own."""
    found = os.environ.get("ROOMKIT_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    return found or (bundled if Path(bundled).exists() else None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless Chromium; without one the tests are skipped, or fail where it is required."""
    with sync_playwright() as playwright:
        executable = find_chromium(playwright.chromium.executable_path)
        if executable is None:
            reason = (
                f"no browser here: none of {', '.join(NAMES)} is installed and ROOMKIT_CHROMIUM "
                "names none"
            )
            if os.environ.get("ROOMKIT_REQUIRE_BROWSER") == "1":
                pytest.fail(f"{reason}, and ROOMKIT_REQUIRE_BROWSER=1 asks for one", pytrace=False)
            pytest.skip(reason)
        chromium = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def serve(browser: Browser, tmp_path: Path) -> Iterator[Serve]:
    """Start example servers with settings of a test's own."""
    servers: list[ExampleServer] = []

    def start(**settings: str) -> ExampleServer:
        folder = tmp_path / f"server-{len(servers)}"
        folder.mkdir()
        server = ExampleServer(folder, settings)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="module")
def shared_server(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ExampleServer]:
    """One server for the tests that leave it running; each keeps to rooms of its own."""
    settings = {
        "ROOMKIT_MESSAGES_BURST": "1000",
        "ROOMKIT_TYPING_EXPIRY_MS": "3000",
        "ROOMKIT_HISTORY_WINDOW": "20",
    }
    server = ExampleServer(tmp_path_factory.mktemp("server"), settings)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def meet(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Meet]:
    """Bring people: `meet()` opens a browser profile of its own, with one tab at the server.

    Whoever came must have seen no console error and asked nobody but the server.
    """
    visitors: list[Visitor] = []
    contexts: list[BrowserContext] = []

    def bring(server: ExampleServer | None = None, **options: object) -> Visitor:
        context = browser.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]  # the options are Playwright's own
        contexts.append(context)
        at = server or request.getfixturevalue("shared_server")
        visitor = Visitor.in_tab_of(context, at.url)
        visitors.append(visitor)
        return visitor

    yield bring
    troubles = [trouble for visitor in visitors for trouble in visitor.troubles]
    for context in contexts:
        context.close()
    assert troubles == []
