"""Profiles as they stood at given moments, folded from the log as a profiler folds it."""

from collections.abc import Callable, Sequence

from models.evaluation.log import Log
from models.profile import Profile
from models.taste import TasteSettings, fold
from schemas.events import Listen


class Replay:
    """Folds each listener's listens once, window after window; between windows only their bytes are kept."""

    def __init__(self, log: Log, taste: TasteSettings, folded: Callable[[int], None] = lambda _rows: None) -> None:
        """`folded` hears how many listens were folded."""
        self._log = log
        self._taste = taste
        self._folded = folded
        self._kept: dict[int, tuple[int, bytes]] = {}  # by listener: the next row, and the profile up to it

    def at(self, user: int, moments: Sequence[int], keep: int) -> list[bytes | None]:
        """The profile's bytes at each moment (rising): of all listens strictly before it. None: there were none.

        What comes before `keep` is not folded again, so later calls may ask for no moment before it.
        """
        first, _ = self._log.events_before(user, 0)
        row, data = self._kept.get(user, (first, None))
        profile = Profile() if data is None else Profile.decode(data)
        found: dict[int, bytes | None] = {}
        for moment in sorted({*moments, keep}):
            _, end = self._log.events_before(user, moment)
            if end < row:
                raise ValueError(f"a moment {moment} that lies before what was kept")
            if end > row:
                self._fold(profile, row, end)
                row, data = end, profile.encode()
            found[moment] = data
            if moment == keep and data is not None:
                self._kept[user] = (row, data)
        return [found[moment] for moment in moments]

    def _fold(self, profile: Profile, row: int, end: int) -> None:
        for offset, fields in enumerate(self._log.events[row:end].iter_rows(), row):
            fold(profile, Listen(*fields), offset, self._taste)
        self._folded(end - row)
