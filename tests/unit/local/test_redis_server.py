from services.local.redis_server import OLDEST, _version, configuration, redis_executable


def test_options_win_over_the_defaults() -> None:
    lines = configuration(7000, {"appendonly": "no", "maxmemory": "64mb"}).splitlines()

    assert "appendonly no" in lines
    assert "maxmemory 64mb" in lines
    assert "bind 127.0.0.1" in lines
    assert "port 7000" in lines


def test_a_list_becomes_several_lines() -> None:
    assert "save 900 1\nsave 60 1000\n" in configuration(7000, {"save": ["900 1", "60 1000"]})


def test_some_redis_is_there() -> None:
    assert _version(str(redis_executable())) >= OLDEST
