"""Redis clients, configured in one place. They never retry by themselves: the caller knows what it has to hold back."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis.asyncio
from redis import Redis
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
    "health_check_interval": 30,  # seconds idle after which a connection is pinged before it is used
    "decode_responses": False,
}
# Refusals that an operator or a failover mends while we wait. Redis tells them apart by the first word only.
PASSING = ("LOADING", "MISCONF", "NOREPLICAS", "READONLY", "OOM", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "BUSY")


def sync_redis(settings: RedisSettings, **more: Any) -> Redis:
    """A client for plain loops; connects on first use. Raises BadSetting on a URL that is none."""
    with _bad_url(settings):
        client: Redis = Redis.from_url(settings.url, **{**OPTIONS, "retry": Retry(NoBackoff(), 0), **more})
    return client


def async_redis(settings: RedisSettings, **more: Any) -> redis.asyncio.Redis:
    """A client for asyncio loops; connects on first use. Raises BadSetting on a URL that is none."""
    with _bad_url(settings):
        options = {**OPTIONS, "retry": AsyncRetry(NoBackoff(), 0), **more}
        client: redis.asyncio.Redis = redis.asyncio.Redis.from_url(settings.url, **options)
    return client


def wait_for_redis(settings: RedisSettings, timeout: float) -> None:
    """Return once Redis answers a ping. Raises RedisAway after `timeout` seconds, Fatal when it refuses the user."""
    deadline = time.monotonic() + timeout
    with sync_redis(settings) as client:
        while True:
            with suppress(RedisAway), redis_trouble("answer a ping"):
                client.ping()
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
    except (redis_errors.AuthenticationError, redis_errors.AuthorizationError) as error:
        raise Fatal(f"Redis refuses to let us {what}: {error}; check SEGUE_REDIS_URL") from error
    except (redis_errors.ConnectionError, redis_errors.TimeoutError, redis_errors.ClusterDownError) as error:
        raise RedisAway(f"Redis is away and cannot {what}: {error}") from error
    except redis_errors.ResponseError as error:
        if _passes(error):
            raise RedisAway(f"Redis cannot {what} now: {error}") from error
        raise Fatal(f"Redis refuses to {what}: {error}") from error
    except redis_errors.RedisError as error:
        raise Fatal(f"Redis cannot {what}: {error}") from error


def _passes(error: redis_errors.ResponseError) -> bool:
    known = (redis_errors.OutOfMemoryError, redis_errors.ReadOnlyError, redis_errors.TryAgainError)
    text = str(error)
    # Of a script's refusal Redis tells more before the word: "Error running script …: -OOM command not allowed".
    return isinstance(error, known) or text.startswith(PASSING) or any(f" -{word} " in text for word in PASSING)


@contextmanager
def _bad_url(settings: RedisSettings) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise BadSetting(f"SEGUE_REDIS_URL={masked_url(settings.url)!r}: {error}") from error
