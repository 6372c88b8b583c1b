"""Would a ranker know more by what a song's words feel like? Sentiment against the mean of the last ten plays.

    python -m benchmarks.lyrics_sentiment LISTENS SONGS.csv [--listeners 97] [--weeks 4] [--moments 3]

LISTENS is any log that `segue import` reads, SONGS.csv has lyrics (artist, song, link, text). At random plays of the
last weeks each listener is asked about songs with lyrics: those they have met, and UNMET others. Which do they play
for 30 s within a day? Trees learn it from how often, how lately and whose songs they play; then again with the
difference of sentiment, signed and absolute (0 where none of the last ten plays has lyrics); then with that of
another song drawn at random, which says what any two more columns do. Two halves of the listeners, each judged by
trees that learned from the other. Differences are paired, intervals redraw listeners.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.lyrics_lists import read
from models.evaluation.bootstrap import Bootstrap, Figure
from models.evaluation.log import Log, Numbers
from models.lyrics.sentiment import sentiment

DAY = 86_400
WEEK = 7 * DAY
LAST = 10  # plays whose mean sentiment is compared with
UNMET = 300
FADING = (0.5, 4.0, 14.0, 60.0)  # days in which a play comes to count half
NEVER = 50_000.0  # hours since what never was
SEED = 7

Column = NDArray[np.float64]


class Asked(NamedTuple):
    """One listener at one moment: a row a song."""

    user: int
    base: Column  # (songs, known of them)
    felt: Column  # (songs, 2): signed and absolute difference of sentiment
    other: Column  # the same of songs drawn at random
    played: NDArray[np.bool_]


class Songs(NamedTuple):
    """By track of the log."""

    felt: Column  # NaN: no lyrics
    other: Column  # the same, among songs with lyrics in another order
    artists: Numbers
    listeners: Column


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("listens", type=Path, nargs="?")
    parser.add_argument("songs", type=Path, nargs="?")
    parser.add_argument("--listeners", type=int, default=97, help="drawn from the log by a fixed seed")
    parser.add_argument("--weeks", type=int, default=4)
    parser.add_argument("--moments", type=int, default=3, help="of a listener and week")
    args = parser.parse_args()
    if args.songs is None:
        print("skipped: name a log and a CSV of lyrics (python -m benchmarks.lyrics_sentiment LISTENS SONGS.csv)")
        return
    listens, tracks = read(args.listens, args.songs, args.listeners)
    log, feel = Log(listens), sentiment()
    felt = np.full(len(log.tracks), np.nan)
    words = tracks.filter(tracks["lyrics"].is_not_null())
    felt[log.codes_of(words["track_id"])] = [feel(text) for text in words["lyrics"]]
    artists = np.full(len(log.tracks), -1, dtype=np.int64)
    artists[log.codes_of(tracks["track_id"])] = tracks["artist"].rank("dense").fill_null(0).to_numpy()
    pairs = np.unique(np.stack((log.items, log.users)), axis=1)
    rng = np.random.default_rng(SEED)
    other = felt.copy()
    other[~np.isnan(felt)] = rng.permutation(felt[~np.isnan(felt)])
    songs = Songs(felt, other, artists, np.bincount(pairs[0], minlength=len(felt)).astype(float))
    print(f"{int((~np.isnan(felt)).sum()):,} tracks of the log have lyrics")
    asked = list(ask(log, songs, args.weeks, args.moments, rng))
    show(asked)


def ask(log: Log, songs: Songs, weeks: int, moments: int, rng: np.random.Generator) -> Iterator[Asked]:
    """Every listener at some of their plays in each of the last weeks, but where none of it is played after."""
    sung = np.flatnonzero(~np.isnan(songs.felt))
    end = log.newest + 1
    for user in range(len(log.names)):
        for week in range(weeks):
            span = slice(log.before(user, end - (week + 1) * WEEK).stop, log.before(user, end - week * WEEK).stop)
            for at in rng.permutation(np.arange(span.start, span.stop))[:moments].tolist():
                if (made := _at(log, songs, sung, user, int(log.seconds[at]), rng)) is not None:
                    yield made


def _at(log: Log, songs: Songs, sung: Numbers, user: int, now: int, rng: np.random.Generator) -> Asked | None:
    past = log.before(user, now)
    after = slice(past.stop, log.before(user, now + DAY).stop)
    met = np.intersect1d(log.items[past], sung)
    unmet = rng.permutation(np.setdiff1d(sung, met))[:UNMET]
    rows = np.concatenate((met, unmet))
    played = np.isin(rows, log.items[after][log.played[after]])
    if past.stop == past.start or not played.any() or played.all():
        return None
    heard = log.items[past][log.played[past]]
    base = _base(log.items[past], log.played[past], (now - log.seconds[past]) / DAY, rows, songs)
    return Asked(
        user, base, _against(songs.felt, heard[-LAST:], rows), _against(songs.other, heard[-LAST:], rows), played
    )


def _against(felt: Column, latest: Numbers, rows: Numbers) -> Column:
    known = felt[latest][~np.isnan(felt[latest])]
    apart = felt[rows] - known.mean() if len(known) else np.zeros(len(rows))
    return np.stack((apart, np.abs(apart)), axis=1)


def _base(items: Numbers, played: NDArray[np.bool_], days: Column, rows: Numbers, songs: Songs) -> Column:
    size, whose = len(songs.felt), songs.artists[items]
    columns = [np.log1p(songs.listeners[rows])]
    for half in FADING:
        worth = played * 0.5 ** (days / half)
        columns.append(np.log1p(10 * np.bincount(items, worth, size)[rows]))
        columns.append(np.log1p(np.bincount(whose, worth, int(songs.artists.max()) + 1)[songs.artists[rows]]))
    columns.append(np.log1p(np.bincount(items, ~played, size)[rows]))
    for of, numbers in ((items, rows), (whose, songs.artists[rows])):
        last = np.full(max(size, int(songs.artists.max()) + 1), NEVER)
        last[of] = days * 24  # by time: the newest stands last
        columns.append(np.log1p(last[numbers]))
    columns.append((songs.artists[rows] == whose[-1]).astype(float))
    return np.stack(columns, axis=1)


def show(asked: list[Asked]) -> None:
    """AUC and NDCG@10 by moment, and what the columns add."""
    users = np.array([each.user for each in asked])
    rows = sum(len(each.played) for each in asked)
    print(f"{len(asked):,} moments of {len(np.unique(users))} listeners, {rows:,} songs asked about, ", end="")
    print(f"{sum(int(each.played.sum()) for each in asked):,} of them played within a day")
    known = np.array([bool(each.felt.any()) for each in asked])
    print(f"the last {LAST} plays have a song with lyrics at {known.sum():,} of the moments: judged at these")
    plain, felt, other = (
        judged(asked, [np.hstack([each.base, *columns(each)]) for each in asked])
        for columns in (lambda _each: [], lambda each: [each.felt], lambda each: [each.other])
    )
    drawn = Bootstrap(users[known])
    for at, name in enumerate(("AUC", "NDCG@10")):
        print(f"{name}: {told(drawn.figure(plain[known, at]))} without")
        for label, with_it in (("sentiment", felt), ("another song's", other)):
            print(f"  {label} adds {told(drawn.figure(with_it[known, at] - plain[known, at]))}")


def judged(asked: list[Asked], columns: list[Column]) -> Column:
    """(moments, 2): AUC and NDCG@10 by trees that learned from the other half of the listeners."""
    found = np.full((len(asked), 2), np.nan)
    half = np.random.default_rng(SEED).permutation(max(each.user for each in asked) + 1) % 2
    side = half[[each.user for each in asked]]
    for judge in (0, 1):
        learned = np.flatnonzero(side != judge)
        trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.08, random_state=SEED)
        trees.fit(np.vstack([columns[at] for at in learned]), np.concatenate([asked[at].played for at in learned]))
        for at in np.flatnonzero(side == judge):
            found[at] = _figures(trees.predict_proba(columns[at])[:, 1], asked[at].played)
    return found


def _figures(scores: Column, played: NDArray[np.bool_]) -> tuple[float, float]:
    order = np.argsort(-scores, kind="stable")
    hits = played[order]
    n = int(hits.sum())
    before = np.cumsum(~hits)[hits].sum()  # songs not played that stand above each played one
    worth = 1 / np.log2(np.arange(2, 12))
    return 1 - before / (n * (len(hits) - n)), (worth[: len(hits)] * hits[:10]).sum() / worth[:n].sum()


def told(figure: Figure) -> str:
    return f"{figure.mean:.4f} [{figure.low:.4f}, {figure.high:.4f}]"


if __name__ == "__main__":
    main()
