"""Many profiles' bytes read at once: all listeners' columns one after the other, in one pass of numpy over them."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Generic, TypeVar, cast

import numpy as np

from models.layout import BadProfile, Head, ProfileBytes
from models.plays import TICK_BITS, WORD, Column, Columns, Numbers, long_gaps, split
from models.tastes import STEP_BITS, keys_of

Of = TypeVar("Of", bound=Head)
_NONE: Numbers = np.empty(0, np.int64)


class Latest(Generic[Of]):
    """The latest plays and skips of some profiles.

    `track_starts` and `play_starts` say where each profile's tracks and plays begin, and, last, where they end. Oldest
    first: `places` among all tracks, `times` (s, to a tick), `skipped`; of each track `told`: when it stands there last
    (s, to a tick; 0: nowhere). They raise BadProfile where the plays of a profile are not sound.
    """

    def __init__(self, profiles: Sequence[Of]) -> None:
        self._profiles = profiles
        self._shapes = [profile.shape for profile in profiles]
        self.track_starts = _starts([profile.track_count for profile in profiles])
        self.play_starts = _starts([shape.plays for shape in self._shapes])

    @cached_property
    def _latest(self) -> tuple[Numbers, Numbers, Numbers]:
        """(places, ticks, skipped)."""
        if not self._profiles:
            return _NONE, _NONE, _NONE
        if len(self._profiles) == 1:  # the same, sooner
            [only] = self._profiles
            return only.latest()
        counts = np.diff(self.play_starts)
        if known := _known(self._profiles):
            places, ticks, skipped = map(np.concatenate, zip(*known, strict=True))
            return places + np.repeat(self.track_starts[:-1], counts), ticks, skipped
        return self._unpacked(counts)

    def _unpacked(self, counts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The same, from bytes; each profile keeps its own."""
        widths, place_bits, gap_bits, mixed, firsts, sizes = np.array(
            [(s.width, s.place_bits, s.gap_bits, s.mixed, s.first, s.bytes) for s in self._shapes], np.int64
        ).T
        data = b"".join(
            p.data[p.plays_at : p.plays_at + s.bytes] for p, s in zip(self._profiles, self._shapes, strict=True)
        )
        words: Numbers = np.ndarray((len(data) + 1,), "<i8", data + bytes(WORD), 0, (1,))
        of = np.repeat(np.arange(len(counts)), counts)
        nth = np.arange(len(of)) - self.play_starts[of]
        at = nth * widths[of] + 8 * (np.cumsum(sizes) - sizes)[of]
        plays = words[at >> 3] >> (at & 7)
        gap_bits = gap_bits[of]
        places, gaps = split(plays, place_bits[of], gap_bits)
        far = np.flatnonzero(gaps == (1 << gap_bits) - 1)
        gaps[far] = self._long_gaps(of[far])
        begins = self.play_starts[:-1][counts > 0]
        ticks = np.cumsum(gaps)
        ticks += (firsts[counts > 0] - ticks[begins])[np.cumsum(counts > 0)[of] - 1]
        self._refuse_unsound(of, places, gaps[begins], ticks[self.play_starts[1:][counts > 0] - 1])
        skipped = plays >> (widths[of] - 1) & mixed[of]
        for profile, begin, end in zip(
            self._profiles, self.play_starts.tolist(), self.play_starts[1:].tolist(), strict=False
        ):
            profile.unpacked = Columns(places[begin:end], ticks[begin:end], skipped[begin:end])
        return places + self.track_starts[of], ticks, skipped

    def _long_gaps(self, of: Numbers) -> Numbers:
        """Those of all profiles; `of`: of which profile each must be."""
        try:
            long = [long_gaps(shape.gaps) if len(shape.gaps) else shape.gaps for shape in self._shapes]
        except ValueError as error:
            raise BadProfile(f"among these profiles is one whose latest plays cannot be read: {error}") from error
        if np.bincount(of, minlength=len(long)).tolist() != [len(each) for each in long]:
            raise BadProfile("among these profiles is one whose latest plays cannot be read: its gaps are others")
        return np.concatenate(long)

    def _refuse_unsound(self, of: Numbers, places: Numbers, firsts: Numbers, lasts: Numbers) -> None:
        """As ProfileBytes.latest. `firsts`: the gaps before the oldest plays; `lasts`: ticks of the newest."""
        newest = [p.newest >> TICK_BITS for p, s in zip(self._profiles, self._shapes, strict=True) if s.plays]
        if (places >= np.diff(self.track_starts)[of]).any() or firsts.any() or (lasts > newest).any():
            raise BadProfile("among these profiles is one with a play of no track of its own, or after its newest")

    @property
    def newest_ticks(self) -> Numbers:
        """When each profile's newest play was; 0 where there is none."""
        found = np.zeros(len(self._profiles), np.int64)
        some = np.diff(self.play_starts) > 0
        found[some] = self._latest[1][self.play_starts[1:][some] - 1]
        return found

    @property
    def places(self) -> Numbers:
        """See the class."""
        return self._latest[0]

    @cached_property
    def times(self) -> Numbers:
        """See the class."""
        return self._latest[1] << TICK_BITS

    @property
    def skipped(self) -> Numbers:
        """See the class."""
        return self._latest[2]

    @cached_property
    def told(self) -> Numbers:
        """See the class."""
        lasts = np.zeros(self.track_starts[-1], np.int64)
        lasts[self.places] = self.times  # each profile's plays are in order: the newest of a track is written last
        return lasts


