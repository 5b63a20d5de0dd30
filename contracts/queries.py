"""Reads of the contracts app. Every list takes the reader's scope: the organisation, or a provider's own."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.apps import apps
from django.db.models import Case, Exists, F, Max, Min, OuterRef, Prefetch, Q, QuerySet, Sum, When

from config.accounts.models import Organisation, User
from config.clock import local_date
from config.periods import WorkingCalendar, add_working_days
from contracts.models import (
    BudgetEntry,
    BudgetLine,
    CalendarDay,
    ClearingAgreement,
    ClosedBudgetLine,
    Contract,
    ContractLine,
    NormCost,
    Parameter,
    ParameterProposal,
    Provider,
    ProviderUser,
    Service,
    Tariff,
    TariffSet,
    Territory,
    Worker,
    WorkerQualification,
)
from contracts.models.parameters import UNVERIFIED
from contracts.parameter_use import is_read
from contracts.parameters import FALLBACK, ParameterBook, confirmations, parameter_value

GRANT_CODES = "budget.grant_codes"


def provider_of(user: User) -> Provider | None:
    """The provider a person acts for."""
    return Provider.objects.filter(users__user=user).first()


def served_by_provider(user: User) -> Q:
    """Municipalities with which the person's provider has a contract."""
    return Q(pk__in=Contract.objects.filter(provider__users__user=user).values("organisation"))


def set_aside_minor(line: BudgetLine) -> int:
    """Everything set aside on a line, minor units."""
    return BudgetEntry.objects.filter(budget_line=line).aggregate(total=Sum("amount_minor"))["total"] or 0


def budget_lines(organisation: Organisation) -> QuerySet[BudgetLine]:
    """Lines with the sum set aside on each, newest year first."""
    rows = BudgetLine.objects.filter(organisation=organisation)
    return rows.annotate(used_minor=Sum("entries__amount_minor")).order_by("-year", "code")


def is_closed_line(line: BudgetLine) -> bool:
    """Whether the year of a line is closed."""
    return ClosedBudgetLine.objects.filter(budget_line=line).exists()


def lines_for_certificates(organisation: Organisation, on: date) -> QuerySet[BudgetLine]:
    """Lines that certificates may be charged to: none of grants, by economic code or by an agreement on the line."""
    codes = ParameterBook.load(organisation, (GRANT_CODES,)).get(GRANT_CODES, on)
    granted = Contract.objects.filter(organisation=organisation, basis="grant").exclude(status="cancelled")
    rows = BudgetLine.objects.filter(organisation=organisation).exclude(pk__in=granted.values("budget_line"))
    return rows.exclude(economic_code__in=codes.text.split() if codes else []).order_by("-year", "code")


def budget_totals(line: BudgetLine) -> dict[str, int]:
    """Minor units by kind of movement, and what is free."""
    rows = line.entries.values("kind").annotate(total=Sum("amount_minor"))
    totals = {kind: 0 for kind, _title in BudgetEntry.KINDS} | {row["kind"]: row["total"] for row in rows}
    totals["free"] = int(line.amount.amount * 100) - sum(totals.values())
    return totals


def norm_costs(organisation: Organisation) -> QuerySet[NormCost]:
    """Norm costs, the newest first."""
    rows = NormCost.objects.filter(organisation=organisation).select_related("service", "territory")
    return rows.order_by("service__code", "-valid_from", "-id")


def norm_cost_on(
    *,
    organisation: Organisation,
    service: Service,
    on: date,
    territory_id: int | None = None,
    recipient_class: str = "",
) -> NormCost | None:
    """The approved norm cost of a day: territory and class, territory, class, neither (NRM-1)."""
    rows = NormCost.objects.filter(
        Q(valid_to=None) | Q(valid_to__gt=on),
        Q(territory=None) | Q(territory_id=territory_id),
        organisation=organisation,
        service=service,
        status="approved",
        valid_from__lte=on,
        recipient_class__in=["", recipient_class],
    )
    return max(rows, key=lambda row: (row.territory_id is not None, row.recipient_class != ""), default=None)


def norm_ended_by(norm: NormCost) -> NormCost | None:
    """The approved norm of the same key that the approval of a draft ends the day before it begins.

    One that the draft does not outlive is not ended: its last days would be left without a norm.
    """
    outlived = Q(valid_to__gt=norm.valid_from)
    if norm.valid_to is not None:
        outlived &= Q(valid_to__lte=norm.valid_to)
    else:
        outlived |= Q(valid_to=None)
    return norms_of_key(norm).filter(outlived, valid_from__lt=norm.valid_from).select_related("service").first()


def norm_replaced_by(norm: NormCost) -> NormCost | None:
    """The approved norm of the same key that held on the first day of a draft for past days."""
    still = Q(valid_to=None) | Q(valid_to__gt=norm.valid_from)
    return norms_of_key(norm).filter(still, valid_from__lte=norm.valid_from).select_related("service").first()


