"""One text field out of a form."""

from __future__ import annotations

import pytest

from ggtui.core.errors import InvalidRequest
from ggtui.proxy.multipart import boundary_of, form_field, with_form_field

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


def _named(disposition: bytes, value: bytes = b"other") -> bytes:
    return b"--X\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n" % (disposition, value)


@pytest.mark.parametrize(
    "second",
    [
        MODEL,
        _named(b'name="model"; filename="x"'),
        _named(b"name=model"),
        _named(b'name="Model"'),
        _named(b'name=" model"'),
        _named(b'name="model[]"'),
        _named(b"name*=utf-8''mod%65l"),
        _named(b'name="x"; name="model"'),
        _named(b'name="mod\\el"'),
        _named(b'filename="a\\"; name="model"'),
        _named(b'\r\n name="model"'),
        _named(b'name="x"\r\nContent-Disposition: form-data; name="model"'),
        _named(b'name="x"\r\nContent-Disposition : form-data; name="model"'),
        _named(b'name="x"\nContent-Disposition: form-data; name="model"'),
        _named(b'name="x"', b"sound\n" + MODEL.replace(b"\r\n", b"\n") + b"more"),
        _named(b'name="x"', b"sound--X\r\n"),
        b"--X \r\n" + MODEL[5:],
        b"--X--\r\n" + MODEL,
    ],
)
def test_a_field_that_somebody_could_read_twice_is_refused(second: bytes) -> None:
    for form in (MODEL + second + b"--X--\r\n", second + MODEL + b"--X--\r\n"):
        with pytest.raises(InvalidRequest):
            form_field(form, b"X", b"model")
        with pytest.raises(InvalidRequest):
            with_form_field(form, b"X", b"model", b"there")


@pytest.mark.parametrize(
    "disposition",
    [
        b'name="file"; filename="a b.wav"',
        b"name=file; filename=a.wav; filename*=utf-8''a.wav",
        b'name="file"; filename="C:\\a.wav"',
        b'name="file";filename="\xc3\xa9.wav"\r\nContent-Type: audio/wav',
        b'name="file"; filename=""',
        b'name="file"; FILENAME="x; y=z"\r\nContent-Length: 5',
    ],
)
def test_what_clients_send_beside_it_is_left_as_it_is(disposition: bytes) -> None:
    form = _named(disposition) + MODEL + b"--X--\r\n"

    assert "tiny" == form_field(form, b"X", b"model")
    assert form.replace(b" tiny ", b"there") == with_form_field(form, b"X", b"model", b"there")


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [(b'multipart/form-data; boundary="a b"', b"a b"), (b"multipart/form-data; Boundary=abc; x=y", b"abc")],
)
def test_the_boundary_is_read(content_type: bytes, expected: bytes) -> None:
    assert expected == boundary_of(content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; xboundary=a",
        b"multipart/form-data; boundary=a; boundary=b",
        b"multipart/form-data; boundary*=utf-8''a; boundary=b",
        b'multipart/form-data; boundary="a\\"b"',
        b"multipart/form-data; boundary=a{b",
    ],
)
def test_a_form_without_one_clear_boundary_is_refused(content_type: bytes) -> None:
    with pytest.raises(InvalidRequest):
        boundary_of(content_type)
