"""The log of a failed start becomes one cause."""

from __future__ import annotations

import errno

import pytest

from ggtui.adapters.llama_server.failures import (
    exit_cause,
    refused_flag,
    start_failure,
    unexecutable,
)
from ggtui.core.errors import LaunchRejected, OutOfMemory, ServerMissing, SpawnFailed, SpawnReason

TIME = "0.00.003.684 E "
REJECTED = LaunchRejected
BAD_FILE, BAD_ARGUMENT = SpawnReason.BAD_MODEL_FILE, SpawnReason.BAD_ARGUMENT

LINES = [
    (f"{TIME}srv  start: couldn't bind HTTP server socket, port: 1", SpawnFailed, SpawnReason.PORT_IN_USE),
    ("error: invalid argument: --zzz", REJECTED, BAD_ARGUMENT),
    ('error while handling argument "-c": stoi', REJECTED, BAD_ARGUMENT),
    ('error while handling environment variable "LLAMA_ARG_CTX_SIZE": stoi', REJECTED, BAD_ARGUMENT),
    ('error while handling argument "-dev": invalid device: CUDA0', REJECTED, BAD_ARGUMENT),
    (f"{TIME}gguf: failed to open GGUF file 'P' (No such file or directory)", REJECTED, BAD_FILE),
    (f"{TIME}gguf_init_from_reader: failed to read magic", REJECTED, BAD_FILE),
    (f"{TIME}gguf: invalid magic characters: '<htm', expected 'GGUF'", REJECTED, BAD_FILE),
    ("llama_model_load: error loading model: missing tensor 'output_norm.weight'", REJECTED, BAD_FILE),
    ("tensor 'x' data is not within the file bounds, model is corrupted", REJECTED, BAD_FILE),
    ("error loading model: unknown model architecture: 'zzz'", REJECTED, SpawnReason.UNSUPPORTED_ARCH),
    ("unknown pre-tokenizer type: 'new'", REJECTED, SpawnReason.UNSUPPORTED_ARCH),
    ("K cache type q8_0 with block size 32 does not divide n_embd_head_k=16", REJECTED, BAD_ARGUMENT),
    ("quantized V cache requires flash_attn to be enabled", REJECTED, BAD_ARGUMENT),
    (f"{TIME}failed to allocate buffer for kv cache", OutOfMemory, SpawnReason.OUT_OF_MEMORY),
    ("ggml_backend_cuda: cudaMalloc failed: out of memory", OutOfMemory, SpawnReason.OUT_OF_MEMORY),
    ("unable to allocate CUDA0 buffer", OutOfMemory, SpawnReason.OUT_OF_MEMORY),
    ("n_seq_max must be <= 256", REJECTED, BAD_ARGUMENT),
    ("incorrect shape (hint: maybe wrong base model?)", REJECTED, BAD_ARGUMENT),
    ("Failed to load CLIP model from P", REJECTED, BAD_ARGUMENT),
    ("the server is built without SSL support", REJECTED, BAD_ARGUMENT),
    ("/src/llama-vocab.cpp:1: GGML_ASSERT(a == b) failed", REJECTED, SpawnReason.ENGINE_ABORT),
    ("x: error while loading shared libraries: libcuda.so.1", ServerMissing, SpawnReason.MISSING_LIBRARY),
]


@pytest.mark.parametrize(("line", "kind", "reason"), LINES)
def test_each_known_line_has_its_kind(line: str, kind: type[SpawnFailed], reason: SpawnReason) -> None:
    log = ["0.00.001.000 I srv  init: fine", line, "exiting due to model loading error"]
    failure = start_failure(1, log, log)

    assert (kind, reason) == (type(failure), failure.reason)
    assert line.removeprefix(TIME) in failure.cause
    assert "0.00" not in failure.cause
    assert (1, tuple(log)) == (failure.exit_code, failure.log_tail)


def test_the_first_known_line_counts() -> None:
    log = ["cudaMalloc failed: out of memory", "error loading model: missing tensor 'x'"]

    assert SpawnReason.OUT_OF_MEMORY == start_failure(1, log, log).reason


def test_an_unknown_failure_quotes_the_first_error_line() -> None:
    log = ["0.00.001.000 I srv  fine", f"{TIME}srv  something new happened", f"{TIME}srv  exiting"]
    failure = start_failure(3, log, log)

    assert "ended with status 3: srv  something new happened" == failure.cause
    assert SpawnReason.UNKNOWN == failure.reason


@pytest.mark.parametrize(
    ("code", "kind", "cause"),
    [
        (-9, OutOfMemory, "killed (out of memory?)"),
        (-6, LaunchRejected, "the engine aborted"),
        (-11, SpawnFailed, "ended by signal SIGSEGV"),
        (127, ServerMissing, "the program was not found"),
        (0, SpawnFailed, "ended with status 0"),
    ],
)
def test_a_silent_end_is_told_by_its_status(code: int, kind: type[SpawnFailed], cause: str) -> None:
    failure = start_failure(code, [], [])

    assert (kind, cause) == (type(failure), failure.cause)
    assert cause == exit_cause(code, [])


def test_the_end_of_a_ready_server_is_told_by_its_last_lines() -> None:
    assert "out of memory: cudaMalloc failed: out of memory" == exit_cause(
        -6, ["fine", "cudaMalloc failed: out of memory", "GGML_ABORT"]
    )
    assert "ended with status 1" == exit_cause(1, ["error: invalid argument: --x"])


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOENT, "does not exist"), (errno.EACCES, "not executable"), (errno.ENOEXEC, "not a program")],
)
def test_a_program_that_cannot_start_is_missing(number: int, words: str) -> None:
    failure = unexecutable(OSError(number, "x"), "/opt/llama-server")

    assert isinstance(failure, ServerMissing)
    assert SpawnReason.BINARY_MISSING == failure.reason
    assert words in failure.cause


def test_no_processes_left_is_not_a_missing_program() -> None:
    assert type(unexecutable(OSError(errno.EAGAIN, "try again"), "/x")) is SpawnFailed


def test_the_flag_an_old_build_refuses_is_found() -> None:
    assert "--offline" == refused_flag(start_failure(1, ["error: invalid argument: --offline"], []))
    assert "" == refused_flag(start_failure(1, ["failed to read magic"], []))
