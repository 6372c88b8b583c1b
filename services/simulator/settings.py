"""How large the crowd is and how it behaves; docs/simulate.md says where each default comes from."""

from msgspec import Struct

from services.simulator.words import GENRES

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
DAY_TURNS_AT = 4  # o'clock UTC: hardly anybody listens then, so no session is cut in two by the end of a day


class CrowdSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that can be set about a simulated crowd.

    Raises ValueError naming the field that is out of its range.
    """

    artists: int = 2_000
    tracks: int = 20_000
    listeners: int = 500
    genres: int = 12
    start_ms: int = 1_735_704_000_000  # 2025-01-01T04:00Z; moved back to the turn of its day

    tastes: int = 3  # tastes a listener
    favourites: int = 8  # favourite artists a taste
    taste_pull: float = 5.0  # how strongly a fresh choice follows the taste
    drift: float = 0.2  # how far a taste moves in a week, beside the 0.8 in which listeners of one genre differ
    new_taste_weeks: float = 30.0  # a taste gives way to another genre once in so many weeks

    sessions_a_day: float = 1.7  # mean over the crowd
    session_tracks: float = 10.0  # median length of a session
    longest_session: int = 60
    album_share: float = 0.12  # sessions that begin with an album run

    repeat_share: float = 0.45  # plays meant as a repeat (others turn out to be one); mean over the crowd
    loved_share: float = 0.12  # of those, from the loved tracks
    recency_power: float = 1.0  # weight of the play g plays ago: (g + offset)^-power · exp(-g / cutoff)
    recency_offset: float = 4.0
    recency_cutoff: float = 1_500.0
    memory: int = 2_048  # plays a listener can go back to

    favourite_share: float = 0.35  # of the fresh plays, those of a favourite artist
    explore_share: float = 0.08  # of the fresh plays, those that leave the taste's genre
    radio_share: float = 0.25  # of the fresh plays, those that a radio or an editor chose (organic: false)
    list_share: float = 0.25  # plays taken from the listener's current list, where there is one

    skip_level: float = -0.75  # log-odds of a skip at a middling, unfamiliar track
    skip_slope: float = 2.6  # how much a match of taste and track lowers it
    familiar: float = 0.5  # how much it falls for a repeat, an album run, a favourite artist
    love_level: float = -6.2  # log-odds of a love at a middling track
    ban_level: float = -8.5  # log-odds of a ban after a skip of a middling track

    artist_zipf: float = 0.9  # popularity of the artist at rank r: r^-artist_zipf
    track_zipf: float = 0.8  # the same inside an artist
    new_share: float = 0.2  # tracks that come out after the start
    new_days: int = 365  # the days over which they come out
    growth_days: float = 21.0  # how fast a new track reaches its popularity

    def __post_init__(self) -> None:
        """Refuse what cannot be simulated."""
        shares = [name for name in self.__struct_fields__ if name.endswith("_share")]
        for name in shares:
            _between(name, getattr(self, name), 0.0, 1.0)
        for name in ("listeners", "tastes", "favourites", "new_days", "growth_days", "new_taste_weeks"):
            _between(name, getattr(self, name), 1, 1e9)
        for name in ("sessions_a_day", "session_tracks", "recency_cutoff", "recency_offset"):
            _between(name, getattr(self, name), 1e-3, 1e9)
        _between("genres", self.genres, 1, len(GENRES))
        _between("artists", self.artists, self.genres, 10_000_000)
        _between("tracks", self.tracks, self.artists, 100_000_000)
        _between("longest_session", self.longest_session, 1, self.memory)
        _between("start_ms", self.start_ms, DAY_MS, 2**52)

    @property
    def first_day_ms(self) -> int:
        """The turn of the day at or before `start_ms`: when the first simulated day begins, ms since epoch."""
        turn = DAY_TURNS_AT * HOUR_MS
        return (self.start_ms - turn) // DAY_MS * DAY_MS + turn


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ValueError(f"CrowdSettings.{name} is {value:,}: give something from {low:,} to {high:,}")
