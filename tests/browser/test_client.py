"""The JavaScript client in a real browser against the real server, cut off in every way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import Serve
from tests.browser.example_server import ExampleServer

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parents[2]
VECTORS = sorted((PROJECT / "src/roomkit/client/vectors").glob("*.json"))
PLAYER = Path(__file__).with_name("vectors.js")

# What every tab here has: the client, its sockets to be cut, and waiting until something is so.
TOOLS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(...address) { super(...address); window.sockets.push(this); }
};
window.enter = async (name, room, options = {}) => {
  const { connect } = await import("/roomkit/client/roomkit.js");
  window.chat = connect("/ws", { username: name, ...options });
  window.room = chat.room(room);
  await until(() => window.room.view.state === "joined");
};
window.until = (holds, chat = window.chat) => new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error(`never: ${holds}`)), 30_000);
  const look = () => holds() && resolve(true);
  chat.addEventListener("change", look);
  chat.addEventListener("connection", look);
  look();
});
window.texts = (room = window.room) => room.view.messages.map((message) => message.message);
"""

Open = Callable[..., Page]


@pytest.fixture
def tab(browser: Browser, shared_server: ExampleServer) -> Iterator[Open]:
    """Open pages of a server with nothing on them, each in a browser profile of its own."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def open_tab(server: ExampleServer | None = None, beside: Page | None = None) -> Page:
        if beside is None:
            context = browser.new_context()
            contexts.append(context)
            context.add_init_script(TOOLS)
        else:
            context = beside.context
        page = context.new_page()
        page.set_default_timeout(45_000)
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.goto(f"{(server or shared_server).url}/health")
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert troubles == []


@pytest.mark.parametrize("vector", VECTORS, ids=lambda path: path.stem)
def test_the_client_keeps_to_a_vector(vector: Path, player: Page) -> None:
    steps = json.loads(vector.read_text(encoding="utf-8"))
    played = "async (vector) => (await import('/vectors.js')).play(vector)"
    assert player.evaluate(played, steps) is None


@pytest.fixture(scope="module")
def player(browser: Browser, shared_server: ExampleServer) -> Iterator[Page]:
    """One page for all vectors: the machine they play on is new for each."""
    context = browser.new_context()
    context.route(
        "**/vectors.js", lambda route: route.fulfill(path=PLAYER, content_type="text/javascript")
    )
    page = context.new_page()
    page.goto(f"{shared_server.url}/health")
    yield page
    context.close()


def test_events_can_be_listened_to_and_iterated(tab: Open) -> None:
    bob, alice = tab(), tab()
    bob.evaluate("enter('bob', 'events')")
    alice.evaluate("enter('alice', 'events')")
    alice.evaluate(
        """() => {
          window.heard = [];
          room.addEventListener("new_message", ({ detail }) => heard.push(detail.message));
          window.loop = (async () => {
            const seen = [];
            for await (const { type, data } of room) {
              if (type === "signal") break;
              if (type === "new_message") seen.push([data.username, data.message]);
            }
            return seen;
          })();
        }"""
    )
    bob.evaluate("room.send('one').then(() => room.send('two')).then(() => room.signal('over'))")
    assert alice.evaluate("loop") == [["bob", "one"], ["bob", "two"]]
    assert alice.evaluate("heard") == ["one", "two"]


def test_leaving_a_room_ends_its_loops(tab: Open) -> None:
    alice = tab()
    alice.evaluate("enter('alice', 'leaving')")
    alice.evaluate("() => { window.loop = (async () => { for await (const _ of room); })(); }")
    alice.evaluate("room.leave()")
    assert alice.evaluate("loop.then(() => [...chat.rooms.keys()])") == []


def test_two_rooms_share_a_connection_and_nothing_else(tab: Open) -> None:
    alice = tab()
    alice.evaluate("enter('alice', 'here')")
    alice.evaluate("() => { window.there = chat.room('there'); }")
    alice.evaluate("there.send('over there')")
    alice.evaluate("room.send('over here')")
    assert alice.evaluate("[texts(room), texts(there)]") == [["over here"], ["over there"]]
    assert alice.evaluate("sockets.length") == 1


def test_what_is_said_offline_goes_out_once_and_in_order(tab: Open) -> None:
    alice, bob = tab(), tab()
    alice.evaluate("enter('alice', 'offline')")
    bob.evaluate("enter('bob', 'offline')")
    alice.context.set_offline(True)
    alice.evaluate("sockets.at(-1).close()")
    alice.evaluate("until(() => chat.connection.state !== 'online')")
    alice.evaluate(
        "() => { window.sent = ['one', 'two', 'three'].map((text) => room.send(text)); }"
    )
    states = "room.view.pending.map((item) => [item.message, item.state])"
    assert alice.evaluate(states) == [[text, "sending"] for text in ("one", "two", "three")]
    alice.context.set_offline(False)
    seqs = alice.evaluate("Promise.all(sent).then((all) => all.map((message) => message.seq))")
    assert seqs == sorted(seqs)
    assert alice.evaluate("[texts(), room.view.pending]") == [["one", "two", "three"], []]
    bob.evaluate("until(() => texts().length === 3)")
    assert bob.evaluate("texts()") == ["one", "two", "three"]


def test_a_send_whose_ack_was_lost_makes_one_message(tab: Open) -> None:
    alice, bob = tab(), tab()
    bob.evaluate("enter('bob', 'lost')")
    alice.evaluate("enter('alice', 'lost')")
    alice.evaluate(
        """() => {
          const socket = sockets.at(-1);
          window.sent = room.send("once");
          socket.close();
        }"""
    )
    alice.evaluate("sent")
    alice.evaluate("room.send('twice')")
    bob.evaluate("until(() => texts().includes('twice'))")
    assert bob.evaluate("texts()") == ["once", "twice"]
    assert alice.evaluate("texts()") == ["once", "twice"]
    assert alice.evaluate("sockets.length") == 2


def test_the_server_dies_and_everybody_comes_back(tab: Open, serve: Serve) -> None:
    server = serve()
    alice, bob = tab(server), tab(server)
    alice.evaluate("enter('alice', 'killed')")
    bob.evaluate("enter('bob', 'killed')")
    server.kill()
    for page in (alice, bob):
        page.evaluate("until(() => room.view.state !== 'joined')")
    alice.evaluate("() => { window.sent = room.send('while it was away'); }")
    server.start()
    alice.evaluate("sent")
    bob.evaluate("until(() => texts().includes('while it was away'))")
    both = "until(() => room.view.state === 'joined' && room.view.occupants.length === 2)"
    assert alice.evaluate(both)
    assert bob.evaluate(both)


def test_a_reload_before_the_ack_keeps_the_message(tab: Open) -> None:
    bob, alice = tab(), tab()
    bob.evaluate("enter('bob', 'reload')")
    alice.evaluate("enter('alice', 'reload')")
    user = alice.evaluate("chat.user.user_id")
    alice.context.set_offline(True)
    alice.evaluate("() => { sockets.at(-1).close(); room.send('before the reload'); }")
    alice.context.set_offline(False)
    alice.reload()
    alice.evaluate("enter('alice', 'reload')")
    alice.evaluate("until(() => texts().includes('before the reload'))")
    bob.evaluate("until(() => texts().includes('before the reload'))")
    assert alice.evaluate("[chat.user.user_id, room.view.pending]") == [user, []]
    assert bob.evaluate("texts()") == ["before the reload"]
    assert bob.evaluate("room.view.occupants.map((one) => one.username)") == ["bob", "alice"]


def test_a_duplicated_tab_becomes_one_of_its_own(tab: Open) -> None:
    alice = tab()
    alice.evaluate("enter('alice', 'twins')")
    stored = alice.evaluate("({ ...sessionStorage })")
    twin = tab(beside=alice)
    twin.evaluate("(stored) => Object.assign(sessionStorage, stored)", stored)
    twin.evaluate("enter('alice', 'twins')")
    two = "until(() => room.view.occupants[0]?.sessions === 2)"
    assert alice.evaluate(two)
    assert twin.evaluate(two)
    own = "Object.values(sessionStorage).map((text) => JSON.parse(text).session)"
    assert alice.evaluate(own) != twin.evaluate(own)
    assert [alice.evaluate("sockets.length"), twin.evaluate("sockets.length")] == [2, 1]


def test_messages_are_edited_and_deleted_for_everybody(tab: Open) -> None:
    alice, bob = tab(), tab()
    bob.evaluate("enter('bob', 'edits')")
    alice.evaluate("enter('alice', 'edits')")
    alice.evaluate("room.send('helo').then(({ id }) => room.edit(id, 'hello', { if_version: 1 }))")
    alice.evaluate("room.send('oops').then(({ id }) => room.delete(id))")
    bob.evaluate("until(() => room.view.messages.at(-1)?.deleted)")
    for page in (alice, bob):
        shown = page.evaluate(
            "room.view.messages.map(({ message, version }) => [message, version])"
        )
        assert shown == [["hello", 2], ["", 2]]
    refused = alice.evaluate(
        "room.edit(room.view.messages[0].id, 'hi', { if_version: 1 }).catch((error) => error.code)"
    )
    assert refused == "version_conflict"
    taken = bob.evaluate("room.delete(room.view.messages[0].id).catch((error) => error.code)")
    assert taken == "forbidden"


def test_a_refused_message_fails_and_can_be_discarded(tab: Open) -> None:
    alice = tab()
    alice.evaluate("enter('alice', 'refused')")
    refused = alice.evaluate("room.send('x'.repeat(5_000)).catch(({ name, code }) => [name, code])")
    assert refused == ["Refusal", "too_large"]
    ((key, state, code),) = alice.evaluate(
        "room.view.pending.map(({ key, state, problem }) => [key, state, problem.code])"
    )
    assert (state, code) == ("failed", "too_large")
    alice.evaluate("(key) => room.discard(key)", key)
    assert alice.evaluate("room.view.pending") == []


def test_a_failed_message_can_be_sent_again(tab: Open) -> None:
    alice = tab()
    alice.evaluate("enter('alice', 'again')")
    alice.evaluate("() => { sockets.at(-1).close(); window.sent = room.send('at last'); }")
    alice.evaluate("() => { chat.leave(room); }")
    assert alice.evaluate("sent.catch((error) => error.code)") == "not_joined"
    alice.evaluate("() => { window.room = chat.room('again'); }")
    assert alice.evaluate("room.view.pending.map((item) => item.state)") == ["failed"]
    alice.evaluate("room.retry(room.view.pending[0].key)")
    alice.evaluate("until(() => texts().includes('at last'))")
    assert alice.evaluate("texts()") == ["at last"]


def test_older_messages_come_page_by_page(tab: Open) -> None:
    alice = tab()
    alice.evaluate("enter('alice', 'pages')")
    alice.evaluate("(async () => { for (let n = 0; n < 30; n += 1) await room.send(`${n}`); })()")
    bob = tab()
    bob.evaluate("enter('bob', 'pages')")
    assert bob.evaluate("[texts().length, room.view.has_before]") == [20, True]
    bob.evaluate("room.history({ limit: 5 })")
    assert bob.evaluate("[texts()[0], texts().length, room.view.has_before]") == ["5", 25, True]
    bob.evaluate("room.history()")
    assert bob.evaluate("[texts()[0], texts().length, room.view.has_before]") == ["0", 30, False]


def test_a_token_is_asked_for_before_each_connection(tab: Open) -> None:
    alice = tab()
    alice.evaluate(
        """async () => {
          window.asked = 0;
          const token = async () => `token-${(asked += 1)}`;
          await enter("alice", "tokens", { token, storage: null });
          sockets.at(-1).close();
          await until(() => asked === 2 && chat.connection.state === "online");
        }"""
    )
    assert alice.evaluate("[asked, sessionStorage.length, localStorage.length]") == [2, 0, 0]


def test_a_token_that_cannot_be_had_now_is_asked_for_again(tab: Open) -> None:
    alice = tab()
    alice.evaluate(
        """async () => {
          window.asked = 0;
          const token = async () => {
            asked += 1;
            if (asked === 1) throw new Error("the login server is away");
            return "token";
          };
          await enter("alice", "tokens-later", { token });
        }"""
    )
    assert alice.evaluate("asked") == 2


def test_closing_says_goodbye_and_stays_away(tab: Open) -> None:
    bob, alice = tab(), tab()
    bob.evaluate("enter('bob', 'closing')")
    alice.evaluate("enter('alice', 'closing')")
    bob.evaluate("until(() => room.view.occupants.length === 2)")
    alice.evaluate("chat.close()")
    bob.evaluate("until(() => room.view.occupants.length === 1)")
    assert alice.evaluate("chat.connection.state") == "stopped"
    assert alice.evaluate("sockets.length") == 1
