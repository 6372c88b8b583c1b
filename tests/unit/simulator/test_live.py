"""Live: closing the loop through lists, and whose time it is."""

from collections.abc import Callable
from itertools import islice

import numpy as np

from schemas.events import Listen
from services.simulator.crowd import Crowd, make_crowd
from services.simulator.plan import make_plan
from services.simulator.settings import CrowdSettings
from services.simulator.turns import Event, Offer, _from_list

TINY = CrowdSettings(listeners=40, artists=60, tracks=1_000, sessions_a_day=4.0)


def crowd() -> Crowd:
    made = make_crowd(TINY, np.random.default_rng(5))
    made.history(3)
    return made


def some(made: Crowd, lists: Callable[[str], Offer | None] | None = None, n: int = 4_000) -> list[Listen]:
    return list(islice(made.live(lists), n))


def played(listens: list[Listen]) -> list[Listen]:
    return [listen for listen in listens if listen.kind in ("play", "skip")]


def test_listeners_without_a_list_live_as_if_there_were_none() -> None:
    assert some(crowd(), lambda _: None) == some(crowd())
    assert some(crowd(), lambda _: Offer("empty", [])) == some(crowd())


def test_listeners_play_from_their_own_list_and_say_so() -> None:
    made = crowd()
    out = [made.track_ids[i] for i in made.out()]

    def lists(user_id: str) -> Offer:
        at = int(user_id[-5:]) * 20
        return Offer(f"list of {user_id}", ["no such track", *out[at : at + 20]])

    listens = played(some(made, lists))
    from_list = [listen for listen in listens if listen.list_id]
    assert 0.15 < len(from_list) / len(listens) < 0.35
    for listen in from_list:
        assert listen.organic is False
        assert listen.list_id == f"list of {listen.user_id}"
        assert listen.track_id in lists(listen.user_id).track_ids


def test_the_list_is_asked_for_when_the_track_starts() -> None:
    made = crowd()
    fresh = made.track_ids[int(made.out()[-1])]
    now = 0

    def lists(user_id: str) -> Offer:
        return Offer(f"{now}", [fresh])

    told: dict[str, int] = {}  # user_id -> how many events had been seen when the last of theirs came
    checked = 0
    for now, listen in enumerate(islice(made.live(lists), 4_000), 1):  # `lists` reads it
        if listen.list_id is not None and listen.kind != "love":
            # Asked for directly after the listener's last event, or later where a session begins in between.
            assert int(listen.list_id) >= told.get(listen.user_id, 0)
            checked += 1
        told[listen.user_id] = now
    assert checked > 50


def test_good_lists_are_skipped_less_than_bad_ones() -> None:
    def skipped(best: bool) -> float:
        made = crowd()
        ranked = {user: made.truth(user).track_ids for user in made.user_ids}
        listens = played(some(made, lambda user: Offer("l", ranked[user][:50] if best else ranked[user][-50:])))
        return float(np.mean([listen.kind == "skip" for listen in listens if listen.list_id]))

    # The best in all is not always what the mood is for, so even such a list is skipped at times.
    assert skipped(best=True) < 0.5
    assert skipped(best=False) > 0.8


def test_what_is_banned_is_not_played_from_a_list() -> None:
    made = make_crowd(
        CrowdSettings(listeners=5, artists=12, tracks=1_000, ban_level=-2.0, sessions_a_day=8.0),
        np.random.default_rng(1),
    )
    banned: set[tuple[str, str]] = set()
    for listen in islice(made.live(lambda _: Offer("l", made.track_ids)), 2_000):
        if listen.kind == "ban":
            banned.add((listen.user_id, listen.track_id))
        else:
            assert (listen.user_id, listen.track_id) not in banned
    assert len(banned) > 20


def test_the_caller_may_move_the_clock_or_bring_one() -> None:
    plain = some(crowd(), n=50)
    made = crowd()
    moved = list(islice(made.live(start_ms=made.now_ms + 1_000_000), 50))
    assert [listen.listened_at for listen in moved] == [listen.listened_at + 1_000_000 for listen in plain]
    ticks = iter(range(7_000, 8_000))
    stamped = list(islice(crowd().live(clock=lambda: next(ticks)), 50))
    assert [listen.listened_at for listen in stamped] == list(range(7_000, 7_050))
    assert [listen.event_id for listen in stamped] == [listen.event_id for listen in plain]


def test_of_the_next_four_on_a_list_the_mood_takes_what_suits_it() -> None:
    world = crowd()._world
    plan = make_plan(world.settings, world.habits, world.tastes, 3, np.random.default_rng(1))
    tracks = list(range(100, 130))
    heard = {track: Event(0, 0, track, 0, 0, True, None) for track in (101, 105)}
    taken = 0
    for slot in range(0, len(plan.session), 7):
        session = plan.session[slot]
        listener = int(plan.listener[session])
        picked = _from_list(world, plan, slot, listener, heard, lambda _: ("l", tracks))
        if picked is None:
            continue
        seen = [track for track in tracks[int(plan.dice.list_place[slot]) :] if track not in heard][:4]
        mood = world.tastes.vectors[listener, plan.taste[session]]
        assert picked == ("l", max(seen, key=lambda track: float(world.catalogue.vectors[track] @ mood)))
        taken += picked[1] != seen[0]
    assert taken > 10  # it is not always the first
