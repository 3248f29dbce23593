"""Which names and texts are fit to be shown, and which names are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomkit.core.names import check_room, check_text, check_username, name_key
from roomkit.errors import ErrorCode, Refused
from roomkit.limits import Limits

LIMITS = Limits(username_chars=12, room_name_chars=20, message_chars=10)


def refusal(check: object, value: str) -> tuple[ErrorCode, str] | None:
    """The code and the text a check refuses a value with, None if it does not."""
    assert callable(check)
    try:
        check(value, LIMITS)
    except Refused as refused:
        return refused.code, refused.message
    return None


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "alice",
        "Alice Smith",
        "x" * 12,
        "José",
        "Jose\u0301",  # a combining accent
        "नमस्ते",  # combining vowel signs and a virama
        "李小龍",
        "محمد",
        "می\u200cخواهم",  # Persian: a zero-width non-joiner inside a word
        "क्\u200dष",  # Devanagari: a zero-width joiner after a virama
        "👩\u200d💻",  # one emoji, joined
        "👍🏽",
        "❤\ufe0f",  # with a variation selector
        "#1!?*/\\<b>",
        "İstanbul",
    ],
)
def test_a_name_people_write_is_kept_as_written(name: str) -> None:
    assert check_username(name, LIMITS) == name
    assert check_room(name, LIMITS) == name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "username is blank: send 1 to 12 characters"),
        (" ", "username is blank: send 1 to 12 characters"),
        ("\u3000\u2003", "username is blank: send 1 to 12 characters"),
        ("x" * 13, "username has 13 characters; the limit is 12: shorten it"),
        (" alice", "username begins or ends with a space: remove it"),
        ("alice ", "username begins or ends with a space: remove it"),
        ("alice\u00a0", "username begins or ends with a space: remove it"),
    ],
)
def test_a_blank_padded_or_long_name_is_refused(name: str, message: str) -> None:
    assert refusal(check_username, name) == (ErrorCode.BAD_ARGUMENT, message)


@pytest.mark.parametrize(
    "char",
    [
        "\x00",
        "\n",
        "\t",
        "\x1b",
        "\x7f",
        "\x85",
        "\u00ad",  # soft hyphen
        "\u061c",  # Arabic letter mark
        "\u200b",  # zero-width space
        "\u200e",
        "\u200f",
        "\u2028",
        "\u2029",
        "\u202a",
        "\u202b",
        "\u202c",
        "\u202d",
        "\u202e",  # right-to-left override
        "\u2060",
        "\u2066",
        "\u2067",
        "\u2068",
        "\u2069",
        "\ud800",  # a lone surrogate
        "\ue000",  # private use
        "\ufeff",
        "\ufff9",
        "\U000e0041",  # a tag
        "\U0010ffff",
    ],
)
@pytest.mark.parametrize("name", ["a{}b", "{}ab", "ab{}"])
def test_a_control_or_invisible_character_is_refused_wherever_it_stands(
    name: str, char: str
) -> None:
    message = f"username contains U+{ord(char):04X}, a control or invisible character: remove it"
    assert refusal(check_username, name.format(char)) == (ErrorCode.BAD_ARGUMENT, message)
    assert refusal(check_room, name.format(char)) == (
        ErrorCode.BAD_ARGUMENT,
        message.replace("username", "room"),
    )


@pytest.mark.parametrize("name", ["\u200d", "\u200c\u200d", "\u200d \u200d"])
def test_a_name_of_joiners_alone_shows_nothing_and_is_refused(name: str) -> None:
    found = refusal(check_username, name)
    assert found is not None and found[0] is ErrorCode.BAD_ARGUMENT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "ALICE"),
        ("alice", "ａｌｉｃｅ"),  # full-width
        ("José", "Jose\u0301"),
        ("straße", "STRASSE"),
        ("ﬁn", "fin"),  # a ligature
        ("Ω", "Ω"),  # the ohm sign
        ("ς", "Σ"),
        ("①", "1"),
        ("a b", "a\u00a0b"),
    ],
)
def test_names_that_are_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("alice", "alicе"), ("ı", "i"), ("a", "á"), ("alice", "a lice")]
)
def test_names_that_differ(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize("imitation", ["alice\u200d", "al\u200cice", "alice\ufe0f"])
def test_what_cannot_be_seen_does_not_make_another_name(imitation: str) -> None:
    """Either such a name is refused, or it is the same name."""
    assert refusal(check_username, imitation) or name_key(imitation) == name_key("alice")


@given(st.text())
def test_a_key_is_its_own_key(name: str) -> None:
    assert name_key(name_key(name)) == name_key(name)


@given(st.text(max_size=20))
def test_a_name_that_is_accepted_is_returned_unchanged(name: str) -> None:
    if refusal(check_username, name) is None:
        assert check_username(name, LIMITS) == name
        assert name.strip() == name != ""


@pytest.mark.parametrize("text", ["a", " hello ", "line\nline", "\u202eabc", "x" * 10, "\x07"])
def test_a_text_is_kept_as_written(text: str) -> None:
    assert check_text(text, LIMITS) == text


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", ErrorCode.BAD_ARGUMENT, "message is blank: send some text"),
        (" \n\t\u3000", ErrorCode.BAD_ARGUMENT, "message is blank: send some text"),
        ("a\x00b", ErrorCode.BAD_ARGUMENT, "message contains U+0000: remove it"),
        (
            "x" * 11,
            ErrorCode.TOO_LARGE,
            "message has 11 characters; the limit is 10: shorten it",
        ),
    ],
)
def test_a_blank_or_long_text_or_one_with_nul_is_refused(
    text: str, code: ErrorCode, message: str
) -> None:
    assert refusal(check_text, text) == (code, message)
