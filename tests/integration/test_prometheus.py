"""promtool's word on the configuration, the rules, their tests, and what each service exposes."""

import importlib
import inspect
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from services.runtime.http import Health
from services.runtime.metrics import process_registry
from tests.prometheus import program

FOLDER = Path(__file__).parents[2] / "deploy" / "prometheus"
TESTS = sorted((FOLDER / "tests").glob("*.yml"))


def promtool(*arguments: str | Path, told: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *arguments], input=told, capture_output=True, text=True, check=False)


def test_the_configuration_and_the_rules_are_valid() -> None:
    ended = promtool("check", "config", FOLDER / "prometheus.yml")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("SUCCESS") >= 3
    linted = promtool("check", "rules", "--lint-fatal", *sorted((FOLDER / "rules").glob("*.yml")))
    assert linted.returncode == 0, linted.stderr


def test_the_configuration_is_valid_with_the_alertmanager_of_the_page(tmp_path: Path) -> None:
    page = (FOLDER.parents[1] / "docs" / "deploy.md").read_text(encoding="utf-8")
    (alerting,) = re.findall(r"<!-- alertmanager: prometheus -->\n```yaml\n(.*?)```", page, re.DOTALL)
    shutil.copytree(FOLDER / "rules", tmp_path / "rules")
    for added, right in ((alerting, 0), (alerting.replace("targets", "target"), 1)):
        text = (FOLDER / "prometheus.yml").read_text(encoding="utf-8") + added
        (tmp_path / "prometheus.yml").write_text(text, encoding="utf-8")
        ended = promtool("check", "config", tmp_path / "prometheus.yml")
        assert ended.returncode == right, ended.stderr


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.name)
def test_the_alerts_fire_and_keep_quiet(path: Path) -> None:
    ended = promtool("test", "rules", path)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def shrunk(text: str) -> str:
    """Rules whose days are hours: tests/shrunk says why."""
    return text.replace("[1d]", "[1h]").replace("offset 7d", "offset 7h")


@pytest.mark.parametrize(("fallen", "found"), [("0.7 * (", True), ("0.1 * (", False)])
def test_the_alert_that_looks_back_a_week_fires_and_keeps_quiet(fallen: str, found: bool, tmp_path: Path) -> None:
    """With a fall to a fifth asked for to be a fall to a tenth, the alert that is waited for does not come."""
    (tmp_path / "rules").mkdir()
    for path in (FOLDER / "rules").glob("*.yml"):
        text = path.read_text(encoding="utf-8").replace("0.7 * (segue:hits", fallen + "segue:hits")
        (tmp_path / "rules" / path.name).write_text(shrunk(text), encoding="utf-8")
    (tmp_path / "tests").mkdir()
    test = shutil.copy(FOLDER / "tests" / "shrunk" / "quality.yml", tmp_path / "tests")
    ended = promtool("test", "rules", test)
    assert (ended.returncode == 0) is found, ended.stdout + ended.stderr


def test_an_alert_whose_threshold_moved_is_found(tmp_path: Path) -> None:
    """The tests above can fail: a lag that is allowed ten times as long as it should be."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "tests").mkdir()
    for path in (FOLDER / "rules").glob("*.yml"):
        text = path.read_text(encoding="utf-8").replace('{job="profiler"} > 1000', '{job="profiler"} > 10000')
        (tmp_path / "rules" / path.name).write_text(text, encoding="utf-8")
    head, *cases = re.split(r"(?m)^(?=  - name: )", (FOLDER / "tests" / "firing.yml").read_text(encoding="utf-8"))
    lag = next(case for case in cases if case.startswith("  - name: SegueProfilerLag"))
    (tmp_path / "tests" / "firing.yml").write_text(head + lag, encoding="utf-8")
    ended = promtool("test", "rules", tmp_path / "tests" / "firing.yml")
    assert ended.returncode == 1
    assert "SegueProfilerLag" in ended.stdout + ended.stderr


@pytest.mark.parametrize("service", ["profiler", "trainer", "scorer", "outcomes"])
def test_names_and_units_are_as_prometheus_wants_them(service: str) -> None:
    health = Health("redis", clock=lambda: 0.0)
    registry: CollectorRegistry = process_registry(health)
    ports = {"registry": registry, "health": health}
    made = importlib.import_module(f"services.{service}.metrics").Metrics
    made(**{name: ports[name] for name in inspect.signature(made).parameters if name in ports})
    ended = promtool("check", "metrics", told=generate_latest(registry).decode())
    ours = [line for line in (ended.stdout + ended.stderr).splitlines() if line.startswith("segue_")]
    assert ours == []
    bad = promtool("check", "metrics", told="# TYPE segue_x_milliseconds counter\nsegue_x_milliseconds 1\n")
    assert "segue_x_milliseconds" in bad.stdout + bad.stderr, "promtool finds nothing at all"
