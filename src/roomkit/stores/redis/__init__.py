"""Rooms in Valkey or Redis, for as many nodes as there are. Needs the extra `redis`."""

try:
    from roomkit.stores.redis.store import RedisStore
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] != "redis":
        raise
    raise ModuleNotFoundError(
        "RedisStore needs the redis library: pip install 'roomkit-chat[redis]'", name="redis"
    ) from missing

__all__ = ["RedisStore"]
