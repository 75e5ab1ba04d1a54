"""The hub's own variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.access import access_from
from ggtui.adapters.remote.address import Address
from ggtui.core.errors import ConfigInvalid, RemoteRefused

if TYPE_CHECKING:
    from pathlib import Path

HUB = Address.parse("https://huggingface.co/x")


def test_without_variables_it_is_the_hub_without_a_token(tmp_path: Path) -> None:
    access = access_from({"HOME": str(tmp_path)})

    assert "https://huggingface.co:443" == access.endpoint.url
    assert {} == access.headers_for(HUB)
    access.check_may_ask(HUB)


def test_an_endpoint_may_lie_below_a_path(tmp_path: Path) -> None:
    access = access_from({"HOME": str(tmp_path), "HF_ENDPOINT": "https://mirror.example/hf/"})

    assert "https://mirror.example:443/hf" == access.endpoint.url


@pytest.mark.parametrize(
    "endpoint", ["http://mirror.example", "mirror.example", "https://me:pw@mirror.example"]
)
def test_an_endpoint_that_would_show_the_token_is_refused(tmp_path: Path, endpoint: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        access_from({"HOME": str(tmp_path), "HF_ENDPOINT": endpoint})

    assert caught.value.detail.startswith("HF_ENDPOINT: ")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({}, ".cache/huggingface/token"),
        ({"XDG_CACHE_HOME": "~/xdg"}, "xdg/huggingface/token"),
        ({"HF_HOME": "~/hf", "XDG_CACHE_HOME": "~/xdg"}, "hf/token"),
        ({"HF_TOKEN_PATH": "~/mine", "HF_HOME": "~/hf"}, "mine"),
    ],
)
def test_the_token_lies_where_the_hub_puts_it(tmp_path: Path, variables: dict[str, str], place: str) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / place).write_text(" hf_file\n")
    environ = {"HOME": str(tmp_path), **variables}

    assert {"Authorization": "Bearer hf_file"} == access_from(environ).headers_for(HUB)
    named = access_from({**environ, "HF_TOKEN": "hf_named"})
    assert {"Authorization": "Bearer hf_named"} == named.headers_for(HUB)
    assert {} == access_from({**environ, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}).headers_for(HUB)


def test_the_token_is_for_the_hubs_own_origin(tmp_path: Path) -> None:
    access = access_from({"HOME": str(tmp_path), "HF_TOKEN": "hf_secret"})

    others = ("https://huggingface.co:444/x", "https://cdn.huggingface.co/x", "https://huggingface.co.evil/x")
    assert [{}, {}, {}] == [access.headers_for(Address.parse(other)) for other in others]
    assert "hf_secret" not in repr(access)


@pytest.mark.parametrize("token", ["two words", "hf_\u00fc", "hf_\x00x", "x" * 2000])
def test_a_token_that_is_none_is_refused_unsaid(tmp_path: Path, token: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        access_from({"HOME": str(tmp_path), "HF_TOKEN": token})

    assert token not in str(caught.value)


def test_a_token_file_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / ".cache/huggingface/token").mkdir(parents=True)

    assert {} == access_from({"HOME": str(tmp_path)}).headers_for(HUB)


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_offline_means_the_hub_only(tmp_path: Path, name: str) -> None:
    access = access_from({"HOME": str(tmp_path), name: "true"})

    access.check_may_ask(Address.parse("https://example.com/m.gguf"))
    with pytest.raises(RemoteRefused) as caught:
        access.check_may_ask(HUB)
    assert "HF_HUB_OFFLINE" in caught.value.detail
    assert caught.value.is_retryable
