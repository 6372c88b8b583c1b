"""What is played around what, and after what: by hand, by a slow reference, and in blocks of any size."""

from collections import defaultdict
from collections.abc import Callable
from itertools import combinations, pairwise
from math import sqrt
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.neighbours.fit import DAY, Plays, neighbours, transitions
from models.neighbours.settings import NeighbourSettings
from models.neighbours.table import Table

PLAIN = NeighbourSettings(shrink=0.0, half_life_days=1e9)
Fit = Callable[[Plays, int, NeighbourSettings], Table]


def plays(*each: tuple[int, int, int]) -> Plays:
    """Of (listener, track, second)."""
    columns = np.array(each, dtype=np.int64).reshape(-1, 3).T
    return Plays(columns[0].astype(np.int32), columns[1].astype(np.int32), columns[2])


def session(*tracks: int, user: int = 0, start: int = 0) -> list[tuple[int, int, int]]:
    """Tracks a minute apart."""
    return [(user, track, start + 60 * at) for at, track in enumerate(tracks)]


def links(table: Table) -> dict[int, dict[int, float]]:
    """Row -> other -> weight, in the table's order."""
    spans = [slice(*table.starts[row : row + 2]) for row in range(len(table.starts) - 1)]
    found = [dict(zip(table.rows[span].tolist(), table.weights[span].tolist(), strict=True)) for span in spans]
    return {row: each for row, each in enumerate(found) if each}


def change(**changes: object) -> NeighbourSettings:
    return msgspec.structs.replace(PLAIN, **changes)


# --- by hand


def test_neighbours_are_a_cosine_that_favours_what_is_close() -> None:
    found = links(neighbours(plays(*session(0, 1, 2), *session(0, 1, user=1)), 3, PLAIN))
    close, far = 2 / sqrt(2 * 2), 1 / sqrt(2) / sqrt(2 * 1)
    assert found[0] == pytest.approx({1: close, 2: far})
    assert found[2] == pytest.approx({1: 1 / sqrt(1 * 2), 0: far})
    assert found[1] == pytest.approx({0: close, 2: 1 / sqrt(2 * 1)})
    assert list(found[0]) == [1, 2]


def test_transitions_go_one_way_and_less_to_what_came_later() -> None:
    found = links(transitions(plays(*session(0, 1, 2)), 3, PLAIN))
    assert found == {0: pytest.approx({1: 1 / 1.5, 2: 0.5 / 1.5}), 1: {2: 1.0}}


def test_a_pause_or_another_listener_ends_a_session() -> None:
    minutes = change(session_minutes=30)
    just, late = [(0, 0, 0), (0, 1, 1_800)], [(0, 0, 0), (0, 1, 1_801)]
    for fit in (neighbours, transitions):
        assert 1 in links(fit(plays(*just), 2, minutes))[0]
        assert links(fit(plays(*late), 2, minutes)) == {}
        assert links(fit(plays((0, 0, 0), (1, 1, 1)), 2, minutes)) == {}


def test_only_so_many_plays_apart_count() -> None:
    given_ = plays(*session(0, 1, 2, 3))
    assert links(neighbours(given_, 4, change(window=2)))[0].keys() == {1, 2}
    assert links(transitions(given_, 4, change(steps=1))) == {0: {1: 1.0}, 1: {2: 1.0}, 2: {3: 1.0}}


def test_shrinking_holds_the_rare_back() -> None:
    given_ = plays(*session(0, 1))
    assert links(neighbours(given_, 2, change(shrink=5.0)))[0] == pytest.approx({1: 1 / 6})
    assert links(transitions(given_, 2, change(shrink=5.0)))[0] == pytest.approx({1: 1 / 6})


def test_what_followed_long_ago_counts_less() -> None:
    old, new = session(0, 1), session(0, 2, start=10 * DAY)
    found = links(transitions(plays(*old, *new), 3, change(half_life_days=10.0)))
    assert found[0] == pytest.approx({2: 1 / 1.5, 1: 0.5 / 1.5}, rel=1e-3)


def test_a_track_is_no_neighbour_of_its_own() -> None:
    assert links(neighbours(plays(*session(0, 0, 1, 0)), 2, PLAIN)).keys() == {0, 1}
    assert 0 not in links(neighbours(plays(*session(0, 0, 1, 0)), 2, PLAIN))[0]
    assert 0 not in links(transitions(plays(*session(0, 0, 1, 0)), 2, PLAIN))[0]


