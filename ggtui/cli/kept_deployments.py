"""Deployments as the configuration has them, while no ggtui runs that could tell how they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.cli.shelf import open_endpoints
from ggtui.cli.surroundings import look
from ggtui.core.backends.serving import WHY_BY_BACKENDS, declared_names, is_by_backends
from ggtui.core.deployment.limits import Limit
from ggtui.core.deployments_json import declared_document
from ggtui.core.snapshot import DeploymentStatus, LimitUse

if TYPE_CHECKING:
    from ggtui.config.schema import Config
    from ggtui.core.deployment.deployment import Deployment
    from ggtui.core.deployment.policies import RateLimits
    from ggtui.services.endpoints import Endpoints


def kept_deployments(config: Config) -> dict[str, object]:
    """All of them in their order, see declared_document; looks for models only where there are any."""
    return look(_looked(config)) if config.deployments else declared_document(())


async def _looked(config: Config) -> dict[str, object]:
    async with open_endpoints(config) as (_, endpoints):
        return declared_document([_declared(each, endpoints, config) for each in config.deployments])


def _declared(rules: Deployment, endpoints: Endpoints, config: Config) -> DeploymentStatus:
    kind, why_kind = rules.choose_runtime(is_local=endpoints.is_local(rules.model))
    endpoint = endpoints.router.find(rules.name)
    has_backends = is_by_backends(rules, kind, declared_names(config.declared))
    is_known = endpoint is not None and not has_backends
    return DeploymentStatus(
        name=rules.name,
        kind=kind,
        why_kind=WHY_BY_BACKENDS if has_backends else why_kind,
        model=rules.model,
        why=endpoint.why if endpoint is not None and is_known else "",
        slots=rules.serving.slots(kind),
        limits=_limits(rules.rate_limits),
        budget=rules.budget,
    )


def _limits(limits: RateLimits) -> tuple[LimitUse, ...]:
    most = {
        Limit.REQUESTS: limits.requests_per_minute,
        Limit.TOKENS: limits.tokens_per_minute,
        Limit.CONCURRENT: limits.concurrent_requests,
    }
    return tuple(LimitUse(limit, 0, allowed) for limit, allowed in most.items() if allowed is not None)
