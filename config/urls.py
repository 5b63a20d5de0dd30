"""Mounts the apps."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from config.pages.home import home
from config.pages.progress import progress

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("", include("config.accounts.urls")),
    path("progress/", progress, name="progress"),
    path("i18n/", include("django.conf.urls.i18n")),
]
