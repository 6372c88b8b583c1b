"""What `segue train --out FOLDER` left beside a release for answering without a broker."""

from pathlib import Path

import polars as pl

PROFILES = "profiles.parquet"


def offline_profile(release: Path, user_id: str) -> bytes | None:
    """A listener's profile from the release folder; None for a stranger or when it holds no profiles."""
    path = release / PROFILES
    if not path.is_file():
        return None
    found = pl.scan_parquet(path).filter(pl.col("user_id") == user_id).select("profile").collect()
    return bytes(found.item()) if found.height else None
