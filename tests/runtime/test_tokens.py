"""A token brings back what it was made for, and nothing else does."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomkit.ids import SessionId, UserId
from roomkit.runtime.tokens import SECRET_BYTES, TOKEN_CHARS, Tokens

ALICE, BOB = UserId("guest-alice"), UserId("guest-bob")
TAB = SessionId("tab-1")
TOKENS = Tokens(b"0123456789abcdef")
OTHERS = Tokens(b"fedcba9876543210")


def test_a_guest_token_names_its_guest() -> None:
    assert TOKENS.guest(TOKENS.guest_token(ALICE)) == ALICE


def test_a_session_token_names_its_session_for_its_user_only() -> None:
    token = TOKENS.session_token(TAB, ALICE)
    assert TOKENS.session(token, ALICE) == TAB
    assert TOKENS.session(token, BOB) is None


def test_another_secret_knows_no_token_of_ours() -> None:
    assert OTHERS.guest(TOKENS.guest_token(ALICE)) is None
    assert OTHERS.session(TOKENS.session_token(TAB, ALICE), ALICE) is None


def test_a_token_of_one_purpose_is_none_of_the_other() -> None:
    assert TOKENS.session(TOKENS.guest_token(ALICE), UserId("")) is None
    assert TOKENS.guest(TOKENS.session_token(SessionId(ALICE), UserId(""))) is None


def test_every_node_with_the_secret_makes_the_same_token() -> None:
    token = Tokens(b"0123456789abcdef").guest_token(ALICE)
    assert token == TOKENS.guest_token(ALICE)
    assert re.fullmatch(r"1\.guest-alice\.[A-Za-z0-9_-]{43}", token)


@given(st.data())
def test_a_token_changed_anywhere_is_refused(data: st.DataObject) -> None:
    token = TOKENS.session_token(TAB, ALICE)
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters().filter(lambda c: c != token[place]))
    changed = token[:place] + character + token[place + 1 :]
    assert TOKENS.session(changed, ALICE) is None


@given(st.text())
def test_whatever_a_client_sends_is_looked_at_without_trouble(text: str) -> None:
    assert TOKENS.guest(text) is None
    assert TOKENS.guest(f"1.{text}.{text}") is None
    assert TOKENS.session(text, ALICE) is None


def test_a_token_of_another_version_is_refused() -> None:
    assert TOKENS.guest("2" + TOKENS.guest_token(ALICE)[1:]) is None


def test_a_token_that_is_too_long_is_not_looked_at() -> None:
    long = UserId("x" * TOKEN_CHARS)
    assert TOKENS.guest(TOKENS.guest_token(long)) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="the secret has 15 bytes; tokens need 16 or more"):
        Tokens(b"x" * (SECRET_BYTES - 1))
