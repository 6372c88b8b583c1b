"""Sessions: what the listener played in earlier sessions like the one they are in."""

from models.explain import LIKE_THIS_SESSION
from models.release import Release
from models.sources.signalled import Signalled


class Sessions(Signalled):
    """The tracks of those sessions."""

    name = "sessions"

    def __init__(self, release: Release) -> None:
        super().__init__(release, lambda signals: signals.alike, LIKE_THIS_SESSION)
