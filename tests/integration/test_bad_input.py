"""Ten thousand generated messages through a real broker: each is put away with its reason, or folded."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from models.admission import admit
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.topics import DEAD, LISTENS
from services.local.stack import LocalStack
from tests.integration.profilers import World, read_all
from tests.messages import keyed

BATCH, BATCHES = 20, 500
Message = tuple[bytes | None, bytes | None]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with LocalStack() as stack:
        world = World(stack)
        yield world
        world.stop()
        world.producer.close()
        world.redis.close()


def generated() -> list[Message]:
    """The same ones every time."""
    made: list[Message] = []

    @seed(4)
    @settings(
        max_examples=BATCHES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(keyed(), min_size=BATCH, max_size=BATCH))
    def gather(messages: list[Message]) -> None:
        # kafka-python sends nothing that has neither key nor value.
        made.extend((b"user", None) if each == (None, None) else each for each in messages)

    gather()
    return made


def test_each_is_put_away_with_its_reason_or_folded_and_nobody_stops(world: World) -> None:
    messages = generated()
    assert len(messages) == BATCH * BATCHES
    worker = world.start()
    for sent in [world.producer.send(LISTENS.name, value, key=key) for key, value in messages]:
        sent.get(30)
    world.listen(10)
    world.check()
    assert worker.poll() is None
    bad: dict[tuple[int, int], tuple[str, bytes | None, bytes | None]] = {}
    for partition, offset, appended_ms, key, value in world.log():
        try:
            admit(value, key, appended_ms)
        except Poison as poison:
            bad[partition, offset] = poison.cause, key, value
    letters = {}
    for record in read_all(world, DEAD.name):
        letter = DeadLetter.from_headers(record.headers)
        assert letter.message
        letters[letter.partition, letter.offset] = letter.cause, record.key, record.value
    assert letters == bad
    assert 5_000 < len(bad) < BATCH * BATCHES - 500  # enough of either
    assert len({cause for cause, _, _ in bad.values()}) >= 5
