"""What every test may ask for. A stack is started only when a test asks for one."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from services.local.stack import LocalStack

# An example may wait for a loop to be compiled, or for a busy machine: neither is what the tests look for.
settings.register_profile("segue", deadline=None)
settings.load_profile("segue")


def pytest_configure(config: pytest.Config) -> None:
    # kafka-python 3.0 reads its message definitions in a way that Python 3.11 and 3.12 call deprecated.
    config.addinivalue_line("filterwarnings", r"ignore:(open|read)_text is deprecated\. Use files:DeprecationWarning")
    # It also leaves a socket behind where an attempt to connect fails, which a busy machine makes happen now and then.
    unclosed = r"ignore:Exception ignored in. <socket\.socket:pytest.PytestUnraisableExceptionWarning"
    config.addinivalue_line("filterwarnings", unclosed)


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalStack]:
    """A real Kafka and a real Redis, shared by the whole run: name your topics and keys after your test."""
    with LocalStack() as stack:
        yield stack


@pytest.fixture(scope="session")
def bootstrap(stack: LocalStack) -> str:
    """The shared broker's address, as host:port."""
    return stack.bootstrap


@pytest.fixture(scope="session")
def redis_url(stack: LocalStack) -> str:
    """The shared Redis server's address, as redis://host:port/0."""
    return stack.redis_url
