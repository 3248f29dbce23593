"""Somebody at a browser: the few things people do on the page, named as they would name them."""

from __future__ import annotations

from urllib.parse import quote

from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Locator,
    Page,
    Request,
    expect,
)

CUT_OFF = ("WebSocket connection to", "net::ERR_CONNECTION_REFUSED")
"""What Chromium itself writes to the console while there is no server."""


class Visitor:
    """One tab.

    Attributes:
        page: the tab itself.
        troubles: console errors, uncaught exceptions and requests to anybody but the server.
    """

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.troubles: list[str] = []
        self._url = url
        page.set_default_timeout(10_000)
        page.on("console", self._heard)
        page.on("pageerror", self._failed)
        page.on("request", self._asked)

    @classmethod
    def in_tab_of(cls, context: BrowserContext, url: str) -> Visitor:
        """Open a new tab of this browser profile."""
        return cls(context.new_page(), url)

    def arrive(self, room: str | None = None) -> Visitor:
        """Open the page, by a room's own address if there is one."""
        self.page.goto(self._url + (f"/#{quote(room, safe='')}" if room else "/"))
        return self

    def call_oneself(self, name: str) -> Visitor:
        self.page.get_by_label("Your name", exact=True).fill(name)
        self.page.get_by_label("Your name", exact=True).press("Enter")
        return self

    def come_in(self, name: str, room: str) -> Visitor:
        """Choose a name, enter a room by its address, and be there."""
        self.arrive(room).call_oneself(name)
        expect(self.heading).to_have_text(f"# {room}")
        expect(self.page.get_by_text("Online ·")).to_be_visible()
        return self

    def go_to(self, room: str) -> None:
        """Name a room in the form beside the list."""
        self.page.get_by_label("Join or create a room", exact=True).fill(room)
        self.page.get_by_label("Join or create a room", exact=True).press("Enter")
        expect(self.heading).to_have_text(f"# {room}")

    def say(self, text: str) -> None:
        self.field.fill(text)
        self.field.press("Enter")

    @property
    def heading(self) -> Locator:
        return self.page.locator("#title")

    @property
    def field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def messages(self) -> Locator:
        """The texts of the messages, in the order shown."""
        return self.log.locator(".bubble .words")

    def message(self, text: str) -> Locator:
        """The row of the message that says exactly this."""
        return self.log.locator(".message").filter(has=self.page.get_by_text(text, exact=True))

    @property
    def banner(self) -> Locator:
        """What is said while there is no connection."""
        return self.page.locator("#banner")

    @property
    def people(self) -> Locator:
        return self.page.locator("#people-list .person-name")

    @property
    def typing(self) -> Locator:
        return self.page.locator("#typing")

    def forgive_the_cut(self) -> None:
        """Forget what the browser says of a server that was away."""
        self.troubles = [
            trouble for trouble in self.troubles if not any(sign in trouble for sign in CUT_OFF)
        ]

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"console: {message.text}")

    def _failed(self, error: Error) -> None:
        self.troubles.append(f"uncaught: {error}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(self._url):
            self.troubles.append(f"asked somebody else: {request.url}")
