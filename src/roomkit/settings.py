"""The operator's input: environment variables in, `Limits`, a store, a secret and origins out.

| variable | meaning | default |
|---|---|---|
| `ROOMKIT_STORE` | `memory:`, `sqlite:` and a path, or a Valkey or Redis server's URL | `memory:` |
| `ROOMKIT_ARCHIVE` | a PostgreSQL database's URL, for messages the server has no more | none |
| `ROOMKIT_SECRET` | signs guest tokens and sessions | a key the store keeps |
| `ROOMKIT_ORIGINS` | other sites whose pages may connect, comma separated | none |
| `ROOMKIT_RECORD` | a folder for a trace of all that goes in, messages included | no trace |
| `ROOMKIT_RECORD_MIB` | the most the trace may take | 64 |
| `ROOMKIT_<LIMIT>` | any field of `Limits`, as in `ROOMKIT_MESSAGES_PER_S` | the field's |

After the path of a file may come what `SqliteStore` takes beside it, as in
`sqlite:chat.db?durability=sqlite-normal&messages=100000&messages_age_ms=7776000000`; after the URL
of a server `messages` and `prefix`, as in `redis://cache:6379/0?prefix=chat`.

An empty variable counts as not set. Only `load_settings` reads the environment; a host that
configures itself some other way needs nothing of this file.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from roomkit.errors import SettingsError
from roomkit.limits import Limits
from roomkit.stores import MemoryStore, SqliteStore, Store
from roomkit.trace import RECORD_MIB

__all__ = ["Settings", "load_settings"]

_PREFIX = "ROOMKIT_"
_SECRET_CHARS = 16
_OF_THE_TESTS = frozenset({"ROOMKIT_CHROMIUM", "ROOMKIT_REQUIRE_BROWSER"})

_STORES = (
    "memory:, sqlite:PATH, redis://HOST:PORT/DATABASE, redis+sentinel://HOST,HOST/SERVICE or "
    "redis+cluster://HOST,HOST (or rediss, valkey, valkeys, and unix:///PATH), which may go on "
    "with ?durability=NAME, &messages=NUMBER and more, see the settings page of the documentation"
)
_SERVERS = re.compile(r"unix|(redis|valkey)s?(\+(sentinel|cluster))?")
_OF_SQLITE = {"durability", "messages", "messages_age_ms"}
_OF_SERVERS = {"durability", "messages", "prefix"}
_OF_URLS = ("ssl_", "sentinel_")  # options that stay in the URL of a server
_UNSHOWN = {"ROOMKIT_SECRET": "too short", "ROOMKIT_ARCHIVE": "wrong"}
_NUMBERS = {"messages", "messages_age_ms"}


def _make_store(url: str, limits: Limits, archive: str | None = None) -> Store:
    """Return the store a URL names, with an archive by its URL if it is a server.

    Raises:
        ValueError: it names none.
    """
    if url == "memory:":
        return MemoryStore(limits=limits)
    scheme, _, rest = url.partition(":")
    path, asked, query = rest.partition("?")
    given = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if asked else []
    options: dict[str, Any] = {
        name: int(value) if name in _NUMBERS else value for name, value in given
    }
    if len(options) < len(given):
        raise ValueError("an option is given twice")
    if scheme == "sqlite" and options.keys() <= _OF_SQLITE:
        return SqliteStore(path, limits=limits, **options)
    kept = {name: options.pop(name) for name in list(options) if name.startswith(_OF_URLS)}
    if not _SERVERS.fullmatch(scheme) or not options.keys() <= _OF_SERVERS:
        raise ValueError("it is neither memory nor a file nor a server, or an option is unknown")
    from roomkit.stores.redis import RedisStore  # an extra

    place = f"{scheme}:{path}" + (f"?{urlencode(kept)}" if kept else "")
    if archive is not None:
        from roomkit.stores.archive import SqlArchive  # an extra

        prefix = {name: options[name] for name in ("prefix",) if name in options}
        options["archive"] = SqlArchive(archive, **prefix)
    return RedisStore(place, limits=limits, **options)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What an operator decided. Made by `load_settings`.

    Attributes:
        store_url: which store `store()` makes: `memory:`, `sqlite:` and a path, or a server's URL.
        secret: signs guest tokens and sessions; None lets the store keep a key of its own.
        origins: sites other than our own whose pages may connect.
        limits: every limit and period.
        record: where a trace is kept; None for no trace.
        record_mib: the most it may take.
        archive_url: of the database that keeps what the store's server has no more, if any.
    """

    store_url: str = field(repr=False)  # it may hold a password
    secret: str | None = field(repr=False)
    origins: tuple[str, ...]
    limits: Limits
    record: str | None = None
    record_mib: int = RECORD_MIB
    archive_url: str | None = field(default=None, repr=False)  # the same

    @property
    def shown_store(self) -> str:
        """The store's URL as anybody may see it, without a password."""
        return _hiding(self.store_url)

    def store(self) -> Store:
        """Return a new handle on the configured store; give it to one `Hub`."""
        return _make_store(self.store_url, self.limits, self.archive_url)


def _known_store(url: str) -> str:
    try:
        _make_store(url, Limits())
    except ModuleNotFoundError as missing:
        raise ValueError(f"{missing}; or else {_STORES}") from None
    except ValueError:
        raise ValueError(_STORES) from None
    return url


