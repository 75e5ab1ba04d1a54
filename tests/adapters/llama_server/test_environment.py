"""What a child may see."""

from __future__ import annotations

from pathlib import Path

from ggtui.adapters.llama_server.environment import child_environment

OURS = {
    "PATH": "/bin",
    "HOME": "/home/me",
    "CUDA_VISIBLE_DEVICES": "1",
    "GGML_CUDA_FORCE_MMQ": "1",
    "LLAMA_ARG_CTX_SIZE": "1024",
    "LLAMA_API_KEY": "secret",
    "AIP_MODE": "PREDICTION",
    "HF_TOKEN": "secret",
    "GGML_RPC_DEBUG": "1",
    "PYTHONPATH": "/elsewhere",
}


def test_only_the_allowed_names_and_our_own_get_through() -> None:
    expected = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "CUDA_VISIBLE_DEVICES": "1",
        "GGML_CUDA_FORCE_MMQ": "1",
        "GGML_NO_BACKTRACE": "1",
        "LLAMA_SERVER_ROUTER_PORT": "1",
        "GGTUI_INSTANCE": "nonce",
    }

    assert expected == child_environment(OURS, "nonce", is_embedded=False)


def test_the_embedded_engine_finds_this_package_and_no_other() -> None:
    found = child_environment(OURS, "nonce", is_embedded=True)["PYTHONPATH"]

    assert (Path(found) / "ggtui" / "engine" / "__main__.py").is_file()
