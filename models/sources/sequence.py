"""Own sequence: what the listener has gone on with before, from where they are now."""

from models.explain import GOES_ON_HERE, goes_on_after
from models.release import Release
from models.sources.signalled import Signalled


class OwnSequence(Signalled):
    """What followed on the last ten plays in the listener's own past."""

    name = "sequence"

    def __init__(self, release: Release) -> None:
        super().__init__(
            release, lambda signals: signals.own.after, GOES_ON_HERE, lambda signals: signals.own.soon, goes_on_after
        )
