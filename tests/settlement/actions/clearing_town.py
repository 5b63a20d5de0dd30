"""Two municipalities: Вербівка issues a certificate, a provider of Калинівка serves its holder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from config import roles
from config.accounts.models import Membership, Organisation, User
from config.audit.actors import Actor
from contracts.actions.clearing import offer_agreement, sign_agreement
from contracts.actions.past_norms import approve_past_norm
from contracts.models import (
    BudgetLine,
    ClearingAgreement,
    Contract,
    ContractLine,
    NormCost,
    Provider,
    Service,
    Territory,
    Worker,
    WorkerQualification,
)
from settlement.actions.adjudication import adjudicate_claims
from settlement.actions.claims import create_claim_from_redemptions, submit_claim
from settlement.actions.clearing import agree_statement, draw_statement
from settlement.actions.clearing_anew import work_out_anew
from settlement.models import AdjudicationRun, Claim, ClearingRevision, ClearingStatement, Statement, StatementLine
from tests.settlement.actions.paid import answered, released_run
from tests.settlement.gateways.orders import account
from tests.vouchers.town import KYIV, NOVEMBER_1, OCTOBER, VISIT, Town, build_town
from vouchers.actions.certificates import IssuedCertificate
from vouchers.actions.redemptions import authorise_redemption, confirm_redemption
from vouchers.models import Redemption

DECEMBER = datetime(2025, 12, 3, 10, 0, tzinfo=KYIV)
# When the issuer learns what its norm cost was, and what follows.
LEARNT = DECEMBER + timedelta(days=1)
LATER = LEARNT + timedelta(hours=1)


@dataclass
class Neighbours:
    """``home`` issued the certificate; ``host`` has a contract with the provider ``host.provider``."""

    home: Town
    host: Town
    issued: IssuedCertificate
    people: dict[str, Actor]

    def agree(self, norm: str = "host", home: Town | None = None, host: Town | None = None) -> ClearingAgreement:
        """An agreement of both sides from the first of November."""
        home, host = home or self.home, host or self.host
        row = offer_agreement(
            organisation=home.organisation, home=home.organisation, host=host.organisation, norm=norm,
            valid_from=NOVEMBER_1, last_day=None, actor=self.of(home, "admin"), at=OCTOBER,
        )  # fmt: skip
        return sign_agreement(
            organisation=host.organisation, agreement_id=row.pk, actor=self.of(host, "admin"), at=OCTOBER
        )

    def of(self, town: Town, role: str) -> Actor:
        """A person of a side."""
        return self.people[f"{role}@{town.organisation.code}"]

    def hold(
        self, town: Town, issued: IssuedCertificate, *, starts_at: datetime = VISIT, units: str = "2"
    ) -> Redemption:
        """At the door of a town's provider."""
        return authorise_redemption(
            certificate_key=issued.short_code, pin=issued.pin, provider=town.provider, worker_code=town.worker.code,
            service_code="015.1", starts_at=starts_at, units=Decimal(units), idempotency_key=f"{starts_at}{units}",
            actor=town.provider_actor, at=starts_at,
        )  # fmt: skip

    def visit(
        self, town: Town | None = None, issued: IssuedCertificate | None = None, *, starts_at: datetime = VISIT,
        units: str = "2",
    ) -> Redemption:  # fmt: skip
        """A visit of the holder at the host's provider, confirmed."""
        town = town or self.host
        held = self.hold(town, issued or self.issued, starts_at=starts_at, units=units)
        ends_at = starts_at + timedelta(hours=float(units))
        return confirm_redemption(
            redemption=held,
            provider=town.provider,
            units=Decimal(units),
            ends_at=ends_at,
            actor=town.provider_actor,
            at=ends_at,
        )

    def claim(self, town: Town | None = None, *, at: datetime = DECEMBER) -> Claim:
        """The provider's claim of November, submitted."""
        town = town or self.host
        claim = create_claim_from_redemptions(
            organisation=town.organisation, provider=town.provider, contract=town.contract, period=NOVEMBER_1,
            actor=town.provider_actor, at=at,
        )  # fmt: skip
        submit_claim(organisation=town.organisation, claim_id=claim.pk, actor=town.provider_actor, at=at)
        return Claim.objects.get(pk=claim.pk)

    def judge(self, town: Town | None = None, *, at: datetime = DECEMBER) -> AdjudicationRun:
        """The next run of November."""
        town = town or self.host
        run = adjudicate_claims(
            organisation=town.organisation, period=NOVEMBER_1, as_of=at.date(), actor=self.of(town, "maker"), at=at
        )
        assert run is not None
        return run

    def draw(self, town: Town | None = None, *, month: date = NOVEMBER_1, at: datetime = DECEMBER) -> ClearingStatement:
        """The statement of a month, drawn up by a side."""
        town = town or self.host
        other = self.home if town is self.host else self.host
        return draw_statement(
            organisation=town.organisation, other=other.organisation, month=month, actor=self.of(town, "maker"), at=at
        )

    def sign(self, statement: ClearingStatement, town: Town, *, at: datetime = DECEMBER) -> ClearingStatement:
        """A signature of a side."""
        return agree_statement(
            organisation=town.organisation, statement_id=statement.pk, actor=self.of(town, "checker"), at=at
        )

    def pay(self) -> None:
        """The host pays its provider, and its bank confirms it."""
        host, at = self.host.organisation, DECEMBER + timedelta(days=8)
        Organisation.objects.filter(pk=host.pk).update(iban=account(1))
        Provider.objects.filter(pk=self.host.provider.pk).update(iban=account(1001))
        host.refresh_from_db()
        people = {"halyna": self.of(self.host, "maker"), "ivan": self.of(self.host, "checker")}
        cast = {name: User.objects.get(pk=actor.user_id) for name, actor in people.items()}
        answered(released_run(host, cast, at), cast["halyna"], at)

    def put_right(self, rate: str, *, at: datetime = LEARNT, since: date = NOVEMBER_1) -> NormCost:
        """The issuer's norm cost of past days, drafted and approved."""
        home, people = self.home.organisation, []
        for name in ("norms.author", "norms.second"):
            user, _made = User.objects.get_or_create(username=name, defaults={"display_name": name})
            Membership.objects.get_or_create(user=user, organisation=home, role=roles.NORM_APPROVER)
            people.append(user)
        norm = NormCost.objects.create(
            organisation=home, service=self.home.service, unit_rate=Decimal(rate), valid_from=since, status="draft",
            reason="Рішення ради", author=people[0], recorded_at=at, status_at=at,
        )  # fmt: skip
        return approve_past_norm(norm=norm, actor=people[1].as_actor(), at=at)

    def anew(self, *, at: datetime = LATER) -> ClearingRevision:
        """The host works the refunds of its only agreement out anew."""
        host = self.host.organisation
        agreement = ClearingAgreement.objects.get(host=host)
        return work_out_anew(organisation=host, agreement_id=agreement.pk, actor=self.of(self.host, "maker"), at=at)

    def agreed(self) -> ClearingStatement:
        """One visit claimed, judged and agreed by both."""
        self.visit()
        self.claim()
        self.judge()
        statement = self.draw()
        self.sign(statement, self.home)
        return self.sign(statement, self.host)


