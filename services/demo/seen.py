"""What was sent live and what came back: counts, lists as they stand, freshness. No I/O, no clock of its own."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from models.taste import TasteSettings, is_positive
from schemas.events import Listen
from schemas.recommendation import Recommendations

TOP = 20  # the hit rate looks at so many
FRESH = 100_000  # the newest so many listens tell the freshness: a run may go on for days
WAITING = 256  # listens of one listener that may wait for their list
TASTE = TasteSettings()

Waiting = deque[tuple[int, float]]  # offset, acknowledged at


@dataclass
class Seen:
    """Tell it what happens as it happens. Times in seconds on one clock (perf_counter)."""

    listens: int = 0  # the broker has them
    tracks: int = 0  # likewise; those that came out meanwhile
    lists: int = 0
    plays: int = 0  # positive ones that were not taken from a list, by a listener who had one
    hits: int = 0  # of those, the track was in the list's first TOP
    from_list: int = 0  # plays and skips of what a list offered
    liked: int = 0  # of those, the positive ones
    answered: int = 0  # listens whose list has come
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=FRESH))  # listen acknowledged to its list read
    newest: dict[str, Recommendations] = field(default_factory=dict)
    recent: deque[Listen] = field(default_factory=lambda: deque(maxlen=2_000))
    first_list: float | None = None
    _waiting: dict[str, Waiting] = field(default_factory=dict)

    def sent(self, listen: Listen) -> None:
        """This listen is on its way. Was it taken from a list, or else in the list that stood before it?"""
        self.recent.append(listen)
        if listen.kind not in ("play", "skip"):
            return
        positive = is_positive(listen, TASTE)
        stood = self.newest.get(listen.user_id)
        if listen.list_id is not None:
            self.from_list += 1
            self.liked += positive
        elif stood is not None and positive:
            self.plays += 1
            self.hits += any(item.track_id == listen.track_id for item in stood.items[:TOP])

    def acknowledged(self, user_id: str, offset: int, now: float) -> None:
        """The broker has a listen of this listener at this offset; one listener's are told in order."""
        self.listens += 1
        stands = self.newest.get(user_id)
        if stands is not None and stands.profile_version >= offset:  # its list was here before the broker's word was
            self._answer(0.0)
        else:
            self._waiting.setdefault(user_id, deque(maxlen=WAITING)).append((offset, now))

    def came(self, made: Recommendations, now: float) -> None:
        """This list was read."""
        self.lists += 1
        self.first_list = self.first_list or now
        self.newest[made.user_id] = made
        waiting = self._waiting.get(made.user_id) or Waiting()
        while waiting and waiting[0][0] <= made.profile_version:
            self._answer(now - waiting.popleft()[1])

    @property
    def unanswered(self) -> int:
        """Listens whose list has not come."""
        return self.listens - self.answered

    def percentiles(self) -> dict[str, float]:
        """p50, p95, p99 of the freshness, in ms; empty before the first list."""
        if not self.latencies:
            return {}
        values = np.percentile(np.array(self.latencies) * 1000, (50, 95, 99)).tolist()
        return {name: round(value, 2) for name, value in zip(("p50", "p95", "p99"), values, strict=True)}

    def hit_rate(self) -> float | None:
        """Share of live plays, not taken from a list, whose track was in the list that stood before them."""
        return round(self.hits / self.plays, 4) if self.plays else None

    def acceptance(self) -> float | None:
        """Share of what was played from a list that was heard long enough to be positive."""
        return round(self.liked / self.from_list, 4) if self.from_list else None

    def _answer(self, latency: float) -> None:
        self.answered += 1
        self.latencies.append(latency)
