"""Measures real files' weights, also spread over devices; RPC servers on this machine stand in for GPUs."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any

from tests.golden.configurations import launch
from tests.golden.corpus_file import WEIGHTS, save_weights
from tests.golden.families import ARCHITECTURES
from tests.golden.header_file import write_header
from tests.golden.published import published
from tests.golden.synthetic import models
from tests.golden.weights import WEIGHT_FILES, tensors_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.golden.engine import Engine
    from tests.golden.header_file import Keys
    from tests.golden.weights import WeightFile

Placement = dict[str, Any]
"""ngl, split, ncmoe: where the layers go."""

N_DEVICES = 2
PLACEMENTS: tuple[tuple[Placement, dict[str, Any]], ...] = (
    ({"ngl": 0}, launch(32768)),
    ({"ngl": 1}, launch(4096)),
    ({"ngl": 10}, launch(32768)),
    ({"ngl": 999}, launch(4096)),
    ({"ngl": 999}, launch(32768, 4)),
    ({"ngl": 999}, launch(32768, 4, unified=True, kv="q8_0", ub=2048)),
    ({"ngl": 999}, launch(32768, fa="off")),
    ({"ngl": 999}, launch(32768) | {"nkvo": True}),
    ({"ngl": 999, "split": [3, 1]}, launch(32768)),
    ({"ngl": 20, "split": [1, 1]}, launch(32768, 4)),
    ({"ngl": 15, "split": [2, 5]}, launch(4096, 3)),
)
EXPERT_PLACEMENTS: tuple[tuple[Placement, dict[str, Any]], ...] = (
    ({"ngl": 999, "ncmoe": 999}, launch(32768)),
    ({"ngl": 999, "ncmoe": 7}, launch(32768)),
    ({"ngl": 999, "ncmoe": 11, "split": [1, 1]}, launch(32768, 4)),
)
_RPC_NAME = re.compile(r"RPC\d+\[127\.0\.0\.1:(\d+)\]")


def regenerate_weights(engine: Engine, about: dict[str, str], folder: Path) -> None:
    """Write one file per real model and mixture of types."""
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    with _fake_devices(engine) as ports:
        for file in WEIGHT_FILES:
            save_weights(WEIGHTS / f"{file.name}.json", about, _measured(engine, file, ports, folder))
            print(file.name)


def _keys(model: str) -> Keys:
    for architecture in ARCHITECTURES:
        for name, keys in published(architecture):
            if name == model:
                return keys
    architecture = model.rpartition("-")[0]
    return next(candidates[0] for name, candidates in models(architecture) if name == model)


def _measured(engine: Engine, file: WeightFile, ports: list[int], folder: Path) -> dict[str, Any]:
    keys = _keys(file.model)
    header, path = folder / "header.gguf", folder / "weights.gguf"
    write_header(header, keys)
    tensors = tensors_of(file, engine.possible_tensors(header))
    write_header(path, keys, tensors)
    has_experts = any("_exps" in tensor.name for tensor in tensors)
    rows = [
        placement | case | _row(engine, path, placement, case, ports)
        for placement, case in (*PLACEMENTS, *(EXPERT_PLACEMENTS if has_experts else ()))
    ]
    weights, repacked = (
        engine.answers(path, [launch(300)], "--tensors", *options)[0]["weights"]
        for options in ((), ("--repack",))
    )
    return {
        "arch": keys["general.architecture"], "name": file.name, "keys": keys, "tensors": tensors,
        "weights_bytes": weights, "repacked_bytes": repacked, "placements": rows,
    }  # fmt: skip


def _row(
    engine: Engine, path: Path, placement: Placement, case: dict[str, Any], ports: list[int]
) -> dict[str, Any]:
    split = placement.get("split")
    options = ["--tensors", "--ngl", str(placement["ngl"])]
    for port in ports[: len(split) if split else 1]:
        options += ["--rpc", f"127.0.0.1:{port}"]
    if split:
        options += ["--ts", ",".join(map(str, split))]
    if "ncmoe" in placement:
        options += ["--ncmoe", str(min(placement["ncmoe"], 512))]
    answer = engine.answers(path, [case], *options)[0]
    if "refused" in answer:
        return answer
    parts = ("weights", "kv", "state", "compute")
    named = {f"{part}_bytes": _by_device(answer[part], ports) for part in parts}
    return {"flash": answer["flash"], **named, "output_bytes": answer["output"]}


def _by_device(sizes: dict[str, int], ports: list[int]) -> dict[str, int]:
    def plain(name: str) -> str:
        found = _RPC_NAME.fullmatch(name)
        return f"GPU{ports.index(int(found[1]))}" if found else name

    return dict(sorted((plain(name), size) for name, size in sizes.items()))


@contextlib.contextmanager
def _fake_devices(engine: Engine) -> Iterator[list[int]]:
    ports = [_free_port() for _ in range(N_DEVICES)]
    program = engine.binary.with_name("ggml-rpc-server")
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        for port in ports:
            command = [str(program), "-H", "127.0.0.1", "-p", str(port)]
            server = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
            stack.callback(server.terminate)
            _wait_for(port)
        yield ports


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"no RPC server on port {port}")
