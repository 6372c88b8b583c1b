"""What the service needs from outside, without saying which technology brings it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from schemas.outcome import Outcome
from services.runtime.kafka_log import Record, Span


class Log(Protocol):
    """The lists on their topic, to be read from any place. Raises services.runtime.errors.Transient."""

    def spans(self, topic: str) -> Mapping[int, Span]:
        """What there is now of each partition."""
        ...

    def read(self, topic: str, partition: int, first: int, stop: int) -> Iterator[list[Record]]:
        """The records from `first` to before `stop`, in batches. Raises LogMoved when they are gone."""
        ...


class Sink(Protocol):
    """Where outcomes go. Raises Transient while the broker does not acknowledge."""

    def send(self, outcomes: Sequence[Outcome]) -> None:
        """Returns once every outcome is acknowledged."""
        ...
