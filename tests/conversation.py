"""Two people talk to a running server in protocol 1, as a stranger's page would.

Needs nothing but `websockets`, so that it also drives a server installed far from this checkout:
`python tests/conversation.py http://127.0.0.1:8000` (the page and `/health` are looked at too).
"""

import json
import sys
import time
import urllib.error
import urllib.request

from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 30.0


def send(socket: ClientConnection, type: str, **data: str) -> None:
    socket.send(json.dumps({"type": type, "data": data}))


def receive(socket: ClientConnection, type: str) -> dict[str, object]:
    """The `data` of the next frame of this type; frames of other types before it are passed over.

    Raises:
        AssertionError: the server answered with an error.
        TimeoutError: no such frame came in time.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        frame = json.loads(socket.recv(timeout=max(0.0, deadline - time.monotonic())))
        assert frame["type"] != "error", frame
        if frame["type"] == type:
            data: dict[str, object] = frame["data"]
            return data


def converse(url: str, room: str = "lobby") -> None:
    """bob joins alice's room and says something; both see it, and a third person finds it there."""
    with connect(url) as alice, connect(url) as bob, connect(url) as carol:
        send(alice, "join_room", room=room, username="alice")
        assert receive(alice, "message_history")["messages"] == []
        assert receive(alice, "room_users")["users"] == ["alice"]

        send(bob, "join_room", room=room, username="bob")
        assert receive(alice, "user_joined")["username"] == "bob"
        assert receive(bob, "room_users")["users"] == ["alice", "bob"]

        send(bob, "typing_start", room=room, username="bob")
        assert receive(alice, "user_typing")["username"] == "bob"

        send(bob, "send_message", room=room, username="bob", message="<b>hello</b> 👋")
        for person in (alice, bob):
            said = receive(person, "new_message")
            assert (said["room"], said["username"]) == (room, "bob")
            assert said["message"] == "<b>hello</b> 👋"

        send(carol, "join_room", room=room, username="carol")
        assert "<b>hello</b> 👋" in str(receive(carol, "message_history")["messages"])


def fetch(url: str) -> tuple[str, bytes]:
    """The content type and body at a URL, once the server answers there at all.

    Raises:
        urllib.error.URLError: nothing answered in time, or the answer was an HTTP error.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_S) as response:
                return response.headers.get_content_type(), response.read()
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def main(base: str) -> None:
    content_type, _ = fetch(f"{base}/health")
    print(f"{base}/health answers ({content_type})")
    content_type, page = fetch(f"{base}/")
    assert content_type == "text/html", content_type
    assert b"</html>" in page.lower(), page[:200]
    print(f"{base}/ is a page of {len(page)} bytes")
    converse(base.replace("http", "ws", 1) + "/ws")
    print(f"{base}: alice and bob talked")


if __name__ == "__main__":
    main(sys.argv[1])
