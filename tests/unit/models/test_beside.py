"""Which artists are played beside each other."""

import numpy as np
import pytest

from models.neighbours import artists
from models.neighbours.fit import Plays
from models.neighbours.settings import NeighbourSettings

KEYS = np.array([7, 7, 3, 5, 3, 5])  # of artists, by row


def plays(*sessions: tuple[int, list[int]]) -> Plays:
    """(listener, rows played) a session, an hour apart."""
    users = [user for user, rows in sessions for _ in rows]
    seconds = [7_200 * number + 60 * at for number, (_, rows) in enumerate(sessions) for at in range(len(rows))]
    rows = [row for _, rows in sessions for row in rows]
    return Plays(np.array(users, np.int32), np.array(rows, np.int32), np.array(seconds, np.int64))


def near(made: Plays, settings: NeighbourSettings) -> dict[int, list[int]]:
    table = artists.beside(made, artists.heads(KEYS), settings)
    assert table.fits(len(KEYS))
    return {
        row: table.rows[table.starts[row] : table.starts[row + 1]].tolist()
        for row in range(len(KEYS))
        if table.starts[row] < table.starts[row + 1]
    }


def test_an_artist_is_their_first_row() -> None:
    assert artists.heads(KEYS).tolist() == [0, 0, 2, 3, 2, 3]


def test_artists_of_one_session_are_beside_each_other_whatever_the_track() -> None:
    found = near(plays((0, [1, 4]), (0, [3]), (1, [0, 2, 5])), NeighbourSettings())
    assert found == {0: [2, 3], 2: [0, 3], 3: [2, 0]}


@pytest.mark.parametrize(
    ("between", "found"), [([1] * 12, {0: [2], 2: [0]}), ([1, 3] * 6, {0: [3], 2: [3], 3: [0, 2]})]
)
def test_an_album_is_one_play_of_its_artist(between: list[int], found: dict[int, list[int]]) -> None:
    """With `window` 1, 0 and 2 are neighbours across any number of plays of 0's artist, not across another's."""
    assert near(plays((0, [0, *between, 2])), NeighbourSettings(window=1)) == found
