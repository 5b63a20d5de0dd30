"""Claims as EN 16931 invoices (UBL 2.1): read as evidence with what does not agree, and written.

A line names its visit by BT-128 (the redemption code) and by item attributes (``certificate``, ``worker``, ``start``,
``end``); BT-155 is the service code, BT-134 its day. docs/decisions/0022 says why.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from lxml import etree

from config.accounts.models import Organisation
from config.errors import DomainError
from config.money import from_minor, from_rate, from_units, read_number, round_half_up
from contracts.models import Contract, Provider
from settlement.claim_rows import LineDraft, read_claim_rows
from settlement.gateways.base import GatewayError
from settlement.gateways.xml_tools import children, find, iterate, printable, text_at
from settlement.models import Claim, ClaimLine
from settlement.statement_words import unreadable_words

INVOICE = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
PROFILE = "urn:cen.eu:en16931:2017"
# Codes of UNTDID 1001, 1153 and 4461 and of UN/ECE Recommendation 20.
COMMERCIAL_INVOICE, OBJECT, CREDIT_TRANSFER = "380", "130", "30"
# BT-32 stands beside any scheme that is not "VAT".
LOCAL_TAX = "TAX"
UNITS = {"hour": "HUR", "day": "DAY", "visit": "C62", "trip": "C62"}


class InvoiceUnreadable(DomainError):
    """Not an invoice that can be read safely."""

    code = "INVOICE_UNREADABLE"
    message = _("This file is no UBL 2.1 invoice that can be read: %(reason)s. Export it again as EN 16931, UBL.")
    http_status = 400


class InvoiceIncomplete(DomainError):
    """The standard asks for something of the parties that is not on record."""

    code = "INVOICE_INCOMPLETE"
    message = _(
        "The electronic invoice cannot be written: %(missing)s of «%(party)s» is not on record. "
        "Ask the municipality to add it."
    )


FINDINGS = {
    "PROFILE": _("The invoice does not say that it follows EN 16931 (BT-24): «%(said)s»."),
    "CURRENCY": _("The invoice is in %(said)s; the contract pays in %(known)s."),
    "CONTRACT": _("The invoice names contract «%(said)s», the claim is for «%(known)s»."),
    "SELLER": _("The seller of the invoice has the code «%(said)s», the provider «%(known)s»."),
    "BUYER": _("The buyer of the invoice has the code «%(said)s», the organisation «%(known)s»."),
    "LINE_SUM": _("Line %(line)s: quantity times price give %(known)s, the invoice says %(said)s."),
    "SUM": _("The lines add up to %(known)s, the invoice says %(said)s (BT-106)."),
    "PAYABLE": _(
        "The invoice asks for %(said)s; its lines add up to %(known)s. Taxes and advances are not claimed here."
    ),
}


@dataclass(frozen=True)
class InvoiceFinding:
    """Where an invoice disagrees; it is read all the same, and adjudication judges its lines."""

    code: str
    params: dict[str, str]

    @property
    def sentence(self) -> str:
        """In the reader's language."""
        return str(FINDINGS[self.code]) % self.params


@dataclass(frozen=True)
class Known:
    """What the claim is about, to compare with."""

    currency: str
    contract: str
    seller: str
    buyer: str


@dataclass(frozen=True)
class InvoiceRead:
    """Lines as drafts, and what the invoice says otherwise."""

    number: str
    lines: list[LineDraft]
    findings: list[InvoiceFinding]


def read_invoice(content: bytes, *, zone: str, known: Known) -> InvoiceRead:
    """Read an invoice without entities, network or document types.

    Money: line amounts keep up to 4 places as they were written. Raises: InvoiceUnreadable, ClaimRowsRefused.
    """
    root = _root(content)
    rows = [_row(line) for line in children(root, "InvoiceLine")]
    if not rows:
        raise InvoiceUnreadable(reason=str(_("it has no lines")))
    lines = read_claim_rows(rows, zone=zone)
    return InvoiceRead(text_at(root, "ID"), lines, [*_heads(root, known), *_sums(root, lines)])


def known_of(contract: Contract) -> Known:
    """What an invoice about a contract has to say."""
    office, provider = contract.organisation, contract.provider
    return Known(office.currency, contract.number, provider.registration_code, office.registration_code)


def _root(content: bytes) -> etree._Element:
    root: etree._Element | None = None
    try:
        for _event, element in iterate(content):
            root = element if root is None else root
    except GatewayError as error:
        raise InvoiceUnreadable(reason=unreadable_words(error.code, error.params), reason_code=error.code) from error
    if root is None or root.tag != f"{{{INVOICE}}}Invoice":
        raise InvoiceUnreadable(reason=str(_("it is another kind of document")))
    return root


