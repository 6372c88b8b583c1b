"""docker-compose.yml read by Compose's own loader, and what the images install, installed and imported."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.images import HEAVY, TARGETS

ROOT = Path(__file__).parents[2]
LOADER = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"  # the code behind `docker compose config`
BUILD_S = 900


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once a module; Go keeps what it compiled, so the next time is quick."""
    if shutil.which("go") is None:
        pytest.skip("Go is missing: Compose's own loader cannot be built; tests/unit/deploy checks the schema")
    folder = tmp_path_factory.mktemp("loader")
    built = subprocess.run(
        ["go", "install", LOADER], env={**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"}, cwd=folder,
        capture_output=True, text=True, timeout=BUILD_S, check=False,
    )  # fmt: skip
    if built.returncode:
        pytest.skip(f"Compose's own loader could not be fetched or built: {built.stderr.strip().splitlines()[-1]}")
    return folder / "cmd"


def load(loader: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [loader, "-format", "json", path], cwd=path.parent, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(path.parent)},
    )  # fmt: skip


@pytest.mark.slow
def test_compose_itself_loads_the_file_and_fills_in_what_is_left_open(loader: Path) -> None:
    loaded = load(loader, ROOT / "docker-compose.yml")
    assert loaded.returncode == 0, loaded.stderr
    services = json.loads(loaded.stdout)["services"]
    assert services["scorer"]["image"] == "segue-scorer:local"
    assert services["profiler"]["environment"]["SEGUE_PROFILER_LOOP"] == "faust"
    assert {name for name, service in services.items() if service.get("read_only")} == set(services)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("was", "broken", "said"),
    [
        ("read_only: true", "read_only: perhaps", "invalid boolean"),
        (":-INFO}", ":-INFO", "invalid interpolation"),
        ("<<: *restart", "<<: *restarts", "unknown anchor"),
    ],
)
def test_compose_refuses_what_it_cannot_read(loader: Path, tmp_path: Path, was: str, broken: str, said: str) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert was in text
    path = tmp_path / "docker-compose.yml"
    path.write_text(text.replace(was, broken), encoding="utf-8")
    refused = load(loader, path)
    assert refused.returncode != 0
    assert said in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(TARGETS.keys() - HEAVY))
def test_an_image_holds_all_that_its_service_imports(target: str) -> None:
    """The one with torch takes gigabytes: `make images ARGS=trainer-neural` checks it."""
    made = subprocess.run(
        [sys.executable, ROOT / "deploy" / "images.py", target, "--json"], capture_output=True, text=True, check=False
    )
    if "Could not fetch" in made.stderr or "No matching distribution" in made.stderr:
        pytest.skip("the package index does not answer")
    assert made.returncode == 0, made.stderr
    (found,) = json.loads(made.stdout)
    assert found["modules"] > 30
