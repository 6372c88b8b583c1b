from types import SimpleNamespace

import aiokafka.partitioner
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner import DefaultPartitioner

from services.runtime.bulk_producer import partition_of

JAVA = aiokafka.partitioner.DefaultPartitioner()


def cluster(count: int) -> SimpleNamespace:
    return SimpleNamespace(
        topics=lambda: {"t"},
        partitions_for_topic=lambda _: set(range(count)),
        available_partitions_for_topic=lambda _: set(range(count)),
    )


@given(st.text(min_size=1), st.integers(1, 64))
def test_a_listener_is_where_every_other_client_would_put_it(user: str, count: int) -> None:
    key = user.encode("utf-8", "surrogatepass")
    theirs = DefaultPartitioner().partition("t", user, key, None, None, cluster(count))
    assert partition_of(key, count) == theirs == JAVA(key, list(range(count)), [])


def test_known_values() -> None:
    """The hashes are those in the Java client's own test of murmur2 (UtilsTest)."""
    for key, hashed in ((b"21", -973_932_308), (b"foobar", -790_332_482), (b"a-little-bit-long-string", -985_981_536)):
        assert partition_of(key, 1000) == (hashed & 0x7FFFFFFF) % 1000
