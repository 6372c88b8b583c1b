"""Redis clients leave retrying to the caller and speak our errors."""

import asyncio
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator

import pytest
from redis import exceptions as driver

from services.runtime.errors import Fatal, RedisAway
from services.runtime.redis_client import async_redis, redis_trouble, sync_redis, wait_for_redis
from services.runtime.settings import BadSetting, RedisSettings


def nobody() -> RedisSettings:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return RedisSettings(f"redis://:secret@127.0.0.1:{taken.getsockname()[1]}/0")


def begun(reason: Exception) -> Exception:
    """What redis-py tells of a cluster whose every node failed so."""
    error = driver.RedisClusterException("Redis Cluster cannot be connected.")
    error.__cause__ = reason
    return error


@pytest.mark.parametrize(
    "error",
    [
        driver.ConnectionError("refused"),
        driver.TimeoutError("5 s"),
        driver.BusyLoadingError("LOADING"),
        driver.ReadOnlyError("READONLY You can't write against a read only replica."),
        driver.OutOfMemoryError("OOM command not allowed"),
        driver.ResponseError("Error running script (call to f_0): @user_script:4: -OOM command not allowed when used"),
        driver.ClusterDownError("CLUSTERDOWN The cluster is down"),
        driver.ClusterError("TTL exhausted."),
        driver.SlotNotCoveredError(
            'Command # 1 (GET a) of pipeline caused error: Slot "1" not covered by the cluster.'
        ),
        driver.AskError("5649 127.0.0.1:7002"),
        begun(driver.ConnectionError("refused")),
        begun(driver.BusyLoadingError("LOADING")),
        driver.MasterDownError("MASTERDOWN"),
        driver.TryAgainError("TRYAGAIN"),
        driver.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
        driver.ResponseError("NOREPLICAS Not enough good replicas to write."),
        driver.ResponseError("BUSY Redis is busy running a script."),
    ],
    ids=lambda error: type(error).__name__ + str(error)[:8],
)
def test_what_passes_is_redis_away(error: Exception) -> None:
    with pytest.raises(RedisAway, match="write profiles") as raised, redis_trouble("write profiles"):
        raise error
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        driver.AuthenticationError("WRONGPASS"),
        driver.NoPermissionError("NOPERM"),
        driver.ResponseError("WRONGTYPE Operation against a key"),
        driver.DataError("no"),
        driver.MovedError("5649 127.0.0.1:7002"),
        begun(driver.AuthenticationError("WRONGPASS")),
        begun(driver.ResponseError("ERR This instance has cluster support disabled")),
        driver.ClusterCrossSlotError("Keys in request don't hash to the same slot"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_does_not_pass_is_fatal(error: Exception) -> None:
    with pytest.raises(Fatal, match="write profiles"), redis_trouble("write profiles"):
        raise error


def test_an_error_that_is_not_redis_goes_through() -> None:
    with pytest.raises(KeyError), redis_trouble("write profiles"):
        raise KeyError


class Closing(socketserver.BaseRequestHandler):
    """Ends every connection at once and counts them."""

    def handle(self) -> None:
        assert isinstance(self.server, ClosingServer)
        self.server.calls += 1


class ClosingServer(socketserver.TCPServer):
    calls = 0


@pytest.fixture
def closing() -> Iterator[ClosingServer]:
    with ClosingServer(("127.0.0.1", 0), Closing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def settings_of(server: ClosingServer) -> RedisSettings:
    return RedisSettings(f"redis://127.0.0.1:{server.server_address[1]}/0")


def test_the_driver_tries_once(closing: ClosingServer) -> None:
    """Were it to retry, its loop would neither beat nor stop meanwhile."""
    with sync_redis(settings_of(closing)) as client, pytest.raises(driver.ConnectionError):
        client.ping()
    assert closing.calls == 1


def test_the_asyncio_driver_tries_once(closing: ClosingServer) -> None:
    async def ping() -> None:
        async with async_redis(settings_of(closing)) as client:
            with pytest.raises(driver.ConnectionError):
                await client.ping()

    asyncio.run(ping())
    assert closing.calls == 1


def test_a_redis_away_is_said_with_what_to_do_and_without_the_password() -> None:
    with pytest.raises(RedisAway, match=r"no Redis answers at redis://.*; start one with `segue up` or set") as raised:
        wait_for_redis(nobody(), 0.3)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("make", [sync_redis, async_redis])
def test_a_url_that_is_none_is_named(make: object) -> None:
    assert callable(make)
    with pytest.raises(BadSetting, match="SEGUE_REDIS_URL='cache:6379'"):
        make(RedisSettings("cache:6379"))


@pytest.mark.parametrize("make", [sync_redis, async_redis])
@pytest.mark.parametrize("cluster", [False, True])
def test_a_url_that_cannot_be_split_is_a_bad_setting(make: Callable[[RedisSettings], object], *, cluster: bool) -> None:
    with pytest.raises(BadSetting, match="SEGUE_REDIS_URL"):
        make(RedisSettings("redis://[::1", cluster=cluster))


@pytest.mark.parametrize("url", ["redis://127.0.0.1:6379/1", "unix:///run/redis.sock"])
def test_a_cluster_has_one_database_and_no_socket(url: str) -> None:
    for client in (sync_redis, async_redis):
        with pytest.raises(BadSetting, match="Cluster"):
            client(RedisSettings(url, cluster=True))


def test_a_node_that_is_not_known_yet_is_waited_for() -> None:
    client = async_redis(RedisSettings(cluster=True))
    with pytest.raises(RedisAway, match="moved"), redis_trouble("read profiles"):
        client.get_node(node_name="127.0.0.1:1")  # type: ignore[attr-defined]  # of a cluster's alone
