"""The right `pynvml`, also where an outdated distribution of that name hides it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pynvml
import pytest

from ggtui.adapters.gpu import nvml_library
from ggtui.adapters.gpu.nvml_library import load_library, refusal
from ggtui.core.ports.gpu import NoGpu

if TYPE_CHECKING:
    from pathlib import Path


def test_the_module_of_nvidia_ml_py_is_taken_as_it_is() -> None:
    assert pynvml is load_library()


@pytest.fixture
def hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An installed package `pynvml`, as the outdated distribution makes it."""
    package = tmp_path / "pynvml"
    package.mkdir()
    (package / "__init__.py").write_text("OUTDATED = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pynvml")
    import pynvml as outdated

    monkeypatch.setitem(sys.modules, "pynvml", outdated)
    return outdated


def test_a_package_of_the_same_name_is_passed_over(hidden: Any) -> None:
    library = load_library()

    assert hasattr(hidden, "OUTDATED")
    assert not hasattr(library, "OUTDATED")
    assert callable(library.nvmlDeviceGetMemoryInfo)


def test_with_only_the_outdated_distribution_it_says_which_to_install(
    hidden: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml_library, "DISTRIBUTION", "no-such-distribution")

    with pytest.raises(ImportError) as caught:
        load_library()

    assert NoGpu.NO_LIBRARY is refusal(caught.value).absence
    assert "pip uninstall pynvml; pip install nvidia-ml-py" == refusal(caught.value).hint
