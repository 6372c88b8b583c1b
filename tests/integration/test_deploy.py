"""docker-compose.yml read by Compose's own loader, and what the images install, installed and imported."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

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


def load(loader: Path, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [loader, "-format", "json", path], cwd=path.parent, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(path.parent), **environment},
    )  # fmt: skip


@pytest.mark.slow
def test_compose_itself_loads_the_file_and_fills_in_what_is_left_open(loader: Path) -> None:
    loaded = load(loader, ROOT / "docker-compose.yml")
    assert loaded.returncode == 0, loaded.stderr
    services = json.loads(loaded.stdout)["services"]
    assert services["scorer"]["image"] == "segue-scorer:local"
    assert services["profiler"]["environment"]["SEGUE_PROFILER_LOOP"] == "faust"
    assert {name for name, service in services.items() if service.get("read_only")} == set(services)
    told = json.loads(load(loader, ROOT / "docker-compose.yml", SEGUE_TAG="0.1.0", SEGUE_PROFILER_LOOP="bulk").stdout)
    assert told["services"]["scorer"]["image"] == "segue-scorer:0.1.0"
    assert told["services"]["profiler"]["environment"]["SEGUE_PROFILER_LOOP"] == "bulk"


@pytest.mark.slow
def test_compose_refuses_a_service_that_waits_for_one_that_is_not_there(loader: Path, tmp_path: Path) -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(text.replace("topics: {condition", "topic: {condition"), encoding="utf-8")
    refused = load(loader, broken)
    assert refused.returncode != 0
    assert "topic" in refused.stderr + refused.stdout


@pytest.mark.slow
@pytest.mark.parametrize("target", ["scorer", "outcomes"])
def test_an_image_holds_all_that_its_service_imports(target: str) -> None:
    """The other two take minutes more: `make images` checks all four."""
    made = subprocess.run(
        [sys.executable, ROOT / "deploy" / "images.py", target, "--json"], capture_output=True, text=True, check=False
    )
    if "Could not fetch" in made.stderr or "No matching distribution" in made.stderr:
        pytest.skip("the package index does not answer")
    assert made.returncode == 0, made.stderr
    (found,) = json.loads(made.stdout)
    assert found["modules"] > 30
