"""deploy/kubernetes is what Kubernetes takes, hardened, and says the same as the Compose file, the images and the code.

kubernetes-1.34.json is cut out of Kubernetes' own strict schemas. Where kubectl is, the folders are also built by it.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from schemas.topics import LISTENS, PROFILES, TOPICS
from services.outcomes.settings import OutcomesOptions, OutcomesSettings
from services.profiler.settings import ProfilerOptions, ProfilerSettings
from services.runtime.settings import load
from services.scorer.settings import ScorerOptions, ScorerSettings
from services.trainer.settings import TrainerOptions, TrainerSettings
from tests.unit.deploy.test_compose import stage_of

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "kubernetes"
SCHEMA = json.loads(Path(__file__).with_name("kubernetes-1.34.json").read_text(encoding="utf-8"))
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES = {
    "profiler": (ProfilerSettings, ProfilerOptions()), "trainer": (TrainerSettings, TrainerOptions()),
    "scorer": (ScorerSettings, ScorerOptions()), "outcomes": (OutcomesSettings, OutcomesOptions()),
}  # fmt: skip
Object = dict[str, Any]


def documents(path: Path) -> list[Object]:
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def named(folder: Path) -> Iterator[Object]:
    """What a folder's kustomization names, those of other folders left out."""
    (kustomization,) = documents(folder / "kustomization.yaml")
    for name in kustomization["resources"]:
        if name.endswith(".yaml"):
            yield from documents(folder / name)


BASE = list(named(FOLDER / "base"))
PODS = {each["metadata"]["name"]: each for each in BASE if "template" in each.get("spec", {})}


def the(kind: str, name: str) -> Object:
    (found,) = (each for each in BASE if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return found


def container(name: str) -> Object:
    (only,) = PODS[name]["spec"]["template"]["spec"]["containers"]
    return dict(only)


def troubles(each: Object) -> list[str]:
    schema = {"$ref": f"#/$defs/{SCHEMA['kinds'][each['kind']]}", "$defs": SCHEMA["$defs"]}
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(each)]


