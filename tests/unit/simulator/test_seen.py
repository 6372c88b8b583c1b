"""What a live run counts: lists that answer listens, plays from a list and others, freshness."""

import pytest

from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from services.demo.seen import TOP, WAITING, Seen


def listen(track: str, user: str = "ann", kind: str = "play", list_id: str | None = None, ms: int = 60_000) -> Listen:
    return Listen("e", user, track, 1, kind, ms_played=ms, list_id=list_id)  # type: ignore[arg-type]  # any kind


def made(*tracks: str, user: str = "ann", version: int = 0) -> Recommendations:
    items = [Item(track, 1.0, "because", "als") for track in tracks]
    return Recommendations(f"l{version}", user, 0, version, "r", 1, 1, 1, items)


def test_a_list_answers_all_listens_up_to_its_version_and_no_other_ones() -> None:
    seen = Seen()
    for offset, now in ((3, 10.0), (5, 11.0), (8, 12.0)):
        seen.acknowledged("ann", offset, now)
    seen.acknowledged("bob", 4, 12.0)
    seen.came(made(version=5), 13.0)
    assert list(seen.latencies) == [3.0, 2.0]
    assert (seen.listens, seen.answered, seen.unanswered, seen.lists) == (4, 2, 2, 1)
    seen.came(made(version=7), 14.0)
    assert seen.unanswered == 2
    seen.came(made(version=9), 15.0)
    seen.came(made(version=4, user="bob"), 16.0)
    assert list(seen.latencies) == [3.0, 2.0, 3.0, 4.0]
    assert seen.unanswered == 0
    assert seen.percentiles()["p50"] == 3000.0


def test_a_list_that_comes_before_the_acknowledgement_counts_as_at_once() -> None:
    seen = Seen()
    seen.came(made(version=7), 1.0)
    seen.acknowledged("ann", 7, 2.0)
    assert (list(seen.latencies), seen.unanswered) == ([0.0], 0)
    seen.acknowledged("ann", 8, 3.0)  # not in that list
    assert seen.unanswered == 1


def test_the_hit_rate_is_of_plays_that_were_not_taken_from_a_list() -> None:
    seen = Seen()
    seen.sent(listen("a"))  # nobody had a list yet
    seen.came(made("a", "b", *(f"t{n}" for n in range(TOP))), 1.0)
    for played in (listen("a"), listen("x"), listen(f"t{TOP - 3}"), listen(f"t{TOP - 2}")):  # the last: place TOP + 1
        seen.sent(played)
    assert (seen.plays, seen.hits, seen.hit_rate()) == (4, 2, 0.5)
    seen.sent(listen("a", list_id="l0"))
    seen.sent(listen("a", kind="skip", ms=1_000))
    seen.sent(listen("a", kind="love"))
    seen.sent(listen("a", user="bob"))
    assert (seen.plays, seen.hits) == (4, 2)


def test_the_acceptance_is_of_what_was_played_from_a_list() -> None:
    seen = Seen()
    assert seen.acceptance() is None
    for played in (listen("a", list_id="l"), listen("b", list_id="l"), listen("c", kind="skip", ms=900, list_id="l")):
        seen.sent(played)
    seen.sent(listen("d", kind="skip", ms=900))
    assert (seen.from_list, seen.liked) == (3, 2)
    assert seen.acceptance() == pytest.approx(2 / 3, abs=1e-4)


def test_a_stream_without_lists_does_not_fill_the_memory() -> None:
    seen = Seen()
    for offset in range(3 * WAITING):
        seen.acknowledged("ann", offset, 0.0)
    assert len(seen._waiting["ann"]) == WAITING
    seen.came(made(version=10**6), 1.0)
    assert seen.unanswered == 2 * WAITING