def norm_would_end(norm: NormCost) -> date | None:
    """The first day after a draft for past days: when what it replaces would have ended, or the next one begins.

    Its own where no other norm follows; one that leaves days without a norm is refused, see ``norm_leaves_days``.
    """
    replaced = norm_replaced_by(norm)
    ends = (norm.valid_to, replaced.valid_to if replaced else None, _next_begins(norm))
    return min((end for end in ends if end is not None), default=None)


def norm_leaves_days(norm: NormCost) -> date | None:
    """The first day that a draft for past days would leave without a norm: it ends before the one that it replaces.

    Where it replaces none, before the next one begins.
    """
    if norm.valid_to is None:
        return None
    replaced = norm_replaced_by(norm)
    needed = replaced.valid_to if replaced else _next_begins(norm) or norm.valid_to
    return norm.valid_to if needed is None or norm.valid_to < needed else None


def _next_begins(norm: NormCost) -> date | None:
    later = norms_of_key(norm).filter(valid_from__gt=norm.valid_from)
    first: date | None = later.aggregate(first=Min("valid_from"))["first"]
    return first


def norms_of_key(norm: NormCost) -> QuerySet[NormCost]:
    """Approved norms of the same service, territory and class."""
    return NormCost.objects.filter(
        organisation=norm.organisation_id,
        service=norm.service_id,
        territory=norm.territory_id,
        recipient_class=norm.recipient_class,
        status="approved",
    )


def providers(search: str = "") -> QuerySet[Provider]:
    """The register, by name."""
    rows = Provider.objects.prefetch_related("suspensions").order_by("name", "id")
    if search:
        rows = rows.filter(
            Q(name__icontains=search) | Q(code__icontains=search) | Q(registration_code__startswith=search)
        )
    return rows


def contracts_of_office(organisation: Organisation) -> QuerySet[Contract]:
    """All contracts of an organisation, newest first."""
    rows = Contract.objects.filter(organisation=organisation).select_related("provider", "budget_line")
    return rows.order_by("-valid_from", "-id")


def contracts_of_provider(provider: Provider | None) -> QuerySet[Contract]:
    """A provider's own contracts with every organisation."""
    rows = Contract.objects.filter(provider=provider) if provider else Contract.objects.none()
    return rows.select_related("provider", "budget_line", "organisation").order_by("-valid_from", "-id")


def contract_line_on(*, contract: Contract, service: Service, on: date) -> ContractLine | None:
    """The priced line of a service in force on a day; blank dates are the contract's."""
    rows = contract.lines.filter(service=service)
    for row in rows:
        start, end = row.valid_from or contract.valid_from, row.valid_to or contract.valid_to
        if start <= on and (end is None or on < end):
            return row
    return None


def next_contract_line(*, contract: Contract, service: Service, after: date) -> date | None:
    """The first day of terms of a service that were agreed for a later day."""
    rows = contract.lines.filter(service=service, valid_from__gt=after)
    first: date | None = rows.aggregate(first=Min("valid_from"))["first"]
    return first


def services_of_contract(contract: Contract) -> QuerySet[Service]:
    """What a contract has prices for, by code."""
    return Service.objects.filter(pk__in=contract.lines.values("service")).order_by("code")


def parameters(organisation: Organisation, *, search: str = "", on: date | None = None) -> QuerySet[Parameter]:
    """National rows of the jurisdiction and the organisation's own; ``on`` keeps those in force."""
    rows = Parameter.objects.filter(
        Q(organisation=None) | Q(organisation=organisation), jurisdiction=organisation.jurisdiction
    )
    if search:
        rows = rows.filter(Q(key__icontains=search) | Q(act__icontains=search) | Q(note__icontains=search))
    if on is not None:
        rows = rows.filter(Q(valid_to=None) | Q(valid_to__gt=on), valid_from__lte=on)
    return rows.order_by("key", "-valid_from", "id")


def rows_of_key(organisation: Organisation, key: str) -> QuerySet[Parameter]:
    """Every dated value of a key that may count for the organisation: its own, national and general ones.

    The values that win come first, the latest of them at the top.
    """
    own = Q(organisation=organisation, jurisdiction=organisation.jurisdiction)
    national = Q(organisation=None, jurisdiction__in=[organisation.jurisdiction, FALLBACK])
    of_jurisdiction = Case(When(jurisdiction=FALLBACK, then=1), default=0)
    rows = Parameter.objects.filter(own | national, key=key).select_related("recorded_by")
    return rows.order_by(F("organisation").asc(nulls_last=True), of_jurisdiction, "-valid_from")


def unverified_parameters(organisation: Organisation, on: date) -> QuerySet[Parameter]:
    """Values in force or to come that nobody has verified or confirmed and that a calculation reads.

    National ones in whose place stands an own value are left out.
    """
    still = Q(valid_to=None) | Q(valid_to__gt=on)
    own = Parameter.objects.filter(still, organisation=organisation, key=OuterRef("key"))
    confirmed = confirmations(organisation).filter(
        key=OuterRef("key"), valid_from=OuterRef("valid_from"), value=OuterRef("value")
    )
    rows = Parameter.objects.filter(still, ~Exists(confirmed), evidence__in=UNVERIFIED).filter(
        Q(organisation=organisation) | Q(~Exists(own), organisation=None, jurisdiction=organisation.jurisdiction)
    )
    read = {key for key in rows.order_by().values_list("key", flat=True).distinct() if is_read(key)}
    return rows.filter(key__in=read).order_by("key", "valid_from")


