import polars as pl

from models.popular import rank

DAY = 86_400
NOW = 1_700_000_000


def pairs(*rows: tuple[str, str, int, int]) -> pl.DataFrame:
    """(user, track, plays, days ago)"""
    return pl.DataFrame(
        [
            {"user_id": u, "track_id": t, "weight": 1.0, "last": NOW - ago * DAY, "first": NOW - (2 * ago + 1) * DAY,
             "plays": p, "skips": 0}
            for u, t, p, ago in rows
        ],
        schema={"user_id": pl.String, "track_id": pl.String, "weight": pl.Float64, "last": pl.Int64, "first": pl.Int64,
                "plays": pl.UInt32, "skips": pl.UInt32},
    )  # fmt: skip


def tracks(*ids: str) -> pl.DataFrame:
    return pl.DataFrame({"track_id": ids}, schema={"track_id": pl.String})


def test_many_listeners_outweigh_many_plays() -> None:
    ranked = rank(pairs(("u", "mine", 500, 0), ("u", "ours", 1, 0), ("v", "ours", 1, 0)), tracks("mine", "ours"), 1, 90)
    assert ranked["track_id"].to_list() == ["ours", "mine"]
    assert ranked["listeners"].to_list() == [2, 1]
    assert ranked["plays"].to_list() == [2, 500]
    assert ranked["popularity"].to_list() == [1.0, 0.5]


def test_a_track_is_first_heard_when_its_first_listener_played_it() -> None:
    ranked = rank(pairs(("u", "a", 1, 3), ("v", "a", 1, 9)), tracks("a", "b"), 1, 90)
    assert ranked["first_heard"].to_list() == [NOW - 19 * DAY, 0]


def test_plays_break_ties_and_then_the_id_does() -> None:
    ranked = rank(pairs(("u", "b", 1, 0), ("u", "c", 2, 0), ("u", "a", 1, 0)), tracks("a", "b", "c"), 1, 90)
    assert ranked["track_id"].to_list() == ["c", "a", "b"]


def test_what_was_played_lately_stands_before_what_was_played_long_ago() -> None:
    ranked = rank(pairs(("u", "then", 9, 180), ("u", "now", 1, 0)), tracks("then", "now"), 1, 90)
    assert ranked["track_id"].to_list() == ["now", "then"]
    assert ranked["popularity"].to_list() == [1.0, 0.25]


def test_tracks_of_enough_listeners_are_the_first_rows_and_popularity_still_only_falls() -> None:
    shared = [(user, track, 1, ago) for user in ("u", "v") for track, ago in (("shared", 0), ("faded", 900))]
    mine = [("u", "fresh", 3, 0), ("v", "skipped", 0, 0)]
    ranked = rank(pairs(*shared, *mine), tracks("never", "fresh", "skipped", "shared", "faded"), 2, 90)
    assert ranked["track_id"].to_list() == ["shared", "faded", "fresh", "never", "skipped"]
    popularity = ranked["popularity"].to_list()
    assert popularity == sorted(popularity, reverse=True)
    assert min(popularity) > 0
    assert max(popularity) <= 1


def test_no_listens_leave_every_track_in_the_catalogue() -> None:
    ranked = rank(pairs(), tracks("b", "a"), 2, 90)
    assert ranked["track_id"].to_list() == ["a", "b"]
    assert ranked["listeners"].to_list() == [0, 0]
