"""Around: what the listener has played before and after what they are playing now."""

from models.explain import AROUND_HERE
from models.release import Release
from models.sources.signalled import Signalled


class Around(Signalled):
    """What stood near the last ten plays in the listener's own past."""

    name = "around"

    def __init__(self, release: Release) -> None:
        super().__init__(release, lambda signals: signals.own.around, AROUND_HERE)
