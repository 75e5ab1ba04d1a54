"""One text field out of a form."""

from __future__ import annotations

import pytest

from ggtui.core.errors import InvalidRequest
from ggtui.proxy.multipart import boundary_of, form_field

FILE = b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nname="model"\r\n'
MODEL = b'--X\r\nContent-Disposition: form-data; name="model"\r\n\r\n tiny \r\n'


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (FILE + MODEL + b"--X--\r\n", "tiny"),
        (MODEL + FILE + b"--X--", "tiny"),
        (FILE + b"--X--\r\n", ""),
        (MODEL.replace(b'"model"', b"model") + b"--X--\r\n", "tiny"),
        (b"preamble\r\n" + MODEL + b"--X--", "tiny"),
    ],
)
def test_the_field_is_found(form: bytes, expected: str) -> None:
    assert expected == form_field(form, b"X", b"model")


@pytest.mark.parametrize(
    "form",
    [
        b"",
        b"--X",
        b"--X\r\n",
        FILE,
        MODEL[:-2],
        FILE * 70 + b"--X--",
        MODEL.replace(b"tiny", b"t" * 2000) + b"--X--",
    ],
)
def test_an_unsound_form_is_refused(form: bytes) -> None:
    with pytest.raises(InvalidRequest):
        form_field(form, b"X", b"model")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [(b'multipart/form-data; boundary="a b"', b"a b"), (b"multipart/form-data; Boundary=abc; x=y", b"abc")],
)
def test_the_boundary_is_read(content_type: bytes, expected: bytes) -> None:
    assert expected == boundary_of(content_type)


def test_a_form_without_boundary_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        boundary_of(b"multipart/form-data")
