"""Making a good listen of a bad message, and proving that it is one before it is sent."""

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from models.admission import admit
from schemas.codec import decode
from schemas.errors import Poison
from schemas.events import Listen
from services.runtime.errors import Fatal

Mend = Callable[[bytes | None], bytes | None]
FIELDS = frozenset(Listen.__struct_fields__)
NOT_TEXT = frozenset(("listened_at", "ms_played", "duration_ms", "organic"))  # their values are JSON


def unchanged(value: bytes | None) -> bytes | None:
    """As it came: enough where only the key was wrong, or where the future has come meanwhile."""
    return value


def admitted(value: bytes | None, now_ms: int) -> tuple[bytes, bytes]:
    """Key and value to send: the key is made from the listen. Raises Poison as the profiler would at `now_ms`."""
    key = decode(Listen, value).user_id.encode()
    admit(value, key, now_ms)
    return key, value or b""


def setting(changes: Sequence[str]) -> Mend:
    """A mend that sets fields, each given as `field=value`; `field=null` removes one.

    Raises Fatal on a change that is none, or of a field that no listen has.
    """
    wanted = dict(map(_change, changes))

    def mend(value: bytes | None) -> bytes | None:
        document = _document(value)
        document.update(wanted)
        return msgspec.json.encode({name: part for name, part in document.items() if part is not None})

    return mend


def from_file(path: Path) -> Mend:
    """A mend that takes another message from a file. Raises Fatal when it cannot be read."""
    try:
        data = path.read_bytes().strip()
    except OSError as error:
        raise Fatal(f"--file {path}: {error.strerror}") from error
    return lambda _: data


def by_hand(editor: Sequence[str]) -> Mend:
    """A mend by a person in an editor (the command and its arguments), pretty JSON where it is JSON.

    Raises Fatal when the editor cannot be run or gives up.
    """

    def mend(value: bytes | None) -> bytes | None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "listen.json"
            path.write_text(pretty(value) or (value or b"").decode("utf-8", "replace"), encoding="utf-8")
            try:
                subprocess.run([*editor, str(path)], check=True)  # noqa: S603  # the person's own $EDITOR
            except (OSError, subprocess.CalledProcessError) as error:
                raise Fatal(f"the editor {editor[0]!r} did not end well ({error}); nothing was sent") from error
            return path.read_bytes().strip()

    return mend


def pretty(value: bytes | None) -> str | None:
    """A message as indented JSON; None when it is not JSON."""
    try:
        return msgspec.json.format(msgspec.json.encode(msgspec.json.decode(value or b"")), indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _change(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise Fatal(f"--set {text!r} is not field=value, e.g. --set listened_at=1704067200000")
    if name not in FIELDS:
        raise Fatal(f"--set {name}: a listen has no such field; it has {', '.join(sorted(FIELDS))}")
    if name not in NOT_TEXT and value != "null":
        return name, value
    try:
        return name, msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise Fatal(f"--set {text!r}: {name} is a number, true, false or null ({error})") from error


def _document(value: bytes | None) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Poison("bad-json", f"no fields can be set in it ({error}); mend it with --edit or --file") from error
    if not isinstance(document, dict):
        raise Poison("bad-schema", "it is not a JSON object, so no fields can be set; mend it with --edit or --file")
    return document
