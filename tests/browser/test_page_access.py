"""The page for everybody: phones, both colour schemes, the keyboard alone, screen readers."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Meet
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
CONTROLS = {"button", "link", "textbox", "searchbox", "checkbox", "combobox"}

# Gives [selector, ratio] of every element whose words are hard to read on what is behind them.
POOR_CONTRAST = """(selectors) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (node) => {
    const colour = getComputedStyle(node).backgroundColor;
    return colour.startsWith("rgba(") && numbers(colour)[3] === 0 && node.parentElement
      ? behind(node.parentElement) : colour;
  };
  return selectors.flatMap((selector) => {
    const nodes = [...document.querySelectorAll(selector)];
    if (nodes.length === 0) return [[selector, 0]];
    return nodes.map((node) => {
      const pair = [light(getComputedStyle(node).color), light(behind(node))];
      return [selector, (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)];
    }).filter(([, ratio]) => ratio < 4.5);
  });
}"""


def assert_fits(page: Page) -> None:
    """Nothing reaches over the side of the window."""
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]


def unnamed_controls(page: Page) -> list[str]:
    """Roles of controls that a screen reader could not name, by the browser's own reckoning."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    return [
        node["role"]["value"]
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] in CONTROLS
        and not node.get("name", {}).get("value")
    ]


def test_on_a_phone_nothing_scrolls_sideways(meet: Meet) -> None:
    bob = meet(**PHONE).arrive()
    assert_fits(bob.page)
    bob.call_oneself("bob " + "b" * 58)
    expect(bob.page.get_by_text("Where would you like to sit?")).to_be_visible()
    assert_fits(bob.page)
    bob.page.get_by_label("Name of a room", exact=True).fill("phone-" + "x" * 100)
    bob.page.get_by_role("button", name="Open", exact=True).click()
    bob.say("long" * 200)
    bob.say("https://example.org/" + "path/" * 60)
    expect(bob.log.locator(".message[data-status=sent]")).to_have_count(2)
    assert_fits(bob.page)
    expect(bob.field).to_be_in_viewport(ratio=1)


def test_on_a_phone_rooms_and_people_are_drawers(meet: Meet) -> None:
    bob = meet(**PHONE).come_in("bob", "drawers")
    rooms = bob.page.get_by_role("navigation", name="Rooms")
    people = bob.page.get_by_role("complementary", name="People in this room")
    expect(rooms).to_be_hidden()
    expect(people).to_be_hidden()
    bob.page.get_by_role("button", name="People in this room").click()
    expect(people).to_be_visible()
    expect(bob.page.get_by_role("button", name="Close the list of people")).to_be_focused()
    bob.page.keyboard.press("Escape")
    expect(people).to_be_hidden()
    opener = bob.page.get_by_role("button", name="Rooms", exact=True)
    expect(bob.page.get_by_role("button", name="People in this room")).to_be_focused()
    opener.click()
    expect(rooms).to_be_visible()
    assert_fits(bob.page)
    bob.go_to("drawers-two")
    expect(rooms).to_be_hidden()


@pytest.mark.parametrize(
    ("scheme", "paper"), [("light", "rgb(245, 243, 238)"), ("dark", "rgb(23, 26, 28)")]
)
def test_words_can_be_read_in_both_colour_schemes(meet: Meet, scheme: str, paper: str) -> None:
    room = f"colours-{scheme}"
    bob = meet().come_in("bob", room)
    alice = meet(color_scheme=scheme, reduced_motion="reduce").come_in("alice", room)
    bob.say("Hello https://example.org")
    alice.say("Hi")
    expect(alice.message("Hi")).to_have_attribute("data-status", "sent")
    expect(alice.page.locator("body")).to_have_css("background-color", paper)
    selectors = [".bubble", ".bubble a", ".byline", ".line", ".beginning", ".composer-hint"]
    selectors += ["#subtitle", ".room", ".person-name", ".you", "#me-state", "#open-heading"]
    assert alice.page.evaluate(POOR_CONTRAST, selectors) == []


def test_the_colours_can_be_turned_and_stay_so(meet: Meet) -> None:
    alice = meet(color_scheme="light").come_in("alice", "theme")
    button = alice.page.get_by_role("button", name="Dark colours")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(alice.page.locator("body")).to_have_css("background-color", "rgb(23, 26, 28)")
    alice.page.reload()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(alice.page.locator("body")).to_have_css("background-color", "rgb(23, 26, 28)")


def test_nothing_moves_for_those_who_asked_for_stillness(meet: Meet) -> None:
    bob = meet().come_in("bob", "still")
    alice = meet(reduced_motion="reduce").come_in("alice", "still")
    bob.field.press_sequentially("hm")
    expect(alice.typing).to_have_text("bob is typing")
    running = "document.getAnimations().filter((one) => one.playState === 'running').length"
    assert alice.page.evaluate(running) == 0


def test_the_keyboard_is_enough(meet: Meet) -> None:
    alice = meet().arrive()
    keyboard = alice.page.keyboard
    expect(alice.page.get_by_label("Your name", exact=True)).to_be_focused()
    keyboard.type("alice")
    keyboard.press("Enter")
    expect(alice.page.get_by_label("Name of a room", exact=True)).to_be_focused()
    keyboard.type("keys")
    keyboard.press("Enter")
    expect(alice.field).to_be_focused()
    keyboard.type("first line")
    keyboard.press("Shift+Enter")
    keyboard.type("second line")
    keyboard.press("Enter")
    expect(alice.messages).to_have_text(["first line\nsecond line"], use_inner_text=True)
    expect(alice.field).to_be_focused()
    keyboard.press("Escape")
    expect(alice.log).to_be_focused()
    keyboard.press("Escape")
    expect(alice.field).to_be_focused()


def test_the_first_stop_is_a_way_past_the_lists(meet: Meet) -> None:
    alice = meet().come_in("alice", "skip")
    alice.page.reload()
    expect(alice.page.get_by_text("Online ·")).to_be_visible()
    skip = alice.page.get_by_role("button", name="Skip to the message field")
    skip.focus()
    expect(skip).to_be_in_viewport()
    alice.page.keyboard.press("Enter")
    expect(alice.field).to_be_focused()


def test_a_screen_reader_finds_its_way(meet: Meet) -> None:
    alice = meet().arrive("reader")
    assert unnamed_controls(alice.page) == []
    alice.call_oneself("alice")
    expect(alice.page.get_by_role("main")).to_have_count(1)
    expect(alice.page.get_by_role("heading", level=1)).to_have_text("# reader")
    expect(alice.page.get_by_role("status")).to_have_text("Connected.")
    log = alice.page.get_by_role("log", name="Messages in reader")
    expect(log).to_have_attribute("aria-live", "polite")
    alice.say("Hello")
    expect(log.get_by_role("listitem").last).to_contain_text("alice")
    assert unnamed_controls(alice.page) == []
    current = alice.page.get_by_role("link", name="reader")
    expect(current).to_have_attribute("aria-current", "page")


def test_a_screen_reader_finds_its_way_on_a_phone(meet: Meet) -> None:
    bob: Visitor = meet(**PHONE).come_in("bob", "reader-phone")
    assert unnamed_controls(bob.page) == []
    bob.page.get_by_role("button", name="Rooms", exact=True).click()
    assert unnamed_controls(bob.page) == []
