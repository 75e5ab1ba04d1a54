"""Why a start failed: the first line of the server's log that says so, in words for people and programs."""

from __future__ import annotations

import errno
import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ggtui.core.errors import LaunchRejected, OutOfMemory, ServerMissing, SpawnFailed, SpawnReason

if TYPE_CHECKING:
    from collections.abc import Sequence

_PREFIX: Final = re.compile(r"^(?:\d+\.\d+\.\d+\.\d+ )?(?:[DIWE] )?")
_ERROR_LINE: Final = re.compile(r"^(?:\d+\.\d+\.\d+\.\d+ )E |\berror\b", re.IGNORECASE)

_MEMORY_HINT: Final = "choose a smaller context, a smaller quant, or fewer layers on the device"
_FILE_HINT: Final = "download the file again"
_OLD_HINT: Final = "a newer llama-server may know it"


@dataclass(frozen=True, slots=True)
class _Kind:
    """One way to fail, and the log lines that show it."""

    pattern: re.Pattern[str]
    failure: type[SpawnFailed]
    reason: SpawnReason
    words: str
    hint: str = ""


def _kind(pattern: str, failure: type[SpawnFailed], reason: SpawnReason, words: str, hint: str = "") -> _Kind:
    return _Kind(re.compile(pattern), failure, reason, words, hint)


_KINDS: Final = (
    _kind(
        r"couldn't bind|Address already in use",
        SpawnFailed,
        SpawnReason.PORT_IN_USE,
        "its port is in use",
    ),
    _kind(
        r"error while loading shared libraries|Library not loaded|cannot open shared object file",
        ServerMissing,
        SpawnReason.MISSING_LIBRARY,
        "llama-server lacks a library",
        "install the library or reinstall llama-server",
    ),
    _kind(
        r"embedded engine is not installed|embedded engine cannot be loaded",
        ServerMissing,
        SpawnReason.BINARY_MISSING,
        "the embedded engine is missing",
        "pip install 'ggtui[engine]'",
    ),
    _kind(
        r"unknown model architecture|unknown pre-tokenizer type|unknown tokenizer",
        LaunchRejected,
        SpawnReason.UNSUPPORTED_ARCH,
        "this engine does not know the model's architecture",
        _OLD_HINT,
    ),
    _kind(
        r"failed to allocate|insufficient memory|out of memory|unable to allocate"
        r"|std::bad_alloc|bad allocation|ErrorOutOfDeviceMemory|MemoryError$",
        OutOfMemory,
        SpawnReason.OUT_OF_MEMORY,
        "out of memory",
        _MEMORY_HINT,
    ),
    _kind(
        r"block size \d+ does not divide|quantized V cache requires|Unsupported cache type",
        LaunchRejected,
        SpawnReason.BAD_ARGUMENT,
        "the model does not take this KV-cache type",
        "choose f16 for the KV cache, or turn flash attention on",
    ),
    _kind(
        r"built without SSL support",
        LaunchRejected,
        SpawnReason.BAD_ARGUMENT,
        "this engine has no TLS",
    ),
    _kind(
        r"invalid argument:|error while handling (?:argument|environment variable)|n_seq_max must be"
        r"|--model is required",
        LaunchRejected,
        SpawnReason.BAD_ARGUMENT,
        "an argument was refused",
        "look at the extra arguments of this model",
    ),
    _kind(
        r"incorrect shape \(hint: maybe wrong base model|failed to load lora adapter",
        LaunchRejected,
        SpawnReason.BAD_ARGUMENT,
        "the LoRA does not belong to this model",
    ),
    _kind(
        r"Failed to load CLIP model|failed to load multimodal model|failed to load draft model",
        LaunchRejected,
        SpawnReason.BAD_ARGUMENT,
        "a file beside the model cannot be loaded",
        "without its vision projector a model may load: projector = false in models.toml",
    ),
    _kind(
        r"failed to open GGUF file|failed to read magic|invalid magic characters"
        r"|failed to read key-value pairs|failed to read tensor|not within the file bounds"
        r"|corrupted or incomplete|missing tensor|wrong number of tensors|invalid split file"
        r"|bad GGUF|unsupported file version|key not found in model",
        LaunchRejected,
        SpawnReason.BAD_MODEL_FILE,
        "the model file cannot be read",
        _FILE_HINT,
    ),
    _kind(
        r"GGML_ASSERT|GGML_ABORT|terminate called",
        LaunchRejected,
        SpawnReason.ENGINE_ABORT,
        "the engine aborted",
        "the model file may be malformed",
    ),
)
"""Tried in this order on each line, the first line first."""


