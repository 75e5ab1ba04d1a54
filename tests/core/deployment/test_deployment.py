"""A deployment and its defaults."""

from __future__ import annotations

from ggtui.core.deployment.deployment import (
    ApiKind,
    Deployment,
    RuntimeConfig,
    implicit_deployment,
)
from ggtui.core.deployment.policies import RateLimits, TimeLimits
from ggtui.core.deployment.runtimes import RuntimeKind


def test_a_name_and_a_model_are_enough() -> None:
    deployment = Deployment("qwen", "qwen.gguf")

    assert (1, True, False, (), None) == (
        *(deployment.replicas, deployment.idempotent, deployment.default, deployment.fallback),
        deployment.budget,
    )
    assert (None, ApiKind.DIRECT) == (deployment.policy, deployment.runtime_config.kind)
    assert deployment == Deployment("qwen", "qwen.gguf")
    assert deployment != Deployment("qwen", "qwen.gguf", replicas=2)


def test_its_runtime_is_chosen_from_what_it_says() -> None:
    config = RuntimeConfig(runtime=RuntimeKind.VLLM)

    assert RuntimeKind.OPEN_AI is Deployment("a", "gpt-4o").choose_runtime(is_local=False)[0]
    assert RuntimeKind.LLAMA_SERVER is Deployment("a", "gpt-4o").choose_runtime(is_local=True)[0]
    assert RuntimeKind.VLLM is Deployment("a", "x", runtime_config=config).choose_runtime(is_local=True)[0]
    chosen = Deployment("a", "x", RuntimeKind.GEMINI, config).choose_runtime(is_local=True)
    assert (RuntimeKind.GEMINI, "it is set as runtime") == chosen


def test_a_model_without_a_deployment_has_no_limit_of_its_own() -> None:
    deployment = implicit_deployment("qwen")
    kind = RuntimeKind.LLAMA_SERVER

    assert (kind, None) == (deployment.choose_runtime(is_local=True)[0], deployment.serving.slots(kind))
    assert TimeLimits(2, 600, 60) == deployment.timeouts.limits(kind)
    assert (RateLimits(), None, True) == (
        *(deployment.rate_limits, deployment.budget),
        deployment.pricing.is_free,
    )
