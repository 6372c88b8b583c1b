"""Profiles as they stood at given moments, folded from the log as a profiler folds it."""

from collections.abc import Callable, Sequence

from models.evaluation.log import Log
from models.folding import Folding
from models.taste import TasteSettings


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
        folding = Folding(self._log.events, self._taste, *self._kept.get(user, (first, None)))
        found: dict[int, bytes | None] = {}
        for moment in sorted({*moments, keep}):
            _, end = self._log.events_before(user, moment)
            if end < folding.row:
                raise ValueError(f"a moment {moment} that lies before what was kept")
            if folded := folding.to(end):
                self._folded(folded)
            found[moment] = folding.data
            if moment == keep and folding.data is not None:
                self._kept[user] = (folding.row, folding.data)
        return [found[moment] for moment in moments]
