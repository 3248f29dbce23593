"""A page of our own host or of a listed origin may connect; no other page may."""

from __future__ import annotations

import pytest

from roomkit import Hub


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://chat.example.org", "chat.example.org"),
        ("https://chat.example.org", "chat.example.org"),
        ("https://chat.example.org", "chat.example.org:443"),
        ("http://chat.example.org:80", "chat.example.org"),
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://Chat.Example.org", "chat.example.ORG"),
    ],
)
def test_a_page_of_the_same_host_may_connect(origin: str, host: str) -> None:
    assert Hub().accepts_origin({"origin": origin, "host": host})


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example.net", "chat.example.org"),
        ("https://chat.example.org.evil.net", "chat.example.org"),
        ("https://evil-chat.example.org", "chat.example.org"),
        ("http://chat.example.org:8000", "chat.example.org"),
        ("https://chat.example.org", "chat.example.org:80"),
        ("http://localhost:3000", "localhost:8000"),
        ("https://chat.example.org@evil.net", "chat.example.org"),
        ("https://chat.example.org/", "chat.example.org"),
        ("https://chat.example.org:port", "chat.example.org"),
        ("https://[", "["),
        ("file://", ""),
        ("null", "null"),
        ("chat.example.org", "chat.example.org"),
        ("https://", ""),
        ("", "chat.example.org"),
    ],
)
def test_no_other_page_may(origin: str, host: str) -> None:
    assert not Hub().accepts_origin({"origin": origin, "host": host})


def test_a_page_may_not_connect_if_no_host_is_named() -> None:
    assert not Hub().accepts_origin({"origin": "https://chat.example.org"})


def test_whoever_is_no_page_may_connect() -> None:
    assert Hub().accepts_origin({"host": "chat.example.org"})


def test_a_listed_origin_may_connect_and_only_exactly() -> None:
    hub = Hub(origins=["https://Shop.example.org"])
    accepted = [
        origin
        for origin in (
            "https://shop.example.org",
            "http://shop.example.org",
            "https://shop.example.org:8443",
            "null",
        )
        if hub.accepts_origin({"origin": origin, "host": "chat.example.org"})
    ]
    assert accepted == ["https://shop.example.org"]
