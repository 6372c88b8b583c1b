"""Redis clients, configured in one place. They never retry by themselves: the caller knows what it has to hold back.

Of a Redis Cluster they are clients of all its nodes with the same commands. All keys of a partition are in one slot
(services.runtime.keys), so a command or transaction is of one partition; `get_many` is of any. Such a client tries once
more by itself, or it would never ask anew which node has a slot.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast
from urllib.parse import urlsplit

import redis.asyncio
from redis import Redis, RedisCluster
from redis import exceptions as redis_errors
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.runtime.errors import Fatal, RedisAway
from services.runtime.settings import BadSetting, RedisSettings, masked_url

# Never without `retry`: redis-py 8.1 tries ten times by itself in Redis(), and not in Redis.from_url().
OPTIONS: dict[str, Any] = {
    "socket_connect_timeout": 2.0,
    "socket_timeout": 5.0,  # seconds; a batch of 5,000 profiles is written in milliseconds
    "socket_keepalive": True,
    "health_check_interval": 30,  # seconds idle before a connection is first pinged; RedisCluster takes it and does not
    "decode_responses": False,
}
# Refusals that an operator or a failover mends while we wait. Redis tells them apart by the first word only.
PASSING = ("LOADING", "MISCONF", "NOREPLICAS", "READONLY", "OOM", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "BUSY")
REFUSED = (redis_errors.AuthenticationError, redis_errors.AuthorizationError)


class _KnownNodes:
    """Of a redis-py cluster: asks nothing of a node that it does not know, instead of failing in a way of its own."""

    def get_node(self, *arguments: Any, **named: Any) -> Any:
        """A node that slots are moved to may own none yet, and is not told of until then."""
        node = super().get_node(*arguments, **named)  # type: ignore[misc]  # of the class that this goes before
        if node is None:
            raise redis_errors.ClusterError("a slot is being moved to a node that owns none yet")
        return node


class SyncCluster(_KnownNodes, RedisCluster):
    """For plain loops."""


class AsyncCluster(_KnownNodes, redis.asyncio.RedisCluster):  # type: ignore[misc]  # redis-py's bases disagree
    """For asyncio loops."""


def of_cluster(client: object) -> bool:
    """Whether it is a client of a Redis Cluster."""
    return isinstance(client, SyncCluster | AsyncCluster)


def sync_redis(settings: RedisSettings, **more: Any) -> Redis:
    """A client for plain loops. Raises BadSetting on a URL that is none.

    Connects on first use; that of a cluster does at once. Raises RedisAway, Fatal.
    """
    kind = cast("type[Redis]", SyncCluster) if settings.cluster else Redis  # the same commands
    with _bad_url(settings), redis_trouble("be connected"):
        options = {**OPTIONS, "retry": Retry(NoBackoff(), int(settings.cluster)), **more}
        client: Redis = kind.from_url(settings.url, **options)
    return client


def async_redis(settings: RedisSettings, **more: Any) -> redis.asyncio.Redis:
    """A client for asyncio loops; connects on first use. Raises BadSetting on a URL that is none."""
    kind = cast("type[redis.asyncio.Redis]", AsyncCluster) if settings.cluster else redis.asyncio.Redis
    with _bad_url(settings):
        options = {**OPTIONS, "retry": AsyncRetry(NoBackoff(), int(settings.cluster)), **more}
        client: redis.asyncio.Redis = kind.from_url(settings.url, **options)
    return client


def get_many(client: Redis, keys: Sequence[str]) -> list[bytes | None]:
    """MGET; of a cluster one for each slot, all sent before the first answers."""
    read = cast(Any, client).mget_nonatomic if of_cluster(client) else client.mget
    return cast("list[bytes | None]", read(keys))


def ping(client: Redis) -> None:
    """Returns when it answers: of a cluster every node that has slots."""
    ask: Callable[..., object] = client.ping
    if of_cluster(client):
        ask(target_nodes=RedisCluster.PRIMARIES)
    else:
        ask()


def wait_for_redis(settings: RedisSettings, timeout: float) -> None:
    """Return once Redis answers a ping. Raises RedisAway after `timeout` seconds, Fatal when it refuses the user."""
    deadline = time.monotonic() + timeout
    while True:
        with suppress(RedisAway), redis_trouble("answer a ping"), sync_redis(settings) as client:
            ping(client)
            return
        if time.monotonic() >= deadline:
            raise RedisAway(
                f"no Redis answers at {masked_url(settings.url)}; start one with `segue up` or set SEGUE_REDIS_URL"
            )
        time.sleep(0.1)


@contextmanager
def redis_trouble(what: str) -> Iterator[None]:
    """Turn the driver's errors into ours: RedisAway for what passes, Fatal for the rest. `what`: "write profiles"."""
    try:
        yield
    except REFUSED as error:
        raise Fatal(f"Redis refuses to let us {what}: {error}; check SEGUE_REDIS_URL") from error
    except (redis_errors.ConnectionError, redis_errors.TimeoutError, redis_errors.ClusterError) as error:
        raise RedisAway(f"Redis is away and cannot {what}: {error}") from error
    except redis_errors.RedisClusterException as error:
        for reason in _reasons(error):
            if "cluster support disabled" in str(reason):
                raise Fatal(f"Redis cannot {what}: it is no cluster; set SEGUE_REDIS_CLUSTER=false") from error
            if isinstance(reason, REFUSED):
                raise Fatal(f"Redis refuses to let us {what}: {reason}; check SEGUE_REDIS_URL") from error
        raise RedisAway(f"Redis is away and cannot {what}: {error}") from error
    except (redis_errors.MovedError, redis_errors.ClusterCrossSlotError) as error:
        hint = "set SEGUE_REDIS_CLUSTER=true, or try again if it is: its slots are being moved"
        raise Fatal(f"Redis refuses to {what}: it is one of a cluster; {hint}") from error
    except redis_errors.AskError as error:
        raise RedisAway(f"Redis cannot {what} while a slot is moved: {error}") from error
    except redis_errors.ResponseError as error:
        if _passes(error):
            raise RedisAway(f"Redis cannot {what} now: {error}") from error
        raise Fatal(f"Redis refuses to {what}: {error}") from error
    except redis_errors.RedisError as error:
        raise Fatal(f"Redis cannot {what}: {error}") from error


def _reasons(error: BaseException | None) -> Iterator[BaseException]:
    """What an error came from, itself first: redis-py tells of a cluster's beginning in one error for all of them."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _passes(error: redis_errors.ResponseError) -> bool:
    known = (redis_errors.OutOfMemoryError, redis_errors.ReadOnlyError, redis_errors.TryAgainError)
    text = str(error)
    # Of a script's refusal Redis tells more before the word: "Error running script …: -OOM command not allowed".
    return isinstance(error, known) or text.startswith(PASSING) or any(f" -{word} " in text for word in PASSING)


@contextmanager
def _bad_url(settings: RedisSettings) -> Iterator[None]:
    try:
        parts = urlsplit(settings.url)
        if settings.cluster and (parts.scheme not in ("redis", "rediss") or parts.path not in ("", "/", "/0")):
            raise ValueError("a Redis Cluster is reached over redis:// or rediss://, and has no database but 0")
        yield
    except ValueError as error:
        raise BadSetting(f"SEGUE_REDIS_URL={masked_url(settings.url)!r}: {error}") from error
