"""Every path the door knows. What is not in these tables does not exist."""

from __future__ import annotations

_BOTH = (
    b"/chat/completions",
    b"/completions",
    b"/embeddings",
    b"/responses",
    b"/rerank",
    b"/reranking",
    b"/audio/transcriptions",
    b"/chat/completions/input_tokens",
    b"/responses/input_tokens",
)
_BARE = (b"/completion", b"/embedding", b"/infill", b"/tokenize", b"/detokenize", b"/apply-template")
_VERSIONED = (b"/messages", b"/messages/count_tokens", b"/chat/completions/control")

MODEL_POSTS: dict[bytes, bytes] = {
    **{path: path for path in _BOTH},
    **{b"/v1" + path: b"/v1" + path for path in _BOTH},
    **{path: path for path in _BARE},
    **{b"/v1" + path: path for path in _BARE},
    **{path: b"/v1" + path for path in _VERSIONED},
    **{b"/v1" + path: b"/v1" + path for path in _VERSIONED},
}
"""Path of the client -> path at llama-server, which has some with, some without `/v1`, some both."""

SLOTLESS_POSTS = frozenset(
    path
    for path, at_server in MODEL_POSTS.items()
    if at_server.endswith((b"tokenize", b"/apply-template", b"/input_tokens", b"/count_tokens", b"/control"))
)
"""Answered beside the slots: counting and cutting text, and orders to a running completion."""

CAPABILITIES: dict[bytes, str] = {
    path: capability
    for path, at_server in MODEL_POSTS.items()
    for capability, ends in (
        ("chat", (b"/chat/completions", b"/responses", b"/messages")),
        ("completion", (b"/completion", b"/completions")),
        ("embedding", (b"/embedding", b"/embeddings")),
        ("rerank", (b"/rerank", b"/reranking")),
    )
    if at_server.removeprefix(b"/v1") in ends
}
"""What a model must be able to, see ModelSummary.capabilities; of requests whose length decides who fits.

An infill is not among them: llama-server cuts its text to what fits.
"""

LIST_POSTS = frozenset(
    path
    for path, at_server in MODEL_POSTS.items()
    if at_server.removeprefix(b"/v1")
    in (b"/chat/completions", b"/responses", b"/completion", b"/completions", b"/infill")
)
"""llama-server applies LoRA adapters here, by the list `lora` of the request.

Source: tools/server at 0.94, server-schema.cpp reads the list, and the conversion of `/v1/messages` in
server-chat.cpp drops it with every other member that Anthropic does not have.
"""

_NO_LIST = (b"/messages", b"/embedding", b"/embeddings", b"/rerank", b"/reranking", b"/transcriptions")

BASE_ALONE_POSTS = frozenset(path for path, at_server in MODEL_POSTS.items() if at_server.endswith(_NO_LIST))
"""llama-server applies no LoRA adapter here. The model alone answers: the server's own scales are 0."""

FORM_POSTS = frozenset((b"/audio/transcriptions", b"/v1/audio/transcriptions"))
"""These also take multipart/form-data."""

METRICS = b"/metrics"
"""Answered by ggtui itself, or by the running server that its query names."""

TARGET_GETS = frozenset((b"/props", b"/slots", METRICS, b"/lora-adapters"))
"""Questions to a running server; they carry no body, and never start one."""

REFUSED = frozenset((b"/tools", b"/cors-proxy"))
"""llama-server's own tools reach files and other hosts: never through this door."""

NO_HEAD = TARGET_GETS | {b"/ggtui/events", b"/ggtui/logs", b"/ggtui/queue/events"}
"""Answers that are not made without being sent."""

HEALTH = frozenset((b"/health", b"/v1/health"))
MODELS = frozenset((b"/v1/models", b"/models"))
MODEL_PREFIXES = (b"/v1/models/", b"/models/")
QUEUE_PREFIX = b"/ggtui/queue/"
"""A download that waits is named behind it, by its model; the paths below it that are fixed come first."""
