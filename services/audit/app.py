"""The audit: everything that Segue promises about its state, looked at from outside and at rest or under load.

`audit` is what `segue audit` runs and what a test of faults calls. It only reads.
"""

import time
from array import array
from collections.abc import Callable, Mapping

from schemas.topics import LISTENS
from services.audit.findings import Findings
from services.audit.kafka_log import KafkaLog, Span
from services.audit.profiles import Ports, audit_partition
from services.audit.redis_stored import RedisStored
from services.audit.result import Audit, Partition, summed
from services.audit.settings import AuditOptions, AuditSettings

Told = Callable[[str, int, int], None]  # what is being done, how much of it is done, of how much
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
        wait(log, stored, options, told)
        partitions = _profiles(log, stored, settings, options, findings, told)
    return Audit(
        partitions,
        summed(partitions),
        examples=findings.examples,
        seconds=time.monotonic() - began,
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


def _profiles(
    log: KafkaLog, stored: RedisStored, settings: AuditSettings, options: AuditOptions, findings: Findings, told: Told
) -> list[Partition]:
    told("listing profiles", 0, 0)
    names = stored.listeners()
    spans = log.spans(LISTENS.name)
    ports = Ports(log, stored, settings.taste, findings)
    progress = _Progress(told, spans)
    found = []
    for number in spans:
        audited = audit_partition(ports, number, names.pop(number, array("q")), options.ends.get(number), progress.read)
        found.append(audited.partition)
    for number, left in names.items():  # profiles of partitions that the topic does not have
        found.append(Partition(number, extra=len(set(left))))
        findings.add("extra", number, -1, f"{len(set(left))} profiles of a partition that {LISTENS.name} does not have")
    return found


class _Progress:
    def __init__(self, told: Told, spans: Mapping[int, Span]) -> None:
        self._told, self._of, self._done = told, sum(span.end - span.first for span in spans.values()), 0

    def read(self, records: int) -> None:
        self._done += records
        self._told("reading the log", self._done, self._of)
