"""From flags, environment and file to one Config."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path

import pytest

from ggtui.config.load import LARGEST_KEY_FILE, load
from ggtui.config.schema import Config
from ggtui.core.client_keys import ClientKey
from ggtui.core.context import AUTO_CTX
from ggtui.core.errors import ConfigInvalid
from ggtui.core.models import KvType, LaunchOptions
from ggtui.core.routing.name_settings import NameSettings


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "config.toml"
    file.write_text('models_dirs = ["models", "/srv/gguf"]\n[server]\nport = 9001\ndefault_ctx = 8192\n')
    return file


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    config = load({"data_dir": str(tmp_path)}, {"HOME": str(tmp_path)}, _empty(tmp_path))

    assert ("127.0.0.1", 8080, AUTO_CTX) == (config.host, config.port, config.n_ctx)
    assert LaunchOptions() == config.options
    assert () == config.models_dirs


def test_the_file_wins_over_the_defaults(file: Path) -> None:
    config = load({}, {}, file)

    assert 9001 == config.port
    assert file == config.config_file


def test_the_environment_wins_over_the_file(file: Path) -> None:
    assert 9002 == load({}, {"GGTUI_PORT": "9002"}, file).port


def test_a_flag_wins_over_the_environment(file: Path) -> None:
    assert 9003 == load({"port": "9003"}, {"GGTUI_PORT": "9002"}, file).port


def test_a_flag_that_was_not_given_changes_nothing(file: Path) -> None:
    assert 9001 == load({"port": None, "read_only": None}, {}, file).port


def test_paths_of_the_file_count_from_its_folder(file: Path) -> None:
    assert (file.parent / "models", Path("/srv/gguf")) == load({}, {}, file).models_dirs


def test_paths_of_a_flag_count_from_the_working_folder(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    config = load({"models_dirs": ["here", "there"], "llama_server": "./bin/llama-server"}, {}, file)

    assert (tmp_path / "here", tmp_path / "there") == config.models_dirs
    assert str(tmp_path / "bin/llama-server") == config.llama_server


def test_a_data_folder_holds_all_the_others(file: Path, tmp_path: Path) -> None:
    config = load({"data_dir": str(tmp_path / "d")}, {}, file)

    assert {tmp_path / "d"} == {config.cache_dir.parent, config.log_dir.parent, config.runtime_dir.parent}


def test_every_launch_option_can_be_set(tmp_path: Path) -> None:
    file = _written(
        tmp_path,
        "[launch]\nn_gpu_layers = 20\nn_parallel = 2\nkv_unified = false\ncache_type_k = 'q8_0'\n"
        "cache_type_v = 'Q4_0'\nflash_attn = true\nn_threads = 6\nprojector = false\n"
        "extra_args = ['--jinja']\n",
    )

    expected = LaunchOptions(20, 2, False, KvType.Q8_0, KvType.Q4_0, True, 6, False, ("--jinja",))
    assert expected == load({}, {}, file).options


def test_auto_takes_a_choice_back(tmp_path: Path) -> None:
    file = _written(tmp_path, "[launch]\nn_gpu_layers = 20\nflash_attn = 'auto'\n")

    options = load({}, {"GGTUI_N_GPU_LAYERS": "auto"}, file).options

    assert (None, None) == (options.n_gpu_layers, options.flash_attn)


def test_text_of_the_environment_is_read_by_kind(file: Path) -> None:
    environ = {
        "GGTUI_READ_ONLY": "yes",
        "GGTUI_MOUSE": "0",
        "GGTUI_EXTRA_ARGS": "--a 'b c'",
        "GGTUI_TURN_QUANTUM_S": "2.5",
        "GGTUI_MODELS_DIRS": "/a:/b",
    }

    config = load({}, environ, file)

    assert (True, False, 2.5) == (config.read_only, config.mouse, config.turn_quantum_s)
    assert ("--a", "b c") == config.options.extra_args
    assert (Path("/a"), Path("/b")) == config.models_dirs


@pytest.mark.parametrize(
    ("flags", "environ", "detail"),
    [
        ({"port": "x"}, {}, "--port must be a whole number from 0 to 65535, not 'x'"),
        ({"port": "70000"}, {}, "--port must be a whole number from 0 to 65535, not '70000'"),
        ({}, {"GGTUI_MOUSE": "maybe"}, "GGTUI_MOUSE must be true or false, not 'maybe'"),
        ({}, {"GGTUI_STOP_GRACE_S": "nan"}, "GGTUI_STOP_GRACE_S must be seconds from 0 to 600, not 'nan'"),
    ],
)
def test_a_wrong_value_names_where_it_came_from(
    flags: dict[str, object], environ: dict[str, str], detail: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        load(flags, environ, _empty(tmp_path))

    assert detail == caught.value.detail


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="does not exist"):
        load({}, {"GGTUI_CONFIG": str(tmp_path / "none.toml")})


def test_the_key_comes_from_its_file_and_never_shows(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    file = _written(tmp_path, "[server]\napi_key_file = 'key'\n")

    config = load({}, {}, file)

    assert (ClientKey("s3cret"),) == config.client_keys
    assert "s3cret" not in repr(config)


def test_the_key_of_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = _written(tmp_path, "[server]\napi_key_file = 'missing'\n")

    assert (ClientKey("other"),) == load({}, {"GGTUI_API_KEY": "other"}, file).client_keys


def test_several_keys_have_names(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\ufeff# who may ask\nann k1-0123456789abcdef\nbob  k2-0123456789abcdef\n")

    config = load({}, {}, _written(tmp_path, "[server]\napi_key_file = 'key'\n"))

    assert ["ann", "bob"] == [each.name for each in config.client_keys]
    assert "k1-0123456789abcdef" == config.client_keys[0].key


def test_a_variable_that_should_hold_a_key_and_is_blank_opens_no_door() -> None:
    with pytest.raises(ConfigInvalid, match="GGTUI_API_KEY must hold one key"):
        load({}, {"GGTUI_API_KEY": "  "})


def test_a_file_of_keys_is_never_cut(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("#" * LARGEST_KEY_FILE + "\nk")

    with pytest.raises(ConfigInvalid, match="it is too large"):
        load({}, {}, _written(tmp_path, "[server]\napi_key_file = 'key'\n"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")

    with pytest.raises(ConfigInvalid, match="it is not a regular file"):
        load({}, {}, _written(tmp_path, "[server]\napi_key_file = 'key'\n"))


@pytest.mark.parametrize(
    ("keys", "n_warnings"), [("k1", 1), ("ann k1-0123456789abcdef", 0)], ids=["no name", "a name"]
)
def test_limits_for_each_key_need_keys_with_names(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, keys: str, n_warnings: int
) -> None:
    (tmp_path / "key").write_text(keys)
    rules = "[[deployment]]\nname = 'a'\nmodel = 'm.gguf'\nrate_limits = { per_key = true }\n"
    load({}, {}, _written(tmp_path, f"[server]\napi_key_file = 'key'\n{rules}"))

    assert n_warnings == len([each for each in caplog.messages if "no API key has a name" in each])


@pytest.mark.parametrize("content", ["", "three se cret", "schlüssel", "k" * 5000, "\xff", "an \x07bell"])
def test_a_file_without_a_sound_key_is_refused_without_showing_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_bytes(content.encode("latin-1"))

    with pytest.raises(ConfigInvalid, match=r"api_key_file .*/key") as caught:
        load({}, {}, _written(tmp_path, "[server]\napi_key_file = 'key'\n"))

    assert not content or content not in str(caught.value)


def test_every_field_of_the_config_is_documented() -> None:
    import inspect

    source = inspect.getsource(Config)

    undocumented = [
        each.name
        for each in fields(Config)
        if '"""' not in source.split(f"    {each.name}: ", 1)[1].split("\n", 2)[1]
    ]
    assert [] == undocumented


def _empty(folder: Path) -> Path:
    return _written(folder, "")


def _written(folder: Path, text: str) -> Path:
    file = folder / "config.toml"
    file.write_text(text)
    return file


def test_names_come_from_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[names]\ndefault = "m"\n[aliases]\n"gpt-4" = "m"\n')
    config = load({}, {"GGTUI_DEFAULT": "x", "GGTUI_NAMES": "x", "": "x"}, file)

    assert NameSettings(default="m", aliases={"gpt-4": "m"}) == config.names
    assert NameSettings() == load({}, {}, _empty(tmp_path)).names


@pytest.mark.parametrize("typed", ["~nobody-by-this-name/x", "~nobody-by-this-name"])
def test_the_home_of_a_stranger_is_named_as_a_mistake(tmp_path: Path, typed: str) -> None:
    file = tmp_path / "config.toml"
    for text in (
        f"data_dir = '{typed}'",
        f"models_dirs = ['{typed}']",
        f"[launch]\nllama_server = '{typed}/'",
    ):
        file.write_text(text)

        with pytest.raises(ConfigInvalid, match="nobody-by-this-name"):
            load({}, {}, file)