def _row(line: etree._Element) -> dict[str, str]:
    """A line as a row of a spreadsheet, so that its cells are refused in the same words."""
    item = find(line, "Item")
    said = {
        text_at(entry, "Name"): text_at(entry, "Value")
        for entry in (children(item, "AdditionalItemProperty") if item is not None else [])
    }
    return {
        "redemption_code": text_at(line, "DocumentReference/ID"),
        "certificate_number": said.get("certificate", ""),
        "service_code": text_at(line, "Item/SellersItemIdentification/ID", "Item/Name"),
        "service_date": text_at(line, "InvoicePeriod/StartDate"),
        "starts_at": said.get("start", ""),
        "ends_at": said.get("end", ""),
        "worker_code": said.get("worker", ""),
        "units": text_at(line, "InvoicedQuantity"),
        "unit_rate": text_at(line, "Price/PriceAmount"),
        "amount": text_at(line, "LineExtensionAmount"),
    }


def _heads(root: etree._Element, known: Known) -> Iterable[InvoiceFinding]:
    profile = text_at(root, "CustomizationID")
    if not profile.startswith(PROFILE):
        yield InvoiceFinding("PROFILE", {"said": profile})
    pairs = (
        ("CURRENCY", text_at(root, "DocumentCurrencyCode"), known.currency),
        ("CONTRACT", text_at(root, "ContractDocumentReference/ID"), known.contract),
        ("SELLER", _company(root, "AccountingSupplierParty"), known.seller),
        ("BUYER", _company(root, "AccountingCustomerParty"), known.buyer),
    )
    for code, said, expected in pairs:
        if expected and said != expected:
            yield InvoiceFinding(code, {"said": said, "known": expected})


def _company(root: etree._Element, role: str) -> str:
    """BT-30 or BT-47; programs that know no such register write the code as that of the tax office or of the party."""
    places = ("PartyLegalEntity/CompanyID", "PartyTaxScheme/CompanyID", "PartyIdentification/ID")
    return text_at(root, *(f"{role}/Party/{place}" for place in places))


def _sums(root: etree._Element, lines: list[LineDraft]) -> Iterable[InvoiceFinding]:
    for number, line in enumerate(lines, 1):
        expected = round_half_up(line.units * line.unit_rate)
        if line.amount_claimed != expected:
            yield InvoiceFinding("LINE_SUM", {"line": str(number), "said": str(line.amount), "known": str(expected)})
    total = sum((line.amount_claimed for line in lines), Decimal(0))
    for code, path in (("SUM", "LineExtensionAmount"), ("PAYABLE", "PayableAmount")):
        said = text_at(root, f"LegalMonetaryTotal/{path}")
        if _figure(said) != total:
            yield InvoiceFinding(code, {"said": said, "known": str(total)})


def _figure(text: str) -> Decimal | None:
    try:
        return read_number(text)
    except ValueError:
        return None


def write_invoice(claim: Claim, lines: Iterable[ClaimLine], *, issued_on: date) -> bytes:
    """A claim as an invoice without tax (social services are exempt: category E), in the reader's language.

    Money: round(units x rate, 2). Raises: InvoiceIncomplete.
    """
    root = etree.Element(f"{{{INVOICE}}}Invoice", nsmap={None: INVOICE, "cac": CAC, "cbc": CBC})  # type: ignore[dict-item]
    currency, rows = claim.organisation.currency, list(lines)
    _add(root, "CustomizationID", PROFILE)
    _add(root, "ID", claim.number)
    _add(root, "IssueDate", issued_on.isoformat())
    _add(root, "InvoiceTypeCode", COMMERCIAL_INVOICE)
    _add(root, "DocumentCurrencyCode", currency)
    if claim.contract_number:
        _add(_group(root, "ContractDocumentReference"), "ID", claim.contract_number)
    country = _country(claim.organisation)
    _party(root, "AccountingSupplierParty", claim.provider, country)
    _party(root, "AccountingCustomerParty", claim.organisation, country)
    _payment(root, claim)
    _totals(root, from_minor(sum(_minor(row) for row in rows)), currency)
    for row in rows:
        _line(root, row, currency)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _country(organisation: Organisation) -> str:
    """Of the jurisdiction; of the bank account where the jurisdiction is no country. Raises: InvoiceIncomplete."""
    code = organisation.jurisdiction if len(organisation.jurisdiction) == 2 else organisation.iban[:2]
    if not code:
        raise InvoiceIncomplete(missing=gettext("the bank account"), party=organisation)
    return code.upper()


