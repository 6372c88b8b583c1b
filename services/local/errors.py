"""What can go wrong with the local servers."""


class LocalError(Exception):
    """Anything wrong with the local Kafka and Redis."""


class JarError(LocalError):
    """Kafka's jars could not be fetched, or one is not the jar that the repository pins."""


class JavaError(LocalError):
    """There is no Java here that can run Kafka."""


class StartError(LocalError):
    """A server did not start, or ended by itself; the message ends with the last lines of its log."""
