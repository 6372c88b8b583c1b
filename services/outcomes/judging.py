"""Was it in the list? One listen held against one list. Pure: no clock, no broker."""

from typing import Literal

from models.ids import cached_key_of
from models.taste import TasteSettings, is_positive
from schemas.events import Listen
from schemas.outcome import Outcome
from services.outcomes.standing import Kept, Standing

Chosen = Literal["listener", "list", "other"] | None
Passed = Literal["mark", "late", "no_list"]  # why a listen makes no outcome

MINUTE_MS = 60_000


class Judge:
    """Judges listens by the lists in `standing`."""

    def __init__(self, standing: Standing, taste: TasteSettings, late_minutes: float) -> None:
        self._standing, self._taste = standing, taste
        self._late_ms = late_minutes * MINUTE_MS

    def judge(self, listen: Listen, partition: int, offset: int, appended_ms: int) -> Outcome | Passed:
        """What came of the list that stood for this listener, or why nothing can be said.

        `mark`: a love or ban plays nothing. `late`: it happened long before it came (an import), when the list that
        stands now was not there. `no_list`: the listener had none, or it is not remembered.
        """
        if listen.kind not in ("play", "skip"):
            return "mark"
        if appended_ms - listen.listened_at > self._late_ms:
            return "late"
        kept = self._standing.before(partition, listen.user_id, offset, appended_ms)
        if kept is None:
            return "no_list"
        place = _place(kept, listen.track_id)
        return Outcome(
            event_id=listen.event_id,
            user_id=listen.user_id,
            track_id=listen.track_id,
            kind="play" if is_positive(listen, self._taste) else "skip",
            chosen=_chosen(listen),
            listened_at=listen.listened_at,
            at=appended_ms,
            list_id=kept.list_id,
            release_id=kept.release_id,
            variant=kept.variant,
            length=len(kept.tracks),
            rank=None if place is None else place + 1,
            source=None if place is None else self._standing.sources[kept.sources[place]],
        )


def _chosen(listen: Listen) -> Chosen:
    if listen.list_id is not None:
        return "list"
    if listen.organic is None:
        return None
    return "listener" if listen.organic else "other"


def _place(kept: Kept, track_id: str) -> int | None:
    try:
        return kept.tracks.index(cached_key_of(track_id))
    except ValueError:
        return None
