"""What docs/operations.md tells to type into Redis, typed into a real one."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from services.local.redis_server import redis_executable
from services.local.stack import LocalStack
from services.runtime.keys import cursor_key, past_key, profile_key

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
REDIS_CLI = "docker compose exec redis redis-cli"
USERS = ["a b", "o'c", 'say "hi"', "line\nbreak", "back\\slash", "*", "ann"]


@pytest.fixture
def stack() -> Iterator[LocalStack]:
    with LocalStack(kafka=False) as stack:
        yield stack


def told(beginning: str) -> str:
    """The one command of the page's first block after this that goes into Redis, to be typed into a shell."""
    block = PAGE.read_text(encoding="utf-8").split(beginning)[1].split("```")[1]
    return REDIS_CLI + block.split(REDIS_CLI)[1].split("\ndocker ")[0]


def type_in(command: str, stack: LocalStack) -> str:
    client = f"{redis_executable().with_name('redis-cli')} -u {stack.redis_url}"
    typed = command.replace(REDIS_CLI, client)
    return subprocess.run(["sh", "-ec", typed], capture_output=True, text=True, timeout=60, check=True).stdout


def test_one_partition_is_emptied_whatever_its_listeners_are_called(stack: LocalStack) -> None:
    with Redis.from_url(stack.redis_url) as redis:
        for partition in (3, 33):
            redis.hset(cursor_key(partition), mapping={"folded": 9, "noticed": 9})
            for user in [*USERS, *(f"u{number}" for number in range(2_000))]:
                redis.mset({profile_key(partition, user): "head", past_key(partition, user): "past"})
        kept = {key for key in redis.scan_iter() if b":{3}" not in key}
        assert len(kept) == 1 + 2 * (len(USERS) + 2_000)
        another = profile_key(7, f"ann:{{3}}:{profile_key(3, 'ann')}")  # of partition 7, whatever it looks like
        redis.set(another, "head")
        command = told("One partition, here 3")
        assert int(type_in(command, stack)) == 2 * (len(USERS) + 2_000)
        assert set(redis.scan_iter()) == kept | {another.encode()}
        assert int(type_in(command, stack)) == 0  # as often as you like
