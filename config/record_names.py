"""Records in words: "app.model:pk" as a person calls it. Knows no app: models are looked up by their labels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.law_words import parameter_title

# Kinds whose own name is not for people; the others say theirs (verbose_name).
KINDS: dict[str, Any] = {
    "accounts.accesstoken": _("access token"),
    "contracts.parameter": _("parameter"),
    "contracts.parameterproposal": _("proposed value of a parameter"),
    "contracts.providersuspension": _("suspension of a provider"),
    "contracts.milestone": _("milestone"),
    "contracts.tariff": _("tariff"),
    "contracts.tariffset": _("price list"),
    "contracts.territory": _("territory"),
    "contracts.worker": _("worker"),
    "procurement.commissionmember": _("commission member"),
    "procurement.complaint": _("complaint"),
    "settlement.account": _("ledger account"),
    "settlement.claimline": _("claim line"),
    "settlement.clearance": _("decision on a line that waited"),
    "settlement.closedmonth": _("closed month"),
    "settlement.entry": _("ledger entry"),
    "settlement.bankact": _("bank reconciliation act"),
    "settlement.statementlayout": _("columns of a bank's table"),
    "settlement.statement": _("bank statement"),
    "settlement.statementline": _("bank record"),
    "vouchers.absence": _("absence"),
    "vouchers.feeassessment": _("fee decision"),
    "vouchers.individualplan": _("individual plan"),
    "vouchers.needsassessment": _("needs assessment"),
}


@dataclass(frozen=True)
class Naming:
    """How rows of a model are called, and what must be read with them."""

    words: Callable[[Any], str]
    related: tuple[str, ...] = ()


def _since(day: Any) -> str:
    return gettext("from %(day)s") % {"day": date_format(day, "SHORT_DATE_FORMAT")}


def _disputed(row: Any) -> str:
    return f"{row.claim.number}, № {row.claim_line.line}" if row.claim_line else str(row.claim.number)


# Models whose text is for programs (keys of other rows); the others are called by their own text.
NAMINGS: dict[str, Naming] = {
    "contracts.clearingagreement": Naming(
        lambda row: f"{row.home} — {row.host}, {_since(row.valid_from)}", ("home", "host")
    ),
    "contracts.normcost": Naming(lambda row: f"{row.service}, {_since(row.valid_from)}", ("service",)),
    "contracts.parameter": Naming(lambda row: f"«{parameter_title(row.key)}», {_since(row.valid_from)}"),
    "contracts.parameterproposal": Naming(lambda row: f"«{parameter_title(row.key)}», {_since(row.valid_from)}"),
    "contracts.pastterms": Naming(
        lambda row: f"{row.contract}, {row.service}, {_since(row.valid_from)}", ("contract", "service")
    ),
    "contracts.providersuspension": Naming(lambda row: f"{row.provider}, {_since(row.from_date)}", ("provider",)),
    "contracts.tariff": Naming(lambda row: f"{row.service}, {row.provider}", ("service", "provider")),
    "procurement.bid": Naming(lambda row: f"№ {row.pk}, {row.tender.number}", ("tender",)),
    "procurement.commissionmember": Naming(lambda row: f"{row.user}, {row.tender.number}", ("user", "tender")),
    "procurement.complaint": Naming(lambda row: f"№ {row.pk}, {row.tender.number}", ("tender",)),
    "settlement.adjudicationrun": Naming(lambda row: f"{date_format(row.period, 'YEAR_MONTH_FORMAT')}, № {row.number}"),
    "settlement.appeal": Naming(_disputed, ("claim", "claim_line")),
    "settlement.bankact": Naming(lambda row: f"{date_format(row.month, 'YEAR_MONTH_FORMAT')}, № {row.number}"),
    "settlement.correctionobjection": Naming(
        lambda row: f"{row.correction.number}, {row.recipient.code}", ("correction", "recipient")
    ),
    "settlement.claimline": Naming(lambda row: f"{row.claim.number}, № {row.line}", ("claim",)),
    "settlement.clawbackreply": Naming(lambda row: row.case.number, ("case",)),
    "settlement.clearance": Naming(
        lambda row: f"{row.claim_line.claim.number}, № {row.claim_line.line}", ("claim_line__claim",)
    ),
    "settlement.closedmonth": Naming(lambda row: date_format(row.month, "YEAR_MONTH_FORMAT")),
    "settlement.paymenthold": Naming(
        lambda row: f"{row.target}, {_since(row.from_date)}", ("provider", "contract", "claim", "payment")
    ),
    "settlement.statementline": Naming(lambda row: f"{row.statement.statement_id}, № {row.position}", ("statement",)),
    "vouchers.absence": Naming(lambda row: f"{row.recipient}, {_since(row.from_date)}", ("recipient",)),
    "vouchers.feeobjection": Naming(lambda row: row.revision.number, ("revision",)),
    "vouchers.feeassessment": Naming(lambda row: f"{row.recipient}, {_since(row.valid_from)}", ("recipient",)),
}


def kind_of(model: str) -> str:
    """The kind of a record in words with a capital, its label when unknown."""
    try:
        name = str(KINDS.get(model) or apps.get_model(model)._meta.verbose_name)
    except (LookupError, ValueError):
        return model
    name = gettext(name)
    return name[:1].upper() + name[1:]


def names_of(labels: Iterable[str]) -> dict[str, str]:
    """Names of records by label, one query a kind; a record that is gone keeps its key."""
    by_model: dict[str, set[str]] = defaultdict(set)
    for label in labels:
        model, _colon, pk = label.partition(":")
        by_model[model].add(pk)
    return {key: name for model, keys in by_model.items() for key, name in _names(model, keys).items()}


def full_names_of(labels: Iterable[str]) -> dict[str, str]:
    """Kind and name of records by label: «Сертифікат CT-2025-0099»."""
    return {label: f"{kind_of(label.partition(':')[0])} {name}" for label, name in names_of(labels).items()}


def row_of(label: str) -> Model | None:
    """The row of a label, if there is one."""
    model, _colon, pk = label.partition(":")
    try:
        rows = apps.get_model(model)._base_manager
    except (LookupError, ValueError):
        return None
    return rows.filter(pk=int(pk)).first() if _is_key(pk) else None


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _names(model: str, keys: set[str]) -> dict[str, str]:
    names = {f"{model}:{key}": f"№ {key}" for key in keys}
    try:
        rows = apps.get_model(model)._base_manager
    except (LookupError, ValueError):
        return names
    naming = NAMINGS.get(model, Naming(str))
    found = rows.filter(pk__in=[int(key) for key in keys if _is_key(key)])
    found = found.select_related(*naming.related) if naming.related else found
    names.update({f"{model}:{row.pk}": naming.words(row) for row in found})
    return names
