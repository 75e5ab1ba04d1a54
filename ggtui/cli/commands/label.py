"""`ggtui label`: a model's given name, its tags and the favourite's mark; needs no running ggtui."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ggtui.cli.client import ANSWER_S, running
from ggtui.cli.exits import ExitCode
from ggtui.cli.shelf import not_found, open_catalog
from ggtui.cli.surroundings import look
from ggtui.core.errors import ConfigInvalid
from ggtui.core.labels import label_change

if TYPE_CHECKING:
    from ggtui.cli.call import Call
    from ggtui.config.schema import Config
    from ggtui.core.labels import LabelChange
    from ggtui.core.models import ModelSummary


def run(call: Call) -> ExitCode:
    """Change the labels, then print them; without a change only print them."""
    change = _change(call)
    if call.config.read_only and not change.is_nothing:
        raise ConfigInvalid("nothing is changed with --read-only")
    document = _changed(call.config, call.arguments.model, change)
    if call.out.is_json:
        call.out.document({"schema": 1, **document})
        return ExitCode.DONE
    given = "" if document["given_name"] else " (from the file)"
    call.out.line(f"{'model':<10} {document['model']}")
    call.out.line(f"{'name':<10} {document['name']}{given}")
    call.out.line(f"{'tags':<10} {' '.join(document['tags']) or '–'}")
    call.out.line(f"{'favourite':<10} {'yes' if document['favourite'] else 'no'}")
    return ExitCode.DONE


def _change(call: Call) -> LabelChange:
    arguments = call.arguments
    return label_change(
        name=arguments.name,
        added=tuple(arguments.tag),
        removed=tuple(arguments.untag),
        is_favourite=arguments.favourite,
    )


def _changed(config: Config, name: str, change: LabelChange) -> dict[str, Any]:
    """What the model is called after the change, by the running ggtui where there is one."""
    instance = running(config)
    if instance is None:
        return _document(look(_changed_on_disk(config, name, change)))
    wish = {
        "model": name,
        "name": change.name,
        "add_tags": list(change.added),
        "remove_tags": list(change.removed),
        "favourite": change.is_favourite,
    }
    if not change.is_nothing:
        return instance.post("/ggtui/label", wish, ANSWER_S)
    models = instance.state()["models"]
    for row in models:
        if name in (row["public_id"], str(row["id"])):
            told = {"model": row["public_id"], "favourite": row["is_favourite"]}
            return told | {key: row[key] for key in ("name", "given_name", "tags")}
    raise not_found(name, [row["public_id"] for row in models])


async def _changed_on_disk(config: Config, name: str, change: LabelChange) -> ModelSummary:
    async with open_catalog(config) as catalog:
        await catalog.refresh()
        model = await catalog.resolve_model(name)
        if model is None:
            raise not_found(name, [each.public_id for each in await catalog.list_models()])
        if not change.is_nothing:
            await catalog.change_labels(model.id, change)
        return await catalog.resolve_model(model.public_id) or model


def _document(model: ModelSummary) -> dict[str, Any]:
    return {
        "model": model.public_id,
        "name": model.name,
        "given_name": model.given_name,
        "tags": list(model.tags),
        "favourite": model.is_favourite,
    }
