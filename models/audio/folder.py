"""Folders of recordings, and what they say of them: which folder, which CSV, which name says what.

Three kinds are told apart, as they are found in the wild:

- names like `cello_A4_025_forte_arco-normal.mp3` (instrument, pitch, length, dynamic, articulation): task instrument;
- a CSV beside them with a column of files: columns `genre`, `emotion`, `instrument` or `class` are labels; columns of
  numbers are votes, and their shares are the emotion;
- any other: the first folder is the class, of `task`.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
from msgspec import Struct, field

from models.audio.decode import glance
from models.audio.problems import BadAudio, BadFolder
from models.audio.settings import TASKS

ENDINGS = {".mp3", ".flac", ".wav", ".ogg", ".oga", ".opus", ".aif", ".aiff", ".au"}
FILES = ("file", "path", "filename", "file_name", "audio", "recording")
ABOUT = ("track_id", "title", "artist", "release", "album", "year", "mbid")
CLASS = ("class", "label")
# Columns of numbers that are no votes for an emotion, though they stand among them.
NO_VOTES = re.compile(
    r"(.*[ _])?(ids?|index|no|number|row|bpm|tempo|key|mode|duration|length|seconds|ms|size|bytes|rate|plays)$"
)
NOTE = re.compile(r"^[^_]+_[^_]*_[^_]+_[^_]+_[^_]+$")
MOSTLY = 0.8  # of the names are notes': then the folder is one of notes

Tell = Callable[[str, str, str], None]  # of a table: its name, which row, what is wrong with it
Shares = dict[str, float]  # class -> share; they sum to 1


class Recording(Struct):
    """One file, and what is said of it."""

    path: Path
    name: str  # from the folder on, with its name: "emotify/rock/7.mp3"
    group: str  # what must not be in two parts of a split: the pitch of a note, else the recording itself
    about: dict[str, str] = field(default_factory=dict)  # of ABOUT, and genre
    labels: dict[str, Shares] = field(default_factory=dict)  # by task
    bad: str = ""  # why it cannot be heard, where its header shows that


def read_folder(
    folder: Path, task: str = "genre", csv: Path | None = None, tell: Tell = lambda *_: None
) -> list[Recording]:
    """Every recording below the folder, by name. Raises BadFolder, FileNotFoundError.

    `tell` hears of rows of the CSV that name none of them.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not paths:
        raise BadFolder(f"{folder}: no recordings in it ({', '.join(sorted(ENDINGS))})")
    root = folder.resolve()
    found = [Recording(path, f"{root.name}/{path.relative_to(folder).as_posix()}", "") for path in paths]
    notes = sum(bool(NOTE.match(each.path.stem)) for each in found) >= MOSTLY * len(found)
    for each in found:
        _by_place(each, folder, "instrument" if notes else task)
        each.group = _pitch(each) if notes else each.name
        _by_header(each)
    table = csv or _table_of(folder)
    if table is not None:
        _by_table(found, folder, table, tell)
    return found


def classes_of(found: Sequence[Recording], task: str) -> list[str]:
    """The classes of a task, by name."""
    return sorted({name for each in found for name in each.labels.get(task, {})})


def tasks_of(found: Sequence[Recording]) -> list[str]:
    """The tasks that two classes or more are known of."""
    return [task for task in TASKS if len(classes_of(found, task)) > 1]


def written(shares: Shares) -> str:
    """A label as `Track.labels` has it: the class, or `class=share` for each of several."""
    if len(shares) == 1:
        return next(iter(shares))
    return " ".join(f"{name.replace(' ', '_')}={share:.4g}" for name, share in shares.items() if share > 0)


def parsed(label: str) -> Shares:
    """The other way round. Nothing for an empty label."""
    parts = [part.rpartition("=") for part in label.split()]
    try:
        shares = {name: float(share) for name, equals, share in parts if name and equals}
    except ValueError:
        shares = {}
    total = sum(shares.values())
    if len(shares) < len(parts) or total <= 0 or min(shares.values()) < 0:
        return {label: 1.0} if label else {}
    return {name: share / total for name, share in shares.items()}


