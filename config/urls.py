"""Mounts the apps."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from config.pages.home import home
from config.pages.progress import progress
from config.pages.trail import trail_list, trail_of_object

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("", include("config.accounts.urls")),
    path("progress/", progress, name="progress"),
    path("trail/", trail_list, name="trail"),
    path("trail/<str:model>/<str:pk>/", trail_of_object, name="trail_of_object"),
    path("i18n/", include("django.conf.urls.i18n")),
]
