import pytest

from connections import processors
from connections.processors import Handler, Processor
from tests.connections.pages import sign_in
from tests.factories.connections import make_external, make_local
from tests.factories.spark import make_inbound, make_outbound, make_spark_admin


@pytest.fixture
def admin(certificate):
    return make_spark_admin()


@pytest.fixture
def browser(admin):
    return sign_in(admin)


@pytest.fixture
def filing(monkeypatch):
    known = Processor("File them", "Files every message where people read it.", lambda *_: None)
    monkeypatch.setitem(processors.registered, "filing", known)
    return "filing"


@pytest.fixture
def telling(monkeypatch):
    known = Handler("Tell somebody", "Makes a task of what was given up.", lambda *_: None)
    monkeypatch.setitem(processors.handlers, "telling", known)
    return "telling"


@pytest.fixture
def rtsm(admin):
    return make_external(admin, name="RTSM", api_name="rtsm")


@pytest.fixture
def outbound(admin, rtsm):
    return make_outbound(admin, rtsm, name="study_out__c", label="Study out")


@pytest.fixture
def inbound(admin, filing):
    return make_inbound(admin, processor=filing, name="study_in__c", label="Study in")


@pytest.fixture
def itself(admin):
    return make_local(admin, name="Itself", api_name="itself")