def test_equals_are_told_apart_by_their_row_and_only_the_best_are_kept() -> None:
    either = plays(*session(3, 0), *session(1, 0, user=1), *session(2, 0, user=2), *session(2, 0, user=3))
    found = neighbours(either, 4, change(most=2, shrink=1.0))
    assert list(links(found)[0]) == [2, 1]
    assert list(links(neighbours(either, 4, change(most=3, shrink=1.0)))[0]) == [2, 1, 3]


@pytest.mark.parametrize("fit", [neighbours, transitions])
def test_no_plays_or_no_tracks_give_an_empty_table(fit: Fit) -> None:
    for size in (0, 3):
        table = fit(plays(), size, NeighbourSettings())
        assert table.starts.tolist() == [0] * (size + 1)
        assert table.fits(size)
        assert links(table) == {}
    assert links(fit(plays((0, 2, 5)), 3, PLAIN)) == {}


@pytest.mark.parametrize("fit", [neighbours, transitions])
def test_progress_ends_at_the_whole(fit: Callable[..., Table]) -> None:
    told: list[float] = []
    fit(plays(*session(*range(20))), 20, change(pairs=30), told.append)
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == 1.0


# --- whatever the history

histories = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 7), st.sampled_from([0, 60, 1_000, 1_801, 90_000])), max_size=40
)
chosen = st.builds(
    NeighbourSettings,
    window=st.integers(1, 6),
    steps=st.integers(1, 6),
    most=st.integers(1, 9),
    shrink=st.sampled_from([0.0, 0.5, 5.0]),
    half_life_days=st.sampled_from([1.0, 120.0]),
)


def timed(history: list[tuple[int, int, int]]) -> Plays:
    """Of (listener, track, seconds since the play before), sorted as a fit wants it."""
    second, each = 0, []
    for user, track, later in history:
        second += later
        each.append((user, track, second))
    return plays(*sorted(each, key=lambda play: (play[0], play[2])))


@settings(max_examples=150, deadline=None)
@given(history=histories, chosen=chosen, pairs=st.integers(1, 60))
def test_blocks_of_any_size_give_the_same_table(
    history: list[tuple[int, int, int]], chosen: NeighbourSettings, pairs: int
) -> None:
    given_ = timed(history)
    for fit in (neighbours, transitions):
        whole = fit(given_, 9, chosen)
        parted = fit(given_, 9, msgspec.structs.replace(chosen, pairs=pairs))
        assert whole.fits(9)
        assert all(np.array_equal(one, other) for one, other in zip(whole, parted, strict=True))


@settings(max_examples=150, deadline=None)
@given(history=histories, chosen=chosen)
def test_a_table_is_what_counting_every_pair_gives(
    history: list[tuple[int, int, int]], chosen: NeighbourSettings
) -> None:
    given_ = timed(history)
    for fit, slow in ((neighbours, slow_neighbours), (transitions, slow_transitions)):
        found, expected = links(fit(given_, 9, chosen)), slow(given_, chosen)
        for row in range(9):
            best = sorted(expected[row].values(), reverse=True)[: chosen.most]
            assert list(found.get(row, {}).values()) == pytest.approx(best, rel=1e-4)
            assert all(
                expected[row][other] == pytest.approx(weight, rel=1e-4) for other, weight in found.get(row, {}).items()
            )


def pairs_of(given_: Plays, most: int, minutes: int) -> list[tuple[int, int, int, int]]:
    """(from, to, plays apart, second of the later) of every pair in a session."""
    each = list(zip(given_.users.tolist(), given_.items.tolist(), given_.seconds.tolist(), strict=True))
    found = []
    for first, second in combinations(range(len(each)), 2):
        between = each[first : second + 1]
        together = all(one[0] == other[0] and other[2] - one[2] <= 60 * minutes for one, other in pairwise(between))
        if together and second - first <= most and each[first][1] != each[second][1]:
            found.append((each[first][1], each[second][1], second - first, each[second][2]))
    return found


def slow_neighbours(given_: Plays, chosen: NeighbourSettings) -> dict[int, dict[int, float]]:
    count = np.bincount(given_.items, minlength=9) + chosen.shrink
    sums: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for one, other, apart, _ in pairs_of(given_, chosen.window, chosen.session_minutes):
        sums[one][other] += 1 / sqrt(apart) / sqrt(count[one] * count[other])
        sums[other][one] += 1 / sqrt(apart) / sqrt(count[one] * count[other])
    return sums


