from __future__ import annotations

import pytest

from explorer.batches import Outcome
from explorer.ui import batch_job
from explorer.ui.batch_job import Job


class AgainError(Exception):
    """Stands for the page's next run."""


def job_of(seen: list[int], total: int) -> Job:
    def going():
        for number in range(total):
            seen.append(number)
            yield Outcome(str(number), (1, 1), 0.0, None, None, "no photo")

    return Job("these", going(), total)


@pytest.fixture(autouse=True)
def rerun(monkeypatch):
    def again():
        raise AgainError

    monkeypatch.setattr(batch_job.st, "rerun", again)


def test_each_slice_looks_at_one_photo_at_least(monkeypatch):
    monkeypatch.setattr(batch_job, "SLICE", 0.0)
    seen: list[int] = []
    job = job_of(seen, 2)
    for count in (1, 2):
        with pytest.raises(AgainError):
            batch_job.go_on(job)
        assert len(job.outcomes) == len(seen) == count
    assert job.done
    batch_job.go_on(job)  # nothing is left: the page does not run again


def test_a_long_slice_does_all():
    job = job_of([], 5)
    with pytest.raises(AgainError):
        batch_job.go_on(job)
    assert [one.name for one in job.outcomes] == list("01234")


def test_what_is_stopped_rests():
    seen: list[int] = []
    job = job_of(seen, 3)
    batch_job._turn(job)
    batch_job.go_on(job)
    assert seen == []
    batch_job._turn(job)
    with pytest.raises(AgainError):
        batch_job.go_on(job)
    assert job.done