def _payment(root: etree._Element, claim: Claim) -> None:
    """Where to pay (BG-16) and, in place of a day, that the contract says when (BT-20)."""
    if claim.provider.iban:
        means = _group(root, "PaymentMeans")
        _add(means, "PaymentMeansCode", CREDIT_TRANSFER)
        _add(_group(means, "PayeeFinancialAccount"), "ID", claim.provider.iban.replace(" ", ""))
    agreed = gettext("As agreed in contract %(number)s") % {"number": claim.contract_number or "—"}
    _add(_group(root, "PaymentTerms"), "Note", agreed)


def _totals(root: etree._Element, total: Decimal, currency: str) -> None:
    tax = _group(root, "TaxTotal")
    _money(tax, "TaxAmount", Decimal("0.00"), currency)
    subtotal = _group(tax, "TaxSubtotal")
    _money(subtotal, "TaxableAmount", total, currency)
    _money(subtotal, "TaxAmount", Decimal("0.00"), currency)
    _exempt(subtotal, "TaxCategory")
    sums = _group(root, "LegalMonetaryTotal")
    for name in ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableAmount"):
        _money(sums, name, total, currency)


def _minor(row: ClaimLine) -> int:
    return (row.units_milli * row.unit_rate_e4 + 50_000) // 100_000


def _line(root: etree._Element, row: ClaimLine, currency: str) -> None:
    line = _group(root, "InvoiceLine")
    _add(line, "ID", str(row.line))
    code = UNITS.get(row.service.unit, "C62") if row.service else "C62"
    _add(line, "InvoicedQuantity", str(from_units(row.units_milli)), unitCode=code)
    _money(line, "LineExtensionAmount", from_minor(_minor(row)), currency)
    period = _group(line, "InvoicePeriod")
    _add(period, "StartDate", row.service_date.isoformat())
    _add(period, "EndDate", row.service_date.isoformat())
    if row.redemption_code:
        document = _group(line, "DocumentReference")
        _add(document, "ID", row.redemption_code)
        _add(document, "DocumentTypeCode", OBJECT)
    item = _group(line, "Item")
    _add(item, "Name", row.service.name if row.service else row.service_code or "—")
    if row.service_code:
        _add(_group(item, "SellersItemIdentification"), "ID", row.service_code)
    _exempt(item, "ClassifiedTaxCategory")
    said = {
        "certificate": row.certificate_number,
        "worker": row.worker_code,
        "start": row.starts_at,
        "end": row.ends_at,
    }
    for name, value in said.items():
        if value:
            entry = _group(item, "AdditionalItemProperty")
            _add(entry, "Name", name)
            _add(entry, "Value", value if isinstance(value, str) else value.isoformat())
    _money(_group(line, "Price"), "PriceAmount", from_rate(row.unit_rate_e4), currency)


def _party(root: etree._Element, role: str, named: Provider | Organisation, country: str) -> None:
    """Who sells or buys. The seller of exempt services has to name its tax registration (BR-E-02).

    Raises: InvoiceIncomplete.
    """
    code, sells = named.registration_code, isinstance(named, Provider)
    if sells and not code:
        raise InvoiceIncomplete(missing=gettext("the registration code"), party=named)
    party = _group(_group(root, role), "Party")
    _add(_group(_group(party, "PostalAddress"), "Country"), "IdentificationCode", country)
    if sells:
        scheme = _group(party, "PartyTaxScheme")
        _add(scheme, "CompanyID", code)
        _add(_group(scheme, "TaxScheme"), "ID", LOCAL_TAX)
    entity = _group(party, "PartyLegalEntity")
    _add(entity, "RegistrationName", named.name)
    if code:
        _add(entity, "CompanyID", code)


def _exempt(parent: etree._Element, name: str) -> None:
    category = _group(parent, name)
    _add(category, "ID", "E")
    _add(category, "Percent", "0")
    if name == "TaxCategory":
        _add(category, "TaxExemptionReason", gettext("Social services are exempt from value added tax"))
    _add(_group(category, "TaxScheme"), "ID", "VAT")


def _group(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{CAC}}}{name}")


def _add(parent: etree._Element, name: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, f"{{{CBC}}}{name}", attributes).text = printable(text)


def _money(parent: etree._Element, name: str, amount: Decimal, currency: str) -> None:
    _add(parent, name, str(amount), currencyID=currency)
