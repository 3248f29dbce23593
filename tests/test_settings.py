"""The environment in, settings out; every wrong variable named, with what is expected."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from roomkit.errors import SettingsError
from roomkit.limits import Limits
from roomkit.settings import load_settings
from roomkit.stores import MemoryStore, SqliteStore
from roomkit.stores.redis import RedisStore
from roomkit.stores.sqlite.saving import Retention

SECRET = "correct horse battery staple"


STORES = (
    "memory:, sqlite:PATH, redis://HOST:PORT/DATABASE, redis+sentinel://HOST,HOST/SERVICE or "
    "redis+cluster://HOST,HOST (or rediss, valkey, valkeys, and unix:///PATH), which may go on "
    "with ?durability=NAME, &messages=NUMBER and more, see the settings page of the documentation"
)


def complaint(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        load_settings(environ)
    headline, *lines = str(raised.value).splitlines()
    assert headline == "the environment is wrong; change these and start again:"
    return [line.strip() for line in lines]


def test_nothing_set_gives_the_defaults() -> None:
    settings = load_settings({"PATH": "/bin"})
    assert (settings.store_url, settings.secret, settings.origins) == ("memory:", None, ())
    assert (settings.record, settings.record_mib) == (None, 64)
    assert settings.limits == Limits()
    assert isinstance(settings.store(), MemoryStore)


def test_everything_set_is_read() -> None:
    settings = load_settings(
        {
            "ROOMKIT_STORE": "memory:",
            "ROOMKIT_SECRET": SECRET,
            "ROOMKIT_ORIGINS": "https://Chat.Example.org, http://localhost:5173",
            "ROOMKIT_RECORD": "traces",
            "ROOMKIT_RECORD_MIB": "256",
            "ROOMKIT_MESSAGES_PER_S": "50",
            "ROOMKIT_PRESENCE_GRACE_MS": "1500",
        }
    )
    assert settings.secret == SECRET
    assert settings.origins == ("https://chat.example.org", "http://localhost:5173")
    assert (settings.record, settings.record_mib) == ("traces", 256)
    assert settings.limits == Limits(messages_per_s=50, presence_grace_ms=1_500)


@pytest.mark.parametrize(
    ("url", "durability", "messages", "messages_age_ms"),
    [
        ("sqlite:chat.db", "sqlite-full", None, None),
        ("sqlite:chat.db?durability=sqlite-normal", "sqlite-normal", None, None),
        ("sqlite:chat.db?messages=9&messages_age_ms=5", "sqlite-full", 9, 5),
    ],
)
async def test_a_file_is_named_with_how_it_is_kept(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    durability: str,
    messages: int | None,
    messages_age_ms: int | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    store = load_settings({"ROOMKIT_STORE": url, "ROOMKIT_PAGE_BYTES": "99"}).store()
    assert isinstance(store, SqliteStore)
    assert store.durability == durability
    assert store._shared.retention == Retention(
        limits=Limits(page_bytes=99), messages=messages, messages_age_ms=messages_age_ms
    )
    async with store.open():
        assert "chat.db" in os.listdir(tmp_path)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:",
        "sqlite:?messages=5",
        "sqlite::memory:",
        "sqlite:chat.db?messages=0",
        "sqlite:chat.db?messages=many",
        "sqlite:chat.db?messages=5&messages=6",
        "sqlite:chat.db?clock=3",
        "redis://localhost?clock=3",
        "redis://localhost?prefix=a{b}",
        "redis://localhost?messages=0",
        "redis://localhost:many",
        "valkey://localhost?durability=sqlite-full",
        "sqlite:chat.db?durability=full",
        "memory",
        "memory:chat.db",
    ],
)
def test_a_store_that_is_none_is_explained(url: str) -> None:
    assert complaint({"ROOMKIT_STORE": url}) == [f"ROOMKIT_STORE is {url!r}: expected {STORES}"]


@pytest.mark.parametrize("limit", msgspec.structs.fields(Limits), ids=lambda limit: limit.name)
def test_every_limit_has_its_variable(limit: msgspec.structs.FieldInfo) -> None:
    value = getattr(Limits(), limit.name)
    settings = load_settings({f"ROOMKIT_{limit.name.upper()}": str(value)})
    assert settings.limits == Limits()
    assert complaint({f"ROOMKIT_{limit.name.upper()}": "0"}) == [
        f"ROOMKIT_{limit.name.upper()} is '0': expected a whole number from 1 to 2^53 - 1"
    ]


def test_an_empty_variable_is_not_set() -> None:
    empty = {"ROOMKIT_STORE": "", "ROOMKIT_SECRET": "", "ROOMKIT_FRAMES_PER_S": ""}
    assert load_settings(empty) == load_settings({})


def test_variables_of_the_tests_are_no_settings() -> None:
    ours = {"ROOMKIT_REQUIRE_BROWSER": "1", "ROOMKIT_CHROMIUM": "/usr/bin/chromium"}
    assert load_settings(ours) == load_settings({})


@pytest.mark.parametrize(
    ("url", "server", "durability"),
    [
        ("redis://cache:6379/1", "redis://cache:6379/1", "redis"),
        ("valkey://alice:hush@cache?prefix=chat&messages=5", "valkey://alice:hush@cache", "redis"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock", "redis"),
        (
            "rediss+sentinel://one,two/chat?durability=redis-replicated(1)&ssl_ca_certs=/ca.pem",
            "rediss+sentinel://one,two/chat?ssl_ca_certs=%2Fca.pem",
            "redis-replicated(1)",
        ),
        ("valkey+cluster://one?durability=redis-fsync", "valkey+cluster://one", "redis-fsync"),
    ],
)
def test_a_server_is_named_by_its_url(url: str, server: str, durability: str) -> None:
    settings = load_settings({"ROOMKIT_STORE": url})
    store = settings.store()
    assert isinstance(store, RedisStore)
    assert (store.url, store.durability) == (server, durability)
    assert "hush" not in repr(settings)


def test_a_password_is_not_repeated() -> None:
    (line,) = complaint({"ROOMKIT_STORE": "mysql://alice:hush@db"})
    assert line.startswith("ROOMKIT_STORE is 'mysql://alice:***@db': expected ")


def test_a_server_may_have_an_archive() -> None:
    url = "postgresql://alice:hush@db/chat"
    settings = load_settings({"ROOMKIT_STORE": "redis://cache", "ROOMKIT_ARCHIVE": url})
    assert settings.archive_url == url
    assert isinstance(settings.store(), RedisStore)
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("store", "archive", "expected"),
    [
        (
            "redis://cache",
            "mysql://alice:hush@db/chat",
            (
                "ROOMKIT_ARCHIVE is wrong: expected a URL like "
                "postgresql://USER:PASSWORD@HOST:5432/DATABASE"
            ),
        ),
        (
            "sqlite:chat.db",
            "postgresql://alice:hush@db/chat",
            "ROOMKIT_ARCHIVE is set: expected a Valkey or Redis server in ROOMKIT_STORE",
        ),
        (
            "redis://cache?prefix=a%20chat",
            "postgresql://alice:hush@db/chat",
            (
                "ROOMKIT_STORE does not go with ROOMKIT_ARCHIVE: an archive's prefix must be 1 to "
                "40 ASCII characters, no blank, quote or %, not 'a chat'"
            ),
        ),
    ],
)
def test_an_archive_that_is_none_is_explained(store: str, archive: str, expected: str) -> None:
    assert complaint({"ROOMKIT_STORE": store, "ROOMKIT_ARCHIVE": archive}) == [expected]


def test_a_store_is_shown_without_its_passwords() -> None:
    url = "redis+sentinel://alice:hush@one,two/chat?sentinel_password=hush&prefix=p"
    shown = "redis+sentinel://alice:***@one,two/chat?sentinel_password=***&prefix=p"
    assert load_settings({"ROOMKIT_STORE": url}).shown_store == shown


def test_all_wrong_variables_are_named_at_once() -> None:
    assert complaint(
        {
            "ROOMKIT_STORE": "mysql://localhost",
            "ROOMKIT_SECRET": "hunter2",
            "ROOMKIT_FRAMES_PER_S": "fast",
            "ROOMKIT_MESAGES_PER_S": "5",
            "ROOMKIT_XYZZY": "1",
            "ROOMKIT_JOINS_BURST": "1.5",
        }
    ) == [
        "ROOMKIT_MESAGES_PER_S is not a setting: did you mean ROOMKIT_MESSAGES_PER_S?",
        "ROOMKIT_XYZZY is not a setting: remove it",
        f"ROOMKIT_STORE is 'mysql://localhost': expected {STORES}",
        "ROOMKIT_SECRET is too short: expected 16 characters or more, that nobody can guess",
        "ROOMKIT_FRAMES_PER_S is 'fast': expected a whole number from 1 to 2^53 - 1",
        "ROOMKIT_JOINS_BURST is '1.5': expected a whole number from 1 to 2^53 - 1",
    ]


@pytest.mark.parametrize(
    "origins",
    ["*", "https://*.example.org", "chat.example.org", "https://a.example/", "https://", "null"],
)
def test_an_origin_no_browser_sends_is_refused(origins: str) -> None:
    expected = (
        "origins as browsers write them, like https://chat.example.org or http://localhost:5173: "
        "no path, no wildcard"
    )
    assert complaint({"ROOMKIT_ORIGINS": f"https://fine.example, {origins}"}) == [
        f"ROOMKIT_ORIGINS is 'https://fine.example, {origins}': expected {expected}"
    ]


def test_limits_that_contradict_each_other_are_named_as_variables() -> None:
    assert complaint({"ROOMKIT_HISTORY_ON_JOIN": "60"}) == [
        (
            "ROOMKIT_HISTORY_ON_JOIN (60) must not be more than ROOMKIT_HISTORY_WINDOW (50): "
            "change one of them"
        )
    ]


def test_the_secret_is_never_shown() -> None:
    assert SECRET not in repr(load_settings({"ROOMKIT_SECRET": SECRET}))
    with pytest.raises(SettingsError) as raised:
        load_settings({"ROOMKIT_SECRET": SECRET, "ROOMKIT_STORE": "nowhere"})
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
