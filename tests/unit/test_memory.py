"""How much memory there is, by what Linux and a container's limit say."""

from __future__ import annotations

import pytest

from pretrained import LoadError, memory


@pytest.fixture
def said(tmp_path, monkeypatch):
    """Where the system's files stand."""
    monkeypatch.setattr(memory, "KERNEL", tmp_path / "meminfo")
    monkeypatch.setattr(memory, "CONTAINER", tmp_path)
    return tmp_path


def test_nothing_is_refused_where_nothing_is_known(said):
    assert memory.available() is None
    memory.check(10**15, "any")
    assert "more than there is" in str(memory.too_little(10**10, "any"))


def test_the_kernel_says_it(said):
    (said / "meminfo").write_text("MemTotal: 9000000 kB\nMemAvailable:    2000000 kB\n")
    assert memory.available() == 2_048_000_000
    memory.check(2_048_000_000, "any")
    with pytest.raises(LoadError, match=r"any needs about 2\.1 GB of memory and 2\.0 GB are free"):
        memory.check(2_100_000_000, "any")


@pytest.mark.parametrize(
    ("limit", "left"), [("max\n", 2_048_000_000), ("1000000000\n", 750_000_000), ("?", 2_048_000_000)]
)
def test_a_container_may_allow_less(said, limit, left):
    (said / "meminfo").write_text("MemAvailable: 2000000 kB\n")
    (said / "memory.max").write_text(limit)
    (said / "memory.current").write_text("300000000\n")
    (said / "memory.stat").write_text("anon 250000000\ninactive_file 50000000\n")
    assert memory.available() == left


def test_this_computer_has_memory():
    there = memory.available()
    assert there is None or there > 10**6
