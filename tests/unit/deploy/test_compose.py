"""docker-compose.yml is what the Compose specification allows, and hardened as docs/deploy.md says.

compose-spec.json is the specification's own schema (Apache-2.0), as compose-go v2.16.2 ships it; compose-go itself
reads the file in tests/integration/test_deploy.py.
"""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from services.local.jars import KAFKA
from services.outcomes.settings import OutcomesOptions
from services.profiler.settings import ProfilerOptions
from services.runtime.settings import SECTIONS
from services.scorer.settings import ScorerOptions
from services.trainer.settings import TrainerOptions

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads(Path(__file__).with_name("compose-spec.json").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
EXTRA = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

SERVICES = COMPOSE["services"]
OURS = ("profiler", "trainer", "scorer", "outcomes")
LASTING = set(SERVICES) - {"topics"}


def stage_of(name: str) -> str:
    """What the Dockerfile says of a service: the stages on the way from `runtime` to its target."""
    found = re.search(rf"^FROM (\S+) AS {name}\n((?:(?!FROM ).*\n)*)", DOCKERFILE, re.MULTILINE)
    assert found
    above, text = found.groups()
    return str(text) if above == "runtime" else stage_of(above) + str(text)


def test_it_is_what_the_specification_allows() -> None:
    assert [f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)] == []
    broken = {**COMPOSE, "services": {"scorer": {"imagee": "x"}}}
    assert list(Draft202012Validator(SCHEMA).iter_errors(broken)), "the schema finds nothing at all"


