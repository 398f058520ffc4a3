"""Studies, their schedules, their sites and who sees them."""

from django.urls import path

from ecoa.views import mappings, staff

urlpatterns = [
    path("ecoa/mappings/", mappings.index, name="mappings"),
    path("ecoa/mappings/create/", mappings.create, name="mapping-create"),
    path("ecoa/mappings/<int:mapping_id>/", mappings.detail, name="mapping"),
    path("ecoa/mappings/<int:mapping_id>/edit/", mappings.edit, name="mapping-edit"),
    path("ecoa/mappings/<int:mapping_id>/schedule/", mappings.schedule, name="mapping-schedule"),
    path("ecoa/mappings/<int:mapping_id>/sites/add/", staff.add_site, name="site-add"),
    path("ecoa/sites/<int:site_id>/assign/", staff.assign, name="site-assign"),
    path("ecoa/sites/<int:site_id>/unassign/<int:member_id>/", staff.unassign, name="site-unassign"),
]
