"""A day played event by event, each track chosen only when it starts. For live."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from services.simulator.bulk import BREAK_MS, EVE_MS, THOUGHT_MS
from services.simulator.choose import Why, choose, taste_of
from services.simulator.plan import Plan
from services.simulator.rows import BAN, LOVE, PLAY, SKIP
from services.simulator.settings import DAY_MS
from services.simulator.settle import settle
from services.simulator.space import match
from services.simulator.world import World

SEEN = 4  # tracks of a list that a listener sees at a time


class Offer(NamedTuple):
    """A listener's current list of recommendations."""

    list_id: str
    track_ids: Sequence[str]  # best first


Lists = Callable[[str], Offer | None]
"""user_id -> the listener's current list, or None where there is none yet."""


class Event(NamedTuple):
    """A row of rows.Rows, and the list it was played from."""

    time_ms: int
    listener: int
    track: int
    kind: int
    ms_played: int
    organic: bool
    list_id: str | None


ListOf = Callable[[int], tuple[str, Sequence[int]] | None]  # listener -> list_id, tracks that there are
Beat = tuple[int, int, Event | None]  # time, listener, what happened (None: a session begins)


def play_turns(world: World, plan: Plan, list_of: ListOf | None) -> Iterator[Event]:
    """The events of a day in order of time; without lists the same as bulk.play_day, to the last bit.

    The next track of a listener is chosen when the iterator is asked for more after the last one: whatever list came
    out of an event can be played from directly after it.
    """
    sessions: dict[int, list[int]] = {}
    for session, listener in enumerate(plan.listener.tolist()):
        sessions.setdefault(listener, []).append(session)
    for _, _, event in heapq.merge(*(_listener_day(world, plan, todo, list_of) for todo in sessions.values())):
        if event is not None:
            yield event


def _listener_day(world: World, plan: Plan, sessions: list[int], list_of: ListOf | None) -> Iterator[Beat]:
    for session in sessions:
        listener = int(plan.listener[session])
        start = max(int(plan.start_ms[session]), int(world.memory.busy_ms[listener]) + BREAK_MS)
        yield start, listener, None  # nothing is worked out before its time has come
        yield from _session(world, plan, session, listener, start, list_of)


def _session(
    world: World, plan: Plan, session: int, listener: int, start: int, list_of: ListOf | None
) -> Iterator[Beat]:
    chosen = choose(world, plan, session, session + 1)
    now, limit = start, plan.day_ms + DAY_MS - EVE_MS
    heard: dict[int, Event] = {}
    loved: list[int] = []
    banned: list[int] = []
    for i, slot in enumerate(range(plan.first_slot[session], plan.first_slot[session + 1])):
        track, why, list_id = int(chosen.track[i]), int(chosen.why[i]), None
        picked = _from_list(world, plan, slot, listener, heard, list_of)
        if picked is not None:
            list_id, track = picked
            why = Why.LIST
        elif not chosen.keep[i] or track in heard:
            continue
        outcome = settle(world, plan, np.array([slot]), np.array([track]), np.array([why]))
        ms_played, skip = int(outcome.ms_played[0]), bool(outcome.skip[0])
        end = now + int(plan.dice.pause_ms[slot]) + ms_played
        if end >= limit:
            break
        now = end
        organic = bool(outcome.organic[0])
        heard[track] = Event(now, listener, track, SKIP if skip else PLAY, ms_played, organic, list_id)
        yield now, listener, heard[track]
        for word, said, so in ((LOVE, loved, outcome.love[0]), (BAN, banned, outcome.ban[0])):
            if so:
                said.append(track)
                yield now + THOUGHT_MS, listener, Event(now + THOUGHT_MS, listener, track, word, -1, False, None)
    _remember(world, listener, heard, loved, banned)


def _remember(world: World, listener: int, heard: dict[int, Event], loved: list[int], banned: list[int]) -> None:
    if not heard:
        return
    played = np.array([track for track, event in heard.items() if event.kind == PLAY], np.int64)
    world.memory.remember(np.full(len(played), listener), played, np.isin(played, loved))
    world.memory.ban(np.full(len(banned), listener), np.array(banned, np.int64))
    world.memory.busy_ms[listener] = max(event.time_ms for event in heard.values())


def _from_list(
    world: World, plan: Plan, slot: int, listener: int, heard: dict[int, Event], list_of: ListOf | None
) -> tuple[str, int] | None:
    """What suits the mood best among the next few tracks, from where the eye falls on the list.

    Tracks that the session has had, or the listener has banned, are passed over.
    """
    if list_of is None or plan.dice.from_list[slot] >= world.settings.list_share:
        return None
    offered = list_of(listener)
    if offered is None:
        return None
    list_id, tracks = offered
    rest = np.array([track for track in tracks[int(plan.dice.list_place[slot]) :] if track not in heard], np.int64)
    seen = rest[~world.memory.is_banned(np.full(len(rest), listener), rest)][:SEEN]
    if not len(seen):
        return None
    mood = taste_of(world, plan, np.array([slot]))
    return list_id, int(seen[np.argmax(match(mood, world.catalogue.vectors[seen][None])[0])])
