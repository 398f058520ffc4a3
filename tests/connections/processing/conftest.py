import pytest

from connections import processors
from connections.processors import Processor


@pytest.fixture
def processor(monkeypatch):
    """Register what a test wants to happen to messages, under the name `test`."""

    def register(run):
        made = processors.registered | {"test": Processor("Test", "For tests", run)}
        monkeypatch.setattr(processors, "registered", made)
        return "test"

    return register
