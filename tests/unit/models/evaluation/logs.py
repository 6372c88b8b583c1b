"""Logs made up on the spot: small enough to reckon by hand, or large enough to hold every odd case."""

import numpy as np
import polars as pl

WEEK = 7 * 86_400
END = 1_710_000_000  # the second after the newest listen

Play = tuple[str, str, int, int]  # listener, track, seconds before END, ms played


def log_of(plays: list[Play]) -> pl.DataFrame:
    """Listens as the importer would give them; a track's artist is its first letter."""
    rows = [(user, track, (END - before) * 1000, track[0], ms) for user, track, before, ms in plays]
    columns = {"user_id": pl.String, "track_id": pl.String, "listened_at": pl.Int64, "artist": pl.String}
    frame = pl.DataFrame(rows, schema={**columns, "ms_played": pl.Int64}, orient="row")
    return frame.sort("listened_at", maintain_order=True).with_columns(
        kind=pl.lit("play"), event_id=pl.format("e{}", pl.int_range(pl.len()))
    )


def tracks_of(listens: pl.DataFrame) -> pl.DataFrame:
    """Each track once, its title being its id."""
    return listens.select("track_id", "artist", title="track_id").unique("track_id", keep="last", maintain_order=True)


def crowd(seed: int, listeners: int = 12, tracks: int = 150, weeks: int = 9) -> pl.DataFrame:
    """Listeners with habits, who also discover and skip; a newcomer, one who fell silent, one who had only skipped."""
    chance = np.random.default_rng(seed)
    plays: list[Play] = []
    for user in range(listeners):
        taste = chance.permutation(tracks)
        for _ in range(40 * weeks):
            track = taste[min(tracks - 1, int(chance.exponential(18)))]
            before = 1 + int(chance.integers(weeks * WEEK))
            played = int(chance.choice([5_000, 29_999, 30_000, 200_000], p=[0.2, 0.1, 0.1, 0.6]))
            plays.append((f"u{user:02}", f"{chr(97 + track % 20)}{track}", before, played))
    kept = [
        (user, track, before, 3_000 if user == "u02" and before > 2 * WEEK else ms)  # had only skipped until then
        for user, track, before, ms in plays
        if not (user == "u00" and before > WEEK) and not (user == "u01" and before < 5 * WEEK)
    ]
    twins = [(user, "b1", before, 60_000) for user, _, before, _ in kept[::25]]  # two plays in one second
    return log_of([*kept, *twins, ("u03", "a0", 1, 60_000)])
