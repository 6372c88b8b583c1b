"""What can be wrong with a message; nothing else may go wrong while reading one.

Poison
└── raised for bytes, a schema or a value that no retry will mend: the message goes to the dead letters.
"""

# What a record of `listens` or `tracks` can be; the labels of what counts them.
CAUSES = ("empty", "too-large", "bad-json", "bad-schema", "bad-key", "too-early", "future")


class Poison(ValueError):
    """A message that can never be taken in. `cause` is a short label (bounded set), the text names the path."""

    def __init__(self, cause: str, message: str) -> None:
        super().__init__(message)
        self.cause = cause
