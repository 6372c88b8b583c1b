"""The lists against the profiles: has everybody the list of their newest profile?

`recommendations` is read whole, one partition after the other, after that partition's profiles. A list may be under way
while it is looked for, and profiles go on moving, so nobody is asked for more than the version his profile had when it
was read: whoever has no list of that version or a newer one is asked for again, the topic being read on, until
`grace_s` is over. So a scorer that keeps up leaves nobody stale however busy it is. Likewise a list that is beyond the
profile as it was read is held against the profile as it is then: only what Redis has not reached even now is `beyond`.
"""

import time
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import NamedTuple

from models.profile import BadProfile, ProfileView
from schemas.codec import decode, encode
from schemas.errors import Poison
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced
from schemas.topics import RECOMMENDATIONS, RELEASES
from services.audit.findings import Findings
from services.audit.redis_stored import RedisStored
from services.audit.result import Lists
from services.runtime.kafka_log import KafkaLog, Record

CURRENT = b"current"
POLL_S = 0.1
Wanted = dict[tuple[int, str], int]  # partition and listener -> the version that is wanted


class Standing(NamedTuple):
    """One listener's lists."""

    newest: int  # the highest version of all
    last: int  # that of the last one on the topic, which compaction keeps


class ListAudit:
    """Takes partitions one after the other, then `settle`s who is still waiting."""

    def __init__(self, log: KafkaLog, stored: RedisStored, findings: Findings) -> None:
        self._log, self._stored, self._findings = log, stored, findings
        self.found = Lists(release=_release(log))
        self._late: Wanted = {}
        self._early: Wanted = {}
        self._standing: dict[tuple[int, str], Standing] = {}  # of those who are late
        self._at: dict[int, int] = {}

    def partition(self, number: int, versions: Mapping[str, int]) -> None:
        """Compare the lists of one partition with the versions of its profiles, as they were read."""
        if not self.found.release:
            return
        standing = self._read_whole(number)
        self.found.checked += len(versions)
        for user, version in versions.items():
            has = standing.get(user)
            if has is None or has.last < version:
                self._late[number, user] = version
                if has is not None:
                    self._standing[number, user] = has
        for user, has in standing.items():
            if has.newest > versions.get(user, -1):
                self._early[number, user] = has.newest

    def settle(self, grace_s: float) -> Lists:
        """Wait for who is late; the result."""
        until = time.monotonic() + grace_s
        self._catch_up()
        while self._late and time.monotonic() < until:
            time.sleep(POLL_S)
            self._catch_up()
        for (number, user), version in self._late.items():
            self._judge_late(number, user, version)
        for number in {number for number, _ in self._early}:
            self._judge_early(number, {user: v for (n, user), v in self._early.items() if n == number})
        self.found.fresh = self.found.checked - self.found.stale - self.found.overtaken
        return self.found

    def _read_whole(self, number: int) -> dict[str, Standing]:
        """Whoever has a list; a tombstone takes it away."""
        standing: dict[str, Standing] = {}
        contents: dict[tuple[str, str], bytes] = {}
        span = self._log.span(RECOMMENDATIONS.name, number)
        self._at[number] = span.end
        for records in self._log.read(RECOMMENDATIONS.name, number, span.first, span.end):
            for user, made in self._decoded(number, records):
                if made is None:
                    standing.pop(user, None)
                    continue
                standing[user] = _after(standing.get(user), made.profile_version)
                digest = blake2b(encode(made.items), digest_size=8).digest()
                if contents.setdefault((user, made.list_id), digest) != digest:
                    self.found.contradicting += 1
                    says = f"list {made.list_id} came twice, with different items"
                    self._findings.add("contradicting", number, made.profile_version, says, user)
        return standing

    def _decoded(self, number: int, records: Iterable[Record]) -> Iterable[tuple[str, Recommendations | None]]:
        for record in records:
            try:
                user = (record.key or b"").decode()
                if record.value is None:
                    yield user, None
                    continue
                made = decode(Recommendations, record.value)
                if made.user_id != user or made.partition != number:
                    raise Poison("bad-key", "it stands under another key or on another partition than it says")
            except (Poison, UnicodeDecodeError) as error:
                self.found.unreadable += 1
                says = f"offset {record.offset} of {RECOMMENDATIONS.name} is no list: {error}"
                self._findings.add("unreadable list", number, -1, says)
            else:
                yield user, made

    def _catch_up(self) -> None:
        """Read on where anybody is late."""
        for number in {number for number, _ in self._late}:
            end = self._log.span(RECOMMENDATIONS.name, number).end
            for records in self._log.read(RECOMMENDATIONS.name, number, self._at[number], end):
                for user, made in self._decoded(number, records):
                    self._came(number, user, made)
            self._at[number] = max(end, self._at[number])

    def _came(self, number: int, user: str, made: Recommendations | None) -> None:
        wanted = self._late.get((number, user))
        if wanted is None or made is None:
            return
        has = self._standing[number, user] = _after(self._standing.get((number, user)), made.profile_version)
        if has.last >= wanted:
            del self._late[number, user]

    def _judge_late(self, number: int, user: str, version: int) -> None:
        has = self._standing.get((number, user))
        if has is not None and has.newest >= version:
            self.found.overtaken += 1
            says = f"a list of version {has.last} came after one of version {has.newest}, and stands"
            self._findings.add("overtaken", number, version, says, user)
            return
        self.found.stale += 1
        self.found.without += has is None
        says = "there is no list" if has is None else f"the newest list is of version {has.newest}"
        self._findings.add("stale", number, version, f"the profile is at version {version}, {says}", user)

    def _judge_early(self, number: int, newest: Mapping[str, int]) -> None:
        users = list(newest)
        for user, data in zip(users, self._stored.snapshot(number, users).profiles, strict=True):
            if data is None:
                self.found.orphans += 1
                says = "a list of a listener who has no profile"
                self._findings.add("orphan", number, newest[user], says, user)
            elif (version := _version(data)) is not None and version < newest[user]:
                self.found.beyond += 1
                says = f"a list of version {newest[user]}, the profile is at {version}"
                self._findings.add("beyond", number, newest[user], says, user)


def _after(has: Standing | None, version: int) -> Standing:
    return Standing(version if has is None else max(has.newest, version), version)


def _version(data: bytes) -> int | None:
    try:
        return int(ProfileView(data).version)
    except BadProfile:
        return None  # told already


def _release(log: KafkaLog) -> str:
    """The release in force, empty when none was announced."""
    found = ""
    span = log.span(RELEASES.name, 0)
    for records in log.read(RELEASES.name, 0, span.first, span.end):
        for record in records:
            if record.key == CURRENT and record.value is not None:
                try:
                    found = decode(ReleaseAnnounced, record.value).release_id
                except Poison:
                    continue  # the scorer passes over it too
    return found
