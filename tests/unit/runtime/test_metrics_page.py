"""docs/metrics.md has every metric of every service with its type and labels, and none that is no more."""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from prometheus_client import CollectorRegistry

import services
from services.runtime.http import Health
from services.runtime.metrics import Spread, process_registry

PAGE = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(segue_\w+)` \| (\w+) \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
CONDITION = re.compile(r"^\| (\w+) \| `(\w+)` \| .+ \|$", re.MULTILINE)
STALE_S = inspect.signature(Health).parameters["stale_after"].default


class Metric(NamedTuple):
    kind: str
    labels: frozenset[str]


def modules(name: str) -> dict[str, ModuleType]:
    """Service -> its module of this name, of every service that has one."""
    packages = [module.name for module in pkgutil.iter_modules(services.__path__) if module.ispkg]
    found = {package: f"services.{package}.{name}" for package in packages}
    return {package: importlib.import_module(path) for package, path in found.items() if importlib.util.find_spec(path)}


def made(module: ModuleType, registry: CollectorRegistry, health: Health) -> None:
    """The service's Metrics, with what they ask for."""
    ports = {"registry": registry, "health": health}
    wanted = inspect.signature(module.Metrics).parameters
    module.Metrics(**{name: ports[name] for name in wanted if name in ports})


def registered(module: ModuleType) -> dict[str, Metric]:
    """Name as Prometheus stores it -> type and labels, of everything that the service's Metrics register."""
    registry = CollectorRegistry()
    made(module, registry, Health(clock=lambda: 0.0))
    found: dict[str, Metric] = {}
    for collector in registry._collector_to_names:
        if isinstance(collector, Spread):
            found |= {family.name: Metric(family.type, frozenset()) for family in collector.describe()}
            continue
        name = collector._name + ("_total" if collector._type == "counter" else "")  # type: ignore[attr-defined]  # private
        found[name] = Metric(collector._type, frozenset(collector._labelnames))  # type: ignore[attr-defined]  # private
    return found


def shared() -> dict[str, Metric]:
    """What every service has beside its own."""
    families = [f for f in process_registry(Health(clock=lambda: 0.0)).collect() if f.name.startswith("segue_")]
    return {
        f.name + ("_info" if f.type == "info" else ""): Metric(
            "gauge", frozenset(label for sample in f.samples for label in sample.labels)
        )
        for f in families
    }


SERVICES = {name: module for name, module in modules("metrics").items() if hasattr(module, "Metrics")}
METRICS = shared() | {name: metric for module in SERVICES.values() for name, metric in registered(module).items()}
ROWS = {name: (kind, labels, unit, *rest) for name, kind, labels, unit, *rest in ROW.findall(PAGE)}


def test_the_services_are_found() -> None:
    assert set(SERVICES) == {"profiler", "trainer", "scorer", "outcomes"}
    assert all(len(registered(module)) >= 10 for module in SERVICES.values())


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_on_the_page_with_its_type_and_labels(name: str) -> None:
    assert name in ROWS, f"{name} is missing from docs/metrics.md"
    kind, labels, unit, meaning, alert = ROWS[name]
    assert kind == METRICS[name].kind
    assert frozenset(re.findall(r"`(\w+)`", labels)) == METRICS[name].labels
    assert unit.strip()
    assert meaning.strip()
    assert alert.strip()


def test_the_page_has_no_metric_that_is_no_more() -> None:
    assert ROWS.keys() - METRICS.keys() == set()


def test_what_the_alerts_ask_for_exists() -> None:
    """`…_bucket`, `…_sum` and `…_count` are parts of a histogram."""
    parts = {
        f"{name}_{part}"
        for name, (kind, _) in METRICS.items()
        if kind == "histogram"
        for part in ("bucket", "sum", "count")
    }
    named = set(re.findall(r"\bsegue_\w+", PAGE))
    assert named - METRICS.keys() - parts == set()


def conditions(service: str) -> tuple[set[str], float]:
    """What the service's process makes its Health of: the conditions, and after how long it counts as stuck."""
    where = f"services.{service}.process", f"services.{service}.__main__"
    path = importlib.util.find_spec(where[0]) or importlib.util.find_spec(where[1])
    assert path
    assert path.origin
    tree = ast.parse(Path(path.origin).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Health"]
    assert len(calls) == 1
    stale = [ast.literal_eval(word.value) for word in calls[0].keywords if word.arg == "stale_after"]
    return {ast.literal_eval(argument) for argument in calls[0].args}, stale[0] if stale else STALE_S


@pytest.mark.parametrize("service", SERVICES)
def test_the_conditions_of_readyz_are_on_the_page(service: str) -> None:
    named, stale = conditions(service)
    assert {name for of, name in CONDITION.findall(PAGE) if of == service} == named
    assert re.search(rf"^\| {service} \| {stale:g} s \|", PAGE, re.MULTILINE)


def test_the_steps_of_a_training_are_all_there() -> None:
    models = Path(__file__).parents[3] / "models"
    text = (models / "train.py").read_text(encoding="utf-8") + (models / "fitted.py").read_text(encoding="utf-8")
    steps = set(re.findall(r"""steps\("(\w+)"\)""", text)) | set(re.findall(r"""progress\("(\w+)",""", text))
    assert {"als", "bridge", "read"} <= steps
    [row] = [row for row in ROW.findall(PAGE) if row[0] == "segue_trainer_step_seconds"]
    assert steps == set(row[4].split(": ")[1].split(", "))