def test_the_one_with_torch_changes_only_which_trainer_it_is() -> None:
    over = yaml.safe_load((ROOT / "docker-compose.neural.yml").read_text(encoding="utf-8"))
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(over)] == []
    (changed,) = over["services"].values()
    assert set(over["services"]) <= set(SERVICES)
    assert set(changed) == {"image", "build"}
    assert f"FROM training AS {changed['build']['target']}\n" in DOCKERFILE
    stages = [
        DOCKERFILE.split(f"FROM training AS {name}\n")[1].split("\nFROM ")[0] for name in ("trainer", "trainer-neural")
    ]
    plain, neural = (
        [line for line in stage.splitlines() if line and not line.startswith(("#", "COPY"))] for stage in stages
    )
    assert plain == neural == []  # all else is of the stage that both are made from


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_small_and_may_do_little(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service["user"].startswith(("0", "root"))
    assert not service.get("privileged")
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", sorted(LASTING))
def test_a_service_is_watched_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    if name in OURS:
        stage = stage_of(name)
        assert "HEALTHCHECK" in stage.split("\nFROM ")[0]
        assert service["stop_grace_period"]
        assert service["depends_on"]["topics"] == {"condition": "service_completed_successfully"}
    else:
        assert {"test", "interval", "timeout", "retries", "start_period"} <= set(service["healthcheck"])


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_and_a_port_is_this_machines_own(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert (ROOT / service["build"]["dockerfile"]).is_file()
        assert f"AS {service['build']['target']}\n" in DOCKERFILE
    else:
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?", service["image"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_mounts_is_there(name: str) -> None:
    for mount in SERVICES[name].get("volumes", ()):
        source, target, *mode = mount.split(":")
        if source.startswith("."):
            assert (ROOT / source).exists()
            assert mode == ["ro"]
        else:
            assert source in COMPOSE["volumes"]
        assert target.startswith("/")


def test_the_alertmanager_of_the_page_is_what_the_specification_allows_and_may_do_little() -> None:
    told = dict(re.findall(r"<!-- alertmanager: (\w+) -->\n```yaml\n(.*?)```", PAGE, re.DOTALL))
    over = yaml.safe_load(told["compose"])
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(over)] == []
    (name,) = over["services"]
    assert name not in SERVICES
    assert over["services"][name]["read_only"] is True
    assert over["services"][name]["cap_drop"] == ["ALL"]
    routes = yaml.safe_load(told["routes"])
    known = {each["name"] for each in routes["receivers"]}
    assert {routes["route"]["receiver"], *(each["receiver"] for each in routes["route"]["routes"])} == known
    (rule,) = routes["inhibit_rules"]
    assert re.findall(r'"(\w+)"', rule["source_matchers"][0]) == ["SegueProfilerDown"]
    target = re.findall(r'"(.+)"', rule["target_matchers"][0])[0]
    assert re.fullmatch(target, "SeguePartitionsUnassigned")
    assert yaml.safe_load(told["prometheus"])["alerting"]["alertmanagers"][0]["static_configs"] == [
        {"targets": [f"{name}:9093"]}
    ]


def test_compiled_loops_outlive_their_container() -> None:
    """Numba compiles for 25 s of CPU where its cache is empty, and a folder in memory is empty at each start."""
    (folder,) = re.findall(r"NUMBA_CACHE_DIR=(\S+)", DOCKERFILE)
    assert re.search(rf"install -d -o segue -g segue .*{folder}\b", DOCKERFILE)  # a new volume has the same owner
    using = {name for name in OURS if any(m.split(":")[1] == folder for m in SERVICES[name].get("volumes", ()))}
    assert using == {name for name in OURS if "numba" in " ".join(EXTRA[name])}


def test_the_broker_can_load_its_codecs() -> None:
    """Docker mounts a tmpfs noexec: the first batch of snappy or zstd then ends in an UnsatisfiedLinkError."""
    mounts = dict(each.split(":") for each in SERVICES["kafka"]["tmpfs"])
    assert "exec" in mounts["/tmp"].split(",")  # noqa: S108  # the container's


def test_the_page_asks_for_a_compose_that_can_read_the_file() -> None:
    """`required` of an env_file came with 2.24.0."""
    assert any("required" in each for name in OURS for each in SERVICES[name]["env_file"])
    (needed,) = re.findall(r"Compose 2\.(\d+)(?:\.\d+)? or newer", PAGE)
    assert int(needed) >= 24


def test_prometheus_serves_the_runbooks_that_alerts_lead_to() -> None:
    options = dict(each.removeprefix("--").split("=", 1) for each in SERVICES["prometheus"]["command"])
    mounts = dict(mount.split(":")[1::-1] for mount in SERVICES["prometheus"]["volumes"])
    folder, pages = options["config.file"].rpartition("/")[0], options["web.user-assets"]
    assert (ROOT / mounts[folder] / pages.removeprefix(f"{folder}/") / "runbooks.html").is_file()
    assert options["web.external-url"] == "${SEGUE_PROMETHEUS_URL:-http://127.0.0.1:9090}"
    assert options["web.route-prefix"] == "/"  # where its own health is asked, whatever path the address has


@pytest.mark.parametrize("name", SERVICES)
def test_what_it_waits_for_is_there_and_can_come_true(name: str) -> None:
    for other, wanted in SERVICES[name].get("depends_on", {}).items():
        if wanted["condition"] == "service_completed_successfully":
            assert SERVICES[other]["restart"].startswith("on-failure")
        else:
            assert wanted["condition"] == "service_healthy"
            assert SERVICES[other]["healthcheck"]["test"]


def test_the_broker_is_the_one_that_is_tested() -> None:
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{KAFKA.rsplit(':', 1)[1]}"


@pytest.mark.parametrize("name", [*OURS, "topics"])
def test_its_settings_are_ours(name: str) -> None:
    for variable in SERVICES[name]["environment"]:
        prefix, section, field = variable.split("_", 2)
        assert prefix == "SEGUE"
        assert section.lower() in SECTIONS
        assert field


def test_prometheus_scrapes_the_ports_that_services_listen_on() -> None:
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    ports = {
        job["job_name"]: job["dns_sd_configs"][0]["port"]
        for job in scraped["scrape_configs"]
        if "dns_sd_configs" in job
    }
    options = {
        "profiler": ProfilerOptions(), "trainer": TrainerOptions(),
        "scorer": ScorerOptions(), "outcomes": OutcomesOptions(),
    }  # fmt: skip
    assert ports == {name: option.metrics_port for name, option in options.items()}
    for name, port in ports.items():
        stage = stage_of(name)
        assert f"EXPOSE {port}\n" in stage
        assert f"http://127.0.0.1:{port}/livez" in stage
        assert f"SEGUE_{name.upper()}_METRICS_HOST=0.0.0.0" in stage


def test_grafana_finds_its_source_and_its_dashboards() -> None:
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))["datasources"]
    (provider,) = yaml.safe_load((folder / "dashboards" / "segue.yml").read_text(encoding="utf-8"))["providers"]
    mounts: dict[str, Any] = dict(mount.split(":")[1::-1] for mount in SERVICES["grafana"]["volumes"])
    assert source["url"] == "http://prometheus:9090"
    assert mounts[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "deploy" / "grafana" / "dashboards" / Path(home).name).is_file()
