"""What the ranker knows of a candidate, feature by feature, against a slow and plain reference."""

from collections import Counter
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ranker.features import FAR, NAMES, NEVER_H, UNRANKED, Features
from models.release import Release
from models.scratch import Scratch
from models.sources.base import NO_ROWS, Batch, Listener
from models.sources.shelf import Shelf
from models.sources.signals import Signals
from tests.unit.scorer.worlds import NOON, Links, make_release

HOUR, DAY = 3_600, 86_400
TITLES = [(f"Song {row}", ("Anna", "Ben", "The Gulls", "")[row % 4]) for row in range(16)]
FACTORS = np.random.default_rng(5).normal(size=(10, 3)).astype(np.float32)  # the last six have none
FOLLOWERS: Links = {0: {1: 0.5, 5: 0.25}, 3: {2: 0.75, 12: 0.1}, 13: {0: 0.3}}
AROUND: Links = {0: {4: 0.5}, 3: {4: 0.25, 15: 0.4}, 7: {1: 0.2}}
LOGGED = {
    "own": 10, "own_pair": 10, "soon": 10, "straight": 10, "around": 10, "alike": 10, "own_place": 1, "around_place": 1,
    "alike_place": 1, "next_place": 1, "then_place": 1, "first_back": 1, "first_age": 1, "every": 1, "size": 1,
    "session_size": 1, "next": 100, "then": 100, "near": 50, "taste": 10, "weight_0.5d": 10, "weight_2d": 10,
    "weight_4d": 10, "weight_14d": 5, "weight_60d": 2, "weight": 5, "plays": 1, "skips": 1, "age": 1, "back": 1,
    "week": 1, "days": 1, "hour": 5, "artist_weight": 1, "artist_weight_2d": 3, "artist_known": 1, "artist_age": 1,
    "artist_rank": 1, "listeners": 1, "recent_listeners": 1, "days_14d": 1, "days_28d": 1, "days_112d": 1,
    "most_a_day": 1, "skips_7d": 1, "skips_28d": 1, "artist_plays_7d": 1, "artist_plays_28d": 1, "artist_tracks_7d": 1,
}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return make_release(tmp_path_factory.mktemp("w") / "r", TITLES, FACTORS, None, FOLLOWERS, AROUND)


Play = tuple[int, int, bool]  # row (−1: unknown), seconds before now, played or skipped


def heard(*plays: Play, banned: int = -1) -> Listener:
    """A listener with these recent plays, oldest first; tracks loved long ago besides: 14, never played."""
    rows = sorted({row for row, _, _ in plays if row >= 0} | {14})
    of = {row: [(ago, played) for other, ago, played in plays if other == row] for row in rows}
    lasts = {row: min((ago for ago, _ in of[row]), default=90 * DAY) for row in rows}
    weights = {row: sum(2 ** (-ago / (14 * DAY)) * (1 if played else -0.5) for ago, played in of[row]) for row in rows}
    return Listener(
        newest=NOON,
        rows=np.array(rows[::-1]),  # in no order
        weights=np.array([0.0 if row == banned else weights[row] or 0.06 for row in rows[::-1]]),
        plays=np.array([sum(played for _, played in of[row]) for row in rows[::-1]]),
        skips=np.array([sum(not played for _, played in of[row]) for row in rows[::-1]]),
        lasts=np.array([NOON - lasts[row] for row in rows[::-1]]),
        recent=np.array([row for row, _, _ in plays], dtype=np.int64),
        recent_times=np.array([NOON - ago for _, ago, _ in plays], dtype=np.int64),
        recent_played=np.array([played for _, _, played in plays], dtype=bool),
    )


EVENING: list[Play] = [
    (3, 40 * DAY, True), (2, 40 * DAY - 200, True), (5, 9 * DAY, True), (-1, 9 * DAY - 60, True), (0, 3 * DAY, True),
    (1, 3 * DAY - 240, True), (7, 3 * DAY - 400, False), (0, DAY + HOUR, True), (5, DAY + HOUR - 200, True),
    (6, 2 * HOUR, False), (3, 900, True), (8, 700, True), (0, 600, True), (7, 300, True), (0, 0, False),
]  # fmt: skip


