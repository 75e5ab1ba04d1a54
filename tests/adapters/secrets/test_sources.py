"""Keys are read where they are kept, and what is wrong with one is told without it."""

from __future__ import annotations

import asyncio
import logging
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.secrets.sources import LARGEST_KEY, SecretSources
from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource
from ggtui.core.errors import ConfigInvalid

if TYPE_CHECKING:
    from pathlib import Path

KEY = "sk-test-0123456789"


def _read(ref: SecretRef, sources: SecretSources | None = None) -> str:
    return asyncio.run((sources or SecretSources({})).read(ref)).reveal()


def _refused(ref: SecretRef, sources: SecretSources | None = None) -> ConfigInvalid:
    with pytest.raises(ConfigInvalid) as caught:
        _read(ref, sources)
    assert caught.value.__cause__ is None
    return caught.value


def test_a_variable_is_read_anew_each_time() -> None:
    environ = {"THE_KEY": f" {KEY}\n"}
    sources, ref = SecretSources(environ), SecretRef(SecretSource.ENV, "THE_KEY")

    assert KEY == _read(ref, sources)

    environ["THE_KEY"] = "other"

    assert "other" == _read(ref, sources)


def test_a_file_counts_from_the_folder_and_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    file.chmod(0o600)
    sources, ref = SecretSources({}, tmp_path), SecretRef(SecretSource.FILE, "key")

    assert KEY == _read(ref, sources)

    file.write_text("other")

    assert "other" == _read(ref, sources)
    assert "other" == _read(SecretRef(SecretSource.FILE, str(file)))


def test_a_file_that_others_can_read_is_warned_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o640)
    sources, ref = SecretSources({}, tmp_path), SecretRef(SecretSource.FILE, "key")
    with caplog.at_level(logging.WARNING):
        _read(ref, sources)
        _read(ref, sources)

    assert [f"the key in {file} can be read by others: chmod 600 it"] == caplog.messages


def test_an_inline_key_is_the_key() -> None:
    assert KEY == _read(SecretRef(SecretSource.INLINE, value=Secret(KEY)))


@pytest.mark.parametrize(
    ("environ", "detail"),
    [
        ({}, "there is no key in environment variable THE_KEY"),
        ({"THE_KEY": " \n"}, "there is no key in environment variable THE_KEY"),
        (
            {"THE_KEY": f"{KEY} {KEY}"},
            "what is in environment variable THE_KEY is no key: it is one word of ASCII",
        ),
        (
            {"THE_KEY": f"{KEY}é"},
            "what is in environment variable THE_KEY is no key: it is one word of ASCII",
        ),
        (
            {"THE_KEY": "x" * (LARGEST_KEY + 1)},
            "what is in environment variable THE_KEY is no key: it is one word of ASCII",
        ),
    ],
)
def test_what_is_no_key_is_named_by_its_place_alone(environ: dict[str, str], detail: str) -> None:
    failure = _refused(SecretRef(SecretSource.ENV, "THE_KEY"), SecretSources(environ))

    assert detail == failure.detail
    assert KEY not in failure.detail + failure.hint


def test_a_file_that_is_not_there_or_no_file_is_named(tmp_path: Path) -> None:
    for name, reason in (("gone", "No such file or directory"), (".", "it is not a regular file")):
        failure = _refused(SecretRef(SecretSource.FILE, str(tmp_path / name)))

        assert f"file {tmp_path / name} cannot be read: {reason}" == failure.detail


def test_without_the_package_a_keyring_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    failure = _refused(SecretRef(SecretSource.KEYRING, "openai"))

    assert "entry openai of the keyring cannot be read: there is no keyring here" == failure.detail


def test_a_keyring_is_asked_under_our_name(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {("ggtui", "openai"): KEY}
    keyring = ModuleType("keyring")
    keyring.get_password = lambda *asked: entries.get(asked)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)

    assert KEY == _read(SecretRef(SecretSource.KEYRING, "openai"))
    assert "keyring set ggtui other" == _refused(SecretRef(SecretSource.KEYRING, "other")).hint

    def locked(*_: str) -> str:
        raise RuntimeError(KEY)

    keyring.get_password = locked  # type: ignore[attr-defined]

    assert (
        "entry openai of the keyring cannot be read: RuntimeError"
        == _refused(SecretRef(SecretSource.KEYRING, "openai")).detail
    )
