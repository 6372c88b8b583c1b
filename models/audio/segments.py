"""Parts of a recording: the three that are embedded, what a network looks at of each, and crops to learn from."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.audio.settings import SEGMENTS, MelSettings

SEGMENT_S = 10.0
SHORTEST_S = 1.0  # that a network hears at once

AnyMel = NDArray[np.floating]


def thirds(mel: AnyMel, frames: int) -> list[AnyMel]:
    """SEGMENTS parts of at most `frames`, around 1/6, 3/6 and 5/6 of it; what is shorter is taken whole."""
    length = mel.shape[1]
    middles = (np.arange(SEGMENTS) + 0.5) / SEGMENTS * length
    starts = np.clip(np.round(middles - frames / 2), 0, max(0, length - frames)).astype(int)
    return [mel[:, start : start + frames] for start in starts.tolist()]


def windows(part: AnyMel, frames: int) -> NDArray[np.float32]:
    """(windows, bands, frames): as few as cover the part, evenly spread; a part that is shorter is repeated.

    So that a network is always asked about as much as it was taught with.
    """
    part = repeated(part, frames)
    room = part.shape[1] - frames
    starts = np.linspace(0, room, 1 + -(-room // frames)).round().astype(int)
    return np.stack([part[:, start : start + frames] for start in starts.tolist()]).astype(np.float32)


def heard_at_once(mels: Sequence[AnyMel], heard: MelSettings, longest_s: float) -> int:
    """Frames that a network is to hear at once: the usual length of what it is taught with, within bounds."""
    usual = float(np.median([mel.shape[1] for mel in mels])) * heard.hop_ms / 1000
    return heard.frames(max(SHORTEST_S, min(longest_s, usual)))


def crop(mel: AnyMel, frames: int, rng: np.random.Generator) -> AnyMel:
    """`frames` of it from a start by chance; what is shorter is repeated."""
    mel = repeated(mel, frames)
    start = int(rng.integers(mel.shape[1] - frames + 1))
    return mel[:, start : start + frames]


def repeated(mel: AnyMel, frames: int) -> AnyMel:
    """As often as it takes to have `frames`."""
    return mel if mel.shape[1] >= frames else np.tile(mel, (1, -(-frames // mel.shape[1])))
