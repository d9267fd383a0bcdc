"""Libraries are kept out of garbage collection, once for each that comes; what visitors leave behind is collected."""

import gc
import sys
import types
import weakref

import pytest

from explorer.ui import collector


@pytest.fixture(autouse=True)
def afterwards():
    """Nothing stays frozen for the tests that follow."""
    yield
    gc.unfreeze()


def test_what_lives_is_frozen_when_a_module_has_come_and_only_then(monkeypatch):
    monkeypatch.setattr(collector, "_known", 0)
    collector.spare_libraries()
    assert gc.get_freeze_count() > 1000
    later = Node()
    collector.spare_libraries()
    assert is_looked_at(later)
    monkeypatch.setitem(sys.modules, "a module that has just come", types.ModuleType("new"))
    collector.spare_libraries()
    assert not is_looked_at(later)


def is_looked_at(thing) -> bool:
    """Whether the collector has it in one of its generations."""
    return any(one is thing for one in gc.get_objects())


class Node:
    """Refers to itself: only the collector frees it."""

    def __init__(self):
        self.me = self


def test_garbage_before_and_after_is_collected(monkeypatch):
    monkeypatch.setattr(collector, "_known", 0)
    before = weakref.ref(Node())
    collector.spare_libraries()
    assert before() is None
    after = weakref.ref(Node())
    gc.collect()
    assert after() is None
