"""Launch options being changed: what would be written, what counts, and what is wrong."""

from __future__ import annotations

from dataclasses import replace

from ggtui.core.model_settings import AUTO, CommonSettings, ModelSettings, settings_view
from ggtui.core.models import KvType, LaunchOptions
from ggtui.tui.desk import Desk
from ggtui.tui.launch_draft import Draft
from tests.shapes import dense_shape
from tests.tui.fake_engine import full, model

SUMMARY = model(4, "gemma-3-27b-it", 15.4)


def draft(own: ModelSettings | None = None, n_ctx: int = 4096, **options: object) -> Draft:
    """A model with these settings, and these options for all models."""
    common = CommonSettings(4096, replace(LaunchOptions(), **options))  # type: ignore[arg-type]
    view = settings_view(SUMMARY.public_id, own or ModelSettings(), common)
    return Draft.of(SUMMARY, view, common.options, n_ctx)


def test_nothing_is_changed_at_first() -> None:
    assert {} == draft().changes
    assert {} == draft(ModelSettings(ctx=8192, slots=2), 8192).changes


def test_the_slider_s_unsaved_choice_is_a_change() -> None:
    changed = draft(n_ctx=16384)

    assert {"ctx": 16384} == changed.changes
    assert 16384 == changed.n_ctx


def test_a_value_that_counts_anyway_is_not_written() -> None:
    there_and_back = draft().with_value("slots", 6).with_value("slots", 4)

    assert {} == there_and_back.changes
    assert {} == draft().with_value("gpu_layers", 10).with_value("gpu_layers", AUTO).changes
    assert {} == draft().with_value("keep_alive", "1h").with_value("keep_alive", -1).changes


def test_a_choice_of_the_engine_overrides_that_of_the_configuration() -> None:
    changed = draft(n_gpu_layers=20).with_value("gpu_layers", AUTO)

    assert {"gpu_layers": AUTO} == changed.changes
    assert changed.options.n_gpu_layers is None


def test_back_to_default_removes_the_key() -> None:
    back = draft(ModelSettings(slots=2, cache_type_k=KvType.Q8_0)).with_value("slots", None)

    assert {"slots": None} == back.changes
    assert LaunchOptions(cache_type_k=KvType.Q8_0) == back.options
    assert 4 == back.value("slots")


def test_what_is_written_is_plain() -> None:
    written = draft().with_value("cache_type_v", KvType.Q4_0).changes["cache_type_v"]

    assert ("q4_0", str) == (written, type(written))


def test_where_a_value_comes_from() -> None:
    one = draft(ModelSettings(slots=2), cache_type_k=KvType.Q8_0)

    assert "models.toml" == one.source("slots")
    assert "config" == one.source("cache_type_k")
    assert "built-in" == one.source("cache_type_v")
    assert "computed" == one.source("gpu_layers")
    assert "not saved; was 2" == one.with_value("slots", 3).source("slots")


def test_what_is_computed_is_told() -> None:
    desk = Desk()
    desk.apply(full())
    one = draft()

    assert "auto: all 49" == one.words("gpu_layers", desk.forecast_at(SUMMARY, 4096))
    assert "auto: on" == one.words("flash_attn", None)
    assert "4096 (4k)" == one.words("ctx", None)
    far = desk.forecast_at(SUMMARY, 131072)
    assert far is not None
    assert f"auto: {far.n_layers_on_gpu} of 48" == one.words("gpu_layers", far)


def test_a_refusal_stands_at_each_field_that_could_end_it() -> None:
    one = draft().with_value("cache_type_v", KvType.Q8_0).with_value("flash_attn", False)

    assert "a V cache of q8_0 needs flash attention" == one.problem("cache_type_v")
    assert "a V cache of q8_0 needs flash attention" == one.problem("flash_attn")
    assert "" == one.problem("cache_type_k")
    assert "" == one.with_value("flash_attn", AUTO).problem("cache_type_v")
    assert "the engine serves at most 256 slots" == one.with_value("slots", 300).problem("slots")


def test_heads_that_no_block_divides_are_told_at_their_cache() -> None:
    shape = replace(dense_shape(head_length=64), key_length=72)
    one = replace(draft().with_value("cache_type_k", KvType.Q4_0), summary=replace(SUMMARY, shape=shape))

    assert "this model has 72" in one.problem("cache_type_k")
    assert "" == one.problem("cache_type_v")


def test_a_context_beyond_the_trained_one_is_told_and_clamped() -> None:
    one = draft().with_value("ctx", 200_000)

    assert 131072 == one.n_ctx
    assert "the model was trained for 128k: it gets no more" == one.problem("ctx")


def test_an_argument_that_ggtui_gives_itself_is_told() -> None:
    one = draft().with_value("extra_args", ("--mlock", "--port=1"))

    assert "ggtui gives --port itself; the one here would win" == one.problem("extra_args")
    assert "" == one.with_value("extra_args", ("--mlock",)).problem("extra_args")


def test_a_context_that_is_worked_out_stands_for_a_missing_one() -> None:
    view = settings_view(SUMMARY.public_id, ModelSettings(), CommonSettings())
    one = Draft.of(SUMMARY, view, LaunchOptions(), 16384)

    assert ({}, 16384) == (one.changes, one.n_ctx)
    assert "auto: 16384 (16k)" == one.words("ctx", None)
    assert one.source("ctx").startswith("computed: ")
