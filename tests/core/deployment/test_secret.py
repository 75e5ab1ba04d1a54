"""A key is named, and shown nowhere."""

from __future__ import annotations

import copy
import pickle
from dataclasses import asdict

import pytest

from ggtui.core.deployment.secret import Secret, SecretRef, SecretSource

KEY = "sk-abcdefghijklmnop1234"


def test_no_text_of_a_secret_holds_it() -> None:
    secret = Secret(KEY)
    ref = SecretRef(SecretSource.INLINE, value=secret)
    shown = [repr(secret), str(secret), f"{ref}", repr(ref), repr(asdict(ref)), ref.described]

    assert [] == [text for text in shown if "abcdef" in text or "1234" in text]
    assert KEY == secret.reveal()
    assert secret is copy.deepcopy(secret)
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(secret)


def test_a_changed_key_is_another_reference() -> None:
    refs = [SecretRef(SecretSource.INLINE, value=Secret(text)) for text in ("a", "a", "b")]

    assert (True, False) == (refs[0] == refs[1], refs[0] == refs[2])
    assert {refs[0], refs[2]} == set(refs)
    assert "a" != Secret("a")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (SecretSource.ENV, "environment variable KEY_1"),
        (SecretSource.FILE, "file KEY_1"),
        (SecretSource.KEYRING, "entry KEY_1 of the keyring"),
    ],
)
def test_where_it_comes_from(source: SecretSource, expected: str) -> None:
    assert expected == SecretRef(source, "KEY_1").described


@pytest.mark.parametrize(
    ("source", "name", "value"),
    [
        (SecretSource.INLINE, "", None),
        (SecretSource.INLINE, "", Secret("")),
        (SecretSource.INLINE, KEY, Secret(KEY)),
        (SecretSource.FILE, "", None),
        (SecretSource.KEYRING, "x", Secret(KEY)),
        (SecretSource.ENV, KEY, None),
        (SecretSource.ENV, "1A", None),
    ],
)
def test_a_wrong_reference_is_refused_without_repeating_it(
    source: SecretSource, name: str, value: Secret | None
) -> None:
    with pytest.raises(ValueError, match=r"key .*needs") as caught:
        SecretRef(source, name, value)

    assert "abcdef" not in str(caught.value)
