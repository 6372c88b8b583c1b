"""Rules and dashboards ask for metrics that there are; each alert has a runbook and is tested, both ways."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from deploy.runbooks import PAGE as RUNBOOKS_PAGE
from deploy.runbooks import page
from models.rehearsal import TOLD
from services.runtime.http import Health
from tests.unit.runtime.test_metrics_page import METRICS, PAGE, SERVICES, made

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
# What promtool is fed for the alerts to fire: series -> values.
FED = {
    series["series"]: str(series["values"])
    for group in yaml.safe_load((FOLDER / "tests" / "firing.yml").read_text(encoding="utf-8"))["tests"]
    for series in group["input_series"]
}
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


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_no_two_panels_ask_the_same(path: Path) -> None:
    """But a number and the curve of it."""
    panels = [panel for panel in json.loads(path.read_text(encoding="utf-8"))["panels"] if panel.get("targets")]
    asked_by = Counter((panel["type"], *(target["expr"] for target in panel["targets"])) for panel in panels)
    assert [question for question, times in asked_by.items() if times > 1] == []


def test_what_is_asked_of_a_release_is_measured_of_it() -> None:
    named = {name for expression in EXPRESSIONS.values() for name in re.findall(r'metric="([^"]+)"', expression)}
    assert named == {"ndcg@100", "exp_ndcg@100"}
    assert named <= set(TOLD)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_and_how_bad_and_where_to_read_on(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["runbook_url"] == f"{{{{ $externalURL }}}}/user/runbooks.html#{name.lower()}"
    assert f'<h3 id="{name.lower()}">{name}</h3>' in RUNBOOKS_PAGE.read_text(encoding="utf-8")
    section = re.search(rf"^### {name}\n(.+?)(?=\n##|\Z)", RUNBOOKS, re.MULTILINE | re.DOTALL)
    assert section
    assert len(section[1].split()) > 15


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_is_seen_to_fire_and_to_keep_quiet(name: str) -> None:
    """promtool runs these: tests/integration/test_prometheus.py."""
    cases = [case["exp_alerts"] for case in TESTS if case["alertname"] == name]
    assert any(cases)
    assert not all(cases)


def test_the_page_that_is_served_is_what_the_runbooks_say() -> None:
    assert RUNBOOKS_PAGE.read_text(encoding="utf-8") == page(RUNBOOKS), "python deploy/runbooks.py"


def test_the_page_leads_to_sections_and_names_what_is_not_served() -> None:
    told = page("# Of <all>\n\nSee `SegueX`, `a < b`.\n\n### SegueX\nAs in\n[lists](lists.md#reasons) & so on.\n")
    assert '<p>See <a href="#seguex">SegueX</a>, <code>a &lt; b</code>.</p>' in told
    assert "<h1>Of &lt;all&gt;</h1>" in told
    assert '<h3 id="seguex">SegueX</h3>\n<p>As in\nlists (<code>docs/lists.md#reasons</code>) &amp; so on.</p>' in told
    with pytest.raises(ValueError, match="neither a heading nor a paragraph: - one"):
        page("- one\n- two\n")


def begun() -> set[tuple[str, frozenset[tuple[str, str]]]]:
    """Every series that a service exposes before anything has happened."""
    found = set()
    for module in SERVICES.values():
        registry = CollectorRegistry()
        made(module, registry, Health(clock=lambda: 0.0))
        found |= {(x.name, frozenset(x.labels.items())) for family in registry.collect() for x in family.samples}
    return found


@pytest.mark.parametrize("series", [name for name, values in FED.items() if "_total{" in name and values[0] == "0"])
def test_a_counter_that_is_fed_from_zero_begins_there(series: str) -> None:
    """Else its first increase is one from nothing, which `increase` and `rate` do not see."""
    labels = dict(re.findall(r'(\w+)="([^"]*)"', series))
    own = frozenset((name, value) for name, value in labels.items() if name not in ("job", "instance"))
    assert (series.partition("{")[0], own) in begun()


def test_there_are_counters_that_are_fed_from_zero() -> None:
    assert sum("_total{" in name and values[0] == "0" for name, values in FED.items()) > 10


def test_runbooks_and_the_page_of_metrics_name_the_alerts_there_are() -> None:
    assert set(re.findall(r"^### (\w+)$", RUNBOOKS, re.MULTILINE)) == ALERTS.keys()
    assert set(re.findall(r"`(Segue[A-Z]\w+)`", PAGE)) == ALERTS.keys()
