"""Downloads as documents: complete, plain, and with null for what nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace

from ggtui.core.downloads.jobs import FilePart, Job, JobKind, JobState
from ggtui.core.downloads_json import (
    job_document,
    offer_document,
    ordered_document,
    queue_document,
    removed_document,
    search_document,
    status_document,
)
from ggtui.core.ports.downloads import Offer, RepositoryHit

PARTS = (FilePart("m-Q4_K_M.gguf", 100, "a" * 64, 25), FilePart("mmproj.gguf", 10))
JOB = Job(
    7,
    JobKind.HUB,
    "o/r:Q4_K_M",
    "local",
    "https://huggingface.co",
    JobState.RUNNING,
    position=2,
    by_person=True,
    commit="c" * 40,
    files=PARTS,
    status="fetching",
    completed_bytes=25,
    total_bytes=110,
    rate=5.0,
    left_s=17.0,
    created_at=1.5,
)


def test_a_job_is_plain_json() -> None:
    document = job_document(JOB)

    assert document == json.loads(json.dumps(document))
    assert {
        "number": 7,
        "kind": "hub",
        "model": "o/r:Q4_K_M",
        "backend": "local",
        "base_url": "https://huggingface.co",
        "state": "running",
        "position": 2,
        "by_person": True,
        "revision": "main",
        "commit": "c" * 40,
        "files": [
            {"path": "m-Q4_K_M.gguf", "size_bytes": 100, "sha256": "a" * 64, "completed_bytes": 25},
            {"path": "mmproj.gguf", "size_bytes": 10, "sha256": None, "completed_bytes": 0},
        ],
        "status": "fetching",
        "digest": None,
        "completed_bytes": 25,
        "total_bytes": 110,
        "rate": 5.0,
        "left_s": 17.0,
        "why": "",
        "hint": "",
        "created_at": "1970-01-01T00:00:01.500Z",
        "ended_at": None,
    } == document


def test_what_is_not_known_is_null() -> None:
    document = job_document(Job(1, JobKind.PULL, "llama3", "box"))

    assert [None] * 6 == [
        document[name] for name in ("commit", "digest", "total_bytes", "rate", "left_s", "ended_at")
    ]


def test_the_queue_keeps_its_order() -> None:
    document = queue_document((JOB, replace(JOB, number=3)))

    assert (1, [7, 3]) == (document["schema"], [each["number"] for each in document["downloads"]])  # type: ignore[attr-defined]


def test_a_queue_that_is_not_kept_says_why() -> None:
    assert queue_document(())["problem"] is None
    assert "the disk is full" == queue_document((), "the disk is full")["problem"]


def test_one_job_is_told_or_that_it_is_gone() -> None:
    assert {"schema": 1, "download": job_document(JOB)} == ordered_document((JOB,), 7)
    assert {"schema": 1, "download": None} == ordered_document((JOB,), 8)


def test_an_event_has_the_words_of_ollama_and_ours() -> None:
    job = replace(JOB, kind=JobKind.PULL, status="pulling abc", digest="sha256:abc")

    assert {
        "status": "pulling abc",
        "digest": "sha256:abc",
        "total": 110,
        "completed": 25,
        "model": "o/r:Q4_K_M",
        "baseUrl": "https://huggingface.co",
        "number": 7,
        "state": "running",
        "rate": 5.0,
        "left_s": 17.0,
        "why": "",
        "hint": "",
    } == status_document(job)


def test_an_event_without_words_says_the_state() -> None:
    assert "paused" == status_document(replace(JOB, state=JobState.PAUSED, status=""))["status"]


def test_the_last_event_of_a_removed_job_has_no_rate() -> None:
    document = removed_document(JOB)

    assert ("removed", "removed", None, None, 7) == tuple(
        document[name] for name in ("state", "status", "rate", "left_s", "number")
    )


def test_what_a_search_found() -> None:
    hit = RepositoryHit("o/r", n_downloads=5, n_likes=2, updated_at=1.5, is_gated=True)

    assert {
        "schema": 1,
        "search": "qwen",
        "repositories": [
            {
                "id": "o/r",
                "n_downloads": 5,
                "n_likes": 2,
                "updated_at": "1970-01-01T00:00:01.500Z",
                "is_gated": True,
            }
        ],
    } == search_document("qwen", (hit,))


def test_an_offer_sums_its_files() -> None:
    document = offer_document(Offer("o/r:Q4_K_M", "Q4_K_M", "c" * 40, PARTS, is_here=True))

    assert ("o/r:Q4_K_M", "Q4_K_M", 110, True, 2) == (
        document["model"],
        document["label"],
        document["size_bytes"],
        document["is_here"],
        len(document["files"]),  # type: ignore[arg-type]
    )
