"""How fast a loop is, watched from outside: it ends with the last, and never in silence."""

import pytest

from services.bench import rates
from services.bench.rates import rate_of, watched
from services.runtime.errors import Fatal


def test_it_counts_from_the_first_look_that_shows_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "LOOK_S", 0.0)
    seen = iter([0, 0, 3, 7, 10])
    listens, seconds = watched(lambda: next(seen), 10, lambda: None)
    assert listens == 7
    assert seconds > 0
    made = rate_of(listens, 0.5)
    assert (made.listens_per_second, made.listens, made.ratio) == (14.0, 7, None)


def test_a_loop_that_ended_by_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "LOOK_S", 0.0)

    def ended() -> None:
        raise Fatal("it ended")

    with pytest.raises(Fatal, match="it ended"):
        watched(lambda: 5, 10, ended)


def test_a_loop_that_never_comes_to_the_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "LOOK_S", 0.0)
    monkeypatch.setattr(rates, "LIMIT_S", 0.01)
    with pytest.raises(Fatal, match="only 5 of 10 are through after"):
        watched(lambda: 5, 10, lambda: None)


def test_a_log_too_short_to_be_timed_is_told() -> None:
    listens, seconds = watched(lambda: 10, 10, lambda: None)
    with pytest.raises(Fatal, match="send more of them"):
        rate_of(listens, seconds)
