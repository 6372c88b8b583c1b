"""Raw rows to listens: what is wrong with each, which track it is about, what its id is."""

from hashlib import blake2b
from typing import get_args

import polars as pl

from models.admission import EARLIEST_MS, LEEWAY_MS
from schemas.events import Kind
from services.importer.event_ids import EventIds
from services.importer.report import Report
from services.importer.rows import whole
from services.importer.tables import LISTENS

KINDS = list(get_args(Kind))
MAX_ID = 512
MAX_TITLE = 2048
MAX_MBID = 64
MAX_SOURCE = 128
MAX_MS = 2**53
# Between artist and title in the id of a track that has none: a printable character that no name holds.
JOIN = "␟"
_NUL = "\x00"


def admit(rows: pl.DataFrame, now_ms: int, file: str, unit: str, ids: EventIds, report: Report) -> pl.DataFrame:
    """The rows that are listens, with the columns of LISTENS, and title, release and mbid for the catalogue.

    Rows that are not go to the report, as `unit` ("row", "line") and number. Artist marks (scope "artist") need no
    track_id of their own: the artist's name stands in.
    """
    rows = whole(rows).with_columns(pl.col("kind").fill_null("play"), pl.col("scope").fill_null("track"))
    rows = _with_track_ids(rows).with_columns(_filled("artist"))
    rows = rows.with_columns(_fault(now_ms).alias("fault"))
    faulty = rows.filter(pl.col("fault").is_not_null())
    found = ((f"{unit} {row}", *fault.split(": ", 1)) for row, fault in faulty.select("row", "fault").iter_rows())
    report.problems(file, ((where, field, message) for where, field, message in found), faulty.height)
    return _identified(rows.filter(pl.col("fault").is_null()).drop("fault", "row"), ids, report)


def track_ids(named: pl.DataFrame) -> pl.Series:
    """The ids of tracks that have none of their own, from their artist and title: as plays of them are given them."""
    rows = named.select("artist", "title", track_id=pl.lit(None, pl.String))
    return _with_track_ids(rows)["track_id"]


def _with_track_ids(rows: pl.DataFrame) -> pl.DataFrame:
    """The id the source has; else artist and title, joined; and hashed where that would be too long or not clear."""
    joined = pl.concat_str(_filled("artist"), _filled("title"), separator=JOIN)
    rows = rows.with_columns(
        pl.coalesce(_filled("track_id"), joined).alias("track_id"), _filled("track_id").alias("own")
    )
    odd = pl.col("own").is_null() & (
        (pl.col("track_id").str.len_bytes() > MAX_ID) | (pl.col("track_id").str.count_matches(JOIN, literal=True) > 1)
    )
    at = rows.select(odd.fill_null(False)).to_series().arg_true()
    if len(at):
        named = [_shortened(artist, title) for artist, title in rows[at].select("artist", "title").iter_rows()]
        rows = rows.with_columns(rows["track_id"].scatter(at, pl.Series(named)))
    return rows.drop("own")


def _shortened(artist: str, title: str) -> str:
    told = blake2b(f"{artist}\x1f{title}".encode(), digest_size=16).hexdigest()
    return JOIN.join((artist[:200], title[:200], told))


def _filled(name: str) -> pl.Expr:
    return pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name))


def _fault(now_ms: int) -> pl.Expr:
    """ "field: what is wrong" with the first wrong field of a row; null: nothing is."""
    time = pl.col("listened_at")
    faults = [
        _when(_filled("user_id").is_null(), "user_id: is missing"),
        _too_long("user_id", MAX_ID),
        _when(time.is_null(), "listened_at: is missing or no time that can be read"),
        _when(time < EARLIEST_MS, "listened_at: is before 1995"),
        _when(time > now_ms + LEEWAY_MS, "listened_at: is in the future"),
        _when(_filled("track_id").is_null() & _filled("artist").is_null(), "artist: is missing"),
        _when(_filled("track_id").is_null(), "title: is missing"),
        _too_long("track_id", MAX_ID),
        _too_long("artist", MAX_ID),
        _too_long("title", MAX_TITLE),
        _too_long("release", MAX_TITLE),
        _too_long("mbid", MAX_MBID),
        _too_long("event_id", MAX_ID),
        _too_long("list_id", MAX_ID),
        _too_long("source", MAX_SOURCE),
        *map(_nul, ("user_id", "artist", "title", "track_id")),
        *map(_no_millis, ("ms_played", "duration_ms")),
        _when(~pl.col("kind").is_in(KINDS), f"kind: is none of {', '.join(KINDS)}"),
        _when(~pl.col("scope").is_in(["track", "artist"]), "scope: is neither track nor artist"),
        _when((pl.col("scope") == "artist") & pl.col("artist").is_null(), "artist: is missing, but scope is artist"),
    ]  # fmt: skip
    return pl.coalesce(faults)


def _when(wrong: pl.Expr, fault: str) -> pl.Expr:
    return pl.when(wrong).then(pl.lit(fault))


def _too_long(name: str, most: int) -> pl.Expr:
    return _when(pl.col(name).str.len_chars() > most, f"{name}: has more than {most} characters")


def _nul(name: str) -> pl.Expr:
    return _when(pl.col(name).str.contains(_NUL, literal=True), f"{name}: holds a NUL character")


def _no_millis(name: str) -> pl.Expr:
    return _when(~pl.col(name).is_between(0, MAX_MS), f"{name}: is no count of milliseconds")


def _identified(listens: pl.DataFrame, ids: EventIds, report: Report) -> pl.DataFrame:
    """With event ids where the source has none; what the file repeats is left out if `ids` says so."""
    lacking = listens.select(_filled("event_id").is_null()).to_series()
    made = ids.of(listens.filter(lacking))
    if len(made) < listens.height:
        made = listens["event_id"].scatter(lacking.arg_true(), made)
    listens = listens.with_columns(made.alias("event_id")).select(*LISTENS, "title", "release", "mbid")
    known = listens.filter(pl.col("event_id").is_not_null())
    report.leave_out("repeated", listens.height - known.height)
    return known
