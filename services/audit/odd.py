"""Profiles of a partition that are not what the log gives: the very offsets are looked for, then they are counted."""

from collections.abc import Mapping
from typing import NamedTuple

from models.admission import admit
from models.taste import TasteSettings
from schemas.errors import Poison
from schemas.topics import LISTENS
from services.audit.compare import Verdict
from services.audit.explain import Event, explain
from services.audit.findings import Findings
from services.audit.result import Partition
from services.runtime.kafka_log import KafkaLog

SEARCHED = 8  # profiles of a partition whose offsets are looked for, for which its log is read once more
NAMED = 3  # offsets that an example tells


class Held(NamedTuple):
    """A profile as it was read, and the cursor of that moment."""

    cursor: int
    data: bytes | None


class Odd(NamedTuple):
    """A profile that is not what the log gives."""

    held: Held
    verdict: Verdict
    version: int  # the expected one


def settle(log: KafkaLog, taste: TasteSettings, findings: Findings, found: Partition, odd: Mapping[str, Odd]) -> None:
    """Count them into `found`. Of a log that has lost its beginning no offsets are looked for. Raises LogMoved."""
    wanted = {} if found.first else _searched(odd)
    events = _events(log, found.partition, wanted)
    for user, each in odd.items():
        verdict, offset = each.verdict, each.version
        explained = explain(events[user], each.held.data, taste) if user in events and each.held.data else None
        if explained is not None:
            lost, doubled = explained.lost, explained.doubled
            offset = (lost or doubled)[0]
            verdict = Verdict(lost=len(lost), doubled=len(doubled), says=_named(lost, doubled))
        _count(found, findings, user, verdict, offset)


def _searched(odd: Mapping[str, Odd]) -> dict[str, int]:
    """Whom to search for, and up to which offset."""
    hopeful = [
        (user, each.held.cursor)
        for user, each in odd.items()
        if each.held.data and each.verdict.differs and each.verdict.explicable
    ]
    return dict(hopeful[:SEARCHED])


def _events(log: KafkaLog, partition: int, until: Mapping[str, int]) -> dict[str, list[Event]]:
    """The log again, for some listeners only."""
    events: dict[str, list[Event]] = {user: [] for user in until}
    if not until:
        return events
    first, end = log.span(LISTENS.name, partition)
    for records in log.read(LISTENS.name, partition, first, min(max(until.values()) + 1, end)):
        for record in records:
            try:
                listen = admit(record.value, record.key, record.time)
            except Poison:
                continue
            if record.offset <= until.get(listen.user_id, -1):
                events[listen.user_id].append((record.offset, listen))
    return events


def _count(found: Partition, findings: Findings, user: str, verdict: Verdict, offset: int) -> None:
    found.differing += verdict.differs
    found.lost += bool(verdict.lost)
    found.doubled += bool(verdict.doubled)
    found.other += verdict.other
    found.events_lost += verdict.lost
    found.events_doubled += verdict.doubled
    found.unreadable += verdict.unreadable
    found.unauditable += verdict.unauditable
    for kind in ("lost", "doubled", "other", "unreadable"):
        if getattr(verdict, kind):
            findings.add(kind, found.partition, offset, verdict.says, user)


def _named(lost: list[int], doubled: list[int]) -> str:
    told = []
    for word, offsets in (("not counted", lost), ("counted twice", doubled)):
        if offsets:
            more = f" and {len(offsets) - NAMED} more" if len(offsets) > NAMED else ""
            told.append(f"offset {', '.join(map(str, offsets[:NAMED]))}{more} {word}")
    return "; ".join(told)
