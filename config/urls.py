"""Mounts the apps."""

from __future__ import annotations

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

from config.pages.home import home
from config.pages.progress import progress
from config.pages.trail import trail_list, trail_of_object
from settlement.views.money import money_page, money_start
from vouchers.views.certificates import public_keys

APPS = [name for name in ("contracts", "vouchers", "procurement", "settlement") if find_spec(f"{name}.urls")]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("", include("config.accounts.urls")),
    path("progress/", progress, name="progress"),
    path("trail/", trail_list, name="trail"),
    path("trail/<str:model>/<str:pk>/", trail_of_object, name="trail_of_object"),
    path("money/", money_start, name="money_start"),
    path("money/<slug:start>/<int:pk>/", money_page, name="money"),
    *(path(f"{name}/", include(f"{name}.urls")) for name in APPS),
    path(".well-known/certificate-keys.json", public_keys, name="certificate_keys"),
    path("i18n/", include("django.conf.urls.i18n")),
]
