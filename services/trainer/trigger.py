"""When to train: enough new listens, or enough time, but not in the midst of an import."""

from collections import deque

from services.trainer.settings import TrainerOptions

OBSERVED = 5.0  # seconds over which the rate of arrival is taken
POSTPONED = 300.0  # seconds that an import may hold up a training that is due
AFTER_FAILURE = 300.0  # seconds before a training that failed is tried again


class Trigger:
    """Counts what is new. Times are in seconds since epoch; `trained` is when the newest release was begun, if any."""

    def __init__(self, options: TrainerOptions, now: float, new: int, trained: float | None) -> None:
        self._options = options
        self._begun = now
        self._trained = trained
        self._not_before = 0.0
        self._due_since: float | None = None
        self._arrivals: deque[tuple[float, int]] = deque()
        self._training = 0  # of `new`, those that the training under way has
        self.new = new

    def arrived(self, now: float, listens: int) -> None:
        """So many listens were read; 0 is worth telling too, time has passed."""
        self.new += listens
        if listens:
            self._arrivals.append((now, listens))
        while self._arrivals and self._arrivals[0][0] < now - OBSERVED:
            self._arrivals.popleft()

    def due(self, now: float, total: int, behind: bool) -> str | None:
        """Why a training should begin now, None if it should not. `behind`: more is waiting in the log."""
        reason = self._reason(now, total, behind)
        if reason is None:
            self._due_since = None
            return None
        if self._due_since is None:
            self._due_since = now
        # Each training of a growing import would be thrown away by the next: wait for its end, but not for ever.
        if self._importing(now) and now - self._due_since < POSTPONED:
            return None
        return reason

    def _reason(self, now: float, total: int, behind: bool) -> str | None:
        if not self.new or total < self._options.min_listens or now < self._not_before:
            return None
        if now - (self._begun if self._trained is None else self._trained) >= self._options.every_seconds:
            return f"{self._options.every_seconds:g} s since the last"
        if behind:
            return None
        if self._trained is None:
            return "the first"
        return f"{self.new} new listens" if self.new >= self._options.every_listens else None

    def _importing(self, now: float) -> bool:
        """Whether listens come so fast that the next training would be due within a minute."""
        if now - self._begun < OBSERVED:
            return True
        return sum(count for _, count in self._arrivals) > self._options.every_listens * OBSERVED / 60

    def started(self) -> None:
        """A training begins, with all that is new."""
        self._training = self.new
        self._due_since = None

    def succeeded(self, began: float) -> None:
        """The training's release is published."""
        self.new -= self._training
        self._trained = began

    def failed(self, now: float) -> None:
        """The training made nothing; it is tried again later."""
        self._not_before = now + AFTER_FAILURE
