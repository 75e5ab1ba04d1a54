#!/usr/bin/env -S python3 -I -S
"""A scriptable stand-in for llama-server: same flags, endpoints, log and push lines, and every fault.

Takes llama-server's own flags (those it does not know are ignored with their value) and, for the faults:

--fake-crash-at-start TEXT   print TEXT on stderr and end with --fake-rc (1)
--fake-crash-after N         end with --fake-rc (139) after N tokens of any answer
--fake-hang                  bind, tell progress 0, then load for ever
--fake-hang-unbound          the same without binding
--fake-claim-ready           say that it listens without binding
--fake-load-s S              take S seconds to load, 503 meanwhile, progress in tenths
--fake-ignore-term           ignore SIGTERM, the exit line and the end of stdin
--fake-grandchild            fork a process that only sleeps and keeps every pipe open
--fake-taken-once FILE       fail as if the port were taken while FILE does not exist, and create it
--fake-unknown NAME          refuse --NAME as an older build would
--fake-no-push               no push lines, stdin not read: an older build
--fake-long-line N           write one log line of N bytes
--fake-flood N               write N bytes of log lines, escape sequences among them, before ready
--fake-tokens N              length of an answer (8); --fake-token-s S seconds between two tokens (0)
--fake-pid-file FILE         write "PID GRANDCHILD_PID" there
--fake-bad-lora NAME         refuse the LoRA file of this name as one that fits another model
--fake-lora HOW              be wrong of the adapters: stuck (scales stay 1), lost, reversed, silent (404)
--fake-only ALIAS            all these flags count for the model of this name alone
FAKELLAMA in the environment holds more such flags.

GET /fake/last tells of the last request for an answer: {"path": its path, "body": its body, "lora": the
`lora` list in it}. Words of an answer to which adapters are applied end in their numbers: `w0+1`.
"""

from __future__ import annotations

import contextlib
import csv
import json
import os
import signal
import socket
import sys
import threading
import time
from typing import Any, NoReturn

