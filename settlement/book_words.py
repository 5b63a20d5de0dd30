"""What the proof of the books says, for people: titles of checks and names of rows in the reader's language.

Programs read the checks and rows as they are (`verify_books --json`).
"""

from __future__ import annotations

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from settlement.books import BookFault

# Every check of ``settlement.books.CHECKS``; its name is the message.
TITLES = (
    _("rows are as they were sealed"),
    _("every entry balances"),
    _("every posting has its entry, account and one side"),
    _("entries are of the event that their key names"),
    _("entries stand on the day of their cause"),
    _("postings name the claim or payment of their entry"),
    _("appropriations are what the trail says"),
    _("budget lines are not overspent"),
    _("budget spending equals the ledger"),
    _("claims' spending equals what is allowed"),
    _("commitments stay within their agreements"),
    _("commitments equal what grants have not used"),
    _("certificate reservations equal the budget's"),
    _("certificates reserve what their services expect"),
    _("every reservation has its certificate"),
    _("lines of closed years are at rest"),
    _("results of closed years equal what was spent"),
    _("certificate balances are possible"),
    _("certificates hold what was issued"),
    _("reported visits took what was allowed"),
    _("redemptions equal certificate movements"),
    _("decisions repeat what was claimed"),
    _("findings explain every line"),
    _("remittances equal adjudications"),
    _("runs equal their remittances"),
    _("runs count what they judged"),
    _("runs equal their fingerprints"),
    _("claims equal payables"),
    _("payment runs equal what they took"),
    _("payments equal the remittances they pay"),
    _("payments equal the bank file"),
    _("payments equal the bank"),
    _("transfers equal the balance of card payments"),
    _("fee notices equal the ledger"),
    _("refunds of fees stay within receipts"),
    _("refunds by bank equal their bank lines"),
    _("clawbacks equal the ledger"),
    _("clawbacks ask for what the trail says"),
    _("clawbacks stay within what was paid"),
    _("debts asked back are whole and in no payment"),
    _("offsets equal what advances and clawbacks got"),
    _("advances equal the ledger"),
    _("advances are what the trail says"),
    _("advances are paid as their state says"),
    _("claims use advances of their contract"),
    _("corrections equal what was posted"),
    _("corrected lines equal their decisions"),
    _("corrected lines were what was decided before"),
    _("visits to be cleared equal their decisions"),
    _("refunds of visits equal what the norm cost leaves"),
    _("clearing statements equal their lines"),
    _("payments of clearing equal their statements"),
    _("neighbours equal the ledger"),
    _("neighbours agree with each other"),
    _("statement lines equal their matches"),
    _("what was undone is undone as it was"),
    _("explained lines equal what was posted"),
    _("lines add up to the balances of their statement"),
    _("bank balances equal the ledger"),
)
# How names of rows begin; the number or code follows.
NOUNS = (
    _("claim"),
    _("certificate"),
    _("payment"),
    _("budget line"),
    _("correction"),
    _("contract"),
    _("statement line"),
    _("statement"),
    _("run"),
    _("posting"),
    _("entry"),
    _("clawback"),
    _("advance"),
    _("year"),
    _("visit to be cleared"),
    _("refund of fee notice"),
    _("redemption"),
    _("receipt of fee notice"),
    _("provider"),
    _("payment run"),
    _("payment of clearing statement"),
    _("pair"),
    _("fee notice"),
    _("clearing statement"),
    _("account of"),
)


def sentence_of(fault: BookFault) -> str:
    """The fault as the console tells it."""
    words = gettext("%(check)s: %(row)s: expected %(expected)s, found %(found)s")
    told = {"check": gettext(fault.check), "row": _row_words(fault.row)}
    return words % {**told, "expected": fault.expected, "found": fault.found}


def _row_words(row: str) -> str:
    """The name of a row with its noun in the reader's language; the longest noun counts."""
    noun = max((noun for noun in NOUNS if row.startswith(f"{noun} ")), key=len, default="")
    return gettext(noun) + row[len(noun) :] if noun else row
