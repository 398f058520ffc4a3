"""eCOA's first page, the pages of a site, and the words that explain codes."""

from django.urls import path

from ecoa.views import home, sites

urlpatterns = [
    path("ecoa/", home.index, name="home"),
    path("ecoa/studies/<str:study>/sites/<str:site>/", sites.detail, name="site"),
    path("ecoa/studies/<str:study>/sites/<str:site>/print/", sites.paper, name="site-print"),
    path("ecoa/studies/<str:study>/sites/<str:site>/export/", sites.export, name="site-export"),
    path("ecoa/cards/", home.cards, name="cards"),
]
