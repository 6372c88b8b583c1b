"""Which letters are owed, by what is still on the topic."""

from collections.abc import Iterator

from schemas.dead_letter import DeadLetter
from services.audit.findings import Findings
from services.audit.folding import Folding
from services.audit.letters import LetterAudit
from services.audit.result import Letters, Partition
from services.runtime.kafka_log import Record, Span
from tests.unit.audit.worlds import NOW, TASTE


class Topic:
    """`listens.dead`, whose first offset is not always 0."""

    def __init__(self, first: int, letters: list[tuple[int, int]]) -> None:
        self._span = Span(first, first + len(letters))
        self._records = [
            Record(at, time, b"k", b"{", DeadLetter("bad-json", "", "listens", 0, offset, time, "p").headers())
            for at, (offset, time) in enumerate(letters, first)
        ]

    def spans(self, _topic: str) -> dict[int, Span]:
        return {0: self._span}

    def read(self, *_: object) -> Iterator[list[Record]]:
        if self._records:
            yield self._records


def audited(topic: Topic, cursor: int = 9) -> Letters:
    folding = Folding(TASTE)
    folding.take([Record(at, NOW + at, b"k", b"{", []) for at in range(10)])
    audit = LetterAudit(topic, Findings(5, show_ids=False))  # type: ignore[arg-type]  # a fake
    audit.partition(Partition(0, end=10, cursor=cursor), folding)
    return audit.settle()


def test_every_refused_offset_up_to_the_cursor_needs_one() -> None:
    found = audited(Topic(0, [(at, NOW + at) for at in range(4)]), cursor=5)
    assert (found.refused, found.missing, found.wrong, found.clean) == (6, 2, 0, False)
    assert audited(Topic(0, [(at, NOW + at) for at in range(6)]), cursor=5).clean


def test_one_that_retention_may_have_taken_is_not_missing() -> None:
    found = audited(Topic(70, [(at, NOW + at) for at in range(6, 10)]))
    assert (found.expired, found.missing, found.clean) == (6, 0, True)
    found = audited(Topic(70, []))
    assert (found.expired, found.missing, found.clean) == (10, 0, True)
    found = audited(Topic(70, [(5, NOW + 5), (9, NOW + 9)]))
    assert (found.expired, found.missing) == (5, 3)


def test_letters_of_what_was_not_read_are_left_alone() -> None:
    found = audited(Topic(0, [(at, NOW + at) for at in range(10)] + [(10, NOW), (99, NOW)]))
    assert (found.letters, found.wrong, found.clean) == (12, 0, True)