SWITCHES = {
    *("--fake-hang", "--fake-hang-unbound", "--fake-claim-ready", "--fake-ignore-term", "--fake-grandchild"),
    *("--fake-no-push", "-kvu", "-no-kvu", "--no-ui", "--offline", "--embedding", "--rerank", "--metrics"),
    *("--version", "--list-devices", "--cache-prompt", "--no-cache-prompt"),
}
METRICS = (
    ("prompt_tokens_total", "counter", "Number of prompt tokens processed, excluding cached tokens"),
    ("tokens_predicted_total", "counter", "Number of generation tokens processed"),
    ("predicted_tokens_seconds", "gauge", "Average generation throughput in tokens/s"),
    ("requests_processing", "gauge", "Number of requests processing"),
)
"""Some of what llama-server tells when it is launched with --metrics."""
NO_METRICS = {
    "error": {
        "message": "This server does not support metrics endpoint. Start it with `--metrics`",
        "type": "not_supported_error",
        "code": 501,
    }
}
LOADING = {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}
DENIED = {"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}


def read_flags(arguments: list[str]) -> dict[str, Any]:
    """Flags by name; a switch is True, another flag has its last value, and the unknown ones a list."""
    flags: dict[str, Any] = {"refused": []}
    rest = iter(arguments)
    for name in rest:
        value: Any = True if name in SWITCHES else next(rest, "")
        flags[name] = value
        if name == "--fake-unknown":
            flags["refused"].append(f"--{value}")
    if flags.get("--fake-only", flags.get("--alias")) == flags.get("--alias"):
        return flags
    return {name: value for name, value in flags.items() if not name.startswith("--fake-")}


class FakeServer:
    """One server process."""

    def __init__(self, arguments: list[str]) -> None:
        self.arguments = arguments
        self.flags = read_flags(arguments)
        self.is_ready = False
        self.n_parallel = int(self.flags.get("-np", 4))
        total = int(self.flags.get("-c", 4096))
        self.n_ctx = total // self.n_parallel if "-no-kvu" in self.flags else total
        self.key = ""
        if "--api-key-file" in self.flags:
            with open(self.flags["--api-key-file"], encoding="utf-8") as file:
                self.key = file.read().strip()
        self.is_pushing = "LLAMA_SERVER_ROUTER_PORT" in os.environ and "--fake-no-push" not in self.flags
        self.is_deaf = "--fake-ignore-term" in self.flags
        paths = next(csv.reader([self.flags["--lora"]])) if "--lora" in self.flags else []
        self.adapters: list[dict[str, Any]] = [
            {"id": at, "path": path, "scale": 1.0, "task_name": "", "prompt_prefix": ""}
            for at, path in enumerate(paths)
        ]
        self.last: dict[str, Any] = {}
        self.n_answers = 0

    def main(self) -> None:
        """Serve until told to end."""
        flags = self.flags
        for refused in flags["refused"]:
            if refused in self.arguments:
                self.fail(f"error: invalid argument: {refused}")
        if self.is_deaf:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        grandchild: Any = self.fork_sleeper() if "--fake-grandchild" in flags else ""
        if "--fake-pid-file" in flags:
            with open(flags["--fake-pid-file"], "w", encoding="utf-8") as file:
                file.write(f"{os.getpid()} {grandchild}\n")
        if "--fake-crash-at-start" in flags:
            self.fail(flags["--fake-crash-at-start"])
        if "--fake-claim-ready" in flags or "--fake-hang-unbound" in flags:
            self.push("loading", self.stage(0.0))
            if "--fake-claim-ready" in flags:
                self.say_ready()
            self.wait_for_end()
        listener = self.bind()
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()
        self.load()
        self.wait_for_end()

    def fail(self, text: str) -> NoReturn:
        """End as llama-server does: the reason first, a general line last."""
        self.log(text)
        self.log("0.00.003.000 E srv  llama_server: exiting due to model loading error")
        os._exit(int(self.flags.get("--fake-rc", 1)))

    def refuse_lora(self, path: str) -> NoReturn:
        """End as llama-server does when an adapter was made for another model."""
        self.log(
            "0.00.003.000 E llama_adapter_lora_init: failed to apply lora adapter: tensor "
            "'blk.0.attn_q.weight' has incorrect shape (hint: maybe wrong base model?)"
        )
        self.fail(f"0.00.003.000 E cmn  common_init_: failed to load lora adapter '{path}'")

    def fork_sleeper(self) -> int:
        """A descendant that ends only when somebody kills it."""
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(3600)
        return pid

    def bind(self) -> socket.socket:
        """The listening socket, or the end llama-server comes to when the port is taken."""
        port = int(self.flags.get("--port", 8080))
        once = self.flags.get("--fake-taken-once")
        listener = socket.socket()
        try:
            if once and not os.path.exists(once):
                with open(once, "w", encoding="utf-8"):
                    raise OSError
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self.flags.get("--host", "127.0.0.1"), port))
        except OSError:
            self.fail(
                f"0.00.002.000 E srv  start: couldn't bind HTTP server socket, hostname: h, port: {port}"
            )
        listener.listen(64)
        self.port = listener.getsockname()[1]
        return listener

    def load(self) -> None:
        """Everything between bound and ready."""
        self.log(f"0.00.003.000 I srv    load_model: loading model '{self.flags.get('-m', '')}'")
        for adapter in self.adapters:
            if os.path.basename(adapter["path"]) == self.flags.get("--fake-bad-lora"):
                self.refuse_lora(adapter["path"])
        self.push("loading", self.stage(0.0))
        if "--fake-long-line" in self.flags:
            self.log("x" * int(self.flags["--fake-long-line"]))
        left = int(self.flags.get("--fake-flood", 0))
        while left > 0:
            line = f"{left} \x1b[31mflood\x1b[0m \x1b]0;title\x07 " + "y" * 80
            self.log(line)
            left -= len(line) + 1
        if "--fake-hang" in self.flags:
            self.wait_for_end(in_load=True)
        duration = float(self.flags.get("--fake-load-s", 0))
        for tenth in range(1, 11):
            time.sleep(duration / 10)
            self.push("loading", self.stage(tenth / 10))
        self.is_ready = True
        self.say_ready()

    def say_ready(self) -> None:
        """The two signs of readiness."""
        port = self.flags.get("--port")
        self.push("ready", {"meta": {"n_ctx": self.n_ctx}})
        if "--fake-no-push" not in self.flags:
            self.log(f"0.00.009.000 I srv  llama_server: listening on http://127.0.0.1:{port}")

    def stage(self, value: float) -> dict[str, Any]:
        """Payload of a progress line."""
        return {"stages": ["text_model"], "current": "text_model", "value": value}

    def push(self, state: str, payload: dict[str, Any]) -> None:
        """One line of the push channel."""
        if self.is_pushing:
            text = json.dumps({"state": state, "payload": payload})
            os.write(1, f"cmd_child_to_router:state:{text}\n".encode())

    def log(self, line: str) -> None:
        """One line of the log, however long."""
        data = memoryview(f"{line}\n".encode())
        while data:
            data = data[os.write(2, data) :]

    def wait_for_end(self, in_load: bool = False) -> NoReturn:
        """As llama-server: stdin counts in push mode and after the load only."""
        while self.is_deaf or in_load or not self.is_pushing:
            time.sleep(3600)
        for line in sys.stdin:
            if line.startswith("cmd_router_to_child:exit"):
                os._exit(0)
        os._exit(1)

    def accept(self, listener: socket.socket) -> None:
        """One thread per connection."""
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection: socket.socket) -> None:
        """One request, one answer, the end."""
        with contextlib.suppress(OSError, ValueError), connection:
            file = connection.makefile("rb")
            method, path, _ = file.readline().decode("latin-1").split(" ")
            headers = {}
            while (line := file.readline().strip()) and b":" in line:
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            body = file.read(int(headers.get("content-length", 0)))
            self.answer(connection, method, path.partition("?")[0], headers, body)

    def answer(
        self, connection: socket.socket, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> None:
        """Route one request."""
        if not self.is_ready:
            return self.send(connection, 503, LOADING)
        if path in ("/health", "/v1/health"):
            return self.send(connection, 200, {"status": "ok"})
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            return self.send(connection, 401, DENIED)
        if path == "/props":
            settings = {"n_ctx": self.n_ctx}
            props = {"default_generation_settings": settings, "total_slots": self.n_parallel}
            return self.send(connection, 200, props)
        if path == "/v1/models":
            return self.send(connection, 200, {"object": "list", "data": [{"id": self.flags.get("--alias")}]})
        if path == "/metrics":
            return self.answer_metrics(connection)
        if path == "/fake/last":
            return self.send(connection, 200, self.last)
        if path == "/lora-adapters" and self.flags.get("--fake-lora") != "silent":
            return self.answer_adapters(connection, method, body)
        if method == "POST" and path.endswith("/chat/completions"):
            request = json.loads(body or b"{}")
            self.last = {"path": path, "body": request, "lora": request.get("lora")}
            self.n_answers += 1
            return self.complete(connection, request)
        return self.send(connection, 404, {"error": {"message": "File Not Found", "code": 404}})

    def answer_metrics(self, connection: socket.socket) -> None:
        """Numbers by the answers that were begun, in Prometheus' format."""
        if "--metrics" not in self.flags:
            return self.send(connection, 501, NO_METRICS)
        n_tokens = self.n_answers * int(self.flags.get("--fake-tokens", 8))
        numbers = (self.n_answers, n_tokens, 0, 0)
        lines = [
            f"# HELP llamacpp:{name} {words}\n# TYPE llamacpp:{name} {kind}\nllamacpp:{name} {number}\n"
            for (name, kind, words), number in zip(METRICS, numbers, strict=True)
        ]
        return self.send_data(connection, 200, "text/plain; version=0.0.4", "".join(lines).encode())

    def answer_adapters(self, connection: socket.socket, method: str, body: bytes) -> None:
        """The adapters, or other scales for them: 0 for those that are left out."""
        fault = self.flags.get("--fake-lora", "")
        if method == "GET":
            told = {"lost": self.adapters[:-1], "reversed": self.adapters[::-1]}.get(fault, self.adapters)
            return self.send(connection, 200, [each | {"id": at} for at, each in enumerate(told)])
        scales = json.loads(body or b"null")
        if not isinstance(scales, list):
            error = {"message": "Request body must be an array", "type": "invalid_request_error", "code": 400}
            return self.send(connection, 400, {"error": error})
        if fault != "stuck":
            by_id = {each.get("id"): float(each.get("scale", 0)) for each in scales}
            for adapter in self.adapters:
                adapter["scale"] = by_id.get(adapter["id"], 0.0)
        return self.send(connection, 200, {"success": True})

    def applied(self, request: dict[str, Any]) -> str:
        """What marks the words of an answer: the numbers of the adapters that are applied to it."""
        scales = {each.get("id"): each.get("scale", 0) for each in request.get("lora") or self.adapters}
        return "".join(f"+{at}" for at in range(len(self.adapters)) if scales.get(at))

    def complete(self, connection: socket.socket, request: dict[str, Any]) -> None:
        """A chat answer of numbered words."""
        mark = self.applied(request)
        words = [f"w{number}{mark} " for number in range(int(self.flags.get("--fake-tokens", 8)))]
        if not request.get("stream"):
            for number in range(len(words)):
                self.pause(number)
            message = {"role": "assistant", "content": "".join(words)}
            usage = {"prompt_tokens": 1, "completion_tokens": len(words), "total_tokens": len(words) + 1}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return self.send(connection, 200, {"model": "fake", "choices": [choice], "usage": usage})
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        for number, word in enumerate(words):
            self.pause(number)
            choice = {"index": 0, "delta": {"content": word}, "finish_reason": None}
            self.send_event(connection, json.dumps({"model": "fake", "choices": [choice]}))
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        self.send_event(connection, json.dumps({"model": "fake", "choices": [choice]}))
        self.send_event(connection, "[DONE]")
        return connection.sendall(b"0\r\n\r\n")

    def pause(self, n_sent: int) -> None:
        """Between two tokens: wait, or crash."""
        if n_sent == int(self.flags.get("--fake-crash-after", -1)):
            os._exit(int(self.flags.get("--fake-rc", 139)))
        time.sleep(float(self.flags.get("--fake-token-s", 0)))

    def send_event(self, connection: socket.socket, text: str) -> None:
        """One server-sent event as one chunk."""
        data = f"data: {text}\n\n".encode()
        connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def send(self, connection: socket.socket, status: int, value: Any) -> None:
        """One whole JSON answer."""
        self.send_data(connection, status, "application/json", json.dumps(value).encode())

    def send_data(self, connection: socket.socket, status: int, kind: str, data: bytes) -> None:
        """One whole answer."""
        head = f"HTTP/1.1 {status} Fake\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n"
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + data)


if __name__ == "__main__":
    given = [*sys.argv[1:], *os.environ.get("FAKELLAMA", "").split()]
    if "--version" in given:
        sys.stderr.write("version: fake (build 1)\n")
    elif "--list-devices" in given:
        sys.stdout.write("Available devices:\n  FAKE0: Fake accelerator (1024 MiB, 1000 MiB free)\n")
    else:
        FakeServer(given).main()
