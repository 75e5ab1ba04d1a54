"""Files of a repository as models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ggtui.adapters.remote.downloads.names import Wanted
from ggtui.adapters.remote.downloads.offering import offer_meant, offers_of
from ggtui.adapters.remote.hub import HubFile
from ggtui.core.errors import RemoteRefused

if TYPE_CHECKING:
    from ggtui.core.ports.downloads import Offer

COMMIT = "0" * 40


def listing(*paths: str) -> list[HubFile]:
    """Files that grow in the order given."""
    return [HubFile(path, 10 + number, f"{number:064x}") for number, path in enumerate(paths)]


def offers(*paths: str) -> tuple[Offer, ...]:
    return offers_of("o/r", COMMIT, listing(*paths))


def paths_of(offer: Offer) -> list[str]:
    return [file.path for file in offer.files]


def meant(text: str, *paths: str) -> Offer:
    return offer_meant(Wanted.parse(text), offers(*paths), listing(*paths))


def refusal(text: str, *paths: str) -> RemoteRefused:
    with pytest.raises(RemoteRefused) as caught:
        meant(text, *paths)
    return caught.value


def test_the_smallest_comes_first_with_size_and_checksum() -> None:
    small, large = offers("m-Q4_K_M.gguf", "m-Q8_0.gguf")

    assert ("o/r:Q4_K_M", "Q4_K_M", COMMIT, 10) == (small.model, small.label, small.commit, small.size_bytes)
    assert "o/r:Q8_0" == large.model
    assert f"{1:064x}" == large.files[0].sha256


def test_shards_are_one_model_in_order() -> None:
    (one,) = offers("d/m-F16-00002-of-00002.gguf", "d/m-F16-00001-of-00002.gguf")

    assert ["d/m-F16-00001-of-00002.gguf", "d/m-F16-00002-of-00002.gguf"] == paths_of(one)
    assert ("o/r:F16", 21) == (one.model, one.size_bytes)


def test_a_model_with_a_missing_shard_is_no_offer() -> None:
    assert () == offers("m-F16-00001-of-00003.gguf", "m-F16-00003-of-00003.gguf")


def test_a_label_that_two_have_leads_to_neither() -> None:
    assert ["o/r/a-Q4_0.gguf", "o/r/b-Q4_0.gguf", "o/r:Q8_0"] == [
        each.model for each in offers("a-Q4_0.gguf", "b-Q4_0.gguf", "b-Q8_0.gguf")
    ]


def test_a_model_without_a_label_is_named_by_its_file() -> None:
    assert ["o/r/model.gguf"] == [each.model for each in offers("model.gguf")]


def test_what_is_no_model_is_no_offer() -> None:
    assert ["o/r:Q4_0"] == [each.model for each in offers("m-Q4_0.gguf", "m-imatrix.gguf", "mmproj-F16.gguf")]
    assert () == offers("../m.gguf", "a\\b.gguf")


@pytest.mark.parametrize(
    ("projectors", "chosen"),
    [
        (["mmproj-F32.gguf", "mmproj-BF16.gguf", "mmproj-F16.gguf"], "mmproj-F16.gguf"),
        (["mmproj-F32.gguf", "mmproj-BF16.gguf"], "mmproj-BF16.gguf"),
        (["mmproj-F32.gguf", "mmproj-Q8_0.gguf"], "mmproj-Q8_0.gguf"),
        (["mmproj-F32.gguf"], "mmproj-F32.gguf"),
        (["mmproj-gemma-12b-F16.gguf", "mmproj-gemma-4b-F32.gguf"], "mmproj-gemma-4b-F32.gguf"),
        (["other/mmproj-F16.gguf"], None),
        ([], None),
    ],
)
def test_the_projector_of_a_model(projectors: list[str], chosen: str | None) -> None:
    (one,) = offers("gemma-4b-Q4_0.gguf", *projectors)

    assert ["gemma-4b-Q4_0.gguf", *([chosen] if chosen else [])] == paths_of(one)


def test_a_projector_in_the_folder_above_belongs_too() -> None:
    (one,) = offers("Q8_0/m-Q8_0-00001-of-00001.gguf", "mmproj-F16.gguf")

    assert ["Q8_0/m-Q8_0-00001-of-00001.gguf", "mmproj-F16.gguf"] == paths_of(one)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("o/r:q4_0", "m-Q4_0.gguf"),
        ("o/r:UD-Q4_K_XL", "m-UD-Q4_K_XL.gguf"),
        ("o/r:Q4_K_XL", "m-UD-Q4_K_XL.gguf"),
        ("o/r/m-Q4_0.gguf", "m-Q4_0.gguf"),
        ("o/r/mmproj-F32.gguf", "mmproj-F32.gguf"),
    ],
)
def test_the_one_that_is_meant(text: str, path: str) -> None:
    names = ("m-Q4_0.gguf", "m-UD-Q4_K_XL.gguf", "mmproj-F16.gguf", "mmproj-F32.gguf")

    assert path == paths_of(meant(text, *names))[0]


def test_a_single_offer_needs_no_quantisation() -> None:
    assert "o/r:Q4_0" == meant("o/r", "m-Q4_0.gguf", "mmproj-F16.gguf").model


def test_several_are_named() -> None:
    assert "o/r:Q4_0, o/r:Q8_0" in refusal("o/r", "m-Q4_0.gguf", "m-Q8_0.gguf").message
    assert "o/r/a-Q4_0.gguf, o/r/b-Q4_0.gguf" in refusal("o/r:Q4_0", "a-Q4_0.gguf", "b-Q4_0.gguf").message


def test_what_is_not_there_is_told_with_what_is() -> None:
    refused = refusal("o/r:Q6_K", "m-Q4_0.gguf", "m-Q8_0.gguf")

    assert "o/r has no Q6_K" == refused.message
    assert "there is o/r:Q4_0, o/r:Q8_0" == refused.hint
    assert "has no x.gguf" in refusal("o/r/x.gguf", "m-Q4_0.gguf").message
    assert "has no GGUF model" in refusal("o/r", "mmproj-F16.gguf").message


def test_a_quantisation_is_the_whole_of_its_name() -> None:
    assert "has no Q4_K" in refusal("o/r:Q4_K", "m-Q4_K_M.gguf").message
