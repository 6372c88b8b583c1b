"""What a list covers, and when it no longer does."""

from schemas.profile import ProfileChanged
from schemas.recommendation import Recommendations
from services.scorer.made import Made


def made(user: str, version: int, made_at: int) -> Recommendations:
    return Recommendations("id", user, 0, version, "r", made_at, 0, 0, [])


def notice(user: str, version: int, produced_at: int) -> ProfileChanged:
    return ProfileChanged(user, 0, version, 0, produced_at)


def test_a_list_covers_what_its_profile_reflects() -> None:
    covered = Made(10)
    covered.remember(made("ann", 5, 1_000))
    assert covered.covers(notice("ann", 5, 900))
    assert covered.covers(notice("ann", 4, 900))
    assert not covered.covers(notice("ann", 6, 900))
    assert not covered.covers(notice("ben", 4, 900))


def test_a_log_begun_again_from_nothing_is_not_taken_for_old_news() -> None:
    covered = Made(10)
    covered.remember(made("ann", 500, 1_000))
    assert not covered.covers(notice("ann", 3, 1_001))


def test_what_somebody_else_may_have_made_since_is_not_remembered() -> None:
    covered = Made(10)
    covered.remember(made("ann", 5, 1_000))
    covered.forget({1, 2})
    assert covered.covers(notice("ann", 5, 900))
    covered.forget({0})
    assert not covered.covers(notice("ann", 5, 900))


def test_only_the_newest_listeners_are_remembered() -> None:
    covered = Made(2)
    for user in ("ann", "ben", "ann", "cat"):
        covered.remember(made(user, 1, 10))
    assert [covered.covers(notice(user, 1, 5)) for user in ("ann", "ben", "cat")] == [True, False, True]


def test_remembering_none_is_allowed() -> None:
    covered = Made(0)
    covered.remember(made("ann", 1, 10))
    assert not covered.covers(notice("ann", 1, 5))
