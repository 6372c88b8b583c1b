"""Playlists as players read them: M3U8 (extended), XSPF 1 and JSPF."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import polars as pl
from msgspec import Struct

from models.catalogue import Catalogue
from schemas.recommendation import Item
from services.runtime.settings import BadSetting


class Entry(Struct, frozen=True):
    """One track of a playlist; `location` is its recording's URI."""

    location: str
    title: str
    artist: str
    seconds: float
    reason: str


_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # characters that XML 1.0 cannot hold

Writer = Callable[[str, Sequence[Entry]], str]


def entries(items: Sequence[Item], catalogue: Catalogue, recordings: pl.DataFrame) -> list[Entry]:
    """Of a list's tracks, those that have a recording. `recordings`: row, audio, seconds."""
    known = {row: (audio, seconds) for row, audio, seconds in recordings.select("row", "audio", "seconds").iter_rows()}
    found = []
    for item in items:
        row = catalogue.row_of[item.track_id]
        if row in known:
            audio, seconds = known[row]
            location = audio if "://" in audio else Path(audio).absolute().as_uri()
            found.append(Entry(location, catalogue.titles[row], catalogue.artists[row], seconds, item.reason))
    return found


def writer_of(path: Path) -> Writer:
    """By the file's ending. Raises BadSetting naming those there are."""
    writer = WRITERS.get(path.suffix.lower())
    if writer is None:
        raise BadSetting(f"--save {path}: a playlist is a file named {', '.join('*' + ending for ending in WRITERS)}")
    return writer


def m3u8(title: str, tracks: Sequence[Entry]) -> str:
    """Extended M3U in UTF-8; a reason is a comment."""
    lines = ["#EXTM3U", f"#PLAYLIST:{_line(title)}"]
    for each in tracks:
        name = f"{each.artist} - {each.title}" if each.artist else each.title
        lines += [f"#EXTINF:{round(each.seconds)},{_line(name)}", f"# {_line(each.reason)}", each.location]
    return "\n".join(lines) + "\n"


def xspf(title: str, tracks: Sequence[Entry]) -> str:
    """XML Shareable Playlist Format, version 1 (xspf.org)."""
    root = ElementTree.Element("playlist", version="1", xmlns="http://xspf.org/ns/0/")
    ElementTree.SubElement(root, "title").text = _NO_XML.sub("", title)
    inside = ElementTree.SubElement(root, "trackList")
    for each in tracks:
        track = ElementTree.SubElement(inside, "track")
        for name, text in _fields(each).items():
            ElementTree.SubElement(track, name).text = _NO_XML.sub("", str(text))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def jspf(title: str, tracks: Sequence[Entry]) -> str:
    """The same as JSON: there a location is a list."""
    listed = [{**_fields(each), "location": [each.location]} for each in tracks]
    made = {"playlist": {"title": title, "track": listed}}
    return msgspec.json.format(msgspec.json.encode(made), indent=2).decode() + "\n"


def _fields(each: Entry) -> dict[str, str | int]:
    fields: dict[str, str | int] = {"location": each.location, "title": each.title}
    if each.artist:
        fields["creator"] = each.artist
    return fields | {"annotation": each.reason, "duration": round(1000 * each.seconds)}


def _line(text: str) -> str:
    return " ".join(text.split())


WRITERS: dict[str, Writer] = {".m3u8": m3u8, ".xspf": xspf, ".jspf": jspf}
