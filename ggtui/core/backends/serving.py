"""Which rules count where a declared backend serves: those of a deployment, else the usual ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.backends.names import spellings
from ggtui.core.deployment.deployment import ApiKind, Deployment
from ggtui.core.deployment.runtimes import RuntimeKind

if TYPE_CHECKING:
    from collections.abc import Container

    from ggtui.core.backends.backend import Declared


def declared_names(declared: Declared) -> tuple[str, ...]:
    """Every name that leads to backends, also where none of them may serve it: a request is told why.

    As written and in canonical spelling, each once, in the order of the lists. A model of this disk is none.
    """
    of_groups = [each.name for each in declared.models if not each.repository]
    return tuple(
        dict.fromkeys(
            name
            for backend in declared.backends
            for model in (*(each.name for each in backend.models), *of_groups)
            for name in spellings(backend.type, model)
        )
    )


def implicit_rules(name: str) -> Deployment:
    """What counts for a name that declared backends serve and that is no deployment."""
    return Deployment(name, name, RuntimeKind.CUSTOM)


def is_by_backends(rules: Deployment, kind: RuntimeKind, names: Container[str]) -> bool:
    """True when backends serve a deployment: it names no server, and one of them declares its model.

    kind: what serves it. names: see declared_names.
    """
    config = rules.runtime_config
    names_server = bool(config.endpoint) or config.kind is not ApiKind.DIRECT
    return not (kind.is_local or names_server) and rules.model in names
