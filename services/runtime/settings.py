"""Settings: one frozen struct a service, from SEGUE_* in the environment over an optional TOML file.

A struct of settings has sections (structs) of plain values. `SEGUE_KAFKA_BOOTSTRAP` is field `bootstrap` of section
`kafka`; in TOML it is `bootstrap` under `[kafka]`. The file is named by SEGUE_CONFIG. Anything unknown or uncastable
stops the start and is named.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Struct

S = TypeVar("S", bound=Struct)

PREFIX = "SEGUE_"
# Every section there is. A service reads those that its own struct names and leaves the others alone.
SECTIONS = (
    "kafka", "redis", "taste", "profiler", "trainer", "scorer", "outcomes", "list", "als", "neighbours", "ranker",
    "lyrics", "audio", "bridge", "log",
)  # fmt: skip
# Settings that belong to no service: where the TOML file and the caches are.
FREE = ("SEGUE_CONFIG", "SEGUE_CACHE", "SEGUE_STATE")
SECRET = ("password", "secret", "token")


class BadSetting(ValueError):
    """A setting that is unknown or cannot be read; the text names it and says what is expected."""


class KafkaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker is and how to speak to it."""

    bootstrap: str = "127.0.0.1:9092"
    security: Literal["PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    user: str = ""
    password: str = ""
    ca: str = ""  # file of the authorities that may sign the broker's certificate; empty: the system's
    session_timeout_ms: int = 6_000  # a killed worker's partitions move after this long
    heartbeat_ms: int = 200  # how fast a planned rebalance is noticed


class RedisSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the profiles are kept."""

    url: str = "redis://127.0.0.1:6379/0"
    cluster: bool = False  # whether the server there is one of a Redis Cluster, which tells of the others


class LogSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What is logged."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    json: bool = False


def load(kind: type[S], environ: Mapping[str, str], over: Path | None = None) -> S:
    """Read a service's settings. `over`: a file of settings that goes over SEGUE_CONFIG, and under the environment.

    Raises BadSetting naming the first setting that is unknown, misspelt or of the wrong type.
    """
    raw = _from_file(environ.get("SEGUE_CONFIG"), "SEGUE_CONFIG")
    if over is not None:
        for section, values in _from_file(str(over), "the settings over it").items():
            raw.setdefault(section, {}).update(values)
    for name, value in environ.items():
        if name.startswith(PREFIX) and name not in FREE:
            section, _, field = name.removeprefix(PREFIX).lower().partition("_")
            raw.setdefault(_known(section, name), {})[field] = value
    sections = {}
    for field_info in msgspec.structs.fields(kind):
        section = field_info.name
        sections[section] = _section(field_info.type, section, raw.get(section, {}))
    return kind(**sections)


def _from_file(path: str | None, named_by: str) -> dict[str, dict[str, Any]]:
    if not path:
        return {}
    try:
        raw = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise BadSetting(f"{named_by}: cannot read {path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{named_by}: {path} is not TOML: {error}") from error
    for section, values in raw.items():
        if not isinstance(values, dict):
            raise BadSetting(f"{path}: {section} stands outside a section; known sections: {', '.join(SECTIONS)}")
        _known(section, f"{path}: [{section}]")
    return raw


def _known(section: str, name: str) -> str:
    if section not in SECTIONS:
        raise BadSetting(f"{name}: unknown setting; a name starts with one of {', '.join(SECTIONS)}")
    return section


def _section(kind: type[Any], section: str, values: dict[str, Any]) -> Any:
    known = {f.name for f in msgspec.structs.fields(kind)}
    for field in values:
        if field not in known:
            raise BadSetting(
                f"{PREFIX}{section.upper()}_{field.upper()}: unknown setting; known in [{section}]: "
                + ", ".join(sorted(known))
            )
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(_refused(section, values, str(error))) from error


def _refused(section: str, values: dict[str, Any], message: str) -> str:
    """Name the setting that msgspec's message is about; one without a path is about the section as a whole."""
    what, _, path = message.partition(" - at `$.")
    field = re.split(r"[`.\[]", path)[0]
    if not field:
        return f"[{section}]: {message}"
    shown = "***" if _secret(field) else repr(values.get(field))
    return f"{PREFIX}{section.upper()}_{field.upper()}={shown}: {what}"


def describe(settings: Struct) -> dict[str, dict[str, Any]]:
    """The settings as plain values to print, secrets masked (also a password inside a URL)."""
    return {
        section: {name: _masked(name, value) for name, value in msgspec.to_builtins(getattr(settings, section)).items()}
        for section in settings.__struct_fields__
    }


def _secret(name: str) -> bool:
    return any(word in name for word in SECRET)


def _masked(name: str, value: Any) -> Any:
    if _secret(name):
        return "***" if value else ""
    return masked_url(value) if isinstance(value, str) and "://" in value else value


def masked_url(url: str) -> str:
    """The URL to print: without the password before its host, or among its options."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "***"
    credentials, at, host = parts.netloc.rpartition("@")
    user, colon, _ = credentials.partition(":")
    netloc = f"{user}{colon}{'***' if colon else ''}{at}{host}"
    query = re.sub(rf"((?:{'|'.join(SECRET)})=)[^&]*", r"\1***", parts.query)
    return urlunsplit(parts._replace(netloc=netloc, query=query))
