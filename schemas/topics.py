"""The map of the topics: read this first. `segue topics apply` creates what it says."""

from typing import Any, Literal

from msgspec import Struct, field

from schemas.events import Listen
from schemas.outcome import Outcome
from schemas.profile import ProfileChanged
from schemas.recommendation import Recommendations
from schemas.release import ReleaseAnnounced
from schemas.track import Track

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Topic(Struct, frozen=True):
    """One topic: what is on it, how it is split, how long it is kept."""

    name: str
    value: type[Any] | None  # None: raw bytes
    key: str
    partitions: int
    policy: Literal["delete", "compact"]
    about: str
    retention_ms: int | None = None  # None: for ever
    config: dict[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        """The broker's topic configuration."""
        kept = {} if self.policy == "compact" else {"retention.ms": str(self.retention_ms or -1)}
        return {"cleanup.policy": self.policy, **kept, **self.config}


# `listens`, `profiles` and `recommendations` are split alike: one listener is on the same partition of each.
LISTENER_PARTITIONS = 8

LISTENS = Topic(
    "listens",
    Listen,
    "user_id",
    LISTENER_PARTITIONS,
    "delete",
    "What listeners did: the source of truth. Profiles can be rebuilt from it, so it is kept for ever by default.",
    # The broker's clock, not the producer's: whether a time is "in the future" must not depend on when it is replayed.
    config={"message.timestamp.type": "LogAppendTime"},
)
TRACKS = Topic("tracks", Track, "track_id", 4, "compact", "What there is to play; the newest value wins.")
PROFILES = Topic(
    "profiles",
    ProfileChanged,
    "user_id",
    LISTENER_PARTITIONS,
    "delete",
    "Notices that a profile in Redis changed.",
    retention_ms=DAY_MS,
)
RECOMMENDATIONS = Topic(
    "recommendations",
    Recommendations,
    "user_id",
    LISTENER_PARTITIONS,
    "compact",
    "The newest list of each listener.",
)
RELEASES = Topic("releases", ReleaseAnnounced, '"current"', 1, "compact", "Which release is in force.")
DEAD = Topic(
    "listens.dead",
    None,
    "as it came",
    1,
    "delete",
    "Messages of `listens` that could not be taken in, bytes untouched; the headers say why.",
    retention_ms=90 * DAY_MS,
)

OUTCOMES = Topic(
    "outcomes",
    Outcome,
    "user_id",
    LISTENER_PARTITIONS,
    "delete",
    "What listeners went on to play, held against the list that stood for them: hits and misses.",
    retention_ms=90 * DAY_MS,
)

TOPICS = (LISTENS, TRACKS, PROFILES, RECOMMENDATIONS, RELEASES, DEAD, OUTCOMES)
