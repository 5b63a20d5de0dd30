"""The kinds of facts that checks of claims ask for: who may record one, with which form, by which action."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation
from config.templatetags.show import account, amount
from contracts.actions import check_facts as register
from contracts.models import (
    GrantItem,
    ProviderAccount,
    ProviderRelation,
    ProviderSchedule,
    RequiredEvidence,
    ServiceIncompatibility,
)
from contracts.models.check_facts import WEEKDAYS
from settlement import fact_forms as forms
from settlement.actions.provider_accounts import change_account
from vouchers.actions import check_facts as people
from vouchers.models import EmergencyCase, OtherFunding, StateTask, VisitComplaint, VisitScan

REGISTER, PEOPLE = "register.edit", "recipients.edit"


@dataclass(frozen=True)
class Kind:
    """``scope``: path to the organisation, empty for what providers have everywhere. ``search``: paths of text.
    ``words``: what a row says beside its days.
    """

    check: str
    title: Any
    permission: str
    form: type[forms.FactForm]
    record: Callable[..., Any]
    model: type[Model]
    scope: str
    search: tuple[str, ...]
    joins: tuple[str, ...]
    words: Callable[[Any], tuple[Any, Any]]

    def rows(self, organisation: Organisation, q: str) -> QuerySet[Any]:
        """Facts of the kind, newest first."""
        found: QuerySet[Any] = self.model._default_manager.select_related(*self.joins).order_by("-pk")
        if self.scope:
            found = found.filter(**{self.scope: organisation})
        asked = Q()
        for path in self.search if q else ():
            asked |= Q(**{f"{path}__icontains": q})
        return found.filter(asked)


def _days_off(row: ProviderSchedule) -> tuple[Any, Any]:
    days = [str(title) for day, title in WEEKDAYS if row.days_off >> day & 1]
    return row.provider, ", ".join(days)


def _scan(row: VisitScan) -> tuple[Any, Any]:
    moment = row.scanned_at.astimezone(ZoneInfo(row.redemption.organisation.zone))
    words = date_format(moment, "SHORT_DATETIME_FORMAT")
    if row.distance_m is None:
        return row.redemption, words
    return row.redemption, gettext("%(when)s, %(metres)s m from the address") % {
        "when": words,
        "metres": row.distance_m,
    }


KINDS: dict[str, Kind] = {
    "schedules": Kind(
        "CLM-33", _("Days off of providers"), REGISTER, forms.ScheduleForm, register.set_schedule, ProviderSchedule,
        "", ("provider__name", "provider__code"), ("provider",), _days_off,
    ),
    "accounts": Kind(
        "CLM-44", _("New accounts of providers"), REGISTER, forms.AccountForm, change_account,
        ProviderAccount, "", ("provider__name", "iban", "reason"), ("provider",),
        lambda row: (row.provider, f"{row.get_kind_display()} {account(row.iban)}: {row.reason}".removesuffix(": ")),
    ),
    "relations": Kind(
        "CLM-45", _("Conflicts of interest"), REGISTER, forms.RelationForm, register.declare_relation,
        ProviderRelation, "user__memberships__organisation", ("provider__name", "user__username"),
        ("provider", "user"), lambda row: (row.user, f"{row.provider}: {row.reason}"),
    ),
    "acts": Kind(
        "CLM-34", _("Services that need a signed act"), REGISTER, forms.EvidenceForm, register.require_evidence,
        RequiredEvidence, "service__organisation", ("service__code", "service__name_uk"), ("service",),
        lambda row: (row.service, row.service.code),
    ),
    "exclusions": Kind(
        "CLM-29", _("Services that exclude each other"), REGISTER, forms.ExclusionForm, register.exclude_services,
        ServiceIncompatibility, "service__organisation", ("service__code", "other__code"), ("service", "other"),
        lambda row: (row.service, f"{row.other}: {row.reason}"),
    ),
    "grant-items": Kind(
        "CLM-50", _("Budgets of grants by items"), REGISTER, forms.GrantItemForm, register.add_grant_item, GrantItem,
        "contract__organisation", ("contract__number", "service__code"), ("contract__organisation", "service"),
        lambda row: (row.contract, f"{row.service}: {amount(row.amount, row.contract.organisation.currency)}"),
    ),
    "other-payers": Kind(
        "CLM-29", _("Services paid by somebody else"), PEOPLE, forms.FundingForm, people.record_other_funding,
        OtherFunding, "recipient__organisation", ("recipient__code", "service__code"), ("recipient", "service"),
        lambda row: (row.recipient, f"{row.service}: {row.get_source_display()}, {row.reference}"),
    ),
    "state-tasks": Kind(
        "CLM-30", _("State tasks of providers"), PEOPLE, forms.StateTaskForm, people.record_state_task, StateTask,
        "service__organisation", ("provider__name", "service__code"), ("provider", "service", "recipient"),
        lambda row: (row.provider, f"{row.service}: {row.recipient or _('everybody')}, {row.reference}"),
    ),
    "emergencies": Kind(
        "CLM-47", _("Emergency services"), PEOPLE, forms.EmergencyForm, people.begin_emergency, EmergencyCase,
        "recipient__organisation", ("recipient__code", "service__code"), ("recipient", "service"),
        lambda row: (row.recipient, row.service),
    ),
    "complaints": Kind(
        "CLM-49", _("Complaints about visits"), PEOPLE, forms.ComplaintForm, people.open_complaint, VisitComplaint,
        "redemption__organisation", ("redemption__code", "text"), ("redemption",),
        lambda row: (row.redemption, row.text),
    ),
    "scans": Kind(
        "CLM-43", _("Places and times of scans"), PEOPLE, forms.ScanForm, people.record_scan, VisitScan,
        "redemption__organisation", ("redemption__code",), ("redemption__organisation",), _scan,
    ),
}  # fmt: skip
