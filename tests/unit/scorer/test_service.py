"""The process as a whole: what it imports, how it is set up."""

import os
import subprocess
import sys

import pytest

from models.excluded import BadExclude
from models.sources.settings import BadSources
from services.runtime.settings import BadSetting, load
from services.scorer.settings import ScorerSettings

# Numba asks whether SciPy is there, and imports no more than its name; the scorer's image has none.
HEAVY = ("torch", "sklearn", "implicit", "faust", "mode", "scipy.sparse", "scipy.linalg", "aiokafka")


def imported_of(names: tuple[str, ...]) -> str:
    code = f"import services.scorer.process, sys; print(*[name for name in {names!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_scorer_imports_nothing_that_trains_or_streams() -> None:
    assert imported_of(HEAVY) == ""
    assert imported_of(("faiss", "torch")) == "faiss"  # this look can fail


@pytest.mark.parametrize("begun", ["services.scorer.__main__", "services.cli.__main__"])
@pytest.mark.parametrize(("told", "threads"), [(None, "1"), ("2", "2")])
def test_polars_has_one_thread_unless_told_otherwise(begun: str, told: str | None, threads: str) -> None:
    """It reads that once, when it is imported: nothing may import it before the scorer's own first lines."""
    code = (
        f"import {begun}, sys; assert 'polars' not in sys.modules\n"
        "from services.scorer.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"  # for its settings
        "import polars; print(polars.thread_pool_size())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "POLARS_MAX_THREADS"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True,
        env=environment | {"SEGUE_LIST_LENGTH": "0"} | ({"POLARS_MAX_THREADS": told} if told else {}),
    )  # fmt: skip
    assert done.stdout.split()[-1] == threads


def test_settings_come_from_the_environment() -> None:
    settings = load(
        ScorerSettings,
        {
            "SEGUE_LIST_LENGTH": "7",
            "SEGUE_LIST_SOURCES": "als=1",
            "SEGUE_SCORER_MAX_BATCH": "3",
            "SEGUE_LIST_FAMILIAR": "0.2",
        },
    )
    assert (settings.list.length, settings.list.quotas(), settings.scorer.max_batch) == (7, {"als": 1.0}, 3)
    assert settings.list.familiar == 0.2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SEGUE_LIST_LENGTH", "0"),
        ("SEGUE_LIST_LENGTH", "501"),
        ("SEGUE_LIST_FAMILIAR", "1.1"),
        ("SEGUE_LIST_ARTIST_CAP", "-1"),
        ("SEGUE_LIST_MOOD", "blue"),
        ("SEGUE_SCORER_MAX_BATCH", "0"),
        ("SEGUE_SCORER_METRICS_PORT", "70000"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name):
        load(ScorerSettings, {name: value})


def test_a_wrong_table_of_sources_is_named() -> None:
    with pytest.raises(BadSources, match="SEGUE_LIST_SOURCES"):
        load(ScorerSettings, {"SEGUE_LIST_SOURCES": "als"}).list.quotas()


def test_an_exclude_file_that_is_not_there_and_a_mix_that_is_none_stop_the_start() -> None:
    for environ, error in (
        ({"SEGUE_LIST_EXCLUDE": "/nowhere"}, BadExclude),
        ({"SEGUE_LIST_MIXES": "jazz"}, BadSources),
    ):
        with pytest.raises(error, match=next(iter(environ))):
            load(ScorerSettings, environ).split()
    with pytest.raises(BadSetting, match="SEGUE_SCORER_B_LIST"):
        load(ScorerSettings, {"SEGUE_SCORER_B_LIST": "exclude=/nowhere"}).split()
