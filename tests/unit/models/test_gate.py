"""What is let through, and what is not, each with a reason that names what decided."""

import pytest

from models.evaluation.bootstrap import Figure
from models.gate import decide
from schemas.release import Gate

GOOD = {"popular": Figure(0.3, 0.2, 0.4, 50), "personal": Figure(0.05, 0.01, 0.09, 50)}
BELOW_ONE = {**GOOD, "personal": Figure(-0.01, -0.03, 0.01, 50)}


def verdict(
    ahead: dict[str, Figure], service: tuple[float, float, float] | None = None, first: bool = False, n: int = 50
) -> Gate:
    more = {} if service is None else {"in_service": Figure(*service, 50)}
    return decide({**more, **ahead}, n, least=20, tolerance=0.02, first=first)


@pytest.mark.parametrize(
    ("service", "promoted"),
    [
        ((0.01, -0.01, 0.03), True),
        ((-0.01, -0.03, 0.01), True),  # within the tolerance, and not certainly worse
        ((-0.03, -0.07, 0.01), False),  # beyond the tolerance
        ((-0.01, -0.015, -0.005), False),  # little, but certainly
    ],
)
def test_it_must_not_be_worse_than_the_one_in_service(
    service: tuple[float, float, float], promoted: bool
) -> None:  # fmt: skip
    found = verdict(GOOD, service)
    assert found.promoted is promoted
    assert "in_service" in found.reason
    assert found.ahead["in_service"] == list(service)


def test_a_baseline_that_is_as_good_holds_it_back() -> None:
    found = verdict(BELOW_ONE, (0.01, -0.01, 0.03))
    assert not found.promoted
    assert "personal" in found.reason


def test_unless_it_is_certainly_better_than_the_one_in_service() -> None:
    assert verdict(BELOW_ONE, (0.05, 0.02, 0.08)).promoted


def test_the_first_release_needs_only_to_beat_popularity() -> None:
    assert verdict(BELOW_ONE, first=True).promoted
    assert not verdict({**GOOD, "popular": Figure(0.0, -0.1, 0.1, 50)}, first=True).promoted


def test_one_in_service_that_has_seen_the_held_out_listens_is_passed_over() -> None:
    assert verdict(GOOD).promoted
    assert not verdict(BELOW_ONE).promoted


def test_too_few_listeners_decide_nothing() -> None:
    found = verdict(BELOW_ONE, (-0.5, -0.6, -0.4), n=19)
    assert found.promoted
    assert "19 listeners" in found.reason
