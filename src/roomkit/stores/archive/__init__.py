"""History for ever, in PostgreSQL, beneath a `RedisStore`. Needs the extra `postgres`."""

try:
    from roomkit.stores.archive.archive import SqlArchive
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] != "psycopg":
        raise
    raise ModuleNotFoundError(
        "SqlArchive needs the psycopg library: pip install 'roomkit-chat[postgres]'", name="psycopg"
    ) from missing

__all__ = ["SqlArchive"]
