"""The page of the tutorial "A page in the browser", served by the application beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.test_documentation import PROJECT, python_blocks, served

TUTORIALS = PROJECT / "docs/tutorials"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    shutil.copy(TUTORIALS / "page.html", tmp_path)
    (application,) = python_blocks(TUTORIALS / "browser.md")
    with served(application, tmp_path) as url:
        yield url.replace("ws:", "http:").removesuffix("/ws")


@contextmanager
def visit(browser: Browser, address: str, name: str) -> Iterator[Page]:
    """Open the page in a profile of its own and answer its question for a name."""
    context = browser.new_context()
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept(name))
    page.goto(address)
    yield page
    context.close()
    assert troubles == []


@pytest.mark.browser
def test_two_people_talk_and_what_they_write_is_text(browser: Browser, address: str) -> None:
    with visit(browser, address, "alice") as alice, visit(browser, address, "bob") as bob:
        expect(alice.locator("#log li")).to_have_count(0)
        for page in (alice, bob):
            expect(page.locator("#who")).to_contain_text("alice")
            expect(page.locator("#who")).to_contain_text("bob")

        bob.locator("input").fill("<img src=x onerror=alert(1)> hello")
        bob.locator("button").click()
        said = "bob: <img src=x onerror=alert(1)> hello"
        expect(alice.locator("#log li")).to_have_text([said])
        expect(bob.locator("#log li")).to_have_text([said])

        with visit(browser, address, "ALICE") as twin:
            taken = "Sorry: the name 'ALICE' is taken here: choose another"
            expect(twin.locator("#log li")).to_have_text([taken])
