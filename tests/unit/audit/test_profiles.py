"""Nothing that moves is a difference, and every difference is found however much moves."""

from random import Random
from typing import Any

import pytest

from services.audit import profiles
from services.audit.findings import Findings
from services.audit.profiles import Audited, Ports, audit_partition
from services.runtime.errors import Fatal
from services.runtime.kafka_log import Record
from tests.unit.audit.worlds import NOW, TASTE, Log, Stored, listen, record

USERS = [f"u{n}" for n in range(11)]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiles, "CHUNK", 2)


def world(random: Random, events: int = 120) -> tuple[Log, Stored]:
    log = Log([record(n, listen(n, random.choice(USERS), random)) for n in range(events)])
    log.records[5] = Record(5, NOW, b"u1", b"{", [])
    del log.records[17]  # an offset that holds nothing
    return log, Stored(log)


def audited(log: Log, stored: Stored, stop: int | None = None) -> Audited:
    ports: Any = Ports(log, stored, TASTE, Findings(5, show_ids=True))  # type: ignore[arg-type]  # fakes
    return audit_partition(ports, 0, stored.names(), stop, lambda _: None)


def moving(random: Random, log: Log, stored: Stored) -> None:
    """From here on the log grows and the profiler works between any two looks."""

    def move() -> None:
        for _ in range(random.randrange(4)):
            log.records.append(
                record(log.records[-1].offset + 1, listen(len(log.records), random.choice(USERS), random))
            )
        stored.fold_to(min(stored._cursor + random.randrange(6), log.records[-1].offset))

    stored.moves = move


@pytest.mark.parametrize("seed", range(60))
def test_a_system_that_moves_is_clean(seed: int) -> None:
    random = Random(seed)
    log, stored = world(random)
    stored.fold_to(random.randrange(-1, 119))
    moving(random, log, stored)
    found = audited(log, stored).partition
    assert found.clean, found
    assert found.equal == found.profiles
    assert found.events == found.admitted + found.dead


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("kind", ["lost", "doubled"])
def test_what_is_wrong_is_found_and_named_while_it_moves(seed: int, kind: str) -> None:
    random = Random(seed)
    log, stored = world(random)
    # Not the newest: the audit looks at what was there when it began, and not a repeat, which counts for nothing.
    counted = [n for n in range(40, 100) if n != 17 and f"-{n}".encode() in (log.records[n - (n > 17)].value or b"")]
    wrong = random.choice(counted)
    (stored.skipped if kind == "lost" else stored.doubled).add(wrong)
    stored.fold_to(110)
    moving(random, log, stored)
    ports = Ports(log, stored, TASTE, findings := Findings(5, show_ids=True))  # type: ignore[arg-type]  # fakes
    found = audit_partition(ports, 0, stored.names(), None, lambda _: None).partition
    assert (found.lost, found.doubled, found.other) == ((1, 0, 0) if kind == "lost" else (0, 1, 0)), findings.examples
    assert (found.events_lost, found.events_doubled) == ((1, 0) if kind == "lost" else (0, 1)), findings.examples
    assert [(e.kind, e.offset) for e in findings.examples] == [(kind, wrong)]
    assert found.differing + found.equal == found.profiles


def test_a_redis_that_goes_back_is_looked_at_anew() -> None:
    log, stored = world(Random(1))
    stored.fold_to(118)
    looks = iter(range(100))

    def back() -> None:
        if next(looks) == 3:
            stored.restart(50)

    stored.moves = back
    found = audited(log, stored).partition
    assert (found.clean, found.cursor, found.behind) == (True, 50, 69)
    looks = iter([3] * 100)
    with pytest.raises(Fatal, match="went back"):
        audited(log, stored_that_sinks(log))


def stored_that_sinks(log: Log) -> Stored:
    stored = Stored(log)
    stored.fold_to(118)
    stored.moves = lambda: stored.restart(stored._cursor - 1)
    return stored


def test_a_log_that_is_truncated_while_it_is_read_is_looked_at_anew() -> None:
    log, stored = world(Random(2))
    stored.fold_to(119)

    def truncate() -> None:
        log.first = 30

    log.truncate = truncate
    found = audited(log, stored).partition
    assert (found.first, found.gone, found.lost, found.other) == (30, 30, 0, 0)
    assert found.unauditable > 0
    assert found.unauditable + found.equal == found.profiles


def test_of_a_truncated_log_what_is_certain_is_told() -> None:
    log, stored = world(Random(3), events=200)
    log.records.append(record(200, listen(200, "new", Random(0))))
    stored.skipped = {150}
    stored.fold_to(200)
    log.first = 30
    found = audited(log, stored).partition
    assert (found.lost, found.doubled, found.other) == (1, 0, 0)
    assert found.equal == 1  # the one who began after
    assert found.unauditable == len(USERS) - 1
    assert found.unfolded_gone == 0


def test_a_cursor_that_the_log_has_passed_by_is_a_loss_for_good() -> None:
    log, stored = world(Random(4))
    stored.fold_to(9)
    log.first = 30
    found = audited(log, stored).partition
    assert (found.unfolded_gone, found.behind, found.clean) == (20, 90, False)


def test_until_an_end_that_was_asked_for() -> None:
    log, stored = world(Random(5))
    stored.fold_to(39)
    found = audited(log, stored, stop=60).partition
    assert (found.events, found.behind, found.cursor, found.end) == (59, 20, 39, 60)
    stored.fold_to(80)
    found = audited(log, stored, stop=60).partition  # Redis is further: so is the fold
    assert (found.clean, found.behind, found.end) == (True, 0, 81)
