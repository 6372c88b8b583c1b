"""A day played in bulk: thousands of sessions at once, round by round. For history."""

import numpy as np
from numpy.typing import NDArray

from services.simulator.choose import Chosen, choose
from services.simulator.plan import Plan
from services.simulator.rows import BAN, LOVE, PLAY, SKIP, Rows, join
from services.simulator.settings import DAY_MS
from services.simulator.settle import Outcome, settle
from services.simulator.world import World

Ints = NDArray[np.int64]

BREAK_MS = 60_000  # at least so long between two sessions of a listener
THOUGHT_MS = 1_000  # from the end of a track to its love or ban: sooner than the next track can end
EVE_MS = 2_000  # nothing ends later than this before the day turns, so that a day is complete in itself


def play_day(world: World, plan: Plan) -> Rows:
    """All events of a day, in order of time. Moves the world's memory to the end of the day.

    A round holds one session of each listener at most. Listeners do not touch each other, so the sessions of a round
    can be played side by side, while what a session leaves in the memory is there for the next round.
    """
    rounds = [
        _play_round(world, plan, int(low), int(high))
        for low, high in zip(plan.rounds[:-1], plan.rounds[1:], strict=True)
    ]
    return join(rounds).in_order()


def _play_round(world: World, plan: Plan, first: int, last: int) -> Rows:
    slots = np.arange(plan.first_slot[first], plan.first_slot[last])
    chosen = choose(world, plan, first, last)
    outcome = settle(world, plan, slots, chosen.track, chosen.why)
    session = plan.session[slots] - first
    listener = plan.listener[first:last]
    start = np.maximum(plan.start_ms[first:last], world.memory.busy_ms[listener] + BREAK_MS)
    end = _ends(np.where(chosen.keep, plan.dice.pause_ms[slots] + outcome.ms_played, 0), session, start)
    kept = chosen.keep & (end < plan.day_ms + DAY_MS - EVE_MS)
    np.maximum.at(world.memory.busy_ms, listener[session[kept]], end[kept])
    return _write(world, listener[session], chosen, outcome, end, np.flatnonzero(kept))


def _ends(took: Ints, session: Ints, start: Ints) -> Ints:
    """When each slot ends: running sums inside each session from its start. (n,), ms since epoch."""
    total = np.cumsum(took)
    opener = np.searchsorted(session, np.arange(len(start)))
    before = total[opener] - took[opener]
    return start[session] + total - before[session]


def _write(world: World, listener: Ints, chosen: Chosen, outcome: Outcome, end: Ints, kept: Ints) -> Rows:
    """Remember what was played, and tell it."""
    who, track = listener[kept], chosen.track[kept]
    skip, love, ban = outcome.skip[kept], outcome.love[kept], outcome.ban[kept]
    world.memory.remember(who[~skip], track[~skip], love[~skip])
    world.memory.ban(who[ban], track[ban])
    plays = Rows(end[kept], who, track, np.where(skip, SKIP, PLAY), outcome.ms_played[kept], outcome.organic[kept])
    said = love | ban
    n = int(said.sum())
    words = Rows(
        end[kept][said] + THOUGHT_MS,
        who[said],
        track[said],
        np.where(love[said], LOVE, BAN),
        np.full(n, -1),
        np.zeros(n, bool),
    )
    return join([plays, words])
