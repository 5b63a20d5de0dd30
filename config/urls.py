"""Mounts the apps."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from config.api import api
from config.api import docs as api_docs
from config.pages.home import home
from config.pages.notices import notices
from config.pages.parameters import (
    parameter,
    parameter_approve,
    parameter_confirm,
    parameter_new,
    parameter_proposal,
    parameter_put_right,
    parameter_withdraw,
)
from config.pages.people import people_list, person, person_link, person_new, person_roles, person_step
from config.pages.price_lists import price_list_new
from config.pages.progress import progress
from config.pages.trail import trail_check, trail_list, trail_of_object
from config.pages.waiting_list import waiting_list
from settlement.views.money import money_page, money_start
from vouchers.views.certificates import public_keys

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home, name="home"),
    path("", include("config.accounts.urls")),
    path("people/", people_list, name="people"),
    path("people/new/", person_new, name="person_new"),
    path("people/<int:pk>/", person, name="person"),
    path("people/<int:pk>/roles/", person_roles, name="person_roles"),
    path("people/<int:pk>/link/", person_link, name="person_link"),
    path("people/<int:pk>/close/", person_step, {"step": "close"}, name="person_close"),
    path("people/<int:pk>/open/", person_step, {"step": "open"}, name="person_open"),
    path("people/<int:pk>/unlock/", person_step, {"step": "unlock"}, name="person_unlock"),
    path("notices/", notices, name="notices"),
    path("progress/", progress, name="progress"),
    path("waiting/<slug:key>/", waiting_list, name="waiting"),
    path("trail/", trail_list, name="trail"),
    path("trail/check/", trail_check, name="trail_check"),
    path("trail/<str:model>/<str:pk>/", trail_of_object, name="trail_of_object"),
    path("money/", money_start, name="money_start"),
    path("money/<slug:start>/<int:pk>/", money_page, name="money"),
    path("contracts/parameters/<int:pk>/", parameter, name="parameter"),
    path("contracts/parameters/<int:pk>/new/", parameter_new, name="parameter_new"),
    path("contracts/parameters/<int:pk>/confirm/", parameter_confirm, name="parameter_confirm"),
    path("contracts/parameters/proposals/<int:pk>/", parameter_proposal, name="parameter_proposal"),
    path("contracts/parameters/proposals/<int:pk>/approve/", parameter_approve, name="parameter_approve"),
    path("contracts/parameters/proposals/<int:pk>/put-right/", parameter_put_right, name="parameter_put_right"),
    path("contracts/parameters/proposals/<int:pk>/withdraw/", parameter_withdraw, name="parameter_withdraw"),
    path("contracts/tariffs/new/", price_list_new, name="price_list_new"),
    path("contracts/", include("contracts.urls")),
    path("vouchers/", include("vouchers.urls")),
    path("procurement/", include("procurement.urls")),
    path("settlement/", include("settlement.urls")),
    path("api/v1/docs", api_docs, name="api_docs"),
    path("api/v1/", api.urls),
    path(".well-known/certificate-keys.json", public_keys, name="certificate_keys"),
    path("i18n/", include("django.conf.urls.i18n")),
]
