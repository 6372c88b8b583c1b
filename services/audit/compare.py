"""One stored profile against the one that the log gives: what is lost, what is doubled, what is neither.

Bytes only say *that* two profiles differ. What differs is read from what only ever grows by folding:

- counts: plays and skips, in all and by track (while no track was forgotten yet). Smaller: listens are lost; larger:
  listens are counted twice. Both can be true of one profile, of different tracks,
- event ids: of a profile that stands at an earlier version, or has counts that are too small, those that should be
  among the recent ones and are not are lost; one that is there twice was counted twice,
- the version: what stands at an earlier one is told so.

These are believed only of a profile that agrees with itself (plays = sum of the hours = sum of the tracks, every id is
of the log or older than the window): a flipped bit in a count is not a doubled listen. A profile that differs in
nothing of this, or disagrees with itself, is `other`. The numbers are the least that explain what is seen.
services.audit.explain then tries to name the very offsets, and what it proves replaces this.
"""

from typing import NamedTuple

from models.profile import BadProfile, Profile
from models.taste import TasteSettings

HALVED = 32_768  # models.profile halves the hours when one outgrows 16 bits
SATURATED = 65_535  # a track's counts stop there


class Verdict(NamedTuple):
    """What is to be said of one profile; all zero and no words: it is what the log gives."""

    lost: int = 0  # at least so many listens
    doubled: int = 0
    other: bool = False
    unreadable: bool = False
    unauditable: bool = False
    says: str = ""
    explicable: bool = True  # some choice of listens might give these bytes

    @property
    def differs(self) -> bool:
        """Whether the profile is known to be wrong."""
        return bool(self.lost or self.doubled or self.other)


EQUAL = Verdict()


def judge(expected: Profile, stored: bytes | None, cursor: int, taste: TasteSettings, truncated: bool) -> Verdict:
    """Compare; `cursor` is that of the moment when `stored` was read, `expected` is folded up to it.

    `truncated`: the log no longer has its first offsets, so `expected` is only what the rest of it gives.
    """
    if stored is None:
        return Verdict(lost=max(1, expected.plays + expected.skips), says="there is no profile in Redis")
    if stored == expected.encode():
        return EQUAL
    try:
        found = Profile.decode(stored)
    except BadProfile as error:
        return Verdict(unreadable=True, says=str(error))
    if found.version > cursor:
        return Verdict(
            other=True,
            explicable=False,
            says=f"its version {found.version} is beyond the cursor, which is at {cursor}: "
            "the listens between will be folded again",
        )
    if not _agrees_with_itself(found, taste):
        says = "it disagrees with itself: damaged, or folded with other settings"
        return Verdict(other=True, says=says, explicable=False)
    if truncated:
        return _of_the_rest(expected, found, taste)
    if _of_another(expected, found, taste):
        says = "it remembers an event or a track that its listener's log does not have"
        return Verdict(other=True, says=says, explicable=False)
    return by_counts(expected, found, taste)


def by_counts(expected: Profile, found: Profile, taste: TasteSettings) -> Verdict:
    """What version, counts and event ids say."""
    absent = sum(event not in found.seen for event in expected.events)
    twice = len(found.events) - len(found.seen)
    less, more = _by_track(expected, found, taste)
    all_in_all = (found.plays + found.skips) - (expected.plays + expected.skips)
    lost = max(less, -all_in_all, 0)
    # A version or an id alone is no proof: with all else right it may as well be damaged.
    if lost or found.version < expected.version:
        lost = max(lost, absent)
    doubled = max(twice, more, all_in_all)
    if not lost and not doubled:
        return Verdict(other=True, says="the same listens, and other bytes: damaged, or folded with other settings")
    told = []
    if found.version < expected.version:
        told.append(f"it stands at version {found.version}, not {expected.version}")
    if lost:
        told.append(f"lacks at least {lost} listens")
    if doubled:
        told.append(f"counts at least {doubled} twice")
    return Verdict(lost=lost, doubled=doubled, says=", ".join(told))


def _of_the_rest(expected: Profile, found: Profile, taste: TasteSettings) -> Verdict:
    """Of a listener who may have begun before what the log still has: only what is certain is said.

    Certain but for one thing: an event whose first copy is gone from the log, sent again within the window and pushed
    out of it since, looks lost.
    """
    absent = sum(event not in found.seen for event in expected.events)
    less, _ = _by_track(expected, found, taste)
    lost = max(absent, less, (expected.plays + expected.skips) - (found.plays + found.skips))
    if lost > 0:
        return Verdict(lost=lost, says=f"lacks at least {lost} of the listens that the log still has")
    twice = len(found.events) - len(found.seen)
    if twice:
        return Verdict(doubled=twice, says=f"counts at least {twice} listens twice")
    return Verdict(unauditable=True, says="the log no longer has the listens that it began with")


def _by_track(expected: Profile, found: Profile, taste: TasteSettings) -> tuple[int, int]:
    """Plays and skips that tracks have too few, and too many; nothing once tracks may have been forgotten."""
    if max(len(expected.tracks), len(found.tracks)) >= taste.max_tracks:
        return 0, 0
    less = more = 0
    expected_tracks, found_tracks = expected.by_track(), found.by_track()
    for track in expected_tracks.keys() | found_tracks.keys():
        wanted, got = expected_tracks.get(track), found_tracks.get(track)
        for column in (2, 3):
            difference = (got[column] if got else 0) - (wanted[column] if wanted else 0)
            less, more = less + max(0, -difference), more + max(0, difference)
    return less, more


def _agrees_with_itself(profile: Profile, taste: TasteSettings) -> bool:
    if profile.whole and profile.tracks:  # counts are what the plays say, but each track must have one
        return len(set(profile.view().places.tolist())) == len(profile.tracks)
    if sum(profile.hours) != profile.plays and max(profile.hours) < HALVED:
        return False
    tracks = profile.by_track().values()
    plays, skips = (sum(track[column] for track in tracks) for column in (2, 3))
    if any(track[1] > profile.newest for track in tracks):
        return False
    if len(tracks) < taste.max_tracks and all(max(track[2:]) < SATURATED for track in tracks):
        return (plays, skips) == (profile.plays, profile.skips)
    return plays <= profile.plays and skips <= profile.skips


def _of_another(expected: Profile, found: Profile, taste: TasteSettings) -> bool:
    """Whether it holds a track or an event that the log does not have, as far as that can be seen."""
    if len(expected.tracks) < taste.max_tracks and found.tracks.keys() - expected.tracks.keys():
        return True
    strange = [at for at, event in enumerate(found.events) if event not in expected.seen]
    if len(expected.events) < taste.max_event_ids:
        return bool(strange)
    return strange != list(range(len(strange)))  # where newer ones are missing, older ones are still there, in front