def parameter_proposals(organisation: Organisation) -> QuerySet[ParameterProposal]:
    """Values that were written down for approval, newest first."""
    rows = ParameterProposal.objects.filter(organisation=organisation).select_related("author", "approver")
    return rows.order_by("-id")


def closed_until(organisation: Organisation) -> date | None:
    """The first day after the last closed month; the months belong to an app above and are asked for by name."""
    months = apps.get_model("settlement", "ClosedMonth")._default_manager.filter(organisation=organisation)
    last: date | None = months.aggregate(last=Max("month"))["last"]
    return (last.replace(day=1) + timedelta(days=32)).replace(day=1) if last else None


def working_calendar(organisation: Organisation) -> WorkingCalendar:
    """Days that differ from the Monday-to-Friday rule in the organisation's jurisdiction; its own rows win."""
    kinds: dict[date, str] = {}
    rows = CalendarDay.objects.filter(
        Q(organisation=None) | Q(organisation=organisation), jurisdiction=organisation.jurisdiction
    ).order_by(F("organisation").asc(nulls_first=True))
    for day, kind in rows.values_list("date", "kind"):
        kinds[day] = kind
    return WorkingCalendar(
        off=frozenset(day for day, kind in kinds.items() if kind == "off"),
        working=frozenset(day for day, kind in kinds.items() if kind == "working"),
    )


def term_ends(organisation: Organisation, key: str, since: datetime) -> date:
    """The last day of a term: working days by a parameter, from the day of a moment on. Raises: ParameterMissing."""
    day = local_date(since, organisation.zone)
    return add_working_days(day, parameter_value(organisation, key, day).whole, working_calendar(organisation))


def territories(organisation: Organisation, *, search: str = "") -> QuerySet[Territory]:
    """Parts of the municipality, by name."""
    rows = Territory.objects.filter(organisation=organisation).select_related("parent").order_by("name", "id")
    return rows.filter(Q(name__icontains=search) | Q(code__istartswith=search)) if search else rows


def workers(provider: Provider, *, search: str = "") -> QuerySet[Worker]:
    """A provider's workers with what they are qualified for, by code."""
    held = WorkerQualification.objects.select_related("service__organisation").order_by("service__code", "valid_from")
    rows = provider.workers.prefetch_related(Prefetch("qualifications", queryset=held)).order_by("code")
    return rows.filter(code__icontains=search) if search else rows


def services(organisation: Organisation, *, search: str = "") -> QuerySet[Service]:
    """The catalogue, by code."""
    rows = Service.objects.filter(organisation=organisation).order_by("code")
    if search:
        rows = rows.filter(Q(name_uk__icontains=search) | Q(name_ru__icontains=search) | Q(code__istartswith=search))
    return rows


def service_in_use(service: Service) -> bool:
    """Whether any record, of this app or of those above, refers to the service."""
    return any(
        relation.field.model._default_manager.filter(**{relation.field.name: service}).exists()
        for relation in Service._meta.related_objects
    )


def tariff_sets(organisation: Organisation, *, search: str = "") -> QuerySet[TariffSet]:
    """Price lists of the organisation, newest first."""
    rows = TariffSet.objects.filter(organisation=organisation).select_related("provider")
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(provider__name__icontains=search) | Q(basis__icontains=search))
    return rows.order_by("-valid_from", "-id")


def tariffs(provider: Provider, organisation: Organisation) -> QuerySet[Tariff]:
    """Public prices of a provider in the organisation's catalogue, the newest of each service first."""
    rows = provider.tariffs.filter(service__organisation=organisation).select_related("service")
    return rows.order_by("service__code", "payer_kind", "-valid_from")


def representative(provider_id: int) -> ProviderUser | None:
    """The first person appointed to act for a provider."""
    return ProviderUser.objects.filter(provider_id=provider_id).order_by("id").first()


def clearing_agreements(organisation: Organisation) -> QuerySet[ClearingAgreement]:
    """Agreements with other municipalities, in either direction, the newest first."""
    rows = ClearingAgreement.objects.filter(Q(home=organisation) | Q(host=organisation))
    people = ("home_signed_by", "host_signed_by")
    return rows.select_related("home", "host", "territory", *people).order_by("-valid_from", "-id")


def clearing_agreements_on(home_id: int, on: date) -> QuerySet[ClearingAgreement]:
    """Agreements of both sides under which certificates of a municipality are accepted elsewhere on a day."""
    rows = ClearingAgreement.objects.filter(Q(valid_to=None) | Q(valid_to__gt=on), home=home_id, valid_from__lte=on)
    return rows.exclude(home_signed_by=None).exclude(host_signed_by=None).select_related("host", "territory")
