"""Make what each image of deploy/Dockerfile installs, in a plain environment, where no Docker engine stands.

`python deploy/images.py [TARGET …] [--json]`: the Dockerfile's own two pip commands, then every module that the service
can come to import is imported with nothing else there, and it is weighed. Ends with 1 when one does not hold.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Where each image's program begins. `segue topics apply` runs in the smallest.
TARGETS = {
    "profiler": ("services.profiler.__main__",),
    "trainer": ("services.trainer.__main__", "services.trainer.child"),
    "trainer-neural": ("services.trainer.__main__", "services.trainer.child"),
    "scorer": ("services.scorer.__main__",),
    "outcomes": ("services.outcomes.__main__", "services.runtime.topics"),
}
# The extras of pyproject.toml that an image installs, where they are not the one of its name.
EXTRAS = {"trainer-neural": ("trainer", "neural", "audio", "lyrics")}
# What an image does not have all the packages for: the code looks before it goes there, and goes on without.
BEYOND = {
    "trainer": (
        "models.ranker.export", "models.ranker.fit_network", "models.lyrics.topics", "models.lyrics.song_model",
        "models.audio.build", "models.pair.build", "models.pair.fit",
    ),
}  # fmt: skip
HEAVY = {"trainer-neural"}  # gigabytes: only when named
# What docs/operations.md has people run inside a container of it.
COMMANDS = {name: (["releases", "list", "--offline"],) for name in ("trainer", "trainer-neural")}
# What would make an image heavy, or serve with what trains.
BANNED = {
    "profiler": {"torch", "implicit", "faiss", "polars", "onnxruntime"},
    "trainer": {"torch"},
    "trainer-neural": {"faust", "faust-streaming"},
    "scorer": {"torch", "implicit", "faust", "sklearn", "librosa"},
    "outcomes": {"torch", "implicit", "faust", "faiss", "polars", "onnxruntime"},
}


def pins(text: str) -> dict[str, str]:
    """Name -> version, of a lock file."""
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", text, re.MULTILINE))


def wheel(folder: Path) -> Path:
    """Segue's own wheel, built as the Dockerfile does."""
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT],
        check=True,
    )
    return next(folder.glob("segue-*.whl"))


def install(target: str, folder: Path, own: Path) -> Path:
    """The target's environment: its lock file with hashes, then our wheel. Returns its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q", "--disable-pip-version-check", "--compile"]
    subprocess.run([*pip, "--require-hashes", "-r", ROOT / "deploy" / "requirements" / f"{target}.lock"], check=True)
    subprocess.run([*pip, "--no-deps", own], check=True)
    return python


def check(target: str, python: Path) -> dict[str, Any]:
    """Import all that the service may import, run its command, weigh it. Raises SystemExit, and says why."""
    folder = python.parent.parent
    clean = {"cwd": folder, "env": {"PATH": str(python.parent)}, "check": True, "capture_output": True, "text": True}
    beyond = [f"--beyond={name}" for name in BEYOND.get(target, ())]
    told = json.loads(run([python, ROOT / "deploy" / "reach.py", *TARGETS[target], *beyond], clean))
    for command in ([target.partition("-")[0], "--help"], ["topics", "apply", "--help"], *COMMANDS.get(target, ())):
        run([python.parent / "segue", *command], clean)
    if banned := BANNED[target] & set(told["loaded"]):
        raise SystemExit(f"{target}: loads {', '.join(sorted(banned))}")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    count = len(pins((ROOT / "deploy" / "requirements" / f"{target}.lock").read_text(encoding="utf-8"))) + 1
    return {"target": target, "packages": count, "modules": told["modules"], "mb": round(size / 1e6)}


def run(command: list[Any], options: dict[str, Any]) -> str:
    """What it prints. Raises SystemExit with what it complained of."""
    try:
        return str(subprocess.run(command, **options).stdout)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"{' '.join(map(str, command[1:]))}: {error.stderr[-2_000:]}") from error


def main() -> None:
    """Every target that is named; all but HEAVY when none is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--json", action="store_true", help="one JSON list, on standard output")
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"unknown target {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)}")
    found = []
    with tempfile.TemporaryDirectory(prefix="segue-images-") as name:
        own = wheel(Path(name))
        for target in options.targets or TARGETS.keys() - HEAVY:
            sys.stderr.write(f"{target}: installing ...\n")
            found.append(check(target, install(target, Path(name) / target, own)))
            if not options.json:
                sys.stdout.write(
                    "{target}: {packages} packages, {modules} modules of ours, {mb} MB\n".format(**found[-1])
                )
    if options.json:
        sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
