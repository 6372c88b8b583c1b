"""One listener's profile at moment after moment, folded from a table of listens as a profiler folds them."""

import polars as pl

from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.events import Listen


class Folding:
    """A profile that is folded on, row after row."""

    def __init__(self, events: pl.DataFrame, taste: TasteSettings, row: int = 0, data: bytes | None = None) -> None:
        """`events`: models.interactions.COLUMNS in their order, by time. `data`: the profile of what is before."""
        self._events, self._taste = events, taste
        self._profile = Profile() if data is None else Profile.decode(data)
        self.row, self.data = row, data

    def to(self, end: int) -> int:
        """Fold the rows before `end` that are not folded yet; how many they were. `data` is its bytes then."""
        begun = self.row
        if end > begun:
            for offset, fields in enumerate(self._events[begun:end].iter_rows(), begun):
                fold(self._profile, Listen(*fields), offset, self._taste)
            self.row, self.data = end, self._profile.encode()
        return self.row - begun
