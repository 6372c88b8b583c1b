"""Many profiles from their bytes at once, as who folds a batch of listens needs them."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np

from models.flat import Latest, readable
from models.layout import BadProfile, Head
from models.profile import Profile
from models.tastes import STEP_BITS

Read = TypeVar("Read", Head, Profile)

FEW, MANY = 8, 64  # profiles: fewer are decoded one by one, more so many at once


def decode_all(heads: Sequence[bytes]) -> list[Profile | BadProfile]:
    """Many profiles from their bytes; in the place of one that cannot be read stands why not.

    So many at once as numpy has in the processor's cache; of a few each by itself is sooner.
    """
    if len(heads) < FEW:
        return [_tried(Profile.decode, data) for data in heads]
    return [each for at in range(0, len(heads), MANY) for each in _decoded(heads[at : at + MANY])]


def _tried(read: Callable[[bytes], Read], data: bytes) -> Read | BadProfile:
    try:
        return read(data)
    except BadProfile as error:
        return error


def _decoded(heads: Sequence[bytes]) -> Iterator[Profile | BadProfile]:
    found = [_tried(Head, data) for data in heads]
    wrong = iter(readable([each for each in found if isinstance(each, Head)]))
    told = [each if isinstance(each, BadProfile) else next(wrong) or each for each in found]
    sound = [each for each in told if isinstance(each, Head)]
    latest = Latest(sound)
    steps = (latest.told >> STEP_BITS).astype(np.uint16).tobytes()
    starts, lasts = (2 * latest.track_starts).tolist(), iter(latest.newest_ticks.tolist())
    places = iter(pairwise(starts))
    for each in told:
        if isinstance(each, BadProfile):
            yield each
        else:
            begin, end = next(places)
            yield Profile.of(each, steps[begin:end] if each.whole else each.last_steps.tobytes(), next(lasts))
