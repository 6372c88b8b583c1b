"""Files as they come: packed or not, in an archive or not, with a byte order mark or not."""

import bz2
import codecs
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import polars as pl
from msgspec import Struct
from polars.exceptions import PolarsError

from services.importer.report import Report

MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"(\xb5/\xfd": "zstd", b"PK\x03\x04": "zip"}
# What reading a broken, truncated, encrypted or unknown packing raises, and text in another encoding.
TROUBLE = (
    OSError,
    EOFError,
    LookupError,
    RuntimeError,
    ValueError,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
    tarfile.TarError,
    PolarsError,
)


class Part(Struct):
    """One readable file: the file itself unpacked, or a member of an archive."""

    name: str  # as it is shown, e.g. "export.zip:endsong_0.json"
    stream: io.BufferedIOBase  # unpacked; without a byte order mark; UTF-8 if it was UTF-16


def packing(file: Path) -> str | None:
    """How the file is packed, by its first bytes: gzip, bzip2, xz, zstd, zip, tar; None: it is not."""
    with file.open("rb") as stream:
        head = stream.read(262 + 5)
    for magic, name in MAGIC.items():
        if head.startswith(magic):
            return name
    return "tar" if head[257:262] == b"ustar" else None


def parts(file: Path, wanted: Callable[[str], bool], report: Report, encoding: str | None = None) -> Iterator[Part]:
    """The file, or those members of an archive whose name is `wanted`. Each is good until the next is asked for.

    What cannot be opened goes to the report, and whoever reads does so under `told`. `encoding` is that of the text, if
    it is not UTF-8.
    """
    with told(file.name, report):
        kind = packing(file)
        if kind == "zip":
            yield from _zipped(file, wanted, report, encoding)
        elif kind == "tar" or ".tar" in file.name or file.suffix == ".tgz":
            yield from _tarred(file, wanted, report, encoding)
        else:
            with _unpacked(file, kind) as stream:
                yield Part(file.name, _as_utf8(stream, encoding))


def _unpacked(file: Path, kind: str | None) -> IO[bytes]:
    opened: dict[str, Callable[[Path], Any]] = {"gzip": gzip.open, "bzip2": bz2.open, "xz": lzma.open, "zstd": _zstd}
    stream: IO[bytes] = opened[kind](file) if kind else file.open("rb")
    return stream


def _zipped(file: Path, wanted: Callable[[str], bool], report: Report, encoding: str | None) -> Iterator[Part]:
    with zipfile.ZipFile(file) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/") and wanted(name))
        if not names:
            report.problem(file.name, "", "", "no file of this format in the archive")
        for name in names:
            with told(f"{file.name}:{name}", report), archive.open(name) as stream:
                yield Part(f"{file.name}:{name}", _as_utf8(stream, encoding))


def _tarred(file: Path, wanted: Callable[[str], bool], report: Report, encoding: str | None) -> Iterator[Part]:
    if packing(file) == "zstd":
        report.problem(file.name, "", "", "a tar packed with zstd: unpack it first (tar --zstd -xf) and name the files")
        return
    found = False
    with tarfile.open(file, mode="r|*") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() and wanted(member.name) else None
            if stream:
                found = True
                yield Part(f"{file.name}:{member.name}", _as_utf8(stream, encoding))
    if not found:
        report.problem(file.name, "", "", "no file of this format in the archive")


@contextmanager
def told(name: str, report: Report) -> Iterator[None]:
    """Report what goes wrong with the file itself while it is being read; what was read so far stands."""
    try:
        yield
    except TROUBLE as error:
        report.problem(name, "", "", f"cannot be read: {error or type(error).__name__}")


def _as_utf8(stream: IO[bytes], encoding: str | None) -> io.BufferedIOBase:
    buffered = io.BufferedReader(stream) if isinstance(stream, io.RawIOBase) else stream
    head = buffered.read(4)
    if encoding is None and head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if encoding:
        text = (head + buffered.read()).decode(encoding, errors="replace")
        return io.BytesIO(text.removeprefix("\ufeff").encode())
    return _Rest(head.removeprefix(codecs.BOM_UTF8), buffered)


class _Rest(io.BufferedReader):
    """A stream that begins with bytes already taken from it."""

    def __init__(self, head: bytes, stream: IO[bytes]) -> None:
        super().__init__(_Chained(head, stream), buffer_size=1 << 20)


class _Chained(io.RawIOBase):
    def __init__(self, head: bytes, stream: Any) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed wants any Buffer; we get this
        data = self._head[: len(buffer)]
        self._head = self._head[len(data) :]
        data = data or self._stream.read1(len(buffer))  # what there is, before a truncated packing raises
        buffer[: len(data)] = data
        return len(data)


def _zstd(file: Path) -> IO[bytes]:
    """Python 3.11 has no zstd; polars has, for text line by line."""
    batches = pl.scan_lines(file, name="line").collect_batches(chunk_size=50_000, maintain_order=True)
    return io.BufferedReader(_Lines(batches))


class _Lines(io.RawIOBase):
    def __init__(self, batches: Iterator[pl.DataFrame]) -> None:
        self._batches = iter(batches)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed wants any Buffer; we get this
        while not self._left:
            batch = next(self._batches, None)
            if batch is None:
                return 0
            self._left = "".join(f"{line}\n" for line in batch.to_series()).encode()
        data = self._left[: len(buffer)]
        self._left = self._left[len(data) :]
        buffer[: len(data)] = data
        return len(data)
