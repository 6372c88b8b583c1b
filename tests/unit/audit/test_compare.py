"""Names for differences: never "lost" or "doubled" for a profile that is merely damaged."""

from random import Random

import pytest

from models.profile import Profile
from models.taste import TasteSettings
from services.audit.compare import EQUAL, by_counts, judge
from services.audit.explain import explain, folded
from tests.unit.audit.worlds import TASTE, listen

EVENTS = [(n, listen(n, "u", Random(n))) for n in range(60)]


def fold_of(offsets: list[int], taste: TasteSettings = TASTE) -> Profile:
    return folded([EVENTS[n] for n in offsets], taste)


ALL = [at for at in range(60) if EVENTS[at][1].event_id == f"eu-{at}"]  # those that are no repeats
WHOLE = fold_of(ALL)


def test_equal_bytes_are_equal() -> None:
    assert judge(WHOLE, WHOLE.encode(), 59, TASTE, truncated=False) is EQUAL


def test_every_flipped_bit_is_a_difference_and_none_is_called_lost_or_doubled() -> None:
    data = WHOLE.encode()
    for at in range(len(data)):
        for bit in (1, 16, 128):
            damaged = bytearray(data)
            damaged[at] ^= bit
            verdict = judge(WHOLE, bytes(damaged), 59, TASTE, truncated=False)
            assert verdict.other or verdict.unreadable, at
            assert (verdict.lost, verdict.doubled) == (0, 0), at
            if verdict.other and verdict.explicable and at % 20 == 0:
                assert explain([EVENTS[n] for n in ALL], bytes(damaged), TASTE) is None, at


@pytest.mark.parametrize("left", [1, 2, 7])
def test_a_profile_of_an_earlier_moment_lacks_the_newest(left: int) -> None:
    stored = fold_of(ALL[:-left])
    verdict = judge(WHOLE, stored.encode(), 59, TASTE, truncated=False)
    assert (verdict.lost >= 1, verdict.doubled, verdict.other) == (True, 0, False)
    explained = explain(EVENTS, stored.encode(), TASTE)
    assert explained is not None
    assert (explained.lost, explained.doubled) == (ALL[-left:], [])


@pytest.mark.parametrize("run", [range(3), range(10, 14), range(30, 31), range(20, 50)])
def test_runs_that_are_missing_or_doubled_are_named(run: range) -> None:
    chosen = [ALL[at] for at in run if at < len(ALL)]
    missing = fold_of([n for n in ALL if n not in chosen])
    explained = explain(EVENTS, missing.encode(), TASTE)
    assert explained is not None
    assert explained.lost == chosen
    at = ALL.index(chosen[-1]) + 1
    doubled = fold_of([*ALL[:at], *chosen, *ALL[at:]])
    verdict = by_counts(WHOLE, doubled, TASTE)
    explained = explain(EVENTS, doubled.encode(), TASTE)
    assert verdict.doubled > 0
    assert verdict.lost == 0
    if all(EVENTS[n][1].kind in ("play", "skip") for n in chosen):
        assert explained is not None
        assert explained.doubled == chosen


def test_lost_and_doubled_at_once_are_told_apart_by_track() -> None:
    plays = [n for n in ALL if EVENTS[n][1].kind == "play"]
    gone, twice = next((a, b) for a in plays for b in plays if EVENTS[a][1].track_id != EVENTS[b][1].track_id)
    stored = fold_of([n for n in [*ALL, twice] if n != gone])
    verdict = by_counts(WHOLE, stored, TASTE)
    assert (verdict.lost, verdict.doubled, verdict.other) == (1, 1, False)


def test_without_a_window_counts_tell() -> None:
    taste = TasteSettings(max_event_ids=0)
    whole = fold_of(ALL, taste)
    plays = [n for n in ALL if EVENTS[n][1].kind == "play"]
    verdict = judge(whole, fold_of([*ALL, plays[0]], taste).encode(), 59, taste, truncated=False)
    assert (verdict.lost, verdict.doubled, verdict.other) == (0, 1, False)
    verdict = judge(whole, fold_of([n for n in ALL if n != plays[0]], taste).encode(), 59, taste, truncated=False)
    assert (verdict.lost, verdict.doubled, verdict.other) == (1, 0, False)


def test_a_profile_beyond_its_cursor_is_neither() -> None:
    verdict = judge(fold_of(ALL[:-2]), WHOLE.encode(), ALL[-3], TASTE, truncated=False)
    assert (verdict.lost, verdict.doubled, verdict.other) == (0, 0, True)
    assert "beyond the cursor" in verdict.says
