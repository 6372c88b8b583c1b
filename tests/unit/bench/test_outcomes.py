"""What live evaluation is measured on: lists that come beside their listens, of which some are of a track in them."""

import numpy as np

from schemas.codec import decode
from schemas.events import Listen
from schemas.recommendation import Recommendations
from services.bench.outcomes import BEFORE_MS, LENGTH, PLAYED, _listens, _lists

WHO, BEGINS = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1], [10, 50_000]
TIMES = [1_000_000 + 10 * number for number in range(len(WHO))]


def test_everybody_has_a_list_first_and_gets_one_with_each_listen() -> None:
    lists = [decode(Recommendations, value) for _, value in _lists(WHO, BEGINS, TIMES)]
    assert [each.user_id for each in lists[:2]] == ["listener-0", "listener-1"]
    assert {each.made_at for each in lists[:2]} == {TIMES[0] - BEFORE_MS}
    assert [each.made_at for each in lists[2:]] == TIMES
    assert [each.user_id[-1] for each in lists[2:]] == [str(who) for who in WHO]
    assert len({each.list_id for each in lists}) == len(lists)
    assert {len({item.track_id for item in each.items}) for each in lists} == {LENGTH}


def test_some_listens_are_of_a_track_of_the_list() -> None:
    made = {each.user_id: each for each in (decode(Recommendations, value) for _, value in _lists(WHO, BEGINS, TIMES))}
    listens = [decode(Listen, value) for _, value in _listens(WHO, BEGINS, np.random.default_rng(1))]
    hit = [each.track_id in {item.track_id for item in made[each.user_id].items} for each in listens]
    assert [at for at, it in enumerate(hit) if it] == [0, PLAYED]
