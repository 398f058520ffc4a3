"""Machine interfaces of the ecoa app.

The eCOA service joins its parts with one or more slashes, because a region URL ends in one and clients join badly;
whatever is below its address is answered there, so that nothing is ever redirected.
"""

from django.urls import path, re_path

from ecoa.contract import Region
from ecoa.service import views
from ecoa.views import push

_ROOT = r"^(?:/+)?myveeva/+"
_REGION = rf"(?P<region>{'|'.join(Region)})/+"
_VERSION = r"(?P<version>[^/]+)/+"

# Another system pushes participants here; both ends with and without a slash, as clients join addresses badly.
_PUSH = "v/<int:vault_id>/api/participants/v1"

urlpatterns = [
    *(
        path(f"{_PUSH}/studies/<str:study>/sites/<str:site>/participants{end}", push.push, name=name)
        for end, name in (("", "participants-in"), ("/", "participants-in-slash"))
    ),
    *(
        path(f"{_PUSH}/runs/<int:run_id>{end}", push.run, name=name)
        for end, name in (("", "participants-run"), ("/", "participants-run-slash"))
    ),
    re_path(rf"{_ROOT}openapi\.json$", views.openapi, name="ecoa-service-openapi"),
    re_path(
        rf"{_ROOT}global/+services/+{_VERSION}discover-study-site/*$", views.discover, name="ecoa-service-discover"
    ),
    re_path(rf"{_ROOT}{_REGION}auth/+{_VERSION}authorize/*$", views.authorize, name="ecoa-service-authorize"),
    re_path(
        rf"{_ROOT}{_REGION}services/+{_VERSION}sponsor/+(?P<study>[^/]+)/+site/+(?P<site>[^/]+)/+participant/*$",
        views.participant,
        name="ecoa-service-participant",
    ),
    re_path(r"^(?:/+)?myveeva(?:/|$)", views.nowhere),
]
