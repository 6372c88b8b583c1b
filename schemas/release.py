"""Which models are in force (`releases` topic) and what a release folder holds (`manifest.json`)."""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from schemas.fields import Id, Millis, Offset

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in hex.")]


class ReleaseAnnounced(Struct, frozen=True):
    """This release is the current one. Key: "current"."""

    release_id: Id
    uri: Annotated[str, Meta(min_length=1, description="The release folder: a path or any fsspec URI.")]
    sha256: Annotated[Sha256, Meta(description="Of manifest.json, which holds the hash of every other file.")]
    announced_at: Millis
    metrics: dict[str, float] = field(default_factory=dict)
    previous: Id | None = None


class ReleaseFile(Struct, frozen=True):
    """One file of a release."""

    sha256: Sha256
    bytes: Annotated[int, Meta(ge=0)]


class Span(Struct, frozen=True):
    """Offsets of one partition, both ends included."""

    first: Offset
    last: Offset


class Gate(Struct, frozen=True):
    """Whether a release was found worth announcing, on listens that were held out while it was fitted."""

    promoted: bool
    reason: Annotated[str, Meta(description="What decided, in words.")]
    listeners: Annotated[int, Meta(ge=0, description="Who were judged.")] = 0
    ahead: Annotated[
        dict[str, list[float]],
        Meta(description="opponent -> [mean, low, high] of the NDCG@100 of the served lists less the opponent's"),
    ] = field(default_factory=dict)
    ahead_next: Annotated[
        dict[str, list[float]],
        Meta(description="The same of the HR@20 of the lists for the next track; empty where none was asked for."),
    ] = field(default_factory=dict)


class Manifest(Struct, frozen=True):
    """`manifest.json`: everything needed to check a release before any byte of it is loaded."""

    release_id: Id
    format: Annotated[int, Meta(description="Of the folder; a scorer refuses one it does not know.")]
    created_at: Millis
    files: dict[str, ReleaseFile]
    tracks: Annotated[int, Meta(ge=0)]
    listeners: Annotated[int, Meta(ge=0)]
    listens: Annotated[int, Meta(ge=0)]
    window: Annotated[dict[str, Span], Meta(description='Offsets trained on, by partition of `listens` ("0").')]
    settings: Annotated[dict[str, Any], Meta(description="What the models were fitted with.")]
    metrics: Annotated[dict[str, dict[str, float]], Meta(description="model or baseline -> metric -> value")]
    versions: Annotated[dict[str, str], Meta(description="package -> version that made it")]
    gate: Annotated[Gate | None, Meta(description="None: nobody judged it.")] = None
