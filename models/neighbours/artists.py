"""Which artists are played beside each other: the neighbours of models.neighbours.fit, of artists in place of tracks.

An artist stands for a row, its first one in the catalogue: the table keeps its meaning when tracks join behind it.
"""

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from models.neighbours import fit
from models.neighbours.settings import NeighbourSettings
from models.neighbours.table import Table

MOST = 30  # artists kept beside each


def heads(artist_keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Of each row the first row of its artist."""
    _, first, of = np.unique(artist_keys, return_index=True, return_inverse=True)
    return first[of].astype(np.int64)


def beside(
    plays: fit.Plays,
    heads: NDArray[np.int64],
    settings: NeighbourSettings,
    progress: Callable[[float], None] = lambda _: None,
) -> Table:
    """The nearest artists of each artist, in the rows of `heads`; all other rows are empty.

    Plays of one artist in a row count as one, or an album would leave nobody else within the window.
    """
    artists = heads[plays.items].astype(np.int32)
    turns = np.flatnonzero((np.diff(artists, prepend=-1) != 0) | (np.diff(plays.users, prepend=-1) != 0))
    runs = fit.Plays(plays.users[turns], artists[turns], plays.seconds[turns])
    return fit.neighbours(runs, len(heads), replace(settings, most=min(MOST, settings.most)), progress)
