"""Reasons in words for the listener. Only event times count: "3 days ago" is before the listener's newest listen."""

from collections.abc import Iterable
from functools import lru_cache

MINUTE, HOUR, DAY = 60, 3_600, 86_400
LONGEST = 80  # characters of a title or name in a reason

_STEPS = (
    (2 * DAY, HOUR, "hour"),
    (60 * DAY, DAY, "day"),
    (730 * DAY, 30 * DAY, "month"),
)


def played_before(plays: Iterable[int], ages: Iterable[int]) -> list[str]:
    """For tracks of the listener's own; `ages` in seconds. No plays: it was only loved."""
    # Most of a list are such tracks, so nothing is called for each but the cache.
    return [
        _played_before(count, age - age % (MINUTE if age < HOUR else HOUR if age < 2 * DAY else DAY))
        for count, age in zip(plays, ages, strict=True)
    ]


@lru_cache(maxsize=1 << 14)
def _played_before(plays: int, age: int) -> str:
    """Of an age without what is not told of it: the same few for most listeners."""
    if plays <= 0:
        return "You loved it"
    return f"You have played it {'once' if plays == 1 else f'{plays} times'}, last {ago(age)}"


def because_of(title: str, artist: str) -> str:
    """For a track found near one that the listener plays; an unknown artist is ""."""
    return f"Because you play “{shortened(title)}”" + (f" by {shortened(artist)}" if artist else "")


def ago_played(age: int) -> str:
    """For a track that the listener has met; `age` in seconds."""
    return f"You heard it {ago(max(0, age))}"


def goes_on_after(title: str) -> str:
    """For a track that the listener themselves has played behind another."""
    return f"You have gone on with it after “{shortened(title)}”"


def often_after(title: str) -> str:
    """For a track that others play behind one."""
    return f"Often played after “{shortened(title)}”"


def heard_around(title: str) -> str:
    """For a track that others play around one that the listener plays."""
    return f"Others play it around “{shortened(title)}”"


def words_like(title: str, artist: str) -> str:
    """For a song that speaks of what one does that the listener plays; an unknown artist is ""."""
    return f"Words like “{shortened(title)}”" + (f" by {shortened(artist)}" if artist else "")


def sounds_like(title: str) -> str:
    """For a track whose recording is like that of one that the listener plays."""
    return f"Sounds like “{shortened(title)}”, which you play a lot"


def more_of(artist: str) -> str:
    """For an unheard track by an artist that the listener plays."""
    return f"More by {shortened(artist)}, whom you play" if artist else "More of what you play"


def beside_artist(artist: str) -> str:
    """For a track of an artist that others play beside one that the listener plays."""
    return f"Others play this artist beside {shortened(artist)}" if artist else "By an artist like those you play"


def new_by(artist: str) -> str:
    """For a track that has only been known for some weeks."""
    return f"New by {shortened(artist)}, whom you play" if artist else "New of what you play"


# Of several of the last plays together, none of which need be the cause alone.
GOES_ON_HERE = "You have gone on with it from about here before"
OFTEN_HERE = "Often played after what you are playing"
AROUND_HERE = "You have played it around what you are playing"
RISING = "More listeners than usual these weeks"
LIKE_THIS_SESSION = "From earlier sessions of yours like this one"


def ago(age: int) -> str:
    """Seconds, in the words of a person."""
    return _ago(age - age % (HOUR if age >= HOUR else MINUTE))


@lru_cache(maxsize=1 << 13)
def _ago(age: int) -> str:
    """Of whole minutes, whole hours from the first on: the same few for most tracks of most listeners."""
    if age < HOUR:
        return f"{_counted(max(1, age // MINUTE), 'minute')} ago"
    for below, unit, word in _STEPS:
        if age < below:
            return f"{_counted(age // unit, word)} ago"
    return f"{_counted(age // (365 * DAY), 'year')} ago"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def shortened(text: str) -> str:
    """At most LONGEST characters."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
