"""A made-up listener of a release, whose list asks everything of it that a real one's would."""

from models.catalogue import Catalogue
from models.profile import Profile, ProfileView
from models.taste import TasteSettings, fold
from schemas.events import Listen

TRACKS = 20
GAP_S = 200


def beginner(catalogue: Catalogue) -> ProfileView:
    """Who has played its first tracks twice, one after the other; the last 30 plays are at hand, the others noted."""
    profile, taste = Profile(), TasteSettings(max_recent=30, max_past=0)
    for number, row in enumerate(2 * list(range(min(TRACKS, len(catalogue))))):
        played_ms = number * GAP_S * 1_000
        listen = Listen(
            f"beginner-{number}",
            "beginner",
            catalogue.track_ids[row],
            played_ms,
            "play",
            catalogue.artists[row] or None,
        )
        fold(profile, listen, number, taste)
    return ProfileView(profile.encode())
