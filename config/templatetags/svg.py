"""Drawings made by the server."""

from __future__ import annotations

from django import template

register = template.Library()
