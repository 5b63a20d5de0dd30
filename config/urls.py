"""Mounts the apps."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from config.pages.home import home
from config.pages.progress import progress
from config.pages.trail import trail_list, trail_of_object
from settlement.views.money import money_page, money_start
from vouchers.views.certificates import public_keys

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("", include("config.accounts.urls")),
    path("progress/", progress, name="progress"),
    path("trail/", trail_list, name="trail"),
    path("trail/<str:model>/<str:pk>/", trail_of_object, name="trail_of_object"),
    path("money/", money_start, name="money_start"),
    path("money/<slug:start>/<int:pk>/", money_page, name="money"),
    path("contracts/", include("contracts.urls")),
    path("vouchers/", include("vouchers.urls")),
    path("procurement/", include("procurement.urls")),
    path("settlement/", include("settlement.urls")),
    path(".well-known/certificate-keys.json", public_keys, name="certificate_keys"),
    path("i18n/", include("django.conf.urls.i18n")),
]
