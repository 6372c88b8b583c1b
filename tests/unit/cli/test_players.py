"""A saved playlist is what players read."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from services.cli.players import Entry, jspf, m3u8, writer_of, xspf
from services.runtime.settings import BadSetting

TRACKS = [
    Entry("file:///a%20b.mp3", "One & <Two>", "Ann", 29.6, "Sounds like “X”"),
    Entry("file:///c.mp3", "Two\nlines", "", 3.0, "Y"),
]


def test_m3u8() -> None:
    assert m3u8("By\nsound", TRACKS).splitlines() == [
        "#EXTM3U", "#PLAYLIST:By sound",
        "#EXTINF:30,Ann - One & <Two>", "# Sounds like “X”", "file:///a%20b.mp3",
        "#EXTINF:3,Two lines", "# Y", "file:///c.mp3",
    ]  # fmt: skip


def test_xspf() -> None:
    root = ElementTree.fromstring(xspf("By sound", TRACKS))  # noqa: S314  # our own
    space = "{http://xspf.org/ns/0/}"
    assert root.tag == f"{space}playlist"
    assert root.get("version") == "1"
    found = [{part.tag.removeprefix(space): part.text for part in track} for track in root.iter(f"{space}track")]
    assert found[0] == {
        "location": "file:///a%20b.mp3", "title": "One & <Two>", "creator": "Ann", "annotation": "Sounds like “X”",
        "duration": "29600",
    }  # fmt: skip
    assert "creator" not in found[1]


def test_xspf_is_xml_whatever_the_titles_hold() -> None:
    odd = "".join(map(chr, range(0x20))) + "\ufffe\uffff\ud800é\U0001f3b5"
    made = xspf(odd, [Entry("file:///a.mp3", odd, odd, 1.0, odd)])
    root = ElementTree.fromstring(made.encode())  # noqa: S314  # our own
    texts = {part.text for part in root.iter() if part.text and "é" in part.text}
    assert texts == {"\t\n\né\U0001f3b5"}  # the parser makes \r to \n


def test_jspf() -> None:
    made = json.loads(jspf("By sound", TRACKS))["playlist"]
    assert made["title"] == "By sound"
    assert [track["location"] for track in made["track"]] == [["file:///a%20b.mp3"], ["file:///c.mp3"]]


def test_an_unknown_ending_is_named() -> None:
    with pytest.raises(BadSetting, match=r"p\.txt: .*\.m3u8"):
        writer_of(Path("p.txt"))