@pytest.mark.parametrize("each", BASE, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_it_is_what_kubernetes_takes(each: Object) -> None:
    assert troubles(each) == []
    assert troubles({**each, "speck": {}}), "the schema finds nothing at all"


def test_every_file_is_named_by_its_kustomization() -> None:
    for folder in FOLDER.iterdir():
        (kustomization,) = documents(folder / "kustomization.yaml")
        files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
        assert files == {name for name in kustomization["resources"] if name.endswith(".yaml")}
        assert kustomization["namespace"] == the("Namespace", "segue")["metadata"]["name"]


@pytest.mark.parametrize("folder", sorted(path.name for path in FOLDER.iterdir()))
def test_kubectl_builds_it(folder: str) -> None:
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl here to build it with")
    built = subprocess.run(["kubectl", "kustomize", FOLDER / folder], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    found = [each for each in yaml.safe_load_all(built.stdout) if each]
    assert all(each["kind"] == "Namespace" or each["metadata"]["namespace"] == "segue" for each in found)
    kinds = [each["kind"] for each in found]
    assert ("HorizontalPodAutoscaler" in kinds) == (folder == "base")  # never beside KEDA's own
    assert ("ScaledObject" in kinds) == (folder == "keda")


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_do_little(name: str) -> None:
    pod = PODS[name]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    user, group = COMPOSE["services"][name]["user"].split(":")
    assert (pod["securityContext"]["runAsUser"], pod["securityContext"]["runAsGroup"]) == (int(user), int(group))
    volumes = {volume["name"] for volume in pod["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in PODS[name]["spec"].get("volumeClaimTemplates", ())}
    assert {mount["name"] for mount in container(name)["volumeMounts"]} == volumes


@pytest.mark.parametrize("name", PODS)
def test_it_is_as_large_as_in_compose_and_of_the_same_image(name: str) -> None:
    service, limits = COMPOSE["services"][name], container(name)["resources"]["limits"]
    wanted = service["deploy"]["resources"]["limits"]
    assert limits["cpu"] == wanted["cpus"]
    assert limits["memory"].replace("i", "").lower() == wanted["memory"]
    image = container(name)["image"]
    assert image == service["image"].split(":")[0] if image.startswith("segue-") else image == service["image"]
    if (grace := service.get("stop_grace_period")) and name != "topics":
        assert PODS[name]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] == int(grace.rstrip("s"))
    for mount in service.get("volumes", ()):
        _, target, *mode = mount.split(":")
        (mine,) = (each for each in container(name)["volumeMounts"] if target.startswith(each["mountPath"]))
        assert mine.get("readOnly", False) == (mode == ["ro"])


@pytest.mark.parametrize("name", SERVICES)
def test_it_is_asked_where_it_answers(name: str) -> None:
    port = SERVICES[name][1].metrics_port
    assert container(name)["ports"] == [{"name": "metrics", "containerPort": port}]
    assert f"EXPOSE {port}\n" in stage_of(name)
    probes = {kind: container(name)[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
    assert {probe["port"] for probe in probes.values()} == {"metrics"}
    assert [probe["path"] for probe in probes.values()] == ["/livez", "/livez", "/readyz"]
    service = the("Service", name)["spec"]
    assert service["ports"] == [{"name": "metrics", "port": port, "targetPort": "metrics"}]
    assert service["selector"] == PODS[name]["spec"]["template"]["metadata"]["labels"]


def test_its_settings_are_ours() -> None:
    settings = the("ConfigMap", "segue-settings")["data"]
    for kind, _ in SERVICES.values():
        found = msgspec.to_builtins(load(kind, settings))  # refuses a name or a value that it does not know
        assert found["kafka"]["bootstrap"] == settings["SEGUE_KAFKA_BOOTSTRAP"]
    assert the("Service", "redis")["spec"]["ports"][0]["port"] == 6379
    assert settings["SEGUE_REDIS_URL"] == "redis://redis:6379/0"
    for name in (*SERVICES, "topics"):
        assert {"configMapRef": {"name": "segue-settings"}} in container(name)["envFrom"]


def test_redis_is_configured_as_in_compose() -> None:
    text = (ROOT / "deploy" / "redis" / "redis.conf").read_text(encoding="utf-8")
    assert the("ConfigMap", "redis")["data"]["redis.conf"] == text


@pytest.mark.parametrize("name", ["profiler", "scorer", "outcomes"])
def test_no_more_than_one_goes_at_a_time(name: str) -> None:
    assert the("PodDisruptionBudget", name)["spec"]["maxUnavailable"] == 1
    assert PODS[name]["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    autoscaled = name != "outcomes"
    assert ("replicas" in PODS[name]["spec"]) is not autoscaled  # to apply it again would undo what was scaled
    found = (
        the("HorizontalPodAutoscaler", name)["spec"]["minReplicas"] if autoscaled else PODS[name]["spec"]["replicas"]
    )
    assert found > 1


def test_there_is_one_trainer_and_all_scorers_read_what_it_writes() -> None:
    assert (PODS["trainer"]["spec"]["replicas"], PODS["trainer"]["spec"]["strategy"]) == (1, {"type": "Recreate"})
    assert the("PersistentVolumeClaim", "releases")["spec"]["accessModes"] == ["ReadWriteMany"]


@pytest.mark.parametrize("name", ["profiler", "scorer"])
def test_no_more_than_there_are_partitions(name: str) -> None:
    assert the("HorizontalPodAutoscaler", name)["spec"]["maxReplicas"] == LISTENS.partitions
    (lag,) = (each for each in named(FOLDER / "keda") if each["metadata"]["name"] == name)
    assert lag["spec"]["maxReplicaCount"] == LISTENS.partitions
    asked = lag["spec"]["triggers"][0]["metadata"]
    assert lag["spec"]["minReplicaCount"] > 1
    assert "bootstrapServers" not in asked
    assert asked["bootstrapServersFromEnv"] in the("ConfigMap", "segue-settings")["data"]  # as the pods have it
    assert asked["consumerGroup"] == SERVICES[name][1].group
    assert asked["topic"] == {"profiler": LISTENS, "scorer": PROFILES}[name].name
    assert asked["topic"] in {topic.name for topic in TOPICS}


def test_who_reaches_whom() -> None:
    policies = {each["metadata"]["name"]: each["spec"] for each in BASE if each["kind"] == "NetworkPolicy"}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}

    def names(selector: Object) -> set[str]:
        (only,) = selector["matchExpressions"]
        return set(only["values"])

    with_redis = {name for name in SERVICES if "SEGUE_REDIS_URL" in COMPOSE["services"][name]["environment"]}
    assert names(policies["to-redis"]["podSelector"]) == with_redis
    assert names(policies["redis"]["ingress"][0]["from"][0]["podSelector"]) == with_redis
    assert names(policies["to-kafka"]["podSelector"]) == {*SERVICES, "topics"}
    (monitor,) = named(FOLDER / "monitoring")
    assert names(monitor["spec"]["selector"]) == names(policies["scraped"]["podSelector"]) == set(SERVICES)
    assert monitor["spec"]["endpoints"][0]["port"] == "metrics"


def test_an_image_that_is_not_ours_is_pinned_and_ours_have_a_tag() -> None:
    (kustomization,) = documents(FOLDER / "base" / "kustomization.yaml")
    ours = {image["name"] for image in kustomization["images"]}
    for name in PODS:
        image = container(name)["image"]
        assert image in ours or re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", image)
    assert all(image["newTag"] != "latest" for image in kustomization["images"])
