"""The audit: everything that Segue promises about its state, looked at from outside and at rest or under load.

`audit` is what `segue audit` runs and what a test of faults calls. It only reads.
"""

import time
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from schemas.topics import LISTENS
from services.audit.findings import Findings
from services.audit.letters import LetterAudit
from services.audit.lists import ListAudit
from services.audit.profiles import Audited, Ports, audit_partition
from services.audit.redis_stored import RedisStored
from services.audit.result import Audit, Partition, summed
from services.audit.settings import AuditOptions, AuditSettings
from services.runtime.kafka_log import KafkaLog, Span

if TYPE_CHECKING:
    from services.audit.kept import HistoryAudit

Told = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much
Names = dict[int, "array[int]"]  # by partition, the keys of who has a profile
POLL_S = 0.1


def quiet(_what: str, _done: int, _of: int) -> None:
    """Tell nobody how far it is."""


def audit(settings: AuditSettings, options: AuditOptions | None = None, told: Told = quiet) -> Audit:
    """Compare profiles, lists, letters and history with the log as it is now.

    Read only: no group, no commit, no write. Raises BrokerAway, RedisAway, Fatal (a topic that is missing, a partition
    whose Redis is being restored over and over), BadSetting.
    """
    options = options or AuditOptions()
    began = time.monotonic()
    findings = Findings(options.examples, options.show_ids)
    with KafkaLog(settings.kafka) as log, RedisStored(settings.redis) as stored:
        left = wait(log, stored, options, told) if options.wait_s else 0
        names = _names(stored, told)
        lists = ListAudit(log, stored, findings) if options.lists else None
        letters = LetterAudit(log, findings) if options.letters else None
        history = _history(settings, options, findings)
        partitions = []
        for audited in _profiles(Ports(log, stored, settings.taste, findings), names, options, told):
            partitions.append(audited.partition)
            if lists:
                lists.partition(audited.partition.partition, audited.versions)
            if letters:
                letters.partition(audited.partition, audited.folding)
            if history:
                history.partition(audited.partition, audited.folding.admitted)
        partitions += _strangers(names, findings)
        told("reading what is left", 0, 0)
        return Audit(
            partitions,
            summed(partitions),
            lists.settle(options.grace_s) if lists else None,
            letters.settle() if letters else None,
            history.settle() if history else None,
            findings.examples,
            time.monotonic() - began,
            left,
        )


def wait(log: KafkaLog, stored: RedisStored, options: AuditOptions, told: Told = quiet) -> int:
    """Until the cursors are at the end of the log, or `wait_s` is over; how many offsets are still to be folded."""
    until = time.monotonic() + options.wait_s
    while True:
        left = lag(log, stored, options.ends)
        if not left or time.monotonic() >= until:
            return left
        told("waiting for the profiler", 0, left)
        time.sleep(POLL_S)


def lag(log: KafkaLog, stored: RedisStored, ends: Mapping[int, int]) -> int:
    """Offsets between the cursors and the end of the log, or `ends` where given."""
    left = 0
    for number, span in log.spans(LISTENS.name).items():
        left += max(0, ends.get(number, span.end) - 1 - max(stored.cursor(number), span.first - 1))
    return left


def _names(stored: RedisStored, told: Told) -> Names:
    told("listing profiles", 0, 0)
    return stored.listeners()


def _profiles(ports: Ports, names: Names, options: AuditOptions, told: Told) -> Iterator[Audited]:
    """Each partition in turn; its names are taken out of `names`."""
    spans = ports.log.spans(LISTENS.name)
    progress = _Progress(told, spans)
    for number in spans:
        mine = names.pop(number, array("q"))
        yield audit_partition(ports, number, mine, options.ends.get(number), progress.read)


def _strangers(names: Names, findings: Findings) -> Iterator[Partition]:
    """Profiles of partitions that the topic does not have."""
    for number, left in names.items():
        extra = len(set(left))
        findings.add("extra", number, -1, f"{extra} profiles of a partition that {LISTENS.name} does not have")
        yield Partition(number, extra=extra)


def _history(settings: AuditSettings, options: AuditOptions, findings: Findings) -> "HistoryAudit | None":
    if options.history is None:
        return None
    from services.audit.kept import HistoryAudit  # polars is heavy, and only a trainer's machine has a history

    return HistoryAudit(options.history, settings.kafka, findings)


class _Progress:
    def __init__(self, told: Told, spans: Mapping[int, Span]) -> None:
        self._told, self._of, self._done = told, sum(span.end - span.first for span in spans.values()), 0

    def read(self, records: int) -> None:
        self._done += records
        self._told("reading the log", self._done, self._of)
