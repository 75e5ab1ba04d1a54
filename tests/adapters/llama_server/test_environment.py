"""What a child may see."""

from __future__ import annotations

from pathlib import Path

import pytest

from ggtui.adapters.llama_server.environment import child_environment, shared_environment
from ggtui.core.deployment.shares import WHOLE, Device, MachineShare

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


@pytest.mark.parametrize(
    ("backend", "ids", "expected"),
    [
        ("CUDA", ("GPU-a", "GPU-b"), {"CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b"}),
        ("CUDA", ("1",), {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        ("ROCm", ("GPU-a",), {"ROCR_VISIBLE_DEVICES": "GPU-a"}),
        ("ROCm", ("1",), {"HIP_VISIBLE_DEVICES": "1"}),
        ("SYCL", ("0", "1"), {"ZE_AFFINITY_MASK": "0,1"}),
        ("Vulkan", ("3",), {"GGML_VK_VISIBLE_DEVICES": "3"}),
        ("MTL", ("0",), {}),
    ],
)
def test_a_server_sees_the_devices_of_its_share(
    backend: str, ids: tuple[str, ...], expected: dict[str, str]
) -> None:
    share = MachineShare(tuple(Device(backend, each) for each in ids))

    assert {"PATH": "/bin", **expected} == shared_environment({"PATH": "/bin"}, share)


def test_a_number_does_not_count_among_what_an_id_leaves() -> None:
    env = {"PATH": "/bin", "HIP_VISIBLE_DEVICES": "1"}
    share = MachineShare((Device("ROCm", "GPU-a"),))

    assert {"PATH": "/bin", "ROCR_VISIBLE_DEVICES": "GPU-a"} == shared_environment(env, share)


@pytest.mark.parametrize("share", [WHOLE, MachineShare(None, 4), MachineShare(())])
def test_a_share_without_devices_changes_nothing(share: MachineShare) -> None:
    assert OURS == shared_environment(OURS, share)
