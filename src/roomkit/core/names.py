"""Which names and texts are fit to be shown, and when two names are the same.

Usernames are compared after NFKC and case folding. Refused in any name: control characters,
bidirectional overrides and isolates, other invisible format characters, line breaks, unassigned and
private code
points: whatever can make one name look like another or break a line of text.
"""

from __future__ import annotations

import re
import unicodedata

from roomkit.errors import ErrorCode, Refused
from roomkit.ids import RoomId
from roomkit.limits import Limits

__all__ = ["check_room", "check_text", "check_username", "name_key"]

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = {"\u200c", "\u200d"}
_REFUSED_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def name_key(username: str) -> str:
    """Return what two usernames are compared by: NFKC, case-folded, NFKC again, less what no
    reader sees (Unicode's default ignorable code points, as in toNFKC_Casefold)."""
    folded = unicodedata.normalize("NFKC", username).casefold()
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", folded))


def check_username(username: str, limits: Limits) -> str:
    """Return the username as it will be shown.

    Raises:
        Refused: `bad_argument`; it is blank, too long, padded with spaces or has a refused
            character.
    """
    return _check(username, "username", limits.username_chars)


def check_room(room: str, limits: Limits) -> RoomId:
    """Return the room's id, which is its name.

    Raises:
        Refused: `bad_argument`, as for `check_username`.
    """
    return RoomId(_check(room, "room", limits.room_name_chars))


def check_text(text: str, limits: Limits) -> str:
    """Return a message's text, unchanged.

    Raises:
        Refused: `bad_argument` if it is blank or holds U+0000, `too_large` if it is too long.
    """
    if len(text) > limits.message_chars:
        raise Refused(
            ErrorCode.TOO_LARGE,
            f"message has {len(text)} characters; the limit is {limits.message_chars}: shorten it",
        )
    if not text or text.isspace():
        raise Refused(ErrorCode.BAD_ARGUMENT, "message is blank: send some text")
    if "\x00" in text:
        raise Refused(ErrorCode.BAD_ARGUMENT, "message contains U+0000: remove it")
    return text


def _check(name: str, what: str, longest: int) -> str:
    if name.isascii() and name.isprintable():
        trouble = None
    else:
        trouble = next((char for char in name if _is_refused(char)), None)
    if not name or name.isspace() or _is_invisible(name):
        raise Refused(ErrorCode.BAD_ARGUMENT, f"{what} is blank: send 1 to {longest} characters")
    if len(name) > longest:
        raise Refused(
            ErrorCode.BAD_ARGUMENT,
            f"{what} has {len(name)} characters; the limit is {longest}: shorten it",
        )
    if trouble is not None:
        raise Refused(
            ErrorCode.BAD_ARGUMENT,
            f"{what} contains U+{ord(trouble):04X}, a control or invisible character: remove it",
        )
    if name[0].isspace() or name[-1].isspace():
        raise Refused(ErrorCode.BAD_ARGUMENT, f"{what} begins or ends with a space: remove it")
    return name


def _is_invisible(name: str) -> bool:
    return not name.isascii() and not name_key(name).strip()


def _is_refused(char: str) -> bool:
    return char not in _JOINERS and unicodedata.category(char) in _REFUSED_CATEGORIES
