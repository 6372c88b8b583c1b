"""Which listens are missing or doubled: the log folded again with a guess, until the bytes are those in Redis.

A guess that gives the very bytes is proof; a search that finds none proves nothing, and the verdict of
services.audit.compare stands. Guesses, in this order, each a run of neighbours among the listener's own events:

1. the newest are missing: the profile stands at an earlier version (a Redis that came back younger),
2. those are missing whose event ids are not among the remembered ones,
3. a run of m is missing, or was folded a second time right after the first (a batch folded twice); m is what the counts
   differ by, else one.
"""

from collections.abc import Iterator, Sequence

from models.ids import key_of
from models.profile import Profile, event_key
from models.taste import TasteSettings, fold
from schemas.events import Listen

Event = tuple[int, Listen]  # offset, listen

MOST_FOLDS = 50_000  # a listener; about half a second


class Explained:
    """Offsets that the profile lacks, and that it counts twice."""

    def __init__(self, lost: Sequence[int] = (), doubled: Sequence[int] = ()) -> None:
        self.lost, self.doubled = list(lost), list(doubled)


def explain(events: Sequence[Event], stored: bytes, taste: TasteSettings) -> Explained | None:
    """The offsets that explain a readable profile which is not the fold of all `events` (in log order); else None."""
    counted = _counted(events, taste)  # a producer's repeat changes nothing wherever it is left out
    found, expected = Profile.decode(stored), folded(counted, taste)
    for lost, doubled in _guesses(counted, found, expected):
        guess = [event for at, event in enumerate(counted) if at not in lost]
        if doubled:
            guess = [*counted[: doubled.stop], *counted[doubled.start : doubled.stop], *counted[doubled.stop :]]
        if folded(guess, taste).encode() == stored:
            return Explained([counted[at][0] for at in lost], [counted[at][0] for at in doubled])
    return None


def folded(events: Sequence[Event], taste: TasteSettings) -> Profile:
    """The fold of just these, an event that is given twice counted twice."""
    profile = Profile()
    for offset, listen in events:
        profile.forget_event(key_of(listen.event_id))  # the guard that is doubted
        fold(profile, listen, offset, taste)
    return profile


def _counted(events: Sequence[Event], taste: TasteSettings) -> list[Event]:
    profile = Profile()
    return [event for event in events if fold(profile, event[1], event[0], taste)]


def _guesses(events: Sequence[Event], found: Profile, expected: Profile) -> Iterator[tuple[range | list[int], range]]:
    """(positions left out, positions folded twice), one of them empty."""
    nothing = range(0)
    count = len(events)
    newest = [at for at in range(count) if events[at][0] > found.version]
    if newest:
        yield newest, nothing
    remembered = set(expected.events)
    keys = [event_key(key_of(listen.event_id)) for _, listen in events]
    absent = [at for at, key in enumerate(keys) if key in remembered and key not in found.seen]
    if absent:
        yield absent, nothing
    difference = (found.plays + found.skips) - (expected.plays + expected.skips)
    length = max(1, abs(difference))
    for number, start in enumerate(range(count - length, -1, -1)):  # faults are mostly recent
        if number * 2 * count > MOST_FOLDS:
            return
        run = range(start, start + length)
        if difference <= 0:
            yield run, nothing
        if difference >= 0:
            yield nothing, run
