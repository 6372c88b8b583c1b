"""The process of one training: `python -m services.trainer.child`, the job on standard input. See job.py.

A process of its own, so that it can give way to live work (nice), leaves nothing in the trainer's memory, and can be
ended at any time. It ends by itself when the trainer is gone: then nobody reads what it says.
"""

import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Train, and say how it goes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the trainer ends this one
    import msgspec

    raw = sys.stdin.buffer.read()
    threads = msgspec.json.decode(raw)["settings"]["threads"]
    if threads:  # read by polars when it is imported, which is below
        os.environ["POLARS_MAX_THREADS"] = str(threads)
    from services.trainer.job import Job, Said

    job = msgspec.json.decode(raw, type=Job)
    os.nice(job.nice)
    from models.interactions import COLUMNS
    from models.release import BadRelease, Release, load
    from models.train import train
    from services.trainer.columns import catalogue_columns
    from services.trainer.history import read

    def say(said: Said) -> None:
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
        sys.stdout.buffer.flush()

    def in_service() -> Release | None:
        try:
            return load(Path(job.service), job.service_sha256) if job.service else None
        except BadRelease as error:  # another format, or gone: nothing to hold the new one against
            say(Said(told=f"the release in service cannot be read, the new one is judged as a first one: {error}"))
            return None

    try:
        folder = train(
            read([Path(path) for path in job.segments], COLUMNS, job.days),
            catalogue_columns(Path(job.tracks)),
            Path(job.root),
            job.settings,
            release_id=job.release_id,
            now_ms=job.now_ms,
            window=job.window,
            gaps=job.gaps,
            service=in_service(),
            progress=lambda step, done: say(Said(step, done)),
        )
    except BrokenPipeError:
        os._exit(1)  # the trainer is gone
    except Exception as error:
        say(Said(error=f"{type(error).__name__}: {error}"))
        raise
    say(Said(folder=str(folder)))


if __name__ == "__main__":
    main()
