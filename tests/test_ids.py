"""Positions, and how links chain."""

from hypothesis import given
from hypothesis import strategies as st

from roomkit.ids import ORIGIN, Position, chain_link, message_id


def test_the_origin_is_before_the_first_entry() -> None:
    assert Position(0, "") == ORIGIN


def test_a_link_is_what_every_store_must_compute() -> None:
    """SHA-1 of prev, at and the fact's bytes, joined by colons: its first 16 hex digits."""
    assert chain_link("0011223344556677", 1_704_110_400_000, b"hello") == "87ae7d9eeefe7b3f"


@given(st.text("0123456789abcdef", min_size=16, max_size=16), st.integers(0, 2**53), st.binary())
def test_a_link_is_16_hex_digits_and_changes_with_each_part(
    prev: str, at: int, fact: bytes
) -> None:
    link = chain_link(prev, at, fact)
    assert len(link) == 16
    assert int(link, 16) >= 0
    others = {
        chain_link(prev[::-1] + "x", at, fact),
        chain_link(prev, at + 1, fact),
        chain_link(prev, at, fact + b"x"),
    }
    assert link not in others


def test_a_message_is_known_by_its_seq_and_link() -> None:
    assert message_id(Position(12, "00112233445566aa")) == "12-00112233445566aa"