def start_failure(code: int, head: Sequence[str], tail: Sequence[str]) -> SpawnFailed:
    """The failure of a process that ended before it was ready.

    code: exit status, negative for a signal. head, tail: first and last lines of its log, already plain.
    """
    kind, line = _first_match(head)
    if kind is not None:
        return kind.failure(
            f"{kind.words}: {line}",
            reason=kind.reason,
            hint=kind.hint,
            exit_code=code,
            log_tail=tuple(tail),
        )
    failure, reason, cause, hint = _by_status(code)
    first_error = next((_bare(text) for text in head if _ERROR_LINE.search(text)), "")
    cause = f"{cause}: {first_error}" if first_error else cause
    return failure(cause, reason=reason, hint=hint, exit_code=code, log_tail=tuple(tail))


def exit_cause(code: int, tail: Sequence[str]) -> str:
    """One line on why a server that had been ready ended by itself."""
    kind, line = _first_match(tail)
    if kind is not None and (kind.failure is OutOfMemory or kind.reason is SpawnReason.ENGINE_ABORT):
        return f"{kind.words}: {line}"
    return _by_status(code)[2]


def unexecutable(error: OSError | ValueError, path: str) -> SpawnFailed:
    """The failure of a program that could not even be started."""
    if not isinstance(error, OSError):
        return LaunchRejected(
            "an argument cannot be given to a program: it holds a NUL or text that cannot be encoded",
            reason=SpawnReason.BAD_ARGUMENT,
            hint="look at the extra arguments of this model",
        )
    words = {
        errno.ENOENT: "does not exist",
        errno.ENOTDIR: "does not exist",
        errno.EACCES: "is not executable",
        errno.EPERM: "is not executable",
        errno.ENOEXEC: "is not a program for this machine",
    }.get(error.errno or 0)
    if words is None:
        return SpawnFailed(f"the process could not be created: {error.strerror}")
    return ServerMissing(
        f"{path} {words}",
        reason=SpawnReason.BINARY_MISSING,
        hint="name a llama-server that works, or `embedded`",
    )


def refused_flag(failure: SpawnFailed) -> str:
    """The flag a build does not know; empty when something else is wrong."""
    found = re.search(r"invalid argument: (\S+)", failure.cause)
    return found.group(1) if found else ""


def _first_match(lines: Sequence[str]) -> tuple[_Kind | None, str]:
    for text in lines:
        line = _bare(text)
        for kind in _KINDS:
            if kind.pattern.search(line):
                return kind, line[:300]
    return None, ""


def _bare(line: str) -> str:
    """A log line without the time and level in front of it."""
    return _PREFIX.sub("", line).strip()


def _by_status(code: int) -> tuple[type[SpawnFailed], SpawnReason, str, str]:
    if code == -signal.SIGKILL:
        return OutOfMemory, SpawnReason.OUT_OF_MEMORY, "killed (out of memory?)", _MEMORY_HINT
    if code == -signal.SIGABRT:
        return LaunchRejected, SpawnReason.ENGINE_ABORT, "the engine aborted", ""
    if code == 127:
        return ServerMissing, SpawnReason.BINARY_MISSING, "the program was not found", ""
    if code < 0:
        return SpawnFailed, SpawnReason.UNKNOWN, f"ended by signal {_signal_name(-code)}", ""
    return SpawnFailed, SpawnReason.UNKNOWN, f"ended with status {code}", ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
