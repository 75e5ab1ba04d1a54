"""The demo models: sound files, the same each time, and answers that end, from a real engine."""

from __future__ import annotations

import json
import random
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from ggtui.adapters.gguf.demo import N_EMBD, _chain, write_demo_models
from ggtui.adapters.gguf.facts import facts_of
from ggtui.adapters.gguf.header import read_header

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GUARD_S = 30.0
ENGINE = """
import sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.kv_unified = 4096, 2, True
server = xllamacpp.Server(params)
print("ready", flush=True)
sys.stdin.read()
"""


def test_both_are_sound_models_with_a_template(tmp_path: Path) -> None:
    paths = write_demo_models(tmp_path / "new" / "folder")

    assert ["demo-alpha.gguf", "demo-beta.gguf"] == [path.name for path in paths]
    for path in paths:
        facts = facts_of(read_header(path), path.name)

        assert (None, path.stem, "F32", 8192) == (
            facts.problem, facts.name, facts.quantisation, facts.n_ctx_train,
        )  # fmt: skip
        assert ("chat", "completion") == facts.capabilities
        assert facts.shape is not None
        assert ((2, 2), 32) == (facts.shape.n_head_kv.figures, facts.shape.key_length)
        assert path.stat().st_size < 1_000_000


def test_the_library_reads_what_was_written(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    path = write_demo_models(tmp_path)[0]

    reader = gguf.GGUFReader(path)

    assert read_header(path).n_tensors == len(reader.tensors)
    assert "demo-alpha" == reader.fields["general.name"].contents()
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    assert len(set(tokens)) == len(tokens)
    assert len(tokens) == reader.fields["llama.vocab_size"].contents()


def test_writing_again_gives_the_same_bytes_and_the_two_differ(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in write_demo_models(tmp_path)]

    assert first == [path.read_bytes() for path in write_demo_models(tmp_path)]
    assert first[0] != first[1]


@pytest.mark.parametrize("seed", range(1, 6))
def test_every_word_has_a_dimension_and_a_way_to_the_end(seed: int) -> None:
    chain = _chain(random.Random(seed))
    word, n_words = "", 0
    while word != "</s>":
        followers = chain.followers[word]
        word = max(followers, key=lambda follower: followers[follower])
        n_words += 1

        assert n_words < 40

    assert len(chain.words) < N_EMBD
    assert len(set(chain.words)) == len(chain.words)


@contextmanager
def engine(model: Path) -> Iterator[str]:
    """The embedded engine with this model in a process of its own; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-c", ENGINE, str(model), str(port)]
    child = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert "ready\n" == child.stdout.readline()
        _wait_until_healthy(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        child.kill()
        child.wait(GUARD_S)
        child.stdin.close()
        child.stdout.close()


def _wait_until_healthy(address: str) -> None:
    until = time.monotonic() + GUARD_S
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=GUARD_S):
                return
        except urllib.error.HTTPError as error:
            error.close()
    raise AssertionError("the engine is not ready")


def chat(address: str, **body: Any) -> str:
    messages = [{"role": "user", "content": "What is 2 + 2? Ünïcode 日本 <think> {"}]
    request = urllib.request.Request(
        f"{address}/v1/chat/completions",
        json.dumps({"messages": messages, **body}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=GUARD_S) as answer:
        text: str = answer.read().decode()
        return text


def test_a_real_engine_answers_in_words_and_ends_by_itself(tmp_path: Path) -> None:
    pytest.importorskip("xllamacpp")
    sentence = re.compile(r"[a-z .]+\.")
    with engine(write_demo_models(tmp_path)[0]) as address:
        for seed, temperature in enumerate((0.0, 0.7, 1.0, 2.0, 50.0)):
            answer = json.loads(chat(address, seed=seed, temperature=temperature))["choices"][0]

            assert "stop" == answer["finish_reason"]
            assert sentence.fullmatch(answer["message"]["content"])
        short = json.loads(chat(address, max_tokens=3))["choices"][0]
        stream = chat(address, stream=True, seed=1)

    assert "length" == short["finish_reason"]
    assert 3 == len(short["message"]["content"].split())
    assert stream.rstrip().endswith("data: [DONE]")
    assert '"finish_reason":"stop"' in stream