def _by_place(each: Recording, folder: Path, task: str) -> None:
    inside = each.path.relative_to(folder).parts
    if len(inside) > 1:
        each.labels[task] = {inside[0]: 1.0}
    elif NOTE.match(each.path.stem) and task == "instrument":
        each.labels[task] = {each.path.stem.split("_")[0]: 1.0}
    each.about["title"] = each.path.stem


def _pitch(each: Recording) -> str:
    """A note's pitch; of one without (drums) the name of what is struck: such notes are near-copies too."""
    name, _, rest = each.path.stem.partition("_")
    return rest.partition("_")[0] or name


def _by_header(each: Recording) -> None:
    try:
        known = glance(each.path)
    except BadAudio as error:
        each.bad = str(error)
        return
    about = {"title": known.get("title"), "artist": known.get("artist"), "release": known.get("album")}
    each.about |= {name: text for name, text in about.items() if text}


def _table_of(folder: Path) -> Path | None:
    """The CSV in the folder itself that has a column of files."""
    for path in sorted(folder.glob("*.csv")):
        try:
            names = pl.scan_csv(path).collect_schema().names()
        except pl.exceptions.PolarsError:
            continue
        if _column(names, FILES):
            return path
    return None


def _by_table(found: list[Recording], folder: Path, table: Path, tell: Tell) -> None:
    try:
        frame = pl.read_csv(table, infer_schema_length=None)
    except (pl.exceptions.PolarsError, UnicodeDecodeError):
        # Not in the error's own words: with a quote unclosed they are whole rows of the table.
        raise BadFolder(f"{table}: no CSV that can be read (an unclosed quote?)") from None
    column = _column(frame.columns, FILES)
    if column is None:
        raise BadFolder(f"{table}: has none of the columns {', '.join(FILES)}")
    by_name = {_plain(each.path.relative_to(folder).as_posix()): each for each in found}
    by_name |= {each.path.resolve().as_posix(): each for each in found}
    by_stem = _once({each.path.stem: each for each in found}, [each.path.stem for each in found])
    unknown: list[tuple[int, str]] = []
    places = frame[column].cast(pl.String).fill_null("").rename("\0file")
    parts = frame.with_columns(places).with_row_index("\0row", 1).partition_by("\0file", maintain_order=True)
    for rows in parts:
        name = str(rows["\0file"][0])
        each = by_name.get(_plain(name)) or by_name.get(_resolved(name)) or by_stem.get(Path(name).stem)
        if each is None:
            unknown.append((int(rows["\0row"][0]), name))
        else:
            _described(each, rows.drop("\0row", "\0file"), column)
    if len(unknown) == len(parts):
        raise BadFolder(f"{table}: none of the files in its column {column} is in {folder}")
    for at, name in unknown:
        tell(table.name, f"row {at}", f"{name or 'nothing'!r} is no recording in {folder}")


def _described(each: Recording, rows: pl.DataFrame, column: str) -> None:
    votes: dict[str, float] = {}
    for name in rows.columns:
        plain, values = name.strip().lower(), rows[name].drop_nulls()
        if name == column or not len(values):
            continue
        if plain in ABOUT:
            each.about["release" if plain == "album" else plain] = str(values[0])
        elif plain in TASKS or plain in CLASS:
            task = plain if plain in TASKS else next(iter(each.labels), "genre")
            counts = Counter(str(value) for value in values)
            each.labels[task] = {label: count / counts.total() for label, count in counts.items()}
        elif values.dtype.is_numeric() and not NO_VOTES.match(plain) and float(values.min() or 0) >= 0:  # type: ignore[arg-type]  # numeric: a number
            votes[plain] = float(values.sum())
    total = sum(votes.values())
    if len(votes) > 1 and total > 0:
        each.labels["emotion"] = {name: count / total for name, count in votes.items()}


def _column(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    return next((name for name in names if name.strip().lower() in wanted), None)


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").strip()


def _resolved(name: str) -> str:
    """An absolute path as it is without links; nothing for another."""
    return Path(name).resolve().as_posix() if Path(name).is_absolute() else ""


def _once(by_stem: dict[str, Recording], stems: Sequence[str]) -> dict[str, Recording]:
    """Only those whose stem no other has."""
    counts = Counter(stems)
    return {stem: each for stem, each in by_stem.items() if counts[stem] == 1}
