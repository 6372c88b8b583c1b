"""How times are written on the command line."""

import re
import time
from datetime import UTC, datetime

import typer


def parse_seconds(text: str, option: str = "--for") -> float:
    """`30`, `30s`, `5m` or `1h` in seconds."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if not found:
        raise typer.BadParameter(f"{text!r} is no time; write 30s, 5m or 1h", param_hint=option)
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def some_seconds(text: str, option: str = "--seconds") -> float:
    """As `parse_seconds`, for what is measured for so long: in no time there is nothing to measure."""
    seconds = parse_seconds(text, option)
    if not seconds:
        raise typer.BadParameter(f"{text!r} is no time to measure in; write more than 0, as in 5s", param_hint=option)
    return seconds


def since_ms(text: str | None, option: str = "--since") -> int | None:
    """`30m`, `2h` or `7d` ago, or a date (UTC unless it says), as ms since epoch; None stays None."""
    if text is None:
        return None
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    if ago:
        seconds = int(ago[1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[ago[2]]
        return time.time_ns() // 1_000_000 - 1_000 * seconds
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither 30m, 2h, 7d nor a date", param_hint=option) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
