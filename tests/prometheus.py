"""Where promtool and prometheus are: in PROMETHEUS_HOME, on PATH, or fetched as deploy/prometheus/fetch does."""

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FETCH = ROOT / "deploy" / "prometheus" / "fetch"
FETCH_S = 120


@cache
def programs() -> Path | str:
    """The folder that holds both, or why there is none."""
    path = os.environ.get("PROMETHEUS_HOME") or os.environ.get("PATH", "")
    found = [shutil.which(name, path=path) for name in ("promtool", "prometheus")]
    if all(found):
        return Path(str(found[0])).parent
    try:
        told = subprocess.run([FETCH], capture_output=True, text=True, timeout=FETCH_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return f"no Prometheus: neither on PATH nor in PROMETHEUS_HOME, and {FETCH.name} failed: {said(error)}"
    return Path(told.stdout.strip())


def said(error: Exception) -> str:
    text = getattr(error, "stderr", None)
    return str(text).strip().splitlines()[-1] if text else str(error)


def program(name: str) -> str:
    """The path of promtool or prometheus; skips the test, and says why, where there is none."""
    folder = programs()
    if isinstance(folder, str):
        pytest.skip(folder)
    return str(folder / name)