def slow_transitions(given_: Plays, chosen: NeighbourSettings) -> dict[int, dict[int, float]]:
    newest = max(given_.seconds.tolist(), default=0)
    sums: dict[int, dict[int, float]] = defaultdict(lambda: defaultdict(float))
    for one, other, apart, second in pairs_of(given_, chosen.steps, chosen.session_minutes):
        sums[one][other] += 2 ** ((second - newest) / (chosen.half_life_days * DAY)) / apart
    whole = {row: sum(each.values()) + chosen.shrink for row, each in sums.items()}
    return defaultdict(dict, {row: {o: v / whole[row] for o, v in each.items()} for row, each in sums.items()})


# --- the table in its files


def table(starts: list[int], rows: list[int], weights: list[float]) -> Table:
    return Table(np.array(starts, np.int64), np.array(rows, np.int32), np.array(weights, np.float32))


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    made = neighbours(plays(*session(0, 1, 2, 3)), 5, NeighbourSettings())
    made.save(tmp_path / "near")
    loaded = Table.load(tmp_path / "near")
    assert {path.name for path in tmp_path.iterdir()} == set(Table.files("near"))
    assert all(np.array_equal(one, other) and one.dtype == other.dtype for one, other in zip(made, loaded, strict=True))


def test_a_table_fits_a_catalogue_that_has_all_its_rows() -> None:
    good = table([0, 1, 2], [1, 4], [0.5, 0.25])
    assert good.fits(5)
    assert not good.fits(4)  # names row 4
    assert not table([0, 0, 0], [], []).fits(1)  # of two rows
    assert table([0], [], []).fits(0)


@pytest.mark.parametrize(
    "wrong",
    [
        table([], [], []),
        table([0, 2], [1], [0.5]),
        table([0, 1], [1, 2], [0.5, 0.5]),
        table([1, 1], [1], [0.5]),
        table([0, 2, 1, 3], [1, 2, 3], [0.5] * 3),
        table([0, 1], [-1], [0.5]),
        table([0, 1], [1], [float("nan")]),
        table([0, 1], [1], [float("inf")]),
        table([0, 1], [1], []),
    ],
)
def test_what_is_no_table_does_not_fit(wrong: Table) -> None:
    assert not wrong.fits(9)


@pytest.mark.parametrize(
    ("pairs", "starts"),
    [
        (np.zeros(2, np.float32), np.array([0, 2])),
        (np.zeros(2, [("row", "<i8"), ("weight", "<f4")]), np.array([0, 2])),
        (np.zeros(2, [("row", "<i4"), ("weight", "<f4")]), np.array([0.0, 2.0])),
        (np.zeros((2, 2), [("row", "<i4"), ("weight", "<f4")]), np.array([0, 2])),
    ],
)
def test_other_columns_than_a_tables_are_refused(tmp_path: Path, pairs: np.ndarray, starts: np.ndarray) -> None:
    for name, column in zip(Table.files("near"), (pairs, starts), strict=True):
        np.save(tmp_path / name, column)
    with pytest.raises(ValueError, match="near: no table"):
        Table.load(tmp_path / "near")


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    table([0, 1], [1], [0.5]).save(tmp_path / "near")
    np.save(tmp_path / "near.npy", np.array([{"evil": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="near: no table, but 1-dimensional pairs that are object"):
        Table.load(tmp_path / "near")


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 8])
def test_a_table_is_read_some_pairs_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr("models.neighbours.table.AT_ONCE", at_once)
    made = table([0, 3, 7], list(range(7)), [0.5, 0.25, 2.0, 8.0, 1.0, 4.0, 16.0])
    made.save(tmp_path / "near")
    loaded = Table.load(tmp_path / "near")
    assert all(np.array_equal(one, other) and one.dtype == other.dtype for one, other in zip(made, loaded, strict=True))


def test_a_table_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    table([0, 2], [1, 2], [0.5, 0.5]).save(tmp_path / "near")
    whole = (tmp_path / "near.npy").read_bytes()
    (tmp_path / "near.npy").write_bytes(whole[:-1])
    with pytest.raises(ValueError, match="near: a table that was cut short"):
        Table.load(tmp_path / "near")
    (tmp_path / "near.npy").write_bytes(whole[:20])
    with pytest.raises(ValueError, match="array header"):
        Table.load(tmp_path / "near")
