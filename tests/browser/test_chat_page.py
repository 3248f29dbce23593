"""The page of the example, in a real browser against the real server: people meet and talk."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import FLAGS, Meet, Serve, find_chromium
from tests.browser.visitor import Visitor

pytestmark = pytest.mark.browser

BACK_MS = 45_000
"""Longest that coming back may take: two waits of the client's longest back-off, and a little."""

KEEP_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...address) {
    super(...address);
    window.sockets.push(this);
  }
};
"""


def test_two_people_talk(meet: Meet) -> None:
    alice = meet().come_in("alice", "talk")
    bob = meet().come_in("bob", "talk")
    expect(alice.log.get_by_text("bob joined")).to_be_visible()
    expect(alice.people).to_have_text(["alice", "bob"])
    alice.say("Hello, bob")
    bob.say("Hello, alice")
    for visitor in (alice, bob):
        expect(visitor.messages).to_have_text(["Hello, bob", "Hello, alice"])
    expect(bob.message("Hello, bob").locator(".author")).to_have_text("alice")
    expect(alice.message("Hello, bob")).to_have_class("message mine first last fresh")
    expect(alice.message("Hello, bob")).to_have_attribute("data-status", "sent")


def test_whoever_leaves_is_seen_to_go(meet: Meet) -> None:
    alice = meet().come_in("alice", "going")
    bob = meet().come_in("bob", "going")
    bob.page.get_by_role("button", name="Leave this room").click()
    expect(alice.log.get_by_text("bob left")).to_be_visible()
    expect(alice.people).to_have_text(["alice"])
    expect(bob.page.get_by_text("Where would you like to sit?")).to_be_visible()


def test_typing_appears_and_expires(meet: Meet) -> None:
    alice = meet().come_in("alice", "typing")
    bob = meet().come_in("bob", "typing")
    bob.field.press_sequentially("Let me th")
    expect(alice.typing).to_have_text("bob is typing")
    expect(alice.page.locator(".person", has_text="bob").locator(".writing")).to_be_visible()
    alice.field.press_sequentially("Me")
    expect(bob.typing).to_contain_text("alice")
    assert bob.typing.text_content() == "alice is typing"
    expect(alice.typing).to_have_text("", timeout=10_000)


def test_a_message_and_an_emptied_field_end_the_typing(meet: Meet) -> None:
    alice = meet().come_in("alice", "typing-ends")
    bob = meet().come_in("bob", "typing-ends")
    bob.field.press_sequentially("Done")
    expect(alice.typing).to_have_text("bob is typing")
    bob.field.press("Enter")
    expect(alice.message("Done")).to_be_visible()
    expect(alice.typing).to_have_text("", timeout=1_500)
    alice.field.press_sequentially("Hm")
    expect(bob.typing).to_have_text("alice is typing")
    alice.field.fill("")
    expect(bob.typing).to_have_text("", timeout=1_500)


def test_the_server_restarts_and_both_come_back_by_themselves(meet: Meet, serve: Serve) -> None:
    server = serve()
    alice = meet(server).come_in("alice", "restart")
    bob = meet(server).come_in("bob", "restart")
    server.kill()
    for visitor in (alice, bob):
        expect(visitor.banner).to_contain_text("The connection was lost.")
    alice.say("Said while nobody was there")
    waiting = alice.message("Said while nobody was there")
    expect(waiting.get_by_text("Waiting to be sent")).to_be_visible()
    server.start()
    for visitor in (alice, bob):
        expect(visitor.banner).to_be_hidden(timeout=BACK_MS)
        visitor.forgive_the_cut()
    for visitor in (alice, bob):
        expect(visitor.people).to_have_count(2)
        expect(visitor.messages).to_have_text(["Said while nobody was there"])
    expect(waiting).to_have_attribute("data-status", "sent")
    bob.say("Here we are again")
    expect(alice.message("Here we are again")).to_be_visible()


def test_after_a_cut_the_view_goes_on_where_it_was(meet: Meet) -> None:
    alice = meet()
    alice.page.context.add_init_script(KEEP_SOCKETS)
    alice.come_in("alice", "cut")
    bob = meet().come_in("bob", "cut")
    bob.say("before")
    expect(alice.message("before")).to_be_visible()
    alice.page.evaluate("window.sockets[0].close()")
    bob.say("meanwhile")
    expect(alice.messages).to_have_text(["before", "meanwhile"])
    assert alice.page.evaluate("window.sockets.length") == 2
    expect(alice.log.get_by_text("bob joined")).to_have_count(1)
    expect(bob.log.locator(".line.presence")).to_have_count(0)


@pytest.fixture
def sleeper(browser: Browser) -> Iterator[Browser]:
    """A browser of its own, so that all its tabs can be put to sleep."""
    executable = find_chromium(browser.browser_type.executable_path)
    asleep = browser.browser_type.launch(executable_path=executable, args=FLAGS)
    yield asleep
    asleep.close()


def send_to_tabs(browser: Browser, kind: signal.Signals) -> None:
    """Have every process that runs a page sleep or wake."""
    told = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    for process in told["processInfo"]:
        if process["type"] == "renderer":
            os.kill(process["id"], kind)


def test_a_tab_that_slept_goes_on_where_it_was(meet: Meet, serve: Serve, sleeper: Browser) -> None:
    """As on a laptop that is shut: it answers no ping, and is given up meanwhile."""
    server = serve(
        ROOMKIT_HEARTBEAT_MS="1000", ROOMKIT_PONG_MS="500", ROOMKIT_PRESENCE_GRACE_MS="500"
    )
    alice = Visitor.in_tab_of(sleeper.new_context(), server.url).come_in("alice", "asleep")
    bob = meet(server).come_in("bob", "asleep")
    bob.say("before")
    expect(alice.message("before")).to_be_visible()
    send_to_tabs(sleeper, signal.SIGSTOP)
    expect(bob.people).to_have_count(1)
    bob.say("meanwhile")
    expect(bob.message("meanwhile")).to_have_attribute("data-status", "sent")
    send_to_tabs(sleeper, signal.SIGCONT)
    expect(bob.people).to_have_count(2, timeout=BACK_MS)
    expect(alice.messages).to_have_text(["before", "meanwhile"])
    alice.say("after")
    for visitor in (alice, bob):
        expect(visitor.messages).to_have_text(["before", "meanwhile", "after"])
    assert alice.troubles == []


def test_a_cut_off_page_says_when_it_tries_again_and_can_be_told_to(
    meet: Meet, serve: Serve
) -> None:
    server = serve()
    alice = meet(server).come_in("alice", "retry")
    alice.say("Before")
    expect(alice.message("Before")).to_have_attribute("data-status", "sent")
    server.kill()
    expect(alice.banner).to_contain_text("Trying again in")
    expect(alice.page.get_by_text("Not connected")).to_be_visible()
    retry = alice.page.get_by_role("button", name="Try now")
    expect(retry).to_be_visible()
    server.start()
    with alice.page.expect_websocket():
        alice.page.evaluate("document.getElementById('retry').click()")
    expect(alice.page.get_by_text("Online ·")).to_be_visible(timeout=BACK_MS)
    alice.forgive_the_cut()


def test_markup_is_shown_as_text_and_never_run(meet: Meet) -> None:
    attack = "<img src=x onerror=window.hacked=1>"
    name = "<svg onload=window.hacked=1>"
    alice = meet().come_in("alice", "<u>room</u>")
    mallory = meet().come_in(name, "<u>room</u>")
    mallory.say(attack)
    expect(alice.messages).to_have_text([attack])
    expect(alice.people).to_have_text(["alice", name])
    expect(alice.message(attack).locator(".author")).to_have_text(name)
    for visitor in (alice, mallory):
        expect(visitor.page.locator("#app :is(img, u)")).to_have_count(0)
        assert visitor.page.evaluate("typeof window.hacked") == "undefined"


def test_only_web_addresses_become_links(meet: Meet) -> None:
    alice = meet().come_in("alice", "links")
    alice.say("see https://example.org/a?b=1. and javascript:alert(1)")
    link = alice.messages.get_by_role("link")
    expect(link).to_have_text(["https://example.org/a?b=1"])
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


def test_a_duplicated_tab_does_not_fight_its_twin(meet: Meet) -> None:
    bob = meet().come_in("bob", "twins")
    alice = meet()
    alice.page.context.add_init_script(KEEP_SOCKETS)
    alice.come_in("alice", "twins")
    with alice.page.context.expect_page() as opened:
        alice.page.evaluate("window.open(location.href)")
    twin = Visitor(opened.value, alice.page.url.split("/#")[0])
    expect(twin.people).to_have_text(["alice", "bob"])
    expect(alice.page.get_by_text("Online ·")).to_be_visible()
    twin.say("from the twin")
    alice.say("from the first")
    for visitor in (alice, twin, bob):
        expect(visitor.message("from the twin")).to_be_visible()
        expect(visitor.message("from the first")).to_be_visible()
    expect(bob.people).to_have_text(["bob", "alice"])
    expect(bob.log.get_by_text("alice left")).to_have_count(0)
    assert alice.page.evaluate("window.sockets.length") == 2, "sent away once, back once"
    assert twin.page.evaluate("window.sockets.length") == 1, "keeps the connection it made"


def test_messages_elsewhere_are_counted_until_read(meet: Meet) -> None:
    alice = meet().come_in("alice", "busy")
    bob = meet().come_in("bob", "busy")
    alice.go_to("quiet")
    bob.say("one")
    bob.say("two")
    rooms = alice.page.get_by_role("navigation", name="Rooms")
    expect(rooms.get_by_role("link", name="busy, 2 new messages")).to_be_visible()
    expect(alice.page).to_have_title("(2) #quiet · roomkit chat")
    rooms.get_by_role("link", name="busy").click()
    expect(alice.page).to_have_title("#busy · roomkit chat")
    expect(rooms.get_by_role("link", name="busy", exact=True)).to_be_visible()
    expect(alice.log.locator(".line.new")).to_have_text("New")
    bob.say("three")
    expect(alice.message("three")).to_be_visible()
    expect(alice.page).to_have_title("#busy · roomkit chat")


def test_a_joiner_sees_history_and_older_messages_on_the_way_up(meet: Meet) -> None:
    alice = meet().come_in("alice", "history")
    said = [f"message {number}" for number in range(1, 31)]
    for text in said:
        alice.say(text)
    expect(alice.message(said[-1])).to_have_attribute("data-status", "sent")
    bob = meet().come_in("bob", "history")
    expect(bob.messages.last).to_have_text(said[-1])
    expect(bob.messages.last).to_be_in_viewport()
    expect(bob.message(said[0])).to_have_count(0)
    expect(bob.messages).to_have_text(said[10:])
    bob.log.hover()
    bob.page.mouse.wheel(0, -20_000)
    expect(bob.messages).to_have_text(said)
    expect(bob.message(said[10])).to_be_in_viewport()
    expect(bob.message(said[0])).not_to_be_in_viewport()
    alice.say("one more")
    pill = bob.page.get_by_role("button", name="1 new message")
    expect(pill).to_be_visible()
    pill.click()
    expect(bob.message("one more")).to_be_in_viewport()
    expect(pill).to_be_hidden()


def test_a_name_in_use_is_refused_in_words_and_another_one_helps(meet: Meet) -> None:
    meet().come_in("alice", "names")
    other = meet().arrive("names").call_oneself("ALICE")
    expect(other.page.get_by_role("alert")).to_have_text("Somebody here already uses that name.")
    other.page.get_by_role("button", name="Choose another name").click()
    other.call_oneself("alice two")
    expect(other.people).to_have_text(["alice two", "alice"])


def test_a_name_nobody_may_have_is_asked_for_again(meet: Meet) -> None:
    alice = meet().arrive("names").call_oneself("ali\u202ece")
    expect(alice.page.get_by_role("alert").filter(visible=True)).to_contain_text("not accepted")
    alice.call_oneself("alice of the names")
    expect(alice.heading).to_have_text("# names")


def test_a_tab_stays_who_it_is_and_a_browser_remembers(meet: Meet) -> None:
    alice = meet().come_in("alice", "memory")
    alice.say("I was here")
    expect(alice.message("I was here")).to_have_attribute("data-status", "sent")
    alice.page.reload()
    expect(alice.message("I was here")).to_have_class("message mine first last")
    expect(alice.people).to_have_text(["alice"])
    another = Visitor.in_tab_of(alice.page.context, alice.page.url.split("/#")[0])
    another.arrive("memory")
    expect(another.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    expect(another.page.get_by_label("Your name", exact=True)).to_have_value("alice")
    another.call_oneself("bob")
    expect(another.people).to_have_text(["bob", "alice"])


def test_hurried_messages_wait_their_turn_and_arrive_in_order(meet: Meet, serve: Serve) -> None:
    server = serve(ROOMKIT_MESSAGES_PER_S="2", ROOMKIT_MESSAGES_BURST="1")
    alice = meet(server).come_in("alice", "hurry")
    bob = meet(server).come_in("bob", "hurry")
    said = ["one", "two", "three", "four"]
    for text in said:
        alice.say(text)
    expect(bob.messages).to_have_text(said, timeout=15_000)
    expect(alice.log.locator(".message[data-status=sent]")).to_have_count(4)


def test_a_message_too_long_is_not_sent_and_says_so(meet: Meet, serve: Serve) -> None:
    server = serve(ROOMKIT_MESSAGE_CHARS="20")
    alice = meet(server).come_in("alice", "long")
    alice.field.fill("x" * 22)
    expect(alice.page.get_by_text("2 characters too long")).to_be_visible()
    expect(alice.page.get_by_role("button", name="Send")).to_be_disabled()
    alice.field.press("Enter")
    alice.field.fill("x" * 20)
    alice.field.press("Enter")
    expect(alice.messages).to_have_text(["x" * 20])
