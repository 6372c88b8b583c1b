"""The Dockerfile passes its linter, and what each image installs is pinned to what is tested here."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from deploy.images import BANNED, BEYOND, EXTRAS, HEAVY, TARGETS, pins
from deploy.reach import reach

ROOT = Path(__file__).parents[3]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
STAGES = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
EXTRA = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
LOCKS = ROOT / "deploy" / "requirements"


HADOLINT = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


def lint(path: Path) -> str:
    return subprocess.run([str(HADOLINT), "--no-color", path], capture_output=True, text=True, check=False).stdout


@pytest.mark.skipif(not HADOLINT, reason="hadolint is missing: it comes with the dependency group dev")
def test_hadolint_has_nothing_to_say(tmp_path: Path) -> None:
    assert lint(DOCKERFILE) == ""
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM python\nRUN pip install numpy\n", encoding="utf-8")
    assert "DL3006" in lint(bad), "the linter finds nothing at all"


def test_each_service_has_a_target_that_nobody_runs_as_root() -> None:
    bases = {name: base for base, name in STAGES}
    assert set(TARGETS) <= bases.keys()
    assert {name: bases[name] for name in TARGETS if bases[name] != "runtime"} == {
        "trainer": "training",
        "trainer-neural": "training",
    }
    assert bases["training"] == "runtime"
    runtime = DOCKERFILE.read_text(encoding="utf-8").split("FROM base AS runtime")[1].split("\nFROM ")[0]
    assert "USER 10001:10001" in runtime
    for name in TARGETS:
        assert f"COPY --from=install-{name} /opt/segue /opt/segue" in DOCKERFILE.read_text(encoding="utf-8")
        assert f"deploy/requirements/{name}.lock" in DOCKERFILE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TARGETS)
def test_an_image_holds_what_is_tested_and_what_its_extra_asks_for(name: str) -> None:
    held = pins((LOCKS / f"{name}.lock").read_text(encoding="utf-8"))
    lock = "requirements-neural.lock" if name in HEAVY else "requirements.lock"
    tested = (ROOT / lock).read_text(encoding="utf-8")  # a package twice where it depends on the Python
    assert [
        each for each in held.items() if not re.search(rf"^{each[0]}==({re.escape(each[1])})[ ;]", tested, re.M)
    ] == []
    asked = {re.split(r"[\[><=]", line)[0].lower() for extra in EXTRAS.get(name, (name,)) for line in EXTRA[extra]}
    assert asked <= held.keys()
    assert not BANNED[name] & held.keys()


@pytest.mark.parametrize("path", sorted(LOCKS.glob("*.lock")), ids=lambda path: path.name)
def test_everything_is_pinned_by_hash_and_no_host_is_named(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", text.strip())
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


@pytest.mark.parametrize("name", BEYOND)
def test_what_an_image_lacks_the_packages_for_is_not_followed(name: str) -> None:
    every, rest = reach([*TARGETS[name]]), reach([*TARGETS[name]], BEYOND[name])
    assert set(BEYOND[name]) <= set(every), "no way leads there any more: take it off the list"
    assert not set(BEYOND[name]) & set(rest)
    assert len(rest) > 100


@pytest.mark.parametrize("name", TARGETS)
def test_the_page_counts_the_packages_of_an_image(name: str) -> None:
    page = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
    (count,) = re.findall(rf"^\| {name} \| (\d+) \|", page, re.MULTILINE)
    assert int(count) == len(pins((LOCKS / f"{name}.lock").read_text(encoding="utf-8"))) + 1  # Segue's own
