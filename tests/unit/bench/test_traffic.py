"""Which events an answer answers, after how long; and what is typed."""

from math import nan
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.json import encode

from services.bench.freshness import _percentiles
from services.bench.show import numbers
from services.bench.traffic import CopyAnswers, ListAnswers
from services.runtime.settings import BadSetting


def made(user: str, version: int) -> Any:
    return SimpleNamespace(value=encode({"user_id": user, "profile_version": version, "items": [1, 2]}))


def copy(number: int) -> Any:
    return SimpleNamespace(value=encode({"event_id": f"bench-{number}", "user_id": "ann"}))


def test_a_list_answers_all_of_its_listener_up_to_its_version() -> None:
    answers = ListAnswers()
    for offset, now in ((4, 1.0), (7, 2.0), (9, 3.0)):
        answers.acknowledged(offset, "ann", offset, now)
    answers.acknowledged(5, "bob", 5, 1.0)
    answers.came(made("ann", 7), 5.0)
    assert answers.seconds == [4.0, 3.0]
    assert answers.waiting == 2  # ann's 9 and bob's
    answers.came(made("ann", 6), 6.0)
    assert answers.waiting == 2
    answers.came(made("ann", 9), 6.0)
    answers.came(made("bob", 5), 6.0)
    assert answers.seconds == [4.0, 3.0, 3.0, 5.0]
    assert answers.waiting == 0


def test_a_list_that_was_read_before_the_acknowledgement_took_no_time() -> None:
    answers = ListAnswers()
    answers.came(made("ann", 7), 1.0)
    answers.acknowledged(0, "ann", 7, 1.5)
    answers.acknowledged(1, "ann", 8, 1.5)
    assert (answers.seconds, answers.waiting) == ([0.0], 1)


def test_a_copy_answers_its_own_event_only_and_once() -> None:
    answers = CopyAnswers()
    answers.acknowledged(0, "ann", 11, 1.0)
    answers.acknowledged(1, "ann", 12, 1.0)
    answers.came(copy(1), 1.25)
    answers.came(copy(2), 1.5)
    answers.acknowledged(2, "ann", 13, 2.0)
    assert answers.seconds == [0.25, 0.0]
    assert answers.waiting == 1


def test_what_does_not_count_is_answered_but_has_no_part_in_the_percentiles() -> None:
    lists, copies = ListAnswers(), CopyAnswers()
    copies.came(copy(0), 1.0)
    for answers in (lists, copies):
        answers.acknowledged(0, "ann", 4, nan)
        answers.acknowledged(1, "ann", 5, nan)
        answers.acknowledged(2, "ann", 6, 2.0)
    lists.came(made("ann", 6), 3.0)
    for number in (1, 2):
        copies.came(copy(number), 3.0)
    for answers in (lists, copies):
        assert len(answers.seconds) == 3
        assert answers.waiting == 0
        assert _percentiles(answers.seconds) == (1000.0,) * 4
    assert _percentiles([nan]) == (0.0,) * 4


def test_rates_are_read() -> None:
    assert numbers("50,200.5") == (50, 200.5)


@pytest.mark.parametrize("text", ["", "50;200", "0", "-1", "nan", "50,,2"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match="--rates"):
        numbers(text)
