from msgspec.structs import replace

from services.trainer.settings import TrainerOptions
from services.trainer.trigger import AFTER_FAILURE, POSTPONED, Trigger

OPTIONS = TrainerOptions(every_listens=100, every_seconds=1_000.0, min_listens=10)
LATER = 10.0  # the rate of arrival is known by then


def due(trigger: Trigger, now: float, total: int = 1_000, behind: bool = False) -> str | None:
    trigger.arrived(now, 0)
    return trigger.due(now, total, behind)


def test_nothing_new_is_never_trained_on() -> None:
    assert due(Trigger(OPTIONS, 0.0, 0, None), 1e6) is None


def test_the_first_training_waits_for_enough_listens_and_for_the_end_of_the_log() -> None:
    trigger = Trigger(OPTIONS, 0.0, 10, None)
    assert due(trigger, LATER, total=9) is None
    assert due(trigger, LATER, total=10, behind=True) is None
    assert due(trigger, LATER, total=10) == "the first"


def test_enough_new_listens() -> None:
    trigger = Trigger(OPTIONS, 0.0, 99, trained=0.0)
    assert due(trigger, LATER) is None
    trigger.arrived(LATER, 1)
    assert due(trigger, LATER) == "100 new listens"


def test_enough_time_even_when_the_log_is_never_read_to_its_end() -> None:
    trigger = Trigger(OPTIONS, 0.0, 1, trained=0.0)
    assert due(trigger, 999.0, behind=True) is None
    assert due(trigger, 1_000.0, behind=True) == "1000 s since the last"


def test_an_import_holds_up_a_training_but_not_for_ever() -> None:
    trigger = Trigger(OPTIONS, 0.0, 0, trained=0.0)
    reasons = []
    for second in range(int(POSTPONED) + 2):  # the hundredth listen comes in the second second
        trigger.arrived(LATER + second, 50)
        reasons.append(trigger.due(LATER + second, 10_000, False))
    assert set(reasons[:-1]) == {None}
    assert reasons[-1] is not None


def test_after_an_import_the_training_comes_within_seconds() -> None:
    trigger = Trigger(OPTIONS, 0.0, 0, trained=0.0)
    trigger.arrived(LATER, 5_000)
    assert trigger.due(LATER, 5_000, False) is None
    assert due(trigger, LATER + 6, 5_000) == "5000 new listens"


def test_what_comes_while_training_is_new_for_the_next() -> None:
    trigger = Trigger(OPTIONS, 0.0, 150, trained=0.0)
    trigger.started()
    trigger.arrived(20.0, 30)
    trigger.succeeded(20.0)
    assert trigger.new == 30
    assert due(trigger, 40.0) is None
    assert due(trigger, 1_020.0) is not None


def test_a_failed_training_is_tried_again_but_not_at_once() -> None:
    trigger = Trigger(OPTIONS, 0.0, 150, trained=0.0)
    trigger.started()
    trigger.failed(50.0)
    assert due(trigger, 60.0) is None
    assert due(trigger, 51.0 + AFTER_FAILURE) == "150 new listens"


def test_the_settings_decide() -> None:
    trigger = Trigger(replace(OPTIONS, every_listens=5), 0.0, 5, trained=0.0)
    assert due(trigger, LATER) == "5 new listens"
