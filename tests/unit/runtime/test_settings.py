"""Settings come from the environment over a TOML file; whatever is wrong is named and stops the start."""

from pathlib import Path
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from services.runtime.settings import (
    BadSetting,
    KafkaSettings,
    LogSettings,
    RedisSettings,
    describe,
    load,
    masked_url,
)


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    token: int = 0
    low: int = 0
    high: int = 10

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError("low is above high")


class Settings(Struct, frozen=True):
    kafka: KafkaSettings = KafkaSettings()
    redis: RedisSettings = RedisSettings()
    scorer: Options = Options()
    log: LogSettings = LogSettings()


def toml(folder: Path, text: str) -> dict[str, str]:
    path = folder / "segue.toml"
    path.write_text(text, encoding="utf-8")
    return {"SEGUE_CONFIG": str(path)}


def test_nothing_set_gives_the_defaults_and_other_variables_are_left_alone() -> None:
    assert load(Settings, {"PATH": "/bin", "SEGUE_CACHE": "x", "SEGUE_STATE": "y"}) == Settings()


def test_text_becomes_what_the_field_is() -> None:
    settings = load(
        Settings, {"SEGUE_KAFKA_HEARTBEAT_MS": "50", "SEGUE_LOG_JSON": "true", "SEGUE_SCORER_SHARE": "0.25"}
    )
    assert (settings.kafka.heartbeat_ms, settings.log.json, settings.scorer.share) == (50, True, 0.25)


def test_the_environment_goes_over_the_file_field_by_field(tmp_path: Path) -> None:
    file = toml(tmp_path, '[kafka]\nbootstrap = "file:1"\nuser = "file"\n[log]\njson = true\n')
    settings = load(Settings, {**file, "SEGUE_KAFKA_BOOTSTRAP": "environment:2"})
    assert (settings.kafka.bootstrap, settings.kafka.user, settings.log.json) == ("environment:2", "file", True)


def test_a_section_of_another_service_is_left_alone(tmp_path: Path) -> None:
    file = toml(tmp_path, "[trainer]\nevery_listens = 5\n")
    assert load(Settings, {**file, "SEGUE_ALS_FACTORS": "8"}) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("SEGUE_KAFKA_BOTSTRAP", "x", "SEGUE_KAFKA_BOTSTRAP: unknown setting; known in [kafka]: bootstrap, ca"),
        ("SEGUE_KAFAK_BOOTSTRAP", "x", "SEGUE_KAFAK_BOOTSTRAP: unknown setting; a name starts with one of kafka"),
        ("SEGUE_KAFKA_HEARTBEAT_MS", "fast", "SEGUE_KAFKA_HEARTBEAT_MS='fast': Expected `int`, got `str`"),
        ("SEGUE_LOG_LEVEL", "LOUD", "SEGUE_LOG_LEVEL='LOUD': Invalid enum value 'LOUD'"),
        ("SEGUE_SCORER_SHARE", "1.5", "SEGUE_SCORER_SHARE='1.5': Expected `float` <= 1.0"),
        ("SEGUE_SCORER_LOW", "11", "[scorer]: low is above high"),
        ("SEGUE_SCORER_HIGH", "", "SEGUE_SCORER_HIGH='': Expected `int`, got `str`"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, told: str) -> None:
    with pytest.raises(BadSetting) as error:
        load(Settings, {name: value})
    assert str(error.value).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[kafka]\nbotstrap = "x"\n', "SEGUE_KAFKA_BOTSTRAP: unknown setting"),
        ("[kafak]\n", "[kafak]: unknown setting"),
        ('bootstrap = "x"\n', "bootstrap stands outside a section"),
        ("[kafka\n", "is not TOML"),
        ("[log]\njson = 3\n", "SEGUE_LOG_JSON=3: Expected `bool`"),
    ],
)
def test_a_wrong_line_in_the_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(BadSetting, match=r".") as error:
        load(Settings, toml(tmp_path, text))
    assert told in str(error.value)


def test_a_file_that_is_missing_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"SEGUE_CONFIG: cannot read .*nowhere\.toml"):
        load(Settings, {"SEGUE_CONFIG": str(tmp_path / "nowhere.toml")})
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadSetting, match=r"SEGUE_CONFIG: .*binary\.toml is not TOML"):
        load(Settings, {"SEGUE_CONFIG": str(tmp_path / "binary.toml")})


def test_a_secret_of_the_wrong_type_is_not_shown() -> None:
    with pytest.raises(BadSetting) as error:
        load(Settings, {"SEGUE_SCORER_TOKEN": "hunter2"})
    assert "SEGUE_SCORER_TOKEN=***" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_what_is_printed_masks_passwords() -> None:
    secret = "hunter2"  # noqa: S105  # made up
    redis = RedisSettings(f"redis://:{secret}@cache:6379/0")
    shown = describe(Settings(kafka=KafkaSettings(user="svc", password=secret), redis=redis))
    assert secret not in str(shown)
    assert [shown["kafka"][name] for name in ("user", "password")] == ["svc", "***"]
    assert not describe(Settings())["kafka"]["password"]


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("redis://cache:6379/0", "redis://cache:6379/0"),
        ("redis://svc:pw@cache:6379/0", "redis://svc:***@cache:6379/0"),
        ("redis://:pw@cache:6379/0", "redis://:***@cache:6379/0"),
        ("redis://svc@cache/0", "redis://svc@cache/0"),
        ("redis://cache/0?password=pw&db=1", "redis://cache/0?password=***&db=1"),
        ("redis://a:p@w@cache/0", "redis://a:***@cache/0"),
        ("redis://[cache/0", "***"),
    ],
)
def test_a_url_is_masked(url: str, masked: str) -> None:
    assert masked_url(url) == masked


@given(st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=9))
def test_no_password_survives_masking(password: str) -> None:
    assert password not in masked_url(f"redis://user:{password}@host.example:6379/0")
