"""Mounts the apps."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from config.api import api
from config.api import docs as api_docs
from config.pages.home import home
from config.pages.progress import progress
from config.pages.trail import trail_list, trail_of_object
from config.pages.waiting_list import waiting_list
from settlement.views.money import money_page, money_start
from vouchers.views.certificates import public_keys

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("", include("config.accounts.urls")),
    path("progress/", progress, name="progress"),
    path("waiting/<slug:key>/", waiting_list, name="waiting"),
    path("trail/", trail_list, name="trail"),
    path("trail/<str:model>/<str:pk>/", trail_of_object, name="trail_of_object"),
    path("money/", money_start, name="money_start"),
    path("money/<slug:start>/<int:pk>/", money_page, name="money"),
    path("contracts/", include("contracts.urls")),
    path("vouchers/", include("vouchers.urls")),
    path("procurement/", include("procurement.urls")),
    path("settlement/", include("settlement.urls")),
    path("api/v1/docs", api_docs, name="api_docs"),
    path("api/v1/", api.urls),
    path(".well-known/certificate-keys.json", public_keys, name="certificate_keys"),
    path("i18n/", include("django.conf.urls.i18n")),
]
