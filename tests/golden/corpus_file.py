"""The corpus on disk: one JSON file per architecture, one line per launch, so that changes can be read."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

from tests.golden.weights import Tensor

CORPUS = Path(__file__).with_name("corpus")
WEIGHTS = CORPUS / "weights"
NOT_LOADING = CORPUS / "not-loading.json"

Model = dict[str, Any]
"""arch, name, keys and cases as the README describes them; with weights: tensors and placements."""

DEFAULTS: dict[str, Any] = {
    "np": 1, "unified": False, "ctk": "f16", "ctv": "f16", "fa": "auto", "ub": 512, "swa_full": False,
    "embedding": False, "mtp": False,
}  # fmt: skip
"""What a row's launch means where the file says nothing."""


PLACEMENT_DEFAULTS: dict[str, Any] = {"split": [1], "ncmoe": 0, "nkvo": False, "flash": True}


def corpus_models(folder: Path = CORPUS) -> Iterator[Model]:
    """Every model of the corpus, architecture after architecture, its rows in full."""
    for path in sorted(folder.glob("*.json")):
        if path == NOT_LOADING:
            continue
        for model in json.loads(path.read_text(encoding="utf-8"))["models"]:
            yield model | {"cases": [_full(case) for case in model["cases"]]}


def weight_models(folder: Path = WEIGHTS) -> Iterator[Model]:
    """Every real file of known weights: its `tensors` as Tensor, its `placements` in full."""
    for path in sorted(folder.glob("*.json")):
        model = json.loads(path.read_text(encoding="utf-8"))
        tensors = [
            Tensor(name.replace("{}", str(layer)), tuple(dims), type_id)
            for name, dims, type_id, layers in model["tensors"]
            for layer in layers or [0]
        ]
        yield model | {
            "tensors": tensors,
            "placements": [PLACEMENT_DEFAULTS | DEFAULTS | row for row in model["placements"]],
        }


def _full(case: dict[str, Any]) -> dict[str, Any]:
    launch = DEFAULTS | case
    if "refused" in case:
        return launch
    state = case.get("state_bytes", 0)
    more = {"flash": True, "state_bytes": state, "context_bytes": case["kv_bytes"] + state}
    return more | launch


def _short(case: dict[str, Any]) -> dict[str, Any]:
    implied = DEFAULTS | {"flash": True, "state_bytes": 0}
    return {
        key: value
        for key, value in case.items()
        if key != "context_bytes" and not (key in implied and implied[key] == value)
    }


def save(path: Path, engine: dict[str, str], models: Sequence[Model]) -> None:
    """Write one architecture's models: a line per key group and per launch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = ",\n".join(_block(model) for model in models)
    path.write_text(f'{{"engine": {_line(engine)},\n"models": [\n{blocks}\n]}}\n', encoding="utf-8")


def save_weights(path: Path, engine: dict[str, str], model: Model) -> None:
    """Write one file of known weights; tensors alike in several layers share a line."""
    implied = DEFAULTS | PLACEMENT_DEFAULTS
    rows = [
        {key: value for key, value in row.items() if not (key in implied and implied[key] == value)}
        for row in model["placements"]
    ]
    head = "".join(
        f"{_line(key)}: {_line(model[key])},\n" for key in ("arch", "name", "weights_bytes", "repacked_bytes")
    )
    lists = {"tensors": _grouped(model["tensors"]), "placements": rows}
    bodies = ",\n".join(
        f"{_line(name)}: [\n" + ",\n".join(f" {_line(item)}" for item in items) + "]"
        for name, items in lists.items()
    )
    keys = ",\n".join(f" {_line(key)}: {_line(value)}" for key, value in model["keys"].items())
    text = f'{{"engine": {_line(engine)},\n{head}"keys": {{\n{keys}}},\n{bodies}}}\n'
    path.write_text(text, encoding="utf-8")


def _grouped(tensors: Sequence[Tensor]) -> list[Any]:
    layers: dict[tuple[str, tuple[int, ...], int], list[int]] = defaultdict(list)
    for tensor in tensors:
        first, _, rest = tensor.name.partition(".")
        number, _, rest = rest.partition(".")
        is_layer = first == "blk" and number.isdigit()
        name = f"blk.{{}}.{rest}" if is_layer else tensor.name
        layers[name, tensor.dims, tensor.type_id] += [int(number)] if is_layer else []
    return [[name, list(dims), type_id, where] for (name, dims, type_id), where in layers.items()]


def _block(model: Model) -> str:
    keys = ",\n".join(f"   {_line(key)}: {_line(value)}" for key, value in model["keys"].items())
    cases = ",\n".join(f"   {_line(_short(case))}" for case in model["cases"])
    head = ", ".join(f"{_line(key)}: {_line(model[key])}" for key in model if key not in ("keys", "cases"))
    return f' {{{head},\n  "keys": {{\n{keys}}},\n  "cases": [\n{cases}]}}'


def _line(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True)
