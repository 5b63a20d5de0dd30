"""Claims as evidence, and what a run made of them. Bulk figures are integers: minor units of the organisation's
currency, units in thousandths, rates in ten-thousandths.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from config.accounts.models import Organisation, User
from config.fields import AppendOnlyModel, append_only
from config.states import StatefulModel, StateTable
from contracts.models import Contract, Provider, Service, Worker
from vouchers.models import Certificate, Redemption

CLAIM_STATES = StateTable(
    moves={
        "draft": frozenset({"submitted", "withdrawn"}),
        "submitted": frozenset({"adjudicated", "returned", "withdrawn", "rejected"}),
        "returned": frozenset({"submitted", "withdrawn", "rejected"}),
        "adjudicated": frozenset({"scheduled", "disputed", "paid", "rejected", "reversed"}),
        "disputed": frozenset({"adjudicated", "rejected", "reversed"}),
        "scheduled": frozenset({"paid", "adjudicated", "disputed", "reversed"}),
        "paid": frozenset({"reversed", "adjudicated", "disputed", "scheduled"}),
        "rejected": frozenset({"disputed", "reversed"}),
    },
    initial=frozenset({"draft", "submitted", "returned", "withdrawn"}),
)

# A claim that asks for nothing any more: its visits may be claimed again. One that was rejected without a run was
# never judged: it was returned, and its correction did not come in time.
ASKS_NOTHING = "(k.status IN ('withdrawn', 'reversed') OR k.status = 'rejected' AND k.run IS NULL)"

RUN_STATES = StateTable(moves={"open": frozenset({"done"})}, initial=frozenset({"open", "done"}))


class Claim(StatefulModel):
    """A provider's demand for a month. ``period`` is the first day of the month.

    ``contract_number`` is kept as written; ``contract`` is resolved or absent. ``run`` is the number of the run that
    adjudicated it (or, for an imported history, that will). ``reverses`` points at the claim it takes back.
    """

    STATES = CLAIM_STATES
    # Lines were decided about, and nobody took the claim back.
    JUDGED = ("adjudicated", "disputed", "scheduled", "paid", "rejected")

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    number = models.CharField(max_length=64)
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="claims")
    contract_number = models.CharField(max_length=64, blank=True)
    contract = models.ForeignKey(Contract, on_delete=models.PROTECT, null=True, blank=True, related_name="claims")
    period = models.DateField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    submitted_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True)
    run = models.PositiveIntegerField(null=True, blank=True)
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversals")
    # Came with a package: findings of checks that a package cannot decide come with it too, and are not looked for.
    imported = models.BooleanField(default=False, db_default=False)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("claim")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "number"], name="claim_once"),
            models.CheckConstraint(name="claim_period_month", condition=models.Q(period__day=1)),
        ]
        indexes = [models.Index(fields=["organisation", "period", "status"], name="claim_period")]
        triggers = [
            *CLAIM_STATES.triggers("claim"),
            # The office's own claim: no provider takes it out of a run's way.
            pgtrigger.Trigger(
                name="claim_reversal_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Q(
                    new__reverses__isnull=False, old__status="submitted", new__status__in=("withdrawn", "returned")
                ),
                func="""
    RAISE EXCEPTION 'claim % takes another one back and is neither withdrawn nor returned', NEW.number
        USING ERRCODE = 'check_violation', CONSTRAINT = 'claim_reversal_stays';
    """,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def reversals_in_force(self) -> models.QuerySet[Claim]:
        """Claims that take this one back: one at most."""
        return self.reversals.exclude(status="withdrawn")


class ClaimLine(models.Model):
    """One visit of a claim, kept as it was written: codes as text, resolved keys absent when unknown.

    ``amount_e4`` is in ten-thousandths of the currency, because a wrong amount may carry more than 2 places.
    Frozen by a trigger once its claim has left draft or returned.
    """

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="lines")
    line = models.PositiveIntegerField()
    redemption_code = models.CharField(max_length=64, blank=True)
    certificate_number = models.CharField(max_length=64, blank=True)
    service_code = models.CharField(max_length=64, blank=True)
    service_date = models.DateField()
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    worker_code = models.CharField(max_length=64, blank=True)
    units_milli = models.BigIntegerField()
    unit_rate_e4 = models.BigIntegerField()
    amount_e4 = models.BigIntegerField()
    redemption = models.ForeignKey(Redemption, on_delete=models.PROTECT, null=True, blank=True)
    certificate = models.ForeignKey(Certificate, on_delete=models.PROTECT, null=True, blank=True)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True)
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim", "line"], name="claim_line_once"),
            models.CheckConstraint(
                name="claim_line_positive", condition=models.Q(units_milli__gt=0, unit_rate_e4__gt=0)
            ),
        ]
        # Few: a code that is known when the line comes is a key.
        indexes = [
            models.Index(
                fields=["claim"],
                name="claim_line_unresolved",
                condition=~models.Q(redemption_code="") & models.Q(redemption=None)
                | ~models.Q(certificate_number="") & models.Q(certificate=None)
                | ~models.Q(worker_code="") & models.Q(worker=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_id}/{self.line}"


class AdjudicationRun(StatefulModel):
    """All submitted claims of a month, judged together. ``number`` counts from 1 in each month.

    ``digest`` is the sha256 over the sorted output; ``parameters`` the ids and values of the dated law it used.
    """

    STATES = RUN_STATES

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    period = models.DateField()
    number = models.PositiveIntegerField()
    as_of = models.DateField()
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True)
    recorded_at = models.DateTimeField()
    lines = models.PositiveIntegerField(default=0)
    amount_claimed_minor = models.BigIntegerField(default=0)
    gross_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    payable_minor = models.BigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True)
    parameters = models.JSONField(default=list)
    # The moment whose knowledge it judged by, and fingerprints of its rules and facts: what a replay needs.
    known_at = models.DateTimeField()
    receipt = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("adjudication run")
        constraints = [
            models.UniqueConstraint(fields=["organisation", "period", "number"], name="adjudication_run_once"),
            models.CheckConstraint(name="adjudication_run_month", condition=models.Q(period__day=1)),
        ]
        triggers = RUN_STATES.triggers("adjudication_run")

    def __str__(self) -> str:
        return f"{self.period:%Y-%m}/{self.number}"


class Adjudication(AppendOnlyModel):
    """The reasoned outcome of one line in one run. amount_claimed = sum of R, P, C finding amounts + gross.

    ``claim`` is the claim the row belongs to: the line's own, or the reversing claim for an opposite row, which names
    the row it takes back (a line that waited and was then cleared has two, and both are taken back). Rows come by the
    hundred thousand: a trigger proves their references set-wise, foreign keys would cost as much as the whole run.
    """

    OUTCOMES = [
        ("accepted", _("accepted")),
        ("reduced", _("reduced")),
        ("rejected", _("rejected")),
        ("pended", _("waiting for a person")),
    ]

    run = models.ForeignKey(
        AdjudicationRun, on_delete=models.PROTECT, related_name="adjudications", db_constraint=False
    )
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="adjudications", db_constraint=False)
    claim_line = models.ForeignKey(
        ClaimLine, on_delete=models.PROTECT, related_name="adjudications", db_constraint=False
    )
    units_claimed = models.BigIntegerField()
    units_allowed = models.BigIntegerField()
    rate_claimed = models.BigIntegerField()
    rate_allowed = models.BigIntegerField()
    amount_claimed = models.BigIntegerField()
    gross = models.BigIntegerField()
    fee = models.BigIntegerField()
    payable = models.BigIntegerField()
    outcome = models.CharField(max_length=8, choices=OUTCOMES)
    reverses = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, db_index=False, db_constraint=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "claim_line"], name="adjudication_once", condition=models.Q(reverses__isnull=True)
            ),
            models.UniqueConstraint(
                fields=["reverses"], name="adjudication_reversed_once", condition=models.Q(reverses__isnull=False)
            ),
            models.CheckConstraint(
                name="adjudication_payable", condition=models.Q(payable=models.F("gross") - models.F("fee"))
            ),
        ]
        triggers = append_only("adjudication")

    def __str__(self) -> str:
        return f"{self.run_id} {self.claim_line_id} {self.outcome}"


class Finding(AppendOnlyModel):
    """What one check said about one line in one run. ``detail`` holds the figures behind it."""

    SEVERITIES = [("R", _("rejects")), ("P", _("asks a person")), ("C", _("cuts")), ("W", _("warns"))]

    run = models.ForeignKey(AdjudicationRun, on_delete=models.PROTECT, related_name="findings", db_constraint=False)
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="findings", db_constraint=False)
    check_code = models.CharField(max_length=8)
    severity = models.CharField(max_length=1, choices=SEVERITIES)
    units = models.BigIntegerField(default=0)
    amount = models.BigIntegerField(default=0)
    detail = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "claim_line", "check_code"], name="finding_once"),
        ]
        triggers = append_only("finding")

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.check_code}"


class PendProposal(AppendOnlyModel):
    """A person proposes with a reason to lift a pend; another confirms (``Clearance``) or refuses (``KeptPend``)."""

    run = models.ForeignKey(AdjudicationRun, on_delete=models.PROTECT, related_name="pend_proposals")
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="pend_proposals")
    check_code = models.CharField(max_length=8)
    proposed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=400)
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("proposal to lift a pend")
        constraints = [models.CheckConstraint(name="pend_proposal_reason", condition=~models.Q(reason=""))]
        triggers = append_only("pend_proposal")

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.check_code}"


class PendAssignment(AppendOnlyModel):
    """Who works on a pend; the latest row of a line and check counts, and nobody when it names nobody."""

    run = models.ForeignKey(AdjudicationRun, on_delete=models.PROTECT, related_name="pend_assignments")
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="pend_assignments")
    check_code = models.CharField(max_length=8)
    assigned_to = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    assigned_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("assignment of a pend")
        triggers = append_only("pend_assignment")

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.check_code}"


_TWO_PERSONS = """
    IF NEW.proposal_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM settlement_pendproposal p WHERE p.id = NEW.proposal_id AND p.claim_line_id = NEW.claim_line_id
          AND p.check_code = NEW.check_code AND p.proposed_by_id <> NEW.confirmed_by_id) THEN
        RAISE EXCEPTION 'a pend is lifted by two persons' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
