"""What a manifest tells of how a release was made: the settings that were used, and the libraries."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from models.fitted import Fitted
from schemas.release import Span

if TYPE_CHECKING:
    from models.train import TrainSettings

# What a release's files come from; torch and onnx, or pyspark, only where they are installed.
MADE_BY = (
    "faiss-cpu", "implicit", "numpy", "onnx", "onnxruntime", "polars", "pyspark", "scipy", "segue", "torch",
)  # fmt: skip
OF_THE_MACHINE = {"lyrics": ("threads",), "als": ("spark",)}  # settings that say nothing of what was made


def settings(
    made: Fitted, asked: "TrainSettings", gaps: dict[str, list[Span]], listens: pl.DataFrame
) -> dict[str, Any]:
    """What was asked for, ALS's as they were used, and what it was made of: `gaps` in the log, the newest listen."""
    start = made.start
    used = {
        "taste": asked.taste,
        "als": made.als,
        "neighbours": asked.neighbours,
        "ranker": asked.ranker,
        "lyrics": asked.lyrics,
        "check": asked.check,
        "audio": asked.audio,
        "bridge": asked.bridge,
        "list": asked.lists,
        "history": {"gaps": gaps, "until": _newest(listens)},
        "warm_start": start and {"release": start.release_id, "tracks": start.known, "iterations": start.iterations},
    }
    builtins: dict[str, Any] = msgspec.to_builtins(used)
    for section, names in OF_THE_MACHINE.items():
        for name in names:
            del builtins[section][name]
    return builtins


def versions() -> dict[str, str]:
    """Of the libraries in MADE_BY that are there."""
    there: dict[str, str] = {}
    for name in MADE_BY:
        with suppress(PackageNotFoundError):
            there[name] = version(name)
    return there


def _newest(listens: pl.DataFrame) -> int:
    newest = listens["listened_at"].max()
    return newest if isinstance(newest, int) else 0