def _known_archive(url: str) -> str:
    try:
        from roomkit.stores.archive import SqlArchive  # an extra

        SqlArchive(url)
    except ModuleNotFoundError as missing:
        raise ValueError(str(missing)) from None
    except ValueError:
        raise ValueError("a URL like postgresql://USER:PASSWORD@HOST:5432/DATABASE") from None
    return url


def _long_enough(secret: str) -> str:
    if len(secret) < _SECRET_CHARS:
        raise ValueError(f"{_SECRET_CHARS} characters or more, that nobody can guess")
    return secret


def _split(origins: str) -> list[str]:
    return [origin.strip().lower() for origin in origins.split(",") if origin.strip()]


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if not parts.netloc or "*" in text or f"{parts.scheme}://{parts.netloc}" != text:
        raise ValueError(
            "origins as browsers write them, like https://chat.example.org or "
            "http://localhost:5173: no path, no wildcard"
        )
    return text


class _Environment(BaseModel):
    """The variables by what they set; pydantic reports all that are wrong, not just the first."""

    store: Annotated[str, AfterValidator(_known_store)] = "memory:"
    archive: Annotated[str, AfterValidator(_known_archive)] | None = None
    secret: Annotated[str, AfterValidator(_long_enough)] | None = None
    origins: Annotated[
        tuple[Annotated[str, AfterValidator(_origin)], ...], BeforeValidator(_split)
    ] = ()
    record: str | None = None
    record_mib: Annotated[int, Field(ge=1, lt=2**53)] = RECORD_MIB
    limits: dict[str, Annotated[int, Field(ge=1, lt=2**53)]] = {}


_LIMITS = {_PREFIX + limit.name.upper(): limit.name for limit in msgspec.structs.fields(Limits)}
_OTHERS = {
    _PREFIX + name.upper(): name
    for name in ("store", "archive", "secret", "origins", "record", "record_mib")
}
_VARIABLES = {name: variable for variable, name in (_OTHERS | _LIMITS).items()}


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read every `ROOMKIT_` variable.

    Raises:
        SettingsError: names every variable that is wrong or unknown, its value (but never the
            secret or a password), what is expected, and for an unknown name the one that was
            probably meant.
    """
    given = {
        name: value
        for name, value in environ.items()
        if name.startswith(_PREFIX) and name not in _OF_THE_TESTS and value
    }
    wrong = [_unknown(name) for name in given if name not in _VARIABLES.values()]
    values: dict[str, object] = {_OTHERS[n]: v for n, v in given.items() if n in _OTHERS}
    values["limits"] = {_LIMITS[n]: v for n, v in given.items() if n in _LIMITS}
    try:
        read = _Environment.model_validate(values)
        limits = Limits(**read.limits)
    except ValidationError as error:
        raise _all_of(wrong + _explain(error, given)) from None
    except ValueError as error:
        raise _all_of([*wrong, _in_their_terms(str(error))]) from None
    if read.archive is not None:
        wrong += _unfit(read.store, limits, read.archive)
    if wrong:
        raise _all_of(wrong)
    return Settings(
        store_url=read.store,
        secret=read.secret,
        origins=read.origins,
        limits=limits,
        record=read.record,
        record_mib=read.record_mib,
        archive_url=read.archive,
    )


def _all_of(wrong: list[str]) -> SettingsError:
    lines = "".join(f"\n  {line}" for line in wrong)
    return SettingsError(f"the environment is wrong; change these and start again:{lines}")


def _unfit(store: str, limits: Limits, archive: str) -> list[str]:
    """Say why a store and an archive that are right do not go together."""
    if not _SERVERS.fullmatch(store.partition(":")[0]):
        return ["ROOMKIT_ARCHIVE is set: expected a Valkey or Redis server in ROOMKIT_STORE"]
    try:
        _make_store(store, limits, archive)
    except ValueError as error:
        return [f"ROOMKIT_STORE does not go with ROOMKIT_ARCHIVE: {error}"]
    return []


def _unknown(name: str) -> str:
    meant = difflib.get_close_matches(name, _VARIABLES.values(), n=1, cutoff=0.8)
    hint = f"did you mean {meant[0]}?" if meant else "remove it"
    return f"{name} is not a setting: {hint}"


def _explain(error: ValidationError, given: Mapping[str, str]) -> list[str]:
    lines: dict[str, None] = {}
    for detail in error.errors():
        variable = _VARIABLES[str(detail["loc"][1 if detail["loc"][0] == "limits" else 0])]
        value = _UNSHOWN.get(variable) or repr(_hiding(given[variable]))
        expected = detail.get("ctx", {}).get("error", "a whole number from 1 to 2^53 - 1")
        lines[f"{variable} is {value}: expected {expected}"] = None
    return list(lines)


def _hiding(url: str) -> str:
    """Return a value without the passwords it may hold."""
    url = re.sub(r"(://[^:/@]*:)[^/]*@", r"\1***@", url)
    return re.sub(r"(password=)[^&]*", r"\1***", url)


def _in_their_terms(message: str) -> str:
    """Put the variables' names where `Limits` names its fields."""
    return re.sub(r"\w+", lambda word: _VARIABLES.get(word[0], word[0]), message)
