"""Which of a model's own and the common settings are in force."""

from __future__ import annotations

import json
from dataclasses import fields

from ggtui.core.model_settings import (
    AUTO,
    LABELS,
    CommonSettings,
    ModelSettings,
    launch_options,
    settings_document,
    settings_view,
    value_words,
)
from ggtui.core.models import KvType, LaunchOptions
from ggtui.core.routing.adapters import AdapterRef, AdapterStack, AttachedAdapter, NamedStack

COMMON = LaunchOptions(n_gpu_layers=30, n_parallel=8, cache_type_k=KvType.Q8_0, extra_args=("--mlock",))


def test_every_setting_has_a_label() -> None:
    assert [each.name for each in fields(ModelSettings)] == list(LABELS)


def test_own_options_override_the_common_ones_field_by_field() -> None:
    own = ModelSettings(slots=1, gpu_layers=AUTO, template="chatml", extra_args=(), ctx=512, pinned=True)

    assert LaunchOptions(
        n_gpu_layers=None, n_parallel=1, cache_type_k=KvType.Q8_0, template="chatml", extra_args=()
    ) == launch_options(COMMON, own)
    assert COMMON == launch_options(COMMON, ModelSettings())


def test_every_launch_setting_reaches_its_option() -> None:
    own = ModelSettings(
        slots=3,
        kv_unified=False,
        cache_type_k=KvType.Q4_0,
        cache_type_v=KvType.Q4_1,
        gpu_layers=5,
        flash_attn=True,
        threads=6,
        template="/t.jinja",
        extra_args=("-v",),
    )

    assert LaunchOptions(
        n_gpu_layers=5,
        n_parallel=3,
        kv_unified=False,
        cache_type_k=KvType.Q4_0,
        cache_type_v=KvType.Q4_1,
        flash_attn=True,
        n_threads=6,
        template="/t.jinja",
        extra_args=("-v",),
    ) == launch_options(LaunchOptions(), own)


def test_the_view_tells_where_each_value_comes_from() -> None:
    own = ModelSettings(ctx=2048, flash_attn=AUTO, keep_alive="10m")
    view = settings_view("m", own, CommonSettings(8192, COMMON, 60.0, frozenset({"m"})))
    found = {each.key: (each.value, each.source) for each in view.in_force}

    assert {
        "ctx": (2048, "models.toml"),
        "slots": (8, "config"),
        "kv_unified": (True, "built-in"),
        "cache_type_k": (KvType.Q8_0, "config"),
        "cache_type_v": (KvType.F16, "built-in"),
        "gpu_layers": (30, "config"),
        "flash_attn": (AUTO, "models.toml"),
        "threads": (None, "built-in"),
        "projector": (True, "built-in"),
        "template": (None, "built-in"),
        "adapters": (None, "built-in"),
        "stacks": (None, "built-in"),
        "extra_args": (("--mlock",), "config"),
        "keep_alive": ("10m", "models.toml"),
        "pinned": (True, "config"),
    } == found
    assert {"ctx": 2048, "flash_attn": AUTO, "keep_alive": "10m"} == settings_document(view)["settings"]


def test_the_view_tells_what_would_count_without_one_s_own() -> None:
    view = settings_view("m", ModelSettings(ctx=2048, slots=1), CommonSettings(8192, COMMON))
    beneath = {each.key: (each.shared, each.shared_source) for each in view.in_force}

    assert (8192, "config") == beneath["ctx"]
    assert (8, "config") == beneath["slots"]
    assert (KvType.F16, "built-in") == beneath["cache_type_v"]


def test_adapters_are_shown_in_words_and_told_as_plain_tables() -> None:
    code = AttachedAdapter("code", "/l/code.gguf")
    parts = AdapterStack((AdapterRef("code", 0.8), AdapterRef("chat")))
    own = ModelSettings(
        adapters=(code, AttachedAdapter("chat", weight=0.5)),
        stacks=(NamedStack("both", parts, normalise=True), NamedStack("one", AdapterStack().add("code"))),
    )
    view = settings_view("m", own, CommonSettings())
    document = settings_document(view)
    rows = {each.key: each for each in view.in_force}
    plain = {
        "adapters": [{"name": "code", "path": "/l/code.gguf"}, {"name": "chat", "weight": 0.5}],
        "stacks": [
            {
                "name": "both",
                "adapters": [{"name": "code", "weight": 0.8}, {"name": "chat"}],
                "normalise": True,
            },
            {"name": "one", "adapters": [{"name": "code"}]},
        ],
    }

    assert "code, chat 0.5" == value_words("adapters", own.adapters)
    assert "both (code 0.8, chat, normalised), one (code)" == value_words("stacks", own.stacks)
    assert ["–", "–"] == [value_words("adapters", None), value_words("stacks", ())]
    assert "models.toml" == rows["adapters"].source == rows["stacks"].source
    assert plain == json.loads(json.dumps(document))["settings"]
    assert plain["adapters"] == next(
        each["value"] for each in json.loads(json.dumps(document))["in_force"] if each["key"] == "adapters"
    )
    assert LaunchOptions() == launch_options(LaunchOptions(), own)


def test_values_read_as_words() -> None:
    shown = [
        value_words(key, value)
        for key, value in (
            ("ctx", 4096),
            ("threads", None),
            ("template", None),
            ("keep_alive", -1.0),
            ("keep_alive", 90),
            ("keep_alive", "10m"),
            ("pinned", False),
            ("extra_args", ("-a", "b")),
            ("extra_args", ()),
        )
    ]

    assert ["4096", "auto", "from the model file", "for ever", "90 s", "10m", "off", "-a b", "–"] == shown
