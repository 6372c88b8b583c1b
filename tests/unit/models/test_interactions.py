import random

import polars as pl
import pytest

from models.als.serve import taste_weights
from models.ids import artist_key_of, key_of, short
from models.interactions import COLUMNS, distinct, weigh
from models.profile import Profile, ProfileView
from models.taste import TasteSettings, fold
from models.tastes import STEP
from schemas.events import Kind, Listen

DAY_MS = 86_400_000
NOW = 1_700_000_000_000
TASTE = TasteSettings()
KINDS: list[Kind] = ["play", "skip", "love", "ban", "unban"]


def frame(listens: list[Listen]) -> pl.DataFrame:
    rows = [{name: getattr(listen, name) for name in COLUMNS} for listen in listens]
    return pl.DataFrame(rows, schema=COLUMNS)


def folded(listens: list[Listen], taste: TasteSettings = TASTE) -> dict[str, Profile]:
    profiles: dict[str, Profile] = {}
    for offset, listen in enumerate(listens):
        fold(profiles.setdefault(listen.user_id, Profile()), listen, offset, taste)
    return profiles


def some_listens(seed: int, count: int) -> list[Listen]:
    """Plays and marks of three listeners, some late, some sent twice, within every bound of a profile."""
    rng = random.Random(seed)
    made: list[Listen] = []
    for number in range(count):
        if made and rng.random() < 0.1:
            made.append(made[-1])
            continue
        kind = rng.choices(KINDS, [12, 4, 2, 1, 1])[0]
        track = rng.randrange(8)
        made.append(
            Listen(
                event_id=f"e{number}",
                user_id=f"u{rng.randrange(3)}",
                track_id=f"t{track}",
                listened_at=NOW + int(rng.uniform(-60, 60) * DAY_MS),
                kind=kind,
                artist=f"Artist {track % 3}",
                ms_played=rng.choice([None, 0, 10_000, 29_999, 30_000, 200_000]),
                duration_ms=rng.choice([None, 0, 20_000, 58_000, 240_000]),
                scope=rng.choice(["track", "track", "artist"]) if kind != "play" else "track",
            )
        )
    return made


@pytest.mark.parametrize("seed", range(8))
def test_a_history_weighs_what_its_folded_profiles_weigh(seed: int) -> None:
    listens = some_listens(seed, 90)
    pairs = weigh(distinct(frame(listens)), TASTE)
    profiles = folded(listens)
    assert {user for (user,) in pairs.select("user_id").unique().iter_rows()} <= set(profiles)
    compared = 0
    for user, profile in profiles.items():
        view = ProfileView(profile.encode())
        weights = dict(zip(view.tracks.tolist(), taste_weights(view, TASTE.half_life_days).tolist(), strict=True))
        rows = {row["track_id"]: row for row in pairs.filter(pl.col("user_id") == user).iter_rows(named=True)}
        for number in range(8):
            key, whole = short(key_of(f"t{number}")), key_of(f"t{number}")
            artist = f"artist {number % 3}"
            banned = whole in profile.banned or artist_key_of(artist) in profile.banned_artists
            if banned or key not in profile.tracks:
                assert f"t{number}" not in rows
                continue
            row, entry = rows[f"t{number}"], profile.by_track()[key]
            assert row["weight"] == pytest.approx(weights[key], abs=0.05)  # fold rounds at each event
            assert (row["last"] // STEP * STEP, row["plays"], row["skips"]) == (entry[1], entry[2], entry[3])
            compared += 1
    assert compared > 5


def test_an_event_sent_twice_counts_once() -> None:
    listen = Listen(event_id="same", user_id="u", track_id="t", listened_at=NOW)
    assert weigh(distinct(frame([listen, listen])), TASTE)["plays"].to_list() == [1]


def test_rows_without_event_ids_are_all_counted_and_default_to_plays() -> None:
    listens = pl.DataFrame({"user_id": ["u", "u"], "track_id": ["t", "t"], "listened_at": [NOW, NOW]})
    assert weigh(distinct(listens), TASTE).select("plays", "weight").row(0) == (2, 2.0)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match="no column 'track_id'"):
        distinct(pl.DataFrame({"user_id": ["u"]}))


def test_a_weight_halves_with_each_half_life_before_the_listeners_newest_listen() -> None:
    listens = [
        Listen(event_id="1", user_id="u", track_id="old", listened_at=NOW - 28 * DAY_MS),
        Listen(event_id="2", user_id="u", track_id="new", listened_at=NOW),
        Listen(event_id="3", user_id="v", track_id="old", listened_at=NOW - 400 * DAY_MS),
    ]
    weights = {(row[0], row[1]): row[2] for row in weigh(distinct(frame(listens)), TASTE).iter_rows()}
    assert weights == {("u", "old"): 0.25, ("u", "new"): 1.0, ("v", "old"): 1.0}


def test_what_is_older_than_any_number_can_hold_weighs_nothing() -> None:
    listens = [
        Listen(event_id="1", user_id="u", track_id="old", listened_at=NOW - 5_000 * DAY_MS),
        Listen(event_id="2", user_id="u", track_id="new", listened_at=NOW),
    ]
    pairs = weigh(distinct(frame(listens)), TasteSettings(half_life_days=1.0)).sort("track_id")
    assert pairs["weight"].to_list() == [1.0, 0.0]


def test_no_listens_give_no_pairs() -> None:
    assert weigh(distinct(frame([])), TASTE).height == 0
