"""The door itself: who may enter, which path leads where, and what a failure says. Raw ASGI."""

from __future__ import annotations

import logging
import os
import random
import re
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from ggtui.core.errors import (
    EngineStopping,
    Failure,
    Internal,
    MethodNotAllowed,
    RouteNotFound,
)
from ggtui.core.hops import check_no_loop
from ggtui.proxy.access import CLIENT
from ggtui.proxy.answers import Reply
from ggtui.proxy.body import ClientGone, check_name
from ggtui.proxy.headers import BY_NAME
from ggtui.proxy.interrupt import Interrupted
from ggtui.proxy.query import parameters
from ggtui.proxy.routes import (
    HEALTH,
    METRICS,
    MODEL_POSTS,
    MODEL_PREFIXES,
    MODELS,
    NO_HEAD,
    QUEUE_PREFIX,
    REFUSED,
    TARGET_GETS,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ggtui.proxy.access import Access
    from ggtui.proxy.answers import Headers, Receive, Send
    from ggtui.proxy.asking import Asking
    from ggtui.proxy.backends_api import BackendsApi
    from ggtui.proxy.control_api import ControlApi
    from ggtui.proxy.deployments_api import DeploymentsApi
    from ggtui.proxy.history_api import HistoryApi
    from ggtui.proxy.interrupt import Drain
    from ggtui.proxy.metrics_api import MetricsApi
    from ggtui.proxy.models_api import ModelsApi
    from ggtui.proxy.names_api import NamesApi
    from ggtui.proxy.questions import Questions
    from ggtui.proxy.queue_api import QueueApi
    from ggtui.proxy.watch_api import WatchApi

    Handler = Callable[[Any, Receive, Reply], Awaitable[None]]

_LOG = logging.getLogger(__name__)
_REQUEST_ID = re.compile(rb"[0-9A-Za-z._\-]{1,128}")


class FeatureDisabled(RouteNotFound):
    """A path of llama-server that is closed on purpose."""

    title = "Feature is disabled"
    status = 403
    code = "feature_disabled"


class App:
    """The ASGI application. Every request ends here in exactly one answer, or with its connection."""

    def __init__(
        self,
        *,
        access: Access,
        asking: Asking,
        models: ModelsApi,
        questions: Questions,
        watch: WatchApi,
        control: ControlApi,
        names: NamesApi,
        history: HistoryApi,
        deployments: DeploymentsApi,
        backends: BackendsApi,
        queue: QueueApi,
        metrics: MetricsApi,
        drain: Drain,
    ) -> None:
        self._access = access
        self._models = models
        self._queue = queue
        self._drain = drain
        self._gets: dict[bytes, Handler] = {
            **dict.fromkeys(HEALTH, self._health),
            **dict.fromkeys(MODELS, self._model_list),
            **dict.fromkeys(TARGET_GETS, questions.ask),
            METRICS: metrics.metrics,
            b"/ggtui/state": watch.state,
            b"/ggtui/events": watch.events,
            b"/ggtui/logs": watch.logs,
            b"/ggtui/settings": control.settings,
            b"/ggtui/history": history.generations,
            b"/ggtui/endpoints": names.endpoints,
            b"/ggtui/adapters": names.adapters,
            b"/ggtui/deployments": deployments.deployments,
            b"/ggtui/backends": backends.backends,
            b"/ggtui/queue": queue.queue,
            b"/ggtui/queue/events": queue.events,
        }
        self._posts: dict[bytes, Handler] = {
            **dict.fromkeys(MODEL_POSTS, asking.ask),
            b"/ggtui/load": control.load,
            b"/ggtui/stop": control.stop,
            b"/ggtui/rescan": control.rescan,
            b"/ggtui/context": control.context,
            b"/ggtui/pin": control.pin,
            b"/ggtui/label": control.label,
            b"/ggtui/settings": control.change_settings,
            b"/ggtui/reload": control.reload,
            b"/ggtui/endpoints": names.switch,
            b"/ggtui/aliases": names.alias,
            b"/ggtui/default": names.default,
            b"/ggtui/adapters": names.weigh,
            b"/ggtui/adapters/attach": names.attach,
            b"/ggtui/adapters/detach": names.detach,
            b"/ggtui/deployments": deployments.order,
            b"/ggtui/reconcile": backends.reconcile,
            b"/ggtui/queue": queue.add,
            b"/ggtui/queue/order": queue.order,
        }
        self._deletes: dict[bytes, Handler] = {b"/ggtui/queue/cancel": queue.cancel}

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request."""
        fields = scope["extensions"][BY_NAME] = dict(scope["headers"])
        reply = Reply(send, [(b"x-request-id", _request_id(fields))])
        try:
            self._let_in(scope, fields)
            await self._handler(scope)(scope, receive, reply)
        except (ClientGone, Interrupted):
            return
        except Failure as failure:
            await _answer(
                reply, failure, _allow(self, scope) if isinstance(failure, MethodNotAllowed) else []
            )
        except Exception as error:
            _LOG.error("request failed: %s", _where(error))
            await _answer(reply, Internal("the log has more"), [])

    def _let_in(self, scope: Any, fields: dict[bytes, bytes]) -> None:
        server = scope.get("server")
        self._access.check_host(fields, server[0] if server else None)
        self._access.check_origin(fields)
        if scope["raw_path"] in HEALTH:
            return
        scope["extensions"][CLIENT] = self._access.check_key(fields)
        if b"via" in fields:
            check_no_loop(scope["headers"])
        if self._drain.is_begun:
            raise EngineStopping("ggtui is stopping")

    def _handler(self, scope: Any) -> Handler:
        path, method = scope["raw_path"], scope["method"]
        handler = self._fixed(method).get(path)
        if handler is not None and not (method == "HEAD" and path in NO_HEAD):
            return handler
        if path.startswith(MODEL_PREFIXES) and method in ("GET", "HEAD"):
            return self._one_model
        if method == "DELETE" and self._names_a_download(path):
            return self._queue.remove
        if path in REFUSED:
            raise FeatureDisabled("this path of llama-server is closed here")
        if self.allowed(path):
            raise MethodNotAllowed(f"{method} is not allowed here")
        raise RouteNotFound("there is no such path")

    def allowed(self, path: bytes) -> str:
        """The methods a path has, as the Allow field lists them; empty for an unknown path."""
        if path in NO_HEAD:
            return "GET"
        if path in self._gets or path.startswith(MODEL_PREFIXES):
            return "GET, HEAD, POST" if path in self._posts else "GET, HEAD"
        if path in self._posts:
            return "POST"
        return "DELETE" if path in self._deletes or self._names_a_download(path) else ""

    def _fixed(self, method: str) -> dict[bytes, Handler]:
        if method == "DELETE":
            return self._deletes
        return self._posts if method == "POST" else self._gets if method in ("GET", "HEAD") else {}

    def _names_a_download(self, path: bytes) -> bool:
        is_fixed = path in self._gets or path in self._posts or path in self._deletes
        return path.startswith(QUEUE_PREFIX) and path != QUEUE_PREFIX and not is_fixed

    # Handlers

    async def _health(self, scope: Any, receive: Receive, reply: Reply) -> None:
        await reply.json({"status": "ok"})

    async def _model_list(self, scope: Any, receive: Receive, reply: Reply) -> None:
        is_all = parameters(scope).get("all", "0") in ("1", "true")
        await reply.json(await self._models.listing(is_all=is_all))

    async def _one_model(self, scope: Any, receive: Receive, reply: Reply) -> None:
        prefix = next(prefix for prefix in MODEL_PREFIXES if scope["raw_path"].startswith(prefix))
        name = unquote_to_bytes(scope["raw_path"][len(prefix) :]).decode("utf-8", "replace")
        check_name(name)
        await reply.json(await self._models.one(name))


async def _answer(reply: Reply, failure: Failure, headers: Headers) -> None:
    """Say it, unless an answer has begun: then only the end of the connection tells."""
    if not reply.is_begun:
        await reply.failure(failure, headers)


def _allow(app: App, scope: Any) -> Headers:
    return [(b"allow", app.allowed(scope["raw_path"]).encode())]


def _request_id(fields: dict[bytes, bytes]) -> bytes:
    given = fields.get(b"x-request-id", b"")
    return given if _REQUEST_ID.fullmatch(given) else b"req_%024x" % random.getrandbits(96)


def _where(error: Exception) -> str:
    """The kind and the place of a defect; its text may hold a piece of the request."""
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in frames[::-1][:6])
    return f"{type(error).__name__} at {place}"
