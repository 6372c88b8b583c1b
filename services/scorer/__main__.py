"""`python -m services.scorer`, and `segue scorer`."""

import os


def main() -> None:
    """Run a scorer until SIGTERM or Ctrl-C."""
    # Polars would load a release on every core at once, while lists are made on the same ones: measured on two, the
    # longest gap between lists at a swap was 382 and 405 ms with both, 219 and 255 ms with one (by turns).
    os.environ.setdefault("POLARS_MAX_THREADS", "1")  # read when polars is imported, which is below
    from services.scorer import process

    process.main()


if __name__ == "__main__":
    main()
