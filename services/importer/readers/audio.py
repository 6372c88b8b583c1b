"""Recordings: each file of a folder becomes a track with its URI, what its tags say and its labels for the classifiers.

What is a label is told by models.audio.folder: the folder it is in, a CSV beside it, or the name of a note.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from models.audio.problems import BadFolder
from models.catalogue import UNKNOWN_ARTIST
from schemas.codec import encode
from services.importer.report import Report
from services.importer.rows import ROWS, Batch, Options
from services.importer.tables import TRACKS

if TYPE_CHECKING:
    from models.audio.folder import Recording


def read(file: Path, options: Options, report: Report) -> Iterator[Batch]:
    """The tracks of a folder; there are no listens in it. What cannot be heard, by its header, is a problem."""
    from models.audio.folder import read_folder  # what decodes is segue[audio], which other formats do not need

    def tell(table: str, row: str, message: str) -> None:
        report.problem(table, row, "", message)

    try:
        found = read_folder(file, options.task, options.labels, tell)
    except (BadFolder, FileNotFoundError) as error:
        report.problem(file.name, "", "", str(error))
        return
    for each in found:
        if each.bad:
            report.problem("", "", "", each.bad)
    good = [each for each in found if not each.bad]
    for each in good:
        for task, shares in each.labels.items():
            report.labels.setdefault(task, Counter()).update(name for name, share in shares.items() if share > 0)
    yield Batch(pl.DataFrame(schema=ROWS), file.name, "file", frame([row(each) for each in good]))


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Columns of TRACKS."""
    return pl.DataFrame(rows, schema=TRACKS)


def row(each: "Recording") -> dict[str, object]:
    """A row of TRACKS. The id is where the recording stands in its folder, unless a table says otherwise."""
    from models.audio.folder import written

    about = each.about
    genre = each.labels.get("genre")
    labels = {task: written(shares) for task, shares in each.labels.items()}
    return {
        "track_id": about.get("track_id", each.name),
        "title": about.get("title", each.path.stem),
        "artist": about.get("artist", UNKNOWN_ARTIST),
        "release": about.get("release"),
        "year": int(about["year"]) if about.get("year", "").isdecimal() else None,
        "mbid": about.get("mbid"),
        "genre": max(genre, key=lambda name: genre[name]) if genre else about.get("genre"),
        "labels": encode(labels).decode() if labels else None,
        "audio": each.path.resolve().as_uri(),
    }
