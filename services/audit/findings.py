"""A few examples of each kind of trouble, without names unless they are asked for."""

from services.audit.result import Example


class Findings:
    """Keeps the first `most` of each kind."""

    def __init__(self, most: int, show_ids: bool) -> None:
        self.most, self._show_ids = most, show_ids
        self.examples: list[Example] = []

    def add(self, kind: str, partition: int, offset: int, says: str, user_id: str = "") -> None:
        """Note one; beyond the first few of its kind it is only counted, by the caller."""
        if sum(example.kind == kind for example in self.examples) < self.most:
            self.examples.append(Example(kind, partition, offset, says, user_id if self._show_ids else ""))

    def mark(self) -> int:
        """Where we are, for `back_to`."""
        return len(self.examples)

    def back_to(self, mark: int) -> None:
        """Forget what came after: it is looked at anew."""
        del self.examples[mark:]
