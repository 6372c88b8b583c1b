"""ONNX Runtime keeps to itself."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_only_one_file_imports_it() -> None:
    found = [
        str(path.relative_to(ROOT))
        for folder in ("models", "services", "schemas")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"^\s*(import|from) onnxruntime", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert found == ["models/ort.py"]


def test_it_leaves_nothing_behind_and_sends_nothing(tmp_path: Path) -> None:
    code = "import models.ranker.serve, os; assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'"
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, env={**environment, "TMPDIR": str(tmp_path)}, timeout=60
    )
    assert list(tmp_path.iterdir()) == []
