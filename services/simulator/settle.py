"""What comes of a track that starts playing: heard or skipped, how long, loved, banned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.simulator.choose import Why, taste_of
from services.simulator.plan import Plan
from services.simulator.space import match
from services.simulator.world import World

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MIDDLING = 1.0  # the match of a track in the middle of the taste's genre
ZEST = 3.0  # how much a better match raises the log-odds of a love, and a worse one those of a ban


@dataclass(frozen=True)
class Outcome:
    """One row a slot."""

    skip: Bools
    ms_played: Ints
    love: Bools
    ban: Bools
    organic: Bools


def settle(world: World, plan: Plan, slots: Ints, track: Ints, why: Ints) -> Outcome:
    """What becomes of tracks played in slots. All (n,).

    The log-odds of a skip fall with the match of the session's taste and the track, and with familiarity:
    a repeat, an album on its way, a favourite artist.
    """
    settings, dice = world.settings, plan.dice
    session = plan.session[slots]
    listener = plan.listener[session]
    better = match(taste_of(world, plan, slots), world.catalogue.vectors[track]).astype(np.float64) - MIDDLING
    own = world.tastes.favourites[listener, plan.taste[session]]  # (n, F)
    familiar = (own == world.catalogue.artist_of[track][:, None]).any(axis=1)
    familiar |= (why == Why.REPEAT) | (why == Why.LOVED) | (why == Why.ALBUM)
    level = settings.skip_level + world.habits.impatience[listener]
    skip = dice.skip[slots] < level - settings.skip_slope * better - settings.familiar * familiar
    love = ~skip & (dice.love[slots] < settings.love_level + ZEST * better)
    love &= ~world.memory.is_loved(listener, track)
    ban = skip & (dice.ban[slots] < settings.ban_level - ZEST * better)
    duration = world.catalogue.duration_ms[track]
    stopped = np.minimum(dice.stop_ms[slots], (0.95 * duration).astype(np.int64))
    heard = (dice.part[slots] * duration).astype(np.int64)
    by_others = (why == Why.LIST) | ((why == Why.FRESH) & (dice.radio[slots] < settings.radio_share))
    return Outcome(skip, np.where(skip, stopped, heard), love, ban, ~by_others)
