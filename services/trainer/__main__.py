"""The trainer as a process: reads the environment, builds the clients, runs until told to stop."""

import logging
import os
import sys
import threading
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic, time

from models.als.spark import NoSpark
from models.excluded import BadExclude
from models.sources.settings import BadSources
from schemas.topics import LISTENS, TRACKS
from services.runtime.errors import Fatal, Stopped
from services.runtime.http import Health, Server
from services.runtime.log import configure
from services.runtime.metrics import process_registry
from services.runtime.settings import BadSetting
from services.runtime.shutdown import stop_event
from services.trainer.app import Trainer
from services.trainer.history import History
from services.trainer.kafka_log import KafkaLog
from services.trainer.kafka_releases import KafkaReleases
from services.trainer.metrics import Metrics
from services.trainer.office import Office
from services.trainer.patience import Patience
from services.trainer.settings import TrainerSettings, trainer_settings
from services.trainer.tracks import Tracks
from services.trainer.trigger import Trigger

log = logging.getLogger("services.trainer")


def main() -> None:
    """Run a trainer until SIGTERM or Ctrl-C. Ends with 1 and a sentence when it cannot run."""
    try:
        settings = trainer_settings(os.environ)
        settings.prove()
        configure(settings.log, "trainer", monotonic)
        run(settings, stop_event())
    except (BadSetting, BadSources, BadExclude, NoSpark, Fatal) as error:
        sys.exit(f"segue trainer: {error}")


def run(settings: TrainerSettings, stop: threading.Event) -> None:
    """Wire a trainer to Kafka and its folders and run it until `stop`. Raises Fatal, BadSetting."""
    options = settings.trainer
    health = Health("kafka", clock=monotonic, stale_after=60.0)
    registry = process_registry(health)
    metrics = Metrics(registry)
    patient = Patience(stop, metrics, health)
    with ExitStack() as opened:
        http = opened.enter_context(Server(health, registry, options.metrics_port, options.metrics_host))
        log.info("trainer: metrics at http://%s:%d/metrics", options.metrics_host, http.port)
        try:
            source = opened.enter_context(closing(patient(lambda: KafkaLog(settings.kafka))))
            topics = patient(source.describe)
            folder = Path(options.history)
            history = opened.enter_context(closing(History(folder, topics[LISTENS.name][0])))
            office = Office(KafkaReleases(settings.kafka), options, settings.train(), metrics)
            patient(lambda: office.begin(time()))
        except Stopped:
            log.info("told to stop before it began")
            return
        trainer = Trainer(
            log=source,
            history=history,
            tracks=Tracks(folder, topics[TRACKS.name][0].topic_id, int(time() * 1000)),
            office=office,
            trigger=Trigger(options, time(), *office.since_newest(history)),
            options=options,
            metrics=metrics,
            health=health,
            patient=patient,
            now=time,
        )
        trainer.run({name: partitions for name, (_, partitions) in topics.items()}, stop)


if __name__ == "__main__":
    main()
