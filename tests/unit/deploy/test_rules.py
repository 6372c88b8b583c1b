"""Rules and dashboards ask for metrics that there are; each alert has a runbook and is tested, both ways."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.runtime.test_metrics_page import METRICS, PAGE

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
SERIES = re.compile(r"\bsegue_\w+")
RECORDED = re.compile(r"\bsegue:[\w:]+")


def rules(name: str) -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "rules" / name).read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def known() -> set[str]:
    parts = {
        f"{name}_{part}"
        for name, metric in METRICS.items()
        if metric.kind == "histogram"
        for part in ("bucket", "sum", "count")
    }
    return set(METRICS) | parts


ALERTS = {rule["alert"]: rule for rule in rules("alerts.yml")}
RECORDS = {rule["record"]: rule for rule in rules("recording.yml")}
TESTS = [
    case
    for path in (FOLDER / "tests").rglob("*.yml")
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
    for case in group["alert_rule_test"]
]
# A pattern for the names of several services' metrics: what it stands for.
PATTERN = re.compile(r"segue_\(([\w|]+)\)(\w+)")


def asked(expression: str) -> tuple[set[str], set[str]]:
    """Metrics and recorded series that an expression names."""
    spread = {f"segue_{job}{rest}" for jobs, rest in PATTERN.findall(expression) for job in jobs.split("|")}
    plain = PATTERN.sub("", expression)
    return spread | set(SERIES.findall(plain)), set(RECORDED.findall(plain))


EXPRESSIONS = {name: rule["expr"] for name, rule in (RECORDS | ALERTS).items()} | {
    f"{path.stem}: {panel['title']} {target['refId']}": target["expr"]
    for path in DASHBOARDS
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
    for target in panel.get("targets", ())
}


def test_the_rules_and_dashboards_are_read() -> None:
    assert len(ALERTS) > 30
    assert len(RECORDS) > 20
    assert len(DASHBOARDS) == 2
    assert len(EXPRESSIONS) > 100


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_what_is_asked_for_exists(name: str) -> None:
    metrics, records = asked(EXPRESSIONS[name])
    assert metrics - known() == set()
    assert records - RECORDS.keys() == set()
    labels = {label for metric in metrics & METRICS.keys() for label in METRICS[metric].labels}
    by = {word.strip() for found in re.findall(r"\bby \(([^)]*)\)", EXPRESSIONS[name]) for word in found.split(",")}
    if metrics and not records:
        scraped = {"job", "instance", "le", "stage"}
        assert by - labels - scraped == set()


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_and_how_bad_and_where_to_read_on(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["runbook_url"] == f"docs/runbooks.md#{name.lower()}"
    section = re.search(rf"^### {name}\n(.+?)(?=\n##|\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL)
    assert section
    assert len(section[1].split()) > 15


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_seen_to_fire_and_to_keep_quiet(name: str) -> None:
    """promtool runs these: tests/integration/test_prometheus.py."""
    cases = [case["exp_alerts"] for case in TESTS if case["alertname"] == name]
    assert any(cases)
    assert not all(cases)


def test_runbooks_and_the_page_of_metrics_name_the_alerts_there_are() -> None:
    assert set(re.findall(r"^### (\w+)$", RUNBOOKS, re.MULTILINE)) == ALERTS.keys()
    assert set(re.findall(r"`(Segue[A-Z]\w+)`", PAGE)) == ALERTS.keys()
