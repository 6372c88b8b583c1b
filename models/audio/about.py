"""What goes with the three graphs of a release or of a folder of networks: the file audio.json."""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from models.audio.settings import TASKS, MelSettings

ABOUT = "audio.json"


class About(Struct):
    """The file."""

    mels: MelSettings
    classes: dict[str, list[str]]  # by task, in the order of the logits
    frames: dict[str, int]  # by task, that its network hears at once
    taught_with: dict[str, int]  # by task, recordings; 0: clusters of the sound itself, for there were no labels
    difference: float = 0.0  # of the graphs from the networks, the largest


class NoNetworks(ValueError):
    """A folder that holds no networks, or others than these; the text says which file."""


def read_about(folder: Path) -> About:
    """Raises NoNetworks."""
    path = folder / ABOUT
    try:
        raw = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        if isinstance(mels := raw.get("mels"), dict):
            mels.setdefault("semitones", 0)  # what was made before there were any
        about = msgspec.convert(raw, About)
    except (OSError, msgspec.MsgspecError) as error:
        raise NoNetworks(f"{path}: {error}; a folder of networks is made by `segue audio train`") from error
    missing = [name for name in map(network_file, TASKS) if not (folder / name).is_file()]
    if missing:
        raise NoNetworks(f"{folder / missing[0]}: is missing")
    return about


def network_file(task: str) -> str:
    """The name of the file with the network of a task."""
    return f"audio_{task}.onnx"
