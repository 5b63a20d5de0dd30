"""Double entry: accounts, balanced entries, postings of one debit or one credit. Integer minor units.

A statement-level trigger with transition tables refuses postings whose entry does not balance per currency (all
postings of an entry arrive in one statement), and entries dated in a closed month.
"""

from __future__ import annotations

from textwrap import wrap

from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from contracts.models import BudgetLine, Provider

# Kind of an account to what stands on it; ``whose``: the provider, the budget line or the IBAN.
ACCOUNT_TITLES = {
    "expense": _("Cost of services, %(whose)s"),
    "payable": _("Owed to %(whose)s"),
    "fee": _("Recipients' own part of the cost, %(whose)s"),
    "clearing": _("Payments sent and not yet confirmed by the bank"),
    "bank": _("Money at the bank, account %(whose)s"),
    "suspense": _("Receipts and charges of the bank that are no payments"),
    "funding": _("Money that stood at the banks at the beginning"),
    "receivable": _("Fees that recipients still have to pay"),
    "held": _("Fees held for %(whose)s"),
    "card": _("Money of card payments at Stripe"),
    "result": _("What the services of %(whose)s cost the budget"),
    "recovery": _("Money that %(whose)s has to give back"),
    "advance": _("Advances of %(whose)s that are not used yet"),
    "neighbour": _("Due from %(whose)s for visits of its certificates, less what is due to it"),
}


class Account(models.Model):
    """A ledger account, e.g. ``expense:home-care-2025``, ``payable:P1``, ``clearing:bank``, ``bank:UA66…``."""

    KINDS = [
        ("expense", _("expense")),
        ("payable", _("payable to providers")),
        ("fee", _("recipients' fees")),
        ("clearing", _("payments on the way")),
        ("bank", _("bank")),
        ("suspense", _("unexplained receipts")),
        ("funding", _("budget funding")),
        ("receivable", _("fees to come from recipients")),
        ("held", _("fees held for providers")),
        ("card", _("balance of card payments")),
        ("result", _("results of closed years")),
        ("recovery", _("to come back from providers")),
        ("advance", _("advances to providers")),
        ("neighbour", _("clearing with other municipalities")),
    ]

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    code = models.CharField(max_length=140)
    kind = models.CharField(max_length=12, choices=KINDS)
    currency = models.CharField(max_length=3)
    budget_line = models.ForeignKey(BudgetLine, on_delete=models.PROTECT, null=True, blank=True)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, null=True, blank=True)
    neighbour = models.ForeignKey(Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("account")
        constraints = [models.UniqueConstraint(fields=["organisation", "code"], name="account_once")]

    def __str__(self) -> str:
        return self.code

    @property
    def title(self) -> str:
        """What stands on the account, in the reader's language."""
        number = self.code.partition(":")[2]
        whose = self.provider or self.budget_line or self.neighbour or " ".join(wrap(number, 4))
        return str(ACCOUNT_TITLES[self.kind]) % {"whose": whose}


class Entry(AppendOnlyModel):
    """A balanced set of postings with its cause: ``event`` names the row of the posting plan, ``label`` the
    "app.model:pk" that caused it, ``key`` makes it unique (posting the same fact twice is refused).
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    date = models.DateField()
    event = models.CharField(max_length=40)
    label = models.CharField(max_length=80)
    key = models.CharField(max_length=160)
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)

    class Meta:
        verbose_name = _("ledger entry")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "key"], name="entry_key_once"),
            models.UniqueConstraint(fields=["organisation", "number"], name="entry_number_once"),
        ]
        indexes = [models.Index(fields=["label"], name="entry_label")]
        triggers = append_only("entry")

    def __str__(self) -> str:
        return self.number


class Posting(AppendOnlyModel):
    """One debit or one credit, both non-negative, exactly one filled. ``date`` is that of the entry; the database
    compares them.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="postings", db_constraint=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings", db_constraint=False)
    date = models.DateField()
    debit = models.BigIntegerField(default=0)
    credit = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    claim_id = models.BigIntegerField(null=True)
    payment_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="posting_one_side",
                condition=models.Q(debit__gt=0, credit=0) | models.Q(debit=0, credit__gt=0),
            ),
        ]
        indexes = [
            models.Index(fields=["account", "date", "id"], name="posting_account", include=["debit", "credit"]),
            models.Index(fields=["claim_id"], name="posting_claim", condition=models.Q(claim_id__isnull=False)),
            models.Index(fields=["payment_id"], name="posting_payment", condition=models.Q(payment_id__isnull=False)),
        ]
        triggers = append_only("posting")

    def __str__(self) -> str:
        return f"{self.entry_id} {self.account_id} {self.debit}/{self.credit}"


class ClosedMonth(AppendOnlyModel):
    """A month of an organisation into which nothing is posted any more. ``figures`` and ``providers`` are those of the
    closing, minor units; what comes later does not change them.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    month = models.DateField()
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT)
    closed_at = models.DateTimeField()
    checks = models.JSONField(default=list)
    figures = models.JSONField(default=dict)
    providers = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organisation", "month"], name="closed_month_once"),
            models.CheckConstraint(name="closed_month_first_day", condition=models.Q(month__day=1)),
        ]
        triggers = append_only("closed_month")

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"
