"""What somebody can do on the page with their own messages: change, delete, send again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Meet, Serve
from tests.browser.test_page_access import PHONE, POOR_CONTRAST, assert_fits, unnamed_controls
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser


def said(visitor: Visitor, text: str) -> Locator:
    """Say something and return its row, once it is sent."""
    visitor.say(text)
    row = visitor.message(text)
    expect(row).to_have_attribute("data-status", "sent")
    return row


def test_a_message_is_changed_for_everybody_and_marked(meet: Meet) -> None:
    bob = meet().come_in("bob", "changing")
    alice = meet().come_in("alice", "changing")
    row = said(alice, "helo")
    row.hover()
    row.get_by_role("button", name="Edit").click()
    expect(alice.page.get_by_text("Editing your message")).to_be_visible()
    expect(alice.field).to_have_value("helo")
    expect(alice.field).to_be_focused()
    alice.say("hello")
    for visitor in (alice, bob):
        expect(visitor.messages).to_have_text(["hello"])
        expect(visitor.message("hello").get_by_text("(edited)")).to_be_visible()
    expect(alice.page.get_by_text("Editing your message")).to_be_hidden()
    expect(alice.field).to_have_value("")


def test_a_message_is_deleted_after_a_question_and_leaves_a_tombstone(meet: Meet) -> None:
    bob = meet().come_in("bob", "deleting")
    alice = meet().come_in("alice", "deleting")
    row = said(alice, "oops")
    question = alice.page.get_by_role("dialog", name="Delete this message?")
    row.hover()
    row.get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Keep it").click()
    expect(question).to_be_hidden()
    expect(bob.messages).to_have_text(["oops"])
    row.hover()
    row.get_by_role("button", name="Delete").click()
    expect(question).to_contain_text("oops")
    question.get_by_role("button", name="Delete").click()
    for visitor in (alice, bob):
        expect(visitor.messages).to_have_text(["This message was deleted."])
    stone = alice.message("This message was deleted.")
    stone.hover()
    expect(stone.get_by_role("button")).to_have_count(0)


def test_what_others_said_cannot_be_changed_here(meet: Meet) -> None:
    bob = meet().come_in("bob", "others")
    alice = meet().come_in("alice", "others")
    said(bob, "bob's own")
    row = alice.message("bob's own")
    row.hover()
    expect(row.get_by_role("button")).to_have_count(0)


def test_the_keyboard_alone_changes_and_deletes(meet: Meet) -> None:
    alice = meet().come_in("alice", "own-keys")
    keyboard = alice.page.keyboard
    said(alice, "first")
    said(alice, "secnd")
    expect(alice.field).to_be_focused()
    keyboard.press("ArrowUp")
    expect(alice.field).to_have_value("secnd")
    alice.field.fill("second")
    keyboard.press("Enter")
    expect(alice.messages).to_have_text(["first", "second"])
    keyboard.press("Escape")
    expect(alice.log).to_be_focused()
    keyboard.press("ArrowUp")
    expect(alice.message("second")).to_be_focused()
    keyboard.press("ArrowUp")
    expect(alice.message("first")).to_be_focused()
    keyboard.press("Tab")
    expect(alice.message("first").get_by_role("button", name="Edit")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(alice.page.get_by_role("button", name="Keep it")).to_be_focused()
    keyboard.press("Tab")
    keyboard.press("Enter")
    expect(alice.messages).to_have_text(["This message was deleted.", "second"])


def test_changing_is_given_up_with_escape_and_the_draft_comes_back(meet: Meet) -> None:
    alice = meet().come_in("alice", "draft")
    row = said(alice, "as it was")
    alice.field.fill("a draft")
    row.hover()
    row.get_by_role("button", name="Edit").click()
    alice.field.fill("something else")
    alice.page.keyboard.press("Escape")
    expect(alice.field).to_have_value("a draft")
    expect(alice.messages).to_have_text(["as it was"])
    alice.go_to("draft-two")
    expect(alice.field).to_have_value("")
    alice.page.get_by_role("link", name="draft", exact=True).click()
    expect(alice.field).to_have_value("a draft")


def test_a_change_that_came_too_late_can_be_made_again(meet: Meet) -> None:
    alice = meet().come_in("alice", "late")
    said(alice, "one")
    alice.page.keyboard.press("ArrowUp")
    expect(alice.field).to_have_value("one")
    with alice.page.context.expect_page() as opened:
        alice.page.evaluate("window.open(location.href)")
    twin = Visitor(opened.value, alice.page.url.split("/#")[0])
    expect(twin.messages).to_have_text(["one"])
    expect(twin.field).to_be_visible()
    twin.field.press("ArrowUp")
    twin.say("two")
    expect(alice.messages).to_have_text(["two"])
    alice.say("three")
    expect(alice.page.get_by_text("The message was changed meanwhile.")).to_be_visible()
    expect(alice.field).to_have_value("three")
    alice.field.press("Enter")
    for visitor in (alice, twin):
        expect(visitor.messages).to_have_text(["three"])


def test_on_a_phone_a_touch_brings_out_the_tools(meet: Meet) -> None:
    bob = meet(**PHONE).come_in("bob", "touch")
    row = said(bob, "touch me " + "and read on " * 20)
    edit = row.get_by_role("button", name="Edit")
    expect(edit).to_be_hidden()
    row.locator(".bubble").tap()
    expect(edit).to_be_visible()
    assert_fits(bob.page)
    assert unnamed_controls(bob.page) == []
    box = edit.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 40
    edit.tap()
    assert_fits(bob.page)
    expect(bob.field).to_be_in_viewport(ratio=1)
    bob.say("touched")
    expect(bob.messages).to_have_text(["touched"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_and_tombstones_can_be_read(meet: Meet, scheme: str) -> None:
    alice = meet(color_scheme=scheme, reduced_motion="reduce").come_in("alice", f"marks-{scheme}")
    said(alice, "one")
    alice.page.keyboard.press("ArrowUp")
    expect(alice.page.get_by_text("Editing your message")).to_be_visible()
    assert alice.page.evaluate(POOR_CONTRAST, [".editing-bar", ".editing-bar button"]) == []
    alice.say("two")
    row = alice.message("two")
    expect(row.get_by_text("(edited)")).to_be_visible()
    assert alice.page.evaluate(POOR_CONTRAST, [".edited"]) == []
    row.hover()
    row.get_by_role("button", name="Delete").click()
    assert alice.page.evaluate(POOR_CONTRAST, ["#deletion-words", "#deletion-go"]) == []
    alice.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(alice.messages).to_have_text(["This message was deleted."])
    assert alice.page.evaluate(POOR_CONTRAST, [".deleted .bubble"]) == []


def test_a_message_that_failed_says_why_and_can_be_let_go(meet: Meet) -> None:
    alice = meet().come_in("alice", "failing")
    alice.say("nul \x00")
    row = alice.log.locator(".message[data-status=failed]")
    expect(row).to_contain_text("Not sent. That was not accepted")
    expect(row.get_by_role("button", name="Try again")).to_be_visible()
    row.get_by_role("button", name="Try again").click()
    expect(row).to_contain_text("Not sent.")
    row.get_by_role("button", name="Discard").click()
    expect(alice.messages).to_have_count(0)


def test_a_reload_keeps_what_was_not_sent(meet: Meet, serve: Serve) -> None:
    server = serve()
    alice = meet(server).come_in("alice", "unsent")
    server.kill()
    expect(alice.page.get_by_text("Not connected")).to_be_visible()
    alice.say("not to be lost")
    expect(alice.message("not to be lost")).to_have_attribute("data-status", "waiting")
    server.start()
    alice.page.reload()
    expect(alice.message("not to be lost")).to_have_attribute("data-status", "sent", timeout=45_000)
    expect(alice.messages).to_have_text(["not to be lost"])
    alice.forgive_the_cut()
