"""How times are written on the command line."""

import re

import typer


def parse_seconds(text: str, option: str = "--for") -> float:
    """`30`, `30s`, `5m` or `1h` in seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if not found:
        raise typer.BadParameter(f"{text!r} is no time; write 30s, 5m or 1h", param_hint=option)
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]
