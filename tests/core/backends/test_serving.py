"""Which names lead to backends, and which rules count there."""

from __future__ import annotations

import pytest

from ggtui.core.backends.backend import Backend, BackendType, Declared, DeclaredModel, Group
from ggtui.core.backends.serving import declared_names, implicit_rules, is_by_backends
from ggtui.core.deployment.deployment import ApiKind, Deployment, RuntimeConfig
from ggtui.core.deployment.policies import REMOTE_LIMITS, REMOTE_MAX_CONCURRENT
from ggtui.core.deployment.runtimes import RuntimeKind

URL = "http://127.0.0.1:1"


def test_names_are_those_of_all_backends_also_where_none_may_serve_them() -> None:
    models = (DeclaredModel("llama3"), DeclaredModel("models/flash"))
    declared = Declared(
        (
            Backend("pond", BackendType.OLLAMA, URL, models=models, groups=("a",)),
            Backend("sky", BackendType.GEMINI, models=models),
        ),
        (
            DeclaredModel("qwen", groups=("b",)),
            DeclaredModel("on-disk", repository="owner/repo:Q4_K_M", groups=("a",)),
        ),
        (Group("a"), Group("b")),
    )

    assert ("llama3", "llama3:latest", "models/flash", "models/flash:latest", "qwen") == (
        declared_names(declared)
    )


def test_a_name_is_served_as_written_and_as_its_backend_spells_it_each_once() -> None:
    ollama = Backend(
        "pond", BackendType.OLLAMA, URL, models=(DeclaredModel("llama3"), DeclaredModel("qwen:7b"))
    )
    vllm = Backend("box", BackendType.VLLM, URL, models=(DeclaredModel("llama3"), DeclaredModel("own")))

    assert ("llama3", "llama3:latest", "qwen:7b", "own") == declared_names(Declared((ollama, vllm)))


def test_a_name_without_a_deployment_has_the_rules_of_a_remote_one() -> None:
    rules = implicit_rules("qwen")
    kind, _ = rules.choose_runtime(is_local=False)

    assert ("qwen", "qwen", REMOTE_MAX_CONCURRENT) == (rules.name, rules.model, rules.serving.slots(kind))
    assert REMOTE_LIMITS == rules.timeouts.limits(kind)
    assert 3 == rules.retry.retries(kind)


@pytest.mark.parametrize(
    ("config", "kind", "model", "expected"),
    [
        (RuntimeConfig(), RuntimeKind.VLLM, "qwen", True),
        (RuntimeConfig(), RuntimeKind.OPEN_AI, "qwen", True),
        (RuntimeConfig(), RuntimeKind.VLLM, "other", False),
        (RuntimeConfig(), RuntimeKind.LLAMA_SERVER, "qwen", False),
        (RuntimeConfig(endpoint=URL), RuntimeKind.VLLM, "qwen", False),
        (RuntimeConfig(kind=ApiKind.AZURE, resource="r"), RuntimeKind.OPEN_AI, "qwen", False),
    ],
)
def test_a_deployment_that_names_a_server_keeps_to_it(
    config: RuntimeConfig, kind: RuntimeKind, model: str, expected: bool
) -> None:
    assert expected is is_by_backends(Deployment("far", model, runtime_config=config), kind, {"qwen"})
