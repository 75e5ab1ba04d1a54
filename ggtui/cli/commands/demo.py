"""`ggtui demo`: two tiny models made on the spot and run for real, with nothing to download."""

from __future__ import annotations

import importlib.util
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ggtui.cli.ownership import in_folder
from ggtui.config.schema import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    with tempfile.TemporaryDirectory(prefix="ggtui-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        # Folders that a person names are theirs to keep: ps and load find the demo by them.
        own = call.config if call.arguments.data_dir else in_folder(call.config, folder / "data")
        config, models = prepared(own, folder)
        show = serve_config if call.arguments.proxy_only else show_config
        return show(config, call.out, lambda url: what_to_try(url, models))


def prepared(config: Config, folder: Path) -> tuple[Config, list[str]]:
    """The models written, the settings that serve them, and their public ids."""
    from ggtui.adapters.gguf.demo import write_demo_models
    from ggtui.cli.model_file import summary_of_file

    models = folder / "models"
    models.mkdir(mode=0o700)
    write_demo_models(models)
    names = [summary_of_file(str(each)).public_id for each in sorted(models.glob("*.gguf"))]
    engine = config.llama_server or _preferred_engine()
    return replace(config, models_dirs=(models,), llama_server=engine), names


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
