"""The bar of the demonstration being loaded; public, because nobody can sign in before it is there."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.office.queries import demo_job


def progress(request: HttpRequest) -> HttpResponse:
    """The bar alone, for the page to put in place; 204 once there is nothing to wait for."""
    job = demo_job()
    if job is None:
        return HttpResponse(status=204)
    return render(request, "components/demo_progress_bar.html", {"job": job})
