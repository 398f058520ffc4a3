"""Pages of the bundled eCOA service and its fault board."""

from django.urls import path

from ecoa.views.service import fault_board, participants, studies, systems

_SYSTEM = "ecoa/service/systems/<int:system_id>/"
_STUDY = "ecoa/service/studies/<int:service_study_id>/"
_MAPPING = "ecoa/service/mappings/<int:service_mapping_id>/"
_FAULT = "ecoa/fault-board/<int:fault_id>/"

urlpatterns = [
    path("ecoa/service/", systems.index, name="service"),
    path("ecoa/service/systems/create/", systems.create, name="service-system-create"),
    path(_SYSTEM, systems.detail, name="service-system"),
    path(f"{_SYSTEM}edit/", systems.edit, name="service-system-edit"),
    path(f"{_SYSTEM}tenants/add/", systems.add_tenant, name="service-tenant-add"),
    path(f"{_SYSTEM}tenants/<int:tenant_id>/remove/", systems.remove_tenant, name="service-tenant-remove"),
    path(f"{_SYSTEM}secrets/issue/", systems.issue_secret, name="service-secret-issue"),
    path(f"{_SYSTEM}secrets/<int:secret_id>/revoke/", systems.revoke_secret, name="service-secret-revoke"),
    path("ecoa/service/studies/", studies.index, name="service-studies"),
    path("ecoa/service/studies/create/", studies.create, name="service-study-create"),
    path(_STUDY, studies.detail, name="service-study"),
    path(f"{_STUDY}switch/", studies.switch, name="service-study-switch"),
    path(f"{_STUDY}sites/add/", studies.add_site, name="service-site-add"),
    path(f"{_STUDY}systems/add/", studies.map_system, name="service-study-map"),
    path("ecoa/service/sites/<int:service_site_id>/move/", studies.move_site, name="service-site-move"),
    path(f"{_MAPPING}withdraw/", studies.withdraw, name="service-mapping-withdraw"),
    path(f"{_MAPPING}restore/", studies.restore, name="service-mapping-restore"),
    path("ecoa/service/participants/", participants.index, name="service-participants"),
    path("ecoa/fault-board/", fault_board.index, name="fault-board"),
    path("ecoa/fault-board/add/", fault_board.add, name="fault-add"),
    path("ecoa/fault-board/off/", fault_board.off, name="faults-off"),
    path("ecoa/fault-board/play/<slug:scenario>/", fault_board.play, name="fault-play"),
    path(f"{_FAULT}switch/", fault_board.switch, name="fault-switch"),
    path(f"{_FAULT}rewind/", fault_board.rewind, name="fault-rewind"),
    path(f"{_FAULT}remove/", fault_board.remove, name="fault-remove"),
]
