"""What was met stays met, however much was heard since."""

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from models.ids import SHORT, key_of
from models.met import BYTES, note, note_many
from models.profile import SEGMENT, Profile, ProfileView
from models.sources.base import BEGUN, KNOWN, UNSEEN
from models.sources.noted import is_noted
from models.taste import TasteSettings, fold
from tests.unit.models.listeners import batch, read, thirty
from tests.unit.scorer.worlds import NOON, listen


def noted(flags: NDArray[np.uint8], keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    return np.array([is_noted(flags, key) for key in keys])


FIVE = TasteSettings(max_tracks=5, max_recent=5, max_past=0)


@pytest.mark.parametrize(("many", "wrong"), [(3_000, 0.004), (10_000, 0.06)])
def test_nothing_that_was_noted_is_new_and_little_that_is_new_was_noted(many: int, wrong: float) -> None:
    keys = np.array([key_of(f"t{number}") for number in range(2 * many)], dtype=np.int64)
    met = bytearray()
    for part in np.split(keys[:many], 10):
        note(met, (part >> SHORT).tolist())
    assert len(met) == BYTES
    found = noted(np.frombuffer(met, np.uint8), keys)
    assert found[:many].all()
    assert 0 < found[many:].mean() < wrong


def test_many_at_once_are_noted_as_one_by_one() -> None:
    one, many = bytearray(), bytearray()
    for part in range(3):
        keys = np.array([key_of(f"t{part}-{number}") >> SHORT for number in range(500)], dtype=np.int64)
        note(one, keys.tolist())
        note_many(many, keys)
        assert one == many
    assert len(many) == BYTES


def heard(tracks: range, taste: TasteSettings) -> Profile:
    profile = Profile()
    for offset, track in enumerate(tracks):
        fold(profile, listen(f"t{track}", NOON + 60 * offset), offset, taste)
    return profile


def test_a_track_that_a_profile_no_longer_lists_is_not_new_again() -> None:
    shelf, profile = thirty(), heard(range(20), FIVE)
    whole, without = Profile.decode(profile.encode()), Profile.decode(profile.encode())
    without.met = bytearray()  # as it would be without notes
    listeners = read(shelf, *(ProfileView(each.encode()) for each in (whole, without)))
    asked, rows = batch(shelf, listeners), np.array([0, 19, 25])
    assert asked.kinds(0, rows).tolist() == [BEGUN, KNOWN, UNSEEN]
    assert asked.kinds(1, rows).tolist() == [UNSEEN, KNOWN, UNSEEN]
    assert asked.unheard.keeps(0, rows).tolist() == [False, False, True]
    assert asked.unheard.keeps(1, rows).tolist() == [True, False, True]


def test_what_is_sealed_is_noted_once_and_for_all() -> None:
    taste = TasteSettings(max_recent=10, max_past=SEGMENT)  # of three segments two are forgotten
    profile = heard(range(10 + 3 * SEGMENT), taste)
    view = ProfileView(profile.encode())
    assert len(view.past) == SEGMENT
    gone = np.array([key_of(f"t{track}") for track in range(3 * SEGMENT)], dtype=np.int64)
    assert noted(view.met, gone).all()
    assert not noted(view.met, view.recent[-10:]).any()
    assert Profile.decode(profile.encode()).encode() == profile.encode()


def test_notes_begin_when_something_leaves_the_newest_plays() -> None:
    few, many = heard(range(5), FIVE), heard(range(6), FIVE)
    assert not len(few.view().met)
    assert len(many.head()) > len(few.head()) + BYTES
    later = Profile.decode(few.encode())
    fold(later, listen("t5", NOON + 300), 5, FIVE)
    assert later.encode() == many.encode()


def test_who_wants_small_profiles_has_no_notes() -> None:
    profile = heard(range(20), replace(FIVE, note_met=False))
    assert not profile.met
    assert not len(profile.view().met)
