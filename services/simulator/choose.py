"""What a session plays: something known, something of a favourite artist, something new, or an album in its order."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from services.simulator.plan import GAPS, Plan
from services.simulator.space import match
from services.simulator.world import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Why(IntEnum):
    """How a track came to be played."""

    REPEAT = 0  # played lately
    LOVED = 1
    FAVOURITE = 2  # a favourite artist's
    FRESH = 3  # by taste and popularity
    ALBUM = 4  # next on the album
    LIST = 5  # from the listener's current list


@dataclass(frozen=True)
class Chosen:
    """One row a slot."""

    track: Ints
    why: Ints
    keep: Bools  # False: the slot stays empty, its track was already in the session or is banned


def choose(world: World, plan: Plan, first: int, last: int) -> Chosen:
    """Fill the slots of the sessions first..last-1, in which no listener is twice."""
    low, high = int(plan.first_slot[first]), int(plan.first_slot[last])
    slots = np.arange(low, high)
    session = plan.session[low:high]
    listener = plan.listener[session]
    track = np.zeros(len(slots), np.int64)
    why = np.full(len(slots), Why.FRESH, np.int64)

    back = (world.memory.plays[listener] > 0) & (plan.dice.repeat[low:high] < world.habits.repeats[listener])
    track[back], why[back] = _known(world, plan, slots[back])
    twice = back & ~_first_in_session(world, session, np.where(back, track, -1 - slots))
    new = ~back | twice
    track[new], why[new] = _unknown(world, plan, slots[new])
    _run_albums(world, plan, session, slots, track, why)
    keep = _first_in_session(world, session, track) & ~world.memory.is_banned(listener, track)
    return Chosen(track, why, keep)


def taste_of(world: World, plan: Plan, slots: Ints) -> NDArray[np.float32]:
    """The taste that each slot's session is in the mood for. (n, D)."""
    session = plan.session[slots]
    return world.tastes.vectors[plan.listener[session], plan.taste[session]]


def _known(world: World, plan: Plan, slots: Ints) -> tuple[Ints, Ints]:
    """Tracks played before: two by recency, of which the mood takes the one it likes; or a loved one."""
    listener = plan.listener[plan.session[slots]]
    dice, settings = plan.dice, world.settings
    earlier = world.memory.go_back(listener, dice.gap[slots])
    track = _liked(world, plan, slots, earlier, dice.lean[slots, :GAPS])
    loved = (world.memory.loves[listener] > 0) & (dice.loved[slots] < settings.loved_share)
    track[loved] = world.memory.a_loved(listener[loved], dice.gap[slots[loved], 0])
    return track, np.where(loved, Why.LOVED, Why.REPEAT)


def _unknown(world: World, plan: Plan, slots: Ints) -> tuple[Ints, Ints]:
    """Tracks by popularity and taste: of a favourite artist, of the taste's genre, or of any."""
    settings, dice, charts = world.settings, plan.dice, world.charts
    session = plan.session[slots]
    listener, taste = plan.listener[session], plan.taste[session]
    way = dice.way[slots]
    favourite = way < settings.favourite_share
    explore = way >= 1.0 - settings.explore_share * (1.0 - settings.favourite_share)

    genre = world.tastes.genre[listener, taste]
    genre[explore] = charts.genres(dice.genre[slots[explore]])
    likely = dice.fresh[slots]
    looked_at = np.empty(likely.shape, np.int64)
    own = world.tastes.favourites[listener[favourite], taste[favourite]]  # (f, F)
    place = (dice.favourite[slots[favourite]] * own.shape[1]).astype(np.int64)
    artist = own[np.arange(len(own)), place]
    looked_at[favourite] = charts.of_artist(
        np.broadcast_to(artist[:, None], likely[favourite].shape), likely[favourite]
    )
    others = ~favourite
    looked_at[others] = charts.of_genre(np.broadcast_to(genre[others, None], likely[others].shape), likely[others])
    track = _liked(world, plan, slots, looked_at, dice.lean[slots])
    return track, np.where(favourite, Why.FAVOURITE, Why.FRESH)


def _liked(world: World, plan: Plan, slots: Ints, tracks: Ints, noise: Floats) -> Ints:
    """One of each row's tracks (n, C), with a chance in proportion to exp(pull · match): the Gumbel-max trick."""
    fit = match(taste_of(world, plan, slots), world.catalogue.vectors[tracks])
    best = np.argmax(world.settings.taste_pull * fit + noise, axis=1)
    return np.asarray(tracks[np.arange(len(tracks)), best], np.int64)


def _run_albums(world: World, plan: Plan, session: Ints, slots: Ints, track: Ints, why: Ints) -> None:
    """Sessions with an album run play the release of their first track from its beginning, then go on as planned."""
    run = np.flatnonzero(plan.album[session])
    if not len(run):
        return
    opener = plan.first_slot[session[run]] - slots[0]
    release = world.catalogue.release_of[track[opener]]
    first = world.catalogue.release_first
    on_it = first[release] + (run - opener)
    inside = on_it < first[release + 1]
    track[run[inside]] = on_it[inside]
    why[run[inside]] = Why.ALBUM


def _first_in_session(world: World, session: Ints, track: Ints) -> Bools:
    """Whether no earlier slot of the same session has the same track. Negative tracks are each their own."""
    key = np.where(track < 0, track, session * world.catalogue.size + track)
    first = np.zeros(len(track), bool)
    first[np.unique(key, return_index=True)[1]] = True
    return first