class Flat(Latest[ProfileBytes]):
    """The tracks of some profiles besides.

    `keys` (short), `weights` as of `steps` (s), `lasts` (s, to a tick where it is among the latest plays, else to its
    step), `plays`, `skips`. All but `keys` and `weights` raise BadProfile where the plays of a profile are not sound.
    """

    @cached_property
    def keys(self) -> Numbers:
        """See the class."""
        return keys_of(self._of(lambda each: each.tops), self._of(lambda each: each.tails))

    @cached_property
    def weights(self) -> Numbers:
        """See the class."""
        return self._of(lambda each: each.weights)

    @cached_property
    def steps(self) -> Numbers:
        """See the class."""
        return self._where_counted(self.told >> STEP_BITS, lambda each: each.last_steps) << STEP_BITS

    @cached_property
    def lasts(self) -> Numbers:
        """See the class."""
        steps = self._where_counted(np.zeros_like(self.told), lambda each: each.last_steps)
        lasts: Numbers = np.maximum(self.told, steps << STEP_BITS)
        return lasts

    @cached_property
    def skips(self) -> Numbers:
        """See the class."""
        told = np.bincount(self.places[self.skipped == 1], minlength=len(self.weights))
        return self._where_counted(told, lambda each: each.track_counts[1])

    @cached_property
    def plays(self) -> Numbers:
        """See the class."""
        told = np.bincount(self.places[self.skipped == 0], minlength=len(self.weights))
        return self._where_counted(told, lambda each: each.track_counts[0])

    def _of(self, column: Callable[[ProfileBytes], Column]) -> Numbers:
        return np.concatenate([column(profile) for profile in self._profiles])

    def _where_counted(self, told: Numbers, column: Callable[[ProfileBytes], Column]) -> Numbers:
        """`told`, but of profiles that are not whole what they say themselves."""
        for profile, start in zip(self._profiles, self.track_starts.tolist(), strict=False):
            if not profile.whole:
                told[start : start + len(profile.weights)] = column(profile)
        return told


def _starts(counts: list[int]) -> Numbers:
    return np.cumsum([0, *counts])


def _known(profiles: Sequence[Head]) -> list[Columns]:
    """What is unpacked already; nothing if one of them is not."""
    known = [profile.unpacked for profile in profiles]
    return [] if None in known else cast("list[Columns]", known)


def readable(profiles: Sequence[Head]) -> list[BadProfile | None]:
    """What is wrong with the latest plays of each, None where nothing is; the rest was looked at before."""
    try:
        Latest(profiles).places  # noqa: B018  # the look is what is asked for
    except BadProfile:
        return [_trouble(profile) for profile in profiles]
    return [None] * len(profiles)


def _trouble(profile: Head) -> BadProfile | None:
    try:
        profile.latest()
    except BadProfile as error:
        return error
    return None
