import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.unit.importer.conftest import Read, read_file

CSV = "user_id,timestamp,artist,track\n" + "".join(f"u,{1_700_000_000 + n},Ann,Søng {n}\n" for n in range(300))
LINE = {"user_id": "u", "listened_at": 0, "track_metadata": {"artist_name": "Ann", "track_name": "Søng"}}
LINES = "\n".join(json.dumps({**LINE, "listened_at": 1_700_000_000 + n}) for n in range(300))


def zipped(content: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def tarred(content: bytes, name: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:xz") as archive:
        member = tarfile.TarInfo(f"dump/{name}")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


PACKINGS: dict[str, Callable[[bytes, str], bytes]] = {
    ".gz": lambda content, _: gzip.compress(content),
    ".bz2": lambda content, _: bz2.compress(content),
    ".xz": lambda content, _: lzma.compress(content),
    ".zip": zipped,
    ".tar.xz": tarred,
}


@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize(("name", "text"), [("plays.csv", CSV), ("1.listens", LINES)])
def test_packed_files_are_read_as_they_are(read: Read, packing: str, name: str, text: str) -> None:
    plain = read(name, text)
    packed = read(name + packing, PACKINGS[packing](text.encode(), name))
    assert (packed.bad, plain.bad) == ([], [])
    assert packed.listens.equals(plain.listens)
    assert plain.listens.height == 300


def test_zstd_is_read(read: Read, tmp_path: Path) -> None:
    plays = pl.read_csv(CSV.encode())
    plays.write_csv(tmp_path / "plays.csv.zst", compression="zstd")
    assert read_file(tmp_path / "plays.csv.zst").listens.equals(read("plays.csv", CSV).listens)


@pytest.mark.parametrize("packing", [".gz", ".bz2", ".xz", ".zip"])
def test_a_truncated_packing_is_told_and_what_was_read_stands(read: Read, packing: str) -> None:
    whole = PACKINGS[packing](LINES.encode(), "1.listens")
    found = read("1.listens" + packing, whole[: len(whole) // 2], "listenbrainz")
    assert found.listens.height < 300
    assert len(found.bad) >= 1
    assert "cannot be read" in found.bad[-1]


def test_gz_gives_the_lines_before_the_end(read: Read) -> None:
    content = gzip.compress((LINES * 20).encode(), compresslevel=1)
    found = read("1.listens.gz", content[:-20], "listenbrainz")
    assert found.listens.height > 0


def test_an_archive_of_other_things_is_told(read: Read) -> None:
    found = read("x.zip", zipped(b"hello", "readme.md"), "spotify", user="me")
    assert found.bad == ["x.zip: no file of this format in the archive"]


def test_a_tar_in_zstd_says_what_to_do(read: Read) -> None:
    found = read("dump.tar.zst", b"(\xb5/\xfd rest", "listenbrainz")
    assert "unpack it first" in found.bad[0]


def test_a_byte_order_mark_is_no_part_of_the_first_name(read: Read) -> None:
    assert read("bom.csv", CSV.encode("utf-8-sig")).listens.height == 300
    assert read("bom.listens", LINES.encode("utf-16")).listens.height == 300