"""


class Clearance(AppendOnlyModel):
    """Two persons' decision that a pend is lifted; the line is judged again in run ``run`` of its claim's month.

    ``given``: it came with a package, which names one person and no proposal.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    run = models.PositiveIntegerField()
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="clearances")
    check_code = models.CharField(max_length=8)
    decided_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=400, blank=True)
    given = models.BooleanField(default=False)
    proposal = models.OneToOneField(PendProposal, on_delete=models.PROTECT, null=True, related_name="clearance")
    confirmed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "claim_line", "check_code"], name="clearance_once"),
            models.CheckConstraint(
                name="clearance_two_persons",
                condition=models.Q(given=True, proposal=None, confirmed_by=None)
                | models.Q(given=False, proposal__isnull=False, confirmed_by__isnull=False),
            ),
        ]
        triggers = [
            *append_only("clearance"),
            pgtrigger.Trigger(
                name="clearance_two_persons", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_TWO_PERSONS
            ),
        ]

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.check_code}"


class GivenFinding(AppendOnlyModel):
    """A finding that came with a package: of a check that a package cannot decide. It enters run ``run`` of its claim's
    month when the line is judged in it; ``detail`` stays as it was written. Units thousandths, amount minor units.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    run = models.PositiveIntegerField()
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="given_findings")
    check_code = models.CharField(max_length=8)
    severity = models.CharField(max_length=1, choices=Finding.SEVERITIES)
    units = models.BigIntegerField()
    amount = models.BigIntegerField()
    detail = models.TextField(blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["claim_line", "run", "check_code"], name="given_finding_once"),
            models.CheckConstraint(name="given_finding_figures", condition=models.Q(units__gte=0, amount__gte=0)),
        ]
        triggers = append_only("given_finding")

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.check_code}"


class KeptPend(AppendOnlyModel):
    """A person's decision that a pend stays: the line is not paid, and its provider reads why.

    It refuses the proposal that it names, if there was one; the latest decision of a run is the one in force.
    """

    run = models.ForeignKey(AdjudicationRun, on_delete=models.PROTECT, related_name="kept_pends")
    claim_line = models.ForeignKey(ClaimLine, on_delete=models.PROTECT, related_name="kept_pends")
    check_code = models.CharField(max_length=8)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT)
    reason = models.CharField(max_length=400)
    proposal = models.OneToOneField(PendProposal, on_delete=models.PROTECT, null=True, related_name="refusal")
    recorded_at = models.DateTimeField()

    class Meta:
        verbose_name = _("decision that a line is not paid")
        constraints = [
            models.CheckConstraint(name="kept_pend_reason", condition=~models.Q(reason="")),
        ]
        triggers = append_only("kept_pend")

    def __str__(self) -> str:
        return f"{self.claim_line_id} {self.check_code}"


class Remittance(AppendOnlyModel):
    """What a run makes of one claim: amount_claimed = reductions + pended + gross; payable = gross - fee - offsets."""

    run = models.ForeignKey(AdjudicationRun, on_delete=models.PROTECT, related_name="remittances")
    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="remittances")
    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="remittances")
    amount_claimed = models.BigIntegerField()
    reductions = models.BigIntegerField()
    pended = models.BigIntegerField()
    gross = models.BigIntegerField()
    fee = models.BigIntegerField()
    offsets = models.BigIntegerField(default=0)
    payable = models.BigIntegerField()

    class Meta:
        verbose_name = _("remittance")
        constraints = [
            models.UniqueConstraint(fields=["run", "claim"], name="remittance_once"),
            models.CheckConstraint(
                name="remittance_identity",
                condition=models.Q(amount_claimed=models.F("reductions") + models.F("pended") + models.F("gross"))
                & models.Q(payable=models.F("gross") - models.F("fee") - models.F("offsets")),
            ),
        ]
        triggers = append_only("remittance")

    def __str__(self) -> str:
        return f"{self.run_id} {self.claim_id}"
