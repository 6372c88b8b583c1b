"""`segue up | profiler | trainer | scorer | outcomes`: the servers and the services, each until Ctrl-C."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

Metrics = Annotated[int | None, typer.Option(help="Port of /metrics, /livez and /readyz; 0: any free one.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(up)
    app.command()(profiler)
    app.command()(trainer)
    app.command()(scorer)
    app.command()(outcomes)


def up(
    data: Annotated[Path | None, typer.Option(help="Keep everything in this folder; else it is forgotten.")] = None,
    kafka_port: Annotated[int | None, typer.Option(help="Else any free port.")] = None,
    redis_port: Annotated[int | None, typer.Option(help="Else any free port.")] = None,
) -> None:
    """Start a real Kafka broker and a real Redis here, without Docker or root, until Ctrl-C.

    Example: `segue up --data ./segue-data --kafka-port 9092 --redis-port 6379`
    """
    from services.local.up import up as run

    run(data, kafka_port, redis_port)


def profiler(
    loop: Annotated[
        Literal["faust", "bulk"] | None, typer.Option(help="faust: live; bulk: back-fill, rebuilding Redis.")
    ] = None,
    metrics_port: Metrics = None,
) -> None:
    """Fold `listens` into the profiles in Redis. Settings: SEGUE_KAFKA_*, SEGUE_REDIS_*, SEGUE_PROFILER_*.

    Example: `SEGUE_KAFKA_BOOTSTRAP=localhost:9092 segue profiler --loop faust`
    """
    _set(SEGUE_PROFILER_LOOP=loop, SEGUE_PROFILER_METRICS_PORT=metrics_port)
    from services.profiler.__main__ import main

    main()


def trainer(metrics_port: Metrics = None) -> None:
    """Keep the history and train a release when enough is new. Settings: SEGUE_TRAINER_*, SEGUE_ALS_*.

    Example: `SEGUE_TRAINER_EVERY_LISTENS=100000 segue trainer`
    """
    _set(SEGUE_TRAINER_METRICS_PORT=metrics_port)
    from services.trainer.__main__ import main

    main()


def scorer(metrics_port: Metrics = None) -> None:
    """Make a fresh list for every listener whose profile changed. Settings: SEGUE_SCORER_*, SEGUE_LIST_*.

    Example: `SEGUE_LIST_LENGTH=100 segue scorer`
    """
    _set(SEGUE_SCORER_METRICS_PORT=metrics_port)
    from services.scorer.__main__ import main

    main()


def outcomes(metrics_port: Metrics = None) -> None:
    """Hold what listeners play against the lists that stood for them. Settings: SEGUE_OUTCOMES_*, SEGUE_TASTE_*.

    `segue report` shows what came of it. Example: `SEGUE_OUTCOMES_LATE_MINUTES=10 segue outcomes`
    """
    _set(SEGUE_OUTCOMES_METRICS_PORT=metrics_port)
    from services.outcomes.__main__ import main

    main()


def _set(**settings: object) -> None:
    """An option wins over the environment, which wins over the file."""
    os.environ.update({name: str(value) for name, value in settings.items() if value is not None})
