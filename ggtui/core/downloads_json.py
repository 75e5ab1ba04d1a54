"""Downloads in plain JSON values: the jobs of the queue, what a hub offers, what a search found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ggtui.core.moments import utc_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ggtui.core.downloads.jobs import FilePart, Job
    from ggtui.core.ports.downloads import Offer, RepositoryHit

SCHEMA = 1
"""Grows when a field changes its meaning or goes away; new fields do not count."""

REMOVED = "removed"
"""State of a job in an event: it has left the queue, and no other event follows."""


def queue_document(jobs: Iterable[Job], problem: str = "") -> dict[str, object]:
    """All jobs in the order given. problem: why the queue cannot be read or kept; empty when it can."""
    return {"schema": SCHEMA, "downloads": [job_document(each) for each in jobs], "problem": problem or None}


def ordered_document(jobs: Iterable[Job], number: int) -> dict[str, object]:
    """One job after an order, under `download`; null where it has left the queue."""
    found = next((each for each in jobs if each.number == number), None)
    return {"schema": SCHEMA, "download": None if found is None else job_document(found)}


def job_document(job: Job) -> dict[str, object]:
    """One download. `rate` is bytes per second; it and `left_s` are null where nothing is known."""
    return {
        "number": job.number,
        "kind": str(job.kind),
        "model": job.model,
        "backend": job.backend,
        "base_url": job.base_url,
        "state": str(job.state),
        "position": job.position,
        "by_person": job.by_person,
        "revision": job.revision,
        "commit": job.commit or None,
        "files": [_file(each) for each in job.files],
        "status": job.status,
        "digest": job.digest or None,
        "completed_bytes": job.completed_bytes,
        "total_bytes": job.total_bytes or None,
        "rate": job.rate,
        "left_s": job.left_s,
        "why": job.why,
        "hint": job.hint,
        "created_at": utc_text(job.created_at),
        "ended_at": utc_text(job.ended_at),
    }


def status_document(job: Job) -> dict[str, object]:
    """What an event tells of a download: the words of Ollama's progress, and what a person wants to see."""
    return {
        "status": job.status or str(job.state),
        "digest": job.digest,
        "total": job.total_bytes,
        "completed": job.completed_bytes,
        "model": job.model,
        "baseUrl": job.base_url,
        "number": job.number,
        "state": str(job.state),
        "rate": job.rate,
        "left_s": job.left_s,
        "why": job.why,
        "hint": job.hint,
    }


def removed_document(job: Job) -> dict[str, object]:
    """The last event of a download that somebody took out of the queue."""
    return {**status_document(job), "status": REMOVED, "state": REMOVED, "rate": None, "left_s": None}


def search_document(text: str, hits: Iterable[RepositoryHit]) -> dict[str, object]:
    """What a search found, the most downloaded first."""
    return {"schema": SCHEMA, "search": text, "repositories": [_hit(each) for each in hits]}


def _hit(hit: RepositoryHit) -> dict[str, object]:
    return {
        "id": hit.id,
        "n_downloads": hit.n_downloads,
        "n_likes": hit.n_likes,
        "updated_at": utc_text(hit.updated_at),
        "is_gated": hit.is_gated,
    }


def offer_document(offer: Offer) -> dict[str, object]:
    """What can be fetched under one name."""
    return {
        "model": offer.model,
        "label": offer.label,
        "commit": offer.commit,
        "files": [_file(each) for each in offer.files],
        "size_bytes": offer.size_bytes,
        "is_here": offer.is_here,
    }


def _file(part: FilePart) -> dict[str, object]:
    return {
        "path": part.path,
        "size_bytes": part.size_bytes,
        "sha256": part.sha256 or None,
        "completed_bytes": part.completed_bytes,
    }
