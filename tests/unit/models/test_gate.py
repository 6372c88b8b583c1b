"""What is let through, and what is not, each with a reason that names what decided."""

import pytest

from models.evaluation.bootstrap import Figure
from models.gate import Standing, decide
from schemas.release import Gate

GOOD = {"popular": Figure(0.3, 0.2, 0.4, 50), "personal": Figure(0.05, 0.01, 0.09, 50)}
BELOW_ONE = {**GOOD, "personal": Figure(-0.01, -0.03, 0.01, 50)}
Three = tuple[float, float, float]


def verdict(
    ahead: dict[str, Figure],
    service: Three | None = None,
    n: int = 50,
    tolerance: float = 0.0,
    following: dict[str, Three] | None = None,
    standing: Standing | None = None,
) -> Gate:
    more = {} if service is None else {"in_service": Figure(*service, 50)}
    next_ = {name: Figure(*three, 50) for name, three in (following or {}).items()}
    return decide(
        {**more, **ahead},
        next_,
        n,
        least=20,
        tolerance=tolerance,
        standing=standing or ("behind" if service else "none"),
    )


@pytest.mark.parametrize(
    ("service", "tolerance", "promoted"),
    [
        ((0.01, -0.01, 0.03), 0.0, True),
        ((0.0, -0.01, 0.01), 0.0, False),  # as good is not better
        ((-0.01, -0.03, 0.01), 0.0, False),
        ((-0.01, -0.03, 0.01), 0.02, True),  # within the tolerance, and not certainly worse
        ((-0.03, -0.07, 0.01), 0.02, False),  # beyond the tolerance
        ((-0.01, -0.015, -0.005), 0.02, False),  # little, but certainly
    ],
)
def test_it_must_be_better_than_the_one_in_service(service: Three, tolerance: float, promoted: bool) -> None:
    found = verdict(GOOD, service, tolerance=tolerance)
    assert found.promoted is promoted
    assert "in_service" in found.reason
    assert found.ahead["in_service"] == list(service)


@pytest.mark.parametrize("service", [(0.01, -0.01, 0.03), (0.05, 0.02, 0.08)])
def test_a_baseline_that_is_as_good_holds_it_back(service: Three) -> None:
    found = verdict(BELOW_ONE, service)
    assert not found.promoted
    assert "personal" in found.reason
    assert verdict(GOOD, service).promoted


def test_the_first_one_is_held_back_only_by_a_baseline_that_is_certainly_better() -> None:
    assert verdict(BELOW_ONE, None).promoted
    found = verdict({**GOOD, "personal": Figure(-0.02, -0.03, -0.01, 50)}, None)
    assert not found.promoted
    assert "personal" in found.reason


@pytest.mark.parametrize("opponent", ["in_service", "chain"])
def test_next_tracks_that_are_certainly_worse_hold_it_back(opponent: str) -> None:
    good = (0.05, 0.02, 0.08)
    found = verdict(GOOD, good, following={"popular": good, opponent: (-0.05, -0.08, -0.01)})
    assert not found.promoted
    assert f"hr@20 -0.0500 [-0.0800, -0.0100] to {opponent}" in found.reason
    assert found.ahead_next[opponent] == [-0.05, -0.08, -0.01]
    assert verdict(GOOD, good, following={opponent: (-0.01, -0.05, 0.01)}).promoted


def test_with_too_few_listeners_it_only_must_not_be_worse_than_the_one_in_service() -> None:
    for service in ((0.0, -0.1, 0.1), None):
        found = verdict(BELOW_ONE, service, n=19)
        assert found.promoted
        assert "not judged: 19 listeners" in found.reason
    found = verdict(GOOD, (-0.001, -0.1, 0.1), n=19)
    assert not found.promoted
    assert "worse than the one in service, though 19 listeners" in found.reason
    assert verdict(GOOD, (0.0, 0.0, 0.0), n=0).promoted


@pytest.mark.parametrize("n", [50, 19])
def test_where_it_knew_no_more_than_the_one_in_service_only_a_certain_loss_holds_it_back(n: int) -> None:
    for service in ((0.0, 0.0, 0.0), (-0.01, -0.03, 0.01)):
        assert verdict(GOOD, service, n=n, standing="level").promoted
    found = verdict(GOOD, (-0.01, -0.02, -0.001), n=n, standing="level")
    assert not found.promoted
    assert "in_service" in found.reason
    assert verdict(BELOW_ONE, (0.0, 0.0, 0.0), n=n, standing="level").promoted is (n == 19)  # baselines count as ever
    worse = {"chain": (-0.05, -0.08, -0.01)}
    assert verdict(GOOD, (0.0, 0.0, 0.0), n=n, following=worse, standing="level").promoted is (n == 19)


def test_one_in_service_that_was_not_compared_is_none_the_less_there() -> None:
    found = verdict(BELOW_ONE, None, standing="seen")  # a first release would pass
    assert not found.promoted
    assert "personal" in found.reason
    found = verdict(GOOD, None, standing="seen")
    assert found.promoted
    assert "has seen what is held out" in found.reason
