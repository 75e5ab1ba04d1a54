"""`ggtui demo`: two tiny models made on the spot and run for real, with nothing to download."""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.cli.leaving import duty
from ggtui.cli.ownership import in_folder
from ggtui.config.paths import make_private
from ggtui.config.schema import EMBEDDED
from ggtui.core.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ggtui.cli.call import Call
    from ggtui.cli.exits import ExitCode
    from ggtui.config.schema import Config


def run(call: Call) -> ExitCode:
    """Serve the demo models, with the screen unless told otherwise; nothing is left afterwards."""
    from ggtui.cli.commands.screen import show_config, without_screen
    from ggtui.cli.commands.serve import serve_config
    from ggtui.cli.terminal import has_terminal

    if not call.arguments.proxy_only and not has_terminal():
        return without_screen(call)
    with _home(call) as own:
        config, models = prepared(own, own.data_dir / "demo-models")
        show = serve_config if call.arguments.proxy_only else show_config
        return show(config, call.out, lambda url: what_to_try(url, models))


@contextmanager
def _home(call: Call) -> Iterator[Config]:
    """The data folder that a person names is theirs to keep: ps and load find the demo by it, ids stay."""
    if call.arguments.data_dir:
        yield call.config
        return
    with (
        tempfile.TemporaryDirectory(prefix="ggtui-demo-", ignore_cleanup_errors=True) as name,
        duty(partial(shutil.rmtree, name, ignore_errors=True)),
    ):
        yield in_folder(call.config, Path(name) / "data")


def prepared(config: Config, models: Path) -> tuple[Config, list[str]]:
    """The models written to this folder, the settings that serve them, and their public ids.

    Raises: StoreUnavailable.
    """
    from ggtui.cli.model_file import summary_of_file

    make_private(models)
    try:
        _write(models)
    except OSError as error:
        raise StoreUnavailable(f"{models} cannot be written: {error.strerror or error}") from error
    names = [summary_of_file(str(each)).public_id for each in sorted(models.glob("demo-*.gguf"))]
    engine = config.llama_server or _preferred_engine()
    return replace(config, models_dirs=(models,), stores=(), llama_server=engine), names


def _write(models: Path) -> None:
    from ggtui.adapters.gguf.demo import write_demo_models

    with tempfile.TemporaryDirectory(dir=models, prefix=".new-") as name:
        for new in write_demo_models(Path(name)):
            # A server may have the file of an earlier demo mapped: the same bytes are left alone.
            old = models / new.name
            if not old.is_file() or old.read_bytes() != new.read_bytes():
                new.replace(old)


def what_to_try(url: str, models: Sequence[str]) -> list[str]:
    """Words for a person: one request per model, so that the second one swaps."""
    return ["ggtui demo: two tiny models that talk nonsense, run for real. Try in another terminal:"] + [
        f"  curl {url}/chat/completions -H 'Content-Type: application/json' -d '{_request(model)}'"
        for model in models
    ]


def _request(model: str) -> str:
    message = {"role": "user", "content": "hello"}
    return json.dumps({"model": model, "messages": [message], "max_tokens": 16})


def _preferred_engine() -> str:
    return EMBEDDED if importlib.util.find_spec("xllamacpp") is not None else ""
