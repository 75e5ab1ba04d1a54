"""`ggtui estimate` of what is on another machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.models import tiny_model, truncated_model
from tests.web import Asked, Reply, Web, folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import CommandLine


@pytest.fixture
def web(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """The models folder as a hub's repository o/r."""

    def serve(asked: Asked) -> Reply:
        if asked.path.startswith("/api/models/o/r/tree/"):
            files = sorted(cli.models_dir.iterdir())
            rows = [{"type": "file", "path": each.name, "size": each.stat().st_size} for each in files]
            return Reply(body=json.dumps(rows).encode())
        inside = asked.path.removeprefix("/o/r/resolve/main")
        return folder(cli.models_dir)(Asked(inside, asked.headers))

    with Web(serve) as one:
        monkeypatch.setenv("HF_ENDPOINT", one.url)
        monkeypatch.setenv("HOME", str(cli.folder))
        for name in ("HF_TOKEN", "HF_HOME", "HF_TOKEN_PATH", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
            monkeypatch.delenv(name, raising=False)
        yield one


def test_the_estimate_is_that_of_the_file(cli: CommandLine, web: Web) -> None:
    here = cli("estimate", str(cli.models_dir / "alpha.gguf"), "--ctx", "512", "--json").document
    named = cli("estimate", "hf:o/r/alpha.gguf", "--ctx", "512", "--json").document
    by_url = cli("estimate", f"{web.url}/alpha.gguf", "--ctx", "512", "--json").document

    keys = ("model", "ctx", "devices", "largest_ctx", "largest_ctx_by_cache_type", "verdict", "total_bytes")
    assert [here[key] for key in keys] == [named[key] for key in keys] == [by_url[key] for key in keys]


def test_the_launch_of_the_call_counts(cli: CommandLine, web: Web) -> None:
    document = cli("estimate", "hf:o/r/alpha.gguf", "--parallel", "1", "--json").document

    assert 1 == document["parallel"]


def test_all_servers_of_a_deployment_count(cli: CommandLine) -> None:
    file = cli.folder / "config.toml"
    twins = "".join(
        f'[[deployment]]\nname = "{name}"\nmodel = "{name}.gguf"\nreplicas = {n}\n'
        for name, n in (("alpha", 1), ("beta", 3))
    )
    file.write_text(file.read_text() + twins)
    one = cli("estimate", "alpha", "--ctx", "512", "--json").document
    three = cli("estimate", "beta", "--ctx", "512", "--json").document

    assert (1, 3) == (one["servers"], three["servers"])
    assert 3 * one["forecast"]["kv_bytes"] == three["forecast"]["kv_bytes"]
    assert one["total_bytes"] < three["total_bytes"]
    assert "  3 servers  ctx 512" in cli("estimate", "beta", "--ctx", "512").out


def test_a_repository_is_a_table(cli: CommandLine, web: Web) -> None:
    (cli.models_dir / "beta.gguf").unlink()
    tiny_model(cli.models_dir / "larger-F32.gguf", n_layer=4)
    truncated_model(cli.models_dir / "cut.gguf")

    answer = cli("estimate", "hf:o/r", "--ctx", "512")

    head, *rows = [line.split() for line in answer.out.splitlines()]
    assert ["FILE", "QUANT", "SIZE", "CTX", "HOLDS", "MOST", "CTX", "FIT"] == head
    assert [["cut.gguf", "?"], ["alpha.gguf", "fits"], ["larger-F32.gguf", "fits"]] == [
        [r[0], r[-1]] for r in rows
    ]
    assert ["512", "512"] == [row[3] for row in rows[1:]]
    assert "cut.gguf: incomplete download" in answer.err
    assert 0 == answer.code


def test_a_repository_as_json_holds_the_estimates(cli: CommandLine, web: Web) -> None:
    alpha = cli("estimate", "hf:o/r/alpha.gguf", "--json").document
    document = cli("estimate", "hf:o/r", "--json").document

    assert (1, "hf:o/r") == (document["schema"], document["repository"])
    rows = {row["path"]: row for row in document["models"]}
    assert {"alpha.gguf", "beta.gguf"} == set(rows)
    assert alpha["total_bytes"] == rows["alpha.gguf"]["estimate"]["total_bytes"]
    assert 0 < document["fetched_bytes"]


def test_a_failure_is_words_and_a_code(cli: CommandLine, web: Web) -> None:
    answer = cli("estimate", "hf:o/r/none.gguf")

    assert 1 == answer.code
    assert "ggtui: Cannot be read over the network: there is no none.gguf at 127.0.0.1\n" == answer.err


def test_a_gated_repository_says_what_to_do(cli: CommandLine, web: Web) -> None:
    web.serve = lambda _: Reply(403, {"X-Error-Code": "GatedRepo"})

    for name in ("hf:o/r", "hf:o/r/m.gguf"):
        answer = cli("estimate", name)

        assert 1 == answer.code
        assert "accept the licence on the model's page and set HF_TOKEN" in answer.err


def test_a_cut_file_elsewhere_is_told_without_advice_for_this_disk(cli: CommandLine, web: Web) -> None:
    truncated_model(cli.models_dir / "cut.gguf")

    answer = cli("estimate", "hf:o/r/cut.gguf")

    assert 1 == answer.code
    assert 1 == len(answer.err.splitlines())
    assert "incomplete download" in answer.err


@pytest.mark.parametrize(
    "name", ["hf:o", "ftp://a/m.gguf", "http://example.com/m.gguf", "https://a/index.html"]
)
def test_what_is_no_address_is_told(cli: CommandLine, web: Web, name: str) -> None:
    answer = cli("estimate", name)

    assert (1, "") == (answer.code, answer.out)
    assert answer.err.startswith("ggtui: Cannot be read over the network: ")
    assert [] == web.asked


def test_only_estimate_reads_elsewhere(cli: CommandLine, web: Web) -> None:
    answer = cli("show", "hf:o/r/alpha.gguf")

    assert 1 == answer.code
    assert "it is on another machine\n  ggtui estimate reads it there\n" in answer.err
    assert [] == web.asked
