"""Bytes to messages and back. One place decides what bad bytes are."""

from typing import Any, TypeVar

import msgspec

from schemas.errors import Poison

T = TypeVar("T")

MAX_BYTES = 512 * 1024  # no honest message is larger; a larger one is not even parsed

_encoder = msgspec.json.Encoder()
encode = _encoder.encode


_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


def decode(kind: type[T], data: bytes | None) -> T:
    """One message of the given kind.

    Raises Poison: `empty` (no value), `too-large`, `bad-json` (not JSON or not UTF-8), `bad-schema` (a missing or
    wrong field; the text ends in its path, e.g. "Expected `int` - at `$.listened_at`").
    """
    if not data:
        raise Poison("empty", f"the {kind.__name__} has no value - at `$`")
    if len(data) > MAX_BYTES:
        raise Poison("too-large", f"{len(data):,} bytes, more than the {MAX_BYTES:,} of a {kind.__name__} - at `$`")
    decoder = _decoders.get(kind)
    if decoder is None:
        decoder = _decoders[kind] = msgspec.json.Decoder(kind)
    try:
        message: T = decoder.decode(data)
    except msgspec.ValidationError as error:
        raise Poison("bad-schema", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Poison("bad-json", f"{error} - at `$`") from error
    return message