def bank_line(organisation: Organisation, amount_minor: int, *, on: date = DECEMBER.date()) -> StatementLine:
    """A line of the organisation's bank that waits for an explanation."""
    iban = organisation.iban or "UA903052992990004149123456789"
    statement = Statement.objects.create(
        organisation=organisation, iban=iban, statement_id=f"S{amount_minor}", format="CSV",
        content_sha256=f"{amount_minor}", status="imported", imported_at=DECEMBER,
    )  # fmt: skip
    return StatementLine.objects.create(
        statement=statement, position=1, booked_on=on, amount_minor=amount_minor, currency="UAH", status="unmatched"
    )


def build_neighbours(home: Organisation, host: Organisation, cast: dict[str, User]) -> Neighbours:
    """Make both, with people of each side."""
    first = build_town(home, cast)
    owner = {"organisation": host}
    service = Service.objects.create(
        **owner, code="015.1", name_uk="Догляд у Калинівці", name_ru="Уход", name_en="Care", form="home", unit="hour",
        granularity=Decimal("0.25"),
    )  # fmt: skip
    NormCost.objects.create(
        **owner, service=service, unit_rate=Decimal("99.00"), valid_from=date(2025, 1, 1), status="approved",
        recorded_at=OCTOBER,
    )  # fmt: skip
    provider = Provider.objects.create(code="SUSIDY", name="Сусіди", sector="nonprofit", active_from=date(2025, 1, 1))
    worker = Worker.objects.create(code="S-1", provider=provider)
    WorkerQualification.objects.create(worker=worker, service=service, valid_from=date(2025, 1, 1), recorded_at=OCTOBER)
    line = BudgetLine.objects.create(**owner, code="SOC", year=2025, name="Послуги", amount="100000.00")
    contract = Contract.objects.create(
        **owner, number="C-2", provider=provider, budget_line=line, basis="award", valid_from=date(2025, 1, 1),
        status="active",
    )  # fmt: skip
    ContractLine.objects.create(contract=contract, service=service, unit_rate=Decimal("98.00"), recorded_at=OCTOBER)
    second = replace(
        first,
        organisation=host,
        territory=Territory.objects.create(**owner, code="MAIN", name="Калинівка", kind="rural"),
        service=service,
        budget_line=line,
        provider=provider,
        worker=worker,
        contract=contract,
        provider_actor=cast["taras"].as_actor(),
    )
    Provider.objects.filter(pk=first.provider.pk).update(active_from=date(2025, 1, 1), changed_at=OCTOBER)
    people = {}
    for code, office in ((home.code, home), (host.code, host)):
        for name, role in (
            ("admin", roles.ADMINISTRATOR), ("maker", roles.FINANCE_MAKER), ("checker", roles.FINANCE_CHECKER),
        ):  # fmt: skip
            user = User.objects.create(username=f"{name}.{code}", display_name=f"{name} {code}")
            Membership.objects.create(user=user, organisation=office, role=role)
            people[f"{name}@{code}"] = user.as_actor()
    return Neighbours(first, second, first.issue(income="2000.00"), people)
