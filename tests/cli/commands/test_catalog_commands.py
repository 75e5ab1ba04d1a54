"""What is known of models without a running ggtui, and beside one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ggtui.core.units import tokens
from tests.adapters.gguf.stores.layouts import adapter, imatrix, model, placed, projector
from tests.models import tiny_model, truncated_model

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine
    from tests.cli.stub_instance import StubInstance


def test_ls_lists_by_name_with_a_verdict(cli: CommandLine) -> None:
    answer = cli("ls")

    head, *rows = answer.out.splitlines()
    assert ["MODEL", "QUANT", "SIZE", "CTX", "FIT", "STATE", "STORE"] == head.split()
    assert [["alpha-f32", "fits", "idle"], ["beta-f32", "fits", "idle"]] == [
        [row.split()[index] for index in (0, 4, 5)] for row in rows
    ]
    assert (0, "") == (answer.code, answer.err)


def test_ls_as_json_is_one_document_with_forecasts(cli: CommandLine) -> None:
    document = cli("ls", "--json").document

    assert 1 == document["schema"]
    assert ["alpha-f32", "beta-f32"] == [model["public_id"] for model in document["models"]]
    assert {"fits"} == {model["forecast"]["verdict"] for model in document["models"]}
    assert all(isinstance(model["size_bytes"], int) for model in document["models"])


def test_ls_shows_a_broken_file_as_broken(cli: CommandLine) -> None:
    truncated_model(cli.models_dir / "cut.gguf")

    rows = {row.split()[0]: row.split()[4] for row in cli("ls").out.splitlines()[1:]}

    assert "broken" == next(fit for name, fit in rows.items() if name.startswith("cut"))


def test_ls_finds_a_new_file_and_forgets_a_vanished_one(cli: CommandLine) -> None:
    cli("ls")
    (cli.models_dir / "alpha.gguf").unlink()
    tiny_model(cli.models_dir / "gamma.gguf")

    models = cli("ls", "--json").document["models"]

    assert ["beta-f32", "gamma-f32"] == [model["public_id"] for model in models]


def test_ls_without_a_folder_says_what_to_do(cli: CommandLine) -> None:
    (cli.folder / "config.toml").write_text("")

    answer = cli("ls")

    assert (0, "") == (answer.code, answer.out)
    assert "no models folder; set one: ggtui --models-dir DIR\n" == answer.err


def test_ls_of_an_empty_folder_says_something_else(cli: CommandLine) -> None:
    (cli.folder / "empty").mkdir()

    answer = cli("ls", "--models-dir", str(cli.folder / "empty"))

    assert (0, "") == (answer.code, answer.out)
    assert f"no .gguf files in {cli.folder / 'empty'}\n" == answer.err


def test_ls_beside_a_running_one_takes_its_folders_states_and_default(
    cli: CommandLine, stub: StubInstance
) -> None:
    cli("ls")  # finds no models: the running one has not scanned yet
    (cli.folder / "config.toml").write_text("")
    stub.show(models=[{"public_id": "alpha-f32", "state": "ready"}], default_n_ctx=1024)
    cli.data_dir.joinpath("instance.json").rename(cli.folder / "away")
    cli("ls", "--models-dir", str(cli.models_dir))
    (cli.folder / "away").rename(cli.data_dir / "instance.json")

    rows = [row.split() for row in cli("ls").out.splitlines()[1:]]

    assert [["alpha-f32", "1k", "ready"], ["beta-f32", "1k", "idle"]] == [[r[0], r[3], r[5]] for r in rows]


def test_show_prints_facts_and_a_table_by_context(cli: CommandLine) -> None:
    document = cli("show", "alpha-f32", "--json").document
    lines = cli("show", "alpha-f32").out.splitlines()

    assert "alpha-f32" == document["model"]["public_id"]
    stops = [ahead["n_ctx"] for ahead in document["forecasts"]]
    assert sorted(stops) == stops
    assert document["model"]["n_ctx_train"] == stops[-1]
    assert [tokens(stop) for stop in stops] == [line.split()[0] for line in lines[-len(stops) :]]


def test_show_tells_each_setting_and_where_it_comes_from(cli: CommandLine) -> None:
    config = cli.folder / "config.toml"
    config.write_text(config.read_text() + "[launch]\nn_parallel = 2\n")
    (cli.folder / "models.toml").write_text('["alpha-f32"]\nctx = 512\nkeep_alive = "10m"\n')
    document = cli("show", "alpha-f32", "--json").document
    lines = [re.split(r"  +", line) for line in cli("show", "alpha-f32").out.splitlines()]
    rows = {words[0]: words for words in lines}

    assert {"ctx": 512, "keep_alive": "10m"} == document["settings"]
    assert 512 == document["model"]["n_ctx"]
    assert ["ctx", "context", "512", "models.toml"] == rows["ctx"]
    assert ["slots", "slots", "2", "config"] == rows["slots"]
    assert ["threads", "threads", "auto", "built-in"] == rows["threads"]


def test_estimate_adds_up(cli: CommandLine) -> None:
    document = cli("estimate", "alpha-f32", "--ctx", "256", "--json").document
    ahead, (host,) = document["forecast"], document["devices"]

    parts = ("weights", "kv", "state", "compute", "output", "overhead")
    assert (256, "alpha-f32", 256) == (document["ctx"], document["model"], ahead["n_ctx"])
    assert host["total_bytes"] == sum(host[f"{part}_bytes"] for part in parts)
    assert host["total_bytes"] == document["total_bytes"] == ahead["model_bytes"]
    assert ahead["total_bytes"] - ahead["after_bytes"] == ahead["spare_bytes"]
    assert ("CPU", "good", "fits") == (host["name"], document["confidence"], document["verdict"])


def test_estimate_takes_another_launch_than_the_configured_one(cli: CommandLine) -> None:
    plain = cli("estimate", "alpha-f32", "--json").document
    single = cli("estimate", "alpha-f32", "--parallel", "1", "--json").document
    refused = cli("estimate", "alpha-f32", "--ctk", "q8_0", "--ctv", "q8_0", "--json").document

    assert (4, 1) == (plain["parallel"], single["parallel"])
    assert plain["devices"][0]["output_bytes"] == 4 * single["devices"][0]["output_bytes"]
    assert ("no", None) == (refused["verdict"], plain["largest_ctx_by_cache_type"]["q8_0"])
    assert "needs heads of whole 32s; this model has 16" in refused["refusal"]
    assert 4096 == plain["largest_ctx_by_cache_type"]["f16"]


def test_estimate_of_a_file_is_that_of_its_entry(cli: CommandLine) -> None:
    by_name = cli("estimate", "alpha-f32", "--json").document
    by_file = cli("estimate", str(cli.models_dir / "alpha.gguf"), "--json").document

    keys = ("weights_bytes", "kv_bytes", "compute_bytes", "n_ctx")
    assert by_name["model"] == by_file["model"]
    assert [by_name["forecast"][key] for key in keys] == [by_file["forecast"][key] for key in keys]


def test_estimate_in_words_begins_with_the_line(cli: CommandLine) -> None:
    first, *parts = cli("estimate", "alpha-f32", "--ctx", "256").out.splitlines()

    assert first.startswith("load alpha-f32  ctx 256 → ")
    names = ["weights", "kv", "compute", "output", "model", "spare", "fits", "trust"]
    assert names == [p.split()[0] for p in parts]
    assert "f16 4k (as trained), q8_0 refused, q4_0 refused" in parts[-2]


def test_a_name_that_is_nearly_right_is_told(cli: CommandLine) -> None:
    answer = cli("estimate", "alpha")

    assert 1 == answer.code
    assert "ggtui: Model not found: alpha\n  did you mean alpha-f32?\n" == answer.err


def test_a_name_like_no_other_is_told_where_the_names_are(cli: CommandLine) -> None:
    for command in ("show", "estimate"):
        answer = cli(command, "zzz")

        assert "ggtui: Model not found: zzz\n  ggtui ls lists the models\n" == answer.err


def test_more_context_than_the_model_was_trained_for_is_said_to_be_cut(cli: CommandLine) -> None:
    answer = cli("estimate", "alpha-f32", "--ctx", "99999")

    assert "alpha-f32 was trained for 4096 tokens of context; 99999 is cut to that\n" == answer.err
    assert answer.out.startswith("load alpha-f32  ctx 4k")
    assert "" == cli("estimate", "alpha-f32", "--ctx", "4096").err


def test_a_broken_model_is_listed_without_a_context(cli: CommandLine) -> None:
    truncated_model(cli.models_dir / "cut.gguf")
    row = next(line for line in cli("ls").out.splitlines() if line.startswith("cut-f32"))

    assert ["cut-f32", "F32", "0.5M", "–", "broken", "idle", "folder"] == row.split()


def test_a_broken_file_cannot_be_estimated(cli: CommandLine) -> None:
    answer = cli("estimate", str(truncated_model(cli.folder / "cut.gguf")))

    assert 1 == answer.code
    assert answer.err.startswith("ggtui: Model file is not readable: cut-f32: incomplete download")
    assert "get the file again" in answer.err
    assert 1 == cli("estimate", str(cli.folder / "none.gguf")).code


def test_gpu_prints_main_memory_always(cli: CommandLine) -> None:
    document = cli("gpu", "--json").document

    assert document["memory"]["ram_total_bytes"] > 0
    assert any(line.startswith("RAM  ") for line in cli("gpu").out.splitlines())


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("mmproj-a.gguf", projector(), "a vision projector"),
        ("lora.gguf", adapter(), "a LoRA adapter"),
        ("imatrix.gguf", imatrix(), "an importance matrix"),
    ],
)
def test_what_only_belongs_to_a_model_is_not_estimated(
    cli: CommandLine, name: str, content: bytes, words: str
) -> None:
    path = placed(cli.folder / name, content)

    answer = cli("estimate", str(path))

    assert (1, "") == (answer.code, answer.out)
    assert f"{name} is {words}, which is no model by itself" in answer.err


def test_show_tells_where_a_model_lies_and_what_is_beside_it(cli: CommandLine) -> None:
    folder = cli.models_dir / "sees"
    placed(folder / "gamma.gguf", model("Gamma"))
    placed(folder / "mmproj-a.gguf", projector())

    alone = cli("show", "gamma-f32").out
    placed(folder / "mmproj-b.gguf", projector() + bytes(32))
    to_choose = cli("show", "gamma-f32").out

    assert f"lies in       folder {folder}\n" in alone
    assert "projector     mmproj-a.gguf\n" in alone
    assert "projector     not chosen: mmproj-a.gguf, mmproj-b.gguf\n" in to_choose


def test_show_prints_paths_that_a_program_can_open(cli: CommandLine) -> None:
    path = placed(cli.models_dir / "odd\x1b[31m.gguf", model("Odd"))

    assert f"{path}\n" == cli("show", "--path", "odd-31m-f32").out


def test_ls_names_some_copies_and_counts_the_others(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ggtui.cli.commands.ls.WORTH_A_LINE", 1)
    for number in range(6):
        placed(cli.models_dir / f"copy{number}.gguf", model("Copy"))

    remark = next(line for line in cli("ls").err.splitlines() if line.startswith("copy0-f32: further"))

    assert remark.endswith("copy1-f32, copy2-f32, copy3-f32 and 2 more")