def made(release: Release, who: Listener, rows: list[int], vector: list[float] | None = None) -> np.ndarray:
    shelf = Shelf(release.catalogue)
    signals = [Signals(who, release.followers, release.neighbours, shelf.scratch)]
    vectors = np.array([vector or [0.5, -1.0, 2.0]], dtype=np.float32)
    batch = Batch(shelf, [who], vectors, signals)
    return Features(release, shelf).of(batch, 0, np.array(rows, dtype=np.int64))


# --- the reference


def slow(release: Release, who: Listener, row: int, vector: list[float]) -> dict[str, float]:
    """Every feature of one candidate, before the logarithm."""
    plays = list(zip(who.recent.tolist(), (NOON - who.recent_times).tolist(), who.recent_played.tolist(), strict=True))
    mine = [(ago, played) for other, ago, played in plays if other == row]
    own = list(zip(*(c.tolist() for c in (who.rows, who.weights, who.plays, who.skips, NOON - who.lasts)), strict=True))
    here = next((each for each in own if each[0] == row), (row, 0.0, 0, 0, NEVER_H * HOUR))
    frame = release.catalogue.frame.row(row, named=True)
    return {
        **slow_signals(release, who, row),
        "dot": float(release.factors[row] @ np.array(vector)) if row < len(release.factors) else 0.0,
        **{
            f"weight_{days:g}d": sum(2 ** (-ago / (days * DAY)) for ago, played in mine if played)
            for days in (0.5, 2, 4, 14, 60)
        },
        "weight": max(here[1], 0.0),
        "plays": here[2],
        "skips": here[3],
        "skip_rate": here[3] / (here[2] + here[3] + 1),
        "age": here[4] / HOUR,
        "back": next((at for at, play in enumerate(plays[::-1], 1) if play[0] == row), FAR),
        "week": sum(played for ago, played in mine if ago < 7 * DAY),
        "days": len({(NOON - ago) // DAY for ago, played in mine if played}),
        "hour": sum(
            2 ** (-ago / (30 * DAY)) for ago, played in mine
            if played and ((NOON - ago) // HOUR - NOON // HOUR + 1) % 24 <= 2
        ),
        **slow_rhythm(plays, row),
        **slow_habits(release, plays, row),
        **slow_steps(plays, row),
        **slow_artist(release, own, plays, row),
        "listeners": frame["listeners"],
        "recent_listeners": frame["recent_listeners"],
        "trend": frame["recent_listeners"] / (frame["listeners"] + 1),
        "track_skip_rate": (frame["skips"] + 2) / (frame["skips"] + frame["plays"] + 6),
        "known": here[2] > 0,
        "begun": any(each[0] == row and not each[2] for each in own),
        "session": row in session(plays),
        **slow_context(release, plays),
    }  # fmt: skip


def session(plays: list[Play]) -> set[int]:
    """Tracks since the last pause of over half an hour."""
    found, later = set(), 0
    for row, ago, _ in plays[::-1]:
        if found and ago - later > 1_800:
            break
        found.add(row)
        later = ago
    return found


def session_size(plays: list[Play]) -> int:
    """Plays since the last pause of over half an hour."""
    breaks = [at + 1 for at, (one, other) in enumerate(pairwise(plays)) if one[1] - other[1] > 1_800]
    return len(plays) - (breaks[-1] if breaks else 0)


def slow_signals(release: Release, who: Listener, row: int) -> dict[str, float]:
    scratch = Scratch.of(len(TITLES))
    signals = Signals(
        who, release.followers, release.neighbours, scratch
    )  # tests/unit/models/test_signals.py, test_own_past.py
    own = signals.own
    columns = {"own": own.after, "own_pair": own.pair, "straight": own.straight, "soon": own.soon, "around": own.around}
    columns |= {"alike": signals.alike, **signals.everybody._asdict()}
    found = {name: dict(zip(c.rows.tolist(), c.weights.tolist(), strict=True)) for name, c in columns.items()}
    here = {name: scores.get(row, 0.0) for name, scores in found.items()}
    places = {
        f"{name}_place": sum(
            scores.get(other, 0.0) > here[name] or (scores.get(other, 0.0) == here[name] and other < row)
            for other in range(len(TITLES))
        ) if here[name] else UNRANKED
        for name, scores in found.items()
        if name in ("own", "around", "alike", "next", "then")
    }  # fmt: skip
    return here | places


def slow_rhythm(plays: list[Play], row: int) -> dict[str, float]:
    met = [at for at, play in enumerate(plays) if play[0] == row]
    if not met:
        return {"first_back": FAR, "first_age": NEVER_H, "every": 0.0, "due": 0.0}
    every = (met[-1] - met[0]) / max(len(met) - 1, 1)
    return {
        "first_back": len(plays) - met[0],
        "first_age": plays[met[0]][1] / HOUR,
        "every": every,
        "due": min((len(plays) - met[-1]) / max(every, 1), 20) if every else 0.0,
    }


def slow_steps(plays: list[Play], row: int) -> dict[str, float]:
    """1/d of distances in plays; nothing: 0."""
    rows, size = [other for other, _, _ in plays], len(plays)
    found = dict.fromkeys((f"after_{name}" for name in ("last", "second", "third", "before")), 0.0)
    found |= {f"{what}_{where}": 0.0 for what in ("met", "heard") for where in ("behind", "ahead")}
    if size < 2:
        return found

    def soon(place: int) -> float:
        together = []  # a pause ends it
        for to in range(place + 1, min(place + 10, size - 1) + 1):
            if abs(plays[place][1] - plays[to][1]) >= 2 * HOUR:
                break
            together.append(to)
        return max((1 / (to - place) for to in together if rows[to] == row), default=0.0)

    earlier = [place for place in range(size - 2, -1, -1) if rows[place] == rows[-1] >= 0]
    for name, place in zip(("last", "second", "third"), earlier, strict=False):
        found[f"after_{name}"] = soon(place)
    before = [place for place in range(size - 3, -1, -1) if rows[place] == rows[-2] >= 0]
    found["after_before"] = max(map(soon, before[:2]), default=0.0)
    mine = [place for place in range(size) if rows[place] == row]
    if rows[-1] < 0 or not mine:
        return found
    for what, distance in (
        ("met", mine[0] - rows.index(rows[-1])),
        ("heard", mine[-1] - earlier[0] if earlier else 0),
    ):
        if distance:
            found[f"{what}_{'behind' if distance > 0 else 'ahead'}"] = 1 / abs(distance)
    return found


def slow_habits(release: Release, plays: list[Play], row: int) -> dict[str, float]:
    def days(most: int) -> list[int]:
        return [(NOON - ago) // DAY for other, ago, played in plays if other == row and played and ago < most * DAY]

    def theirs(most: int) -> list[int]:
        name = artist_of(release, row)
        return [at for at, ago, played in plays if artist_of(release, at) == name and played and ago < most * DAY]

    def skips(most: int) -> int:
        return sum(other == row and not played and ago < most * DAY for other, ago, played in plays)

    return {
        **{f"days_{most}d": len(set(days(most))) for most in (14, 28, 112)},
        "most_a_day": max(Counter(days(28)).values(), default=0),
        "skips_7d": skips(7),
        "skips_28d": skips(28),
        "artist_plays_7d": len(theirs(7)),
        "artist_plays_28d": len(theirs(28)),
        "artist_tracks_7d": len(set(theirs(7))),
    }


def artist_of(release: Release, row: int) -> str:
    """An unknown artist is nobody else's; −1 is nobody's."""
    return "" if row < 0 else release.catalogue.artists[row] or f"unknown {row}"


def slow_artist(release: Release, own: list[tuple], plays: list[Play], row: int) -> dict[str, float]:  # type: ignore[type-arg]
    name = artist_of(release, row)
    theirs = [each for each in own if artist_of(release, each[0]) == name]
    count, skipped = sum(each[2] for each in theirs), sum(each[3] for each in theirs)
    latest = [artist_of(release, play[0]) for play in plays[::-1][:10]]
    return {
        "artist_weight": sum(max(each[1], 0.0) for each in theirs),
        "artist_weight_2d": sum(
            max(each[1], 0.0) * 2 ** (-each[4] / (2 * DAY) + each[4] / (14 * DAY)) for each in theirs
        ),
        "artist_known": sum(each[2] > 0 for each in theirs),
        "artist_age": min((each[4] / HOUR for each in theirs), default=NEVER_H),
        "artist_skip_rate": skipped / (count + skipped + 1),
        "artist_last": bool(latest) and latest[0] == name,
        "artist_latest": latest.count(name) / len(latest) if latest else 0.0,
        "artist_rank": sum(artist_of(release, other) == name for other in range(row)),
    }


def slow_context(release: Release, plays: list[Play]) -> dict[str, float]:
    rows = [row for row, _, _ in plays]
    names = ("going_on", "going_on_5", "same_artist", "repeating", "skipping", "skipped_last")
    sizes = {"size": len(plays), "session_size": session_size(plays)}
    if len(rows) < 2:
        return {**dict.fromkeys(names, 0.0), "size": len(plays), "session_size": len(plays)}
    steps = []
    for now in range(len(rows) - 1, max(0, len(rows) - 6), -1):
        known = rows[now - 1] >= 0 and rows[now] >= 0
        before = [at for at in range(now - 1) if known and rows[at] == rows[now - 1]]
        steps.append(sum(rows[at + 1] == rows[now] for at in before) / (len(before) + 1))
    artists = [artist_of(release, row) for row in rows[-11:]]
    return {
        "going_on": steps[0],
        "going_on_5": sum(steps) / len(steps),
        "same_artist": sum(a == b != "" for a, b in pairwise(artists)) / (len(artists) - 1),
        "repeating": sum(row in rows[:-30] and row >= 0 for row in rows[-30:]) / len(rows[-30:]),
        "skipping": sum(not played for _, _, played in plays[-10:]) / len(plays[-10:]),
        "skipped_last": not plays[-1][2],
        **sizes,
    }


def agrees(release: Release, who: Listener, rows: list[int], vector: list[float]) -> None:
    found = made(release, who, rows, vector)
    assert found.shape == (len(rows), len(NAMES))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    for row, values in zip(rows, found, strict=True):
        expected = slow(release, who, row, vector)
        assert set(expected) == set(NAMES)
        for name, value in zip(NAMES, values.tolist(), strict=True):
            wanted = log(1 + LOGGED[name] * expected[name]) if name in LOGGED else float(expected[name])
            assert value == pytest.approx(wanted, rel=1e-4, abs=1e-5), (row, name)


# --- the tests


@pytest.mark.parametrize("row", range(len(TITLES)))
def test_each_feature_of_each_track_is_what_the_reference_says(world: Release, row: int) -> None:
    agrees(world, heard(*EVENING), [row], [0.5, -1.0, 2.0])


def test_the_evening_says_something_of_every_feature(world: Release) -> None:
    long_ago = [(row, 60 * DAY + 60 * at, True) for at, row in enumerate([0, 3, 0, 7] * 10)][::-1]
    found = made(world, heard(*long_ago, *EVENING), list(range(len(TITLES))))
    silent = [name for name, column in zip(NAMES, found.T, strict=True) if not column.any()]
    assert silent == []


def test_of_a_list_played_in_its_order_the_reference_agrees(world: Release) -> None:
    """First backwards, then three times forwards, with one of it twice, and begun again."""
    rows = [*range(12, -1, -1), *[*range(6), 2, *range(6, 13)] * 3, 0]
    who = heard(*((row, 60 * ago, True) for ago, row in zip(range(len(rows) - 1, -1, -1), rows, strict=True)))
    agrees(world, who, list(range(16)), [1.0, 0.0, -1.0])


plays = st.lists(
    st.tuples(st.integers(-1, 15), st.sampled_from([0, 60, 1_800, 1_801, 5_000, 90_000, 2_000_000]), st.booleans()),
    max_size=50,
)


@settings(max_examples=60, deadline=None)
@given(given_=plays, rows=st.lists(st.integers(0, 15), unique=True, max_size=16), banned=st.integers(-1, 15))
def test_whatever_was_heard_the_reference_agrees(
    world: Release, given_: list[Play], rows: list[int], banned: int
) -> None:
    ago, timed = 0, []
    for row, before, played in given_:
        timed.append((row, ago, played))
        ago += before
    agrees(world, heard(*timed[::-1], banned=banned), rows, [1.0, 0.0, -1.0])


def test_what_is_repeated_was_played_before_the_last_thirty(world: Release) -> None:
    rows = [1, 1, *[2] * 29]
    who = heard(*((row, 60 * ago, True) for ago, row in zip(range(31, 0, -1), rows, strict=True)))
    assert made(world, who, [1])[0, NAMES.index("repeating")] == pytest.approx(1 / 30)


def test_midnight_is_no_border_to_the_time_of_day(world: Release) -> None:
    times = np.array([NOON - 12 * HOUR - DAY + 1_200, NOON - 12 * HOUR - 1_200])  # 0:20, then 23:40
    who = Listener(
        newest=int(times[1]), recent=np.array([1, 2]), recent_times=times, recent_played=np.array([True, True])
    )
    hours = np.expm1(made(world, who, [1, 2])[:, NAMES.index("hour")]) / 5
    assert hours.tolist() == pytest.approx([2 ** ((int(times[0]) - int(times[1])) / (30 * DAY)), 1.0], rel=1e-4)


def test_candidates_do_not_depend_on_each_other(world: Release) -> None:
    who = heard(*EVENING)
    together = made(world, who, [15, 0, 7, 3])
    alone = [made(world, who, [row])[0] for row in (15, 0, 7, 3)]
    assert np.allclose(together, np.stack(alone), rtol=1e-5)


def test_of_a_stranger_only_the_track_itself_is_known(world: Release) -> None:
    found = dict(zip(NAMES, made(world, Listener(), [2], [0.0] * 3)[0].tolist(), strict=True))
    said = {name for name, value in found.items() if value}
    assert said == {
        "age", "back", "first_back", "first_age", "own_place", "around_place", "alike_place", "next_place",
        "then_place", "artist_age", "listeners", "recent_listeners", "trend", "track_skip_rate",
    }  # fmt: skip
    assert found["age"] == pytest.approx(log(1 + NEVER_H))


def test_no_candidates_have_no_features(world: Release) -> None:
    assert made(world, heard(*EVENING), []).shape == (0, len(NAMES))
    assert made(world, Listener(), []).shape == (0, len(NAMES))


def test_an_empty_catalogue_has_no_features(tmp_path: Path) -> None:
    empty = make_release(tmp_path / "r", [], np.zeros((0, 3), dtype=np.float32))
    shelf = Shelf(empty.catalogue)
    who = Listener(newest=NOON, recent=np.array([-1, -1]), recent_times=np.array([NOON - 5, NOON]),
                   recent_played=np.array([True, True]))  # fmt: skip
    batch = Batch(
        shelf, [who], np.zeros((1, 3), np.float32), [Signals(who, empty.followers, empty.neighbours, shelf.scratch)]
    )
    assert Features(empty, shelf).of(batch, 0, NO_ROWS).shape == (0, len(NAMES))
