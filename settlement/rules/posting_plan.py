"""Which event posts what: the one table of double entry.

A claim's gross is a cost of its budget lines. The provider is owed what the budget pays; the recipients' fees, which
the provider collects itself, are the part of the cost that the budget does not bear, so that expense less fees of a
budget line is what it spent.

    claim.adjudicated   Dr expense gross         Cr payable (gross - fee), Cr fee
    claim.reversed      the same with the sides changed
    payment.sent        Dr payable               Cr clearing
    payment.confirmed   Dr clearing              Cr bank
    payment.returned    Dr bank                  Cr payable
    payment.unconfirmed Dr bank                  Cr clearing   (a match that was wrong)
    payment.unreturned  Dr payable               Cr bank
    payment.failed      Dr clearing              Cr payable
    receipt.explained   Dr bank                  Cr suspense
    charge.explained    Dr suspense              Cr bank
    receipt.unexplained, charge.unexplained: the same with the sides changed
    opening.added       Dr bank                  Cr funding
    opening.lowered     Dr funding               Cr bank

Where the office collects the fees for the providers, it claims them from the recipients and owes what it holds:

    fee.noticed         Dr receivable            Cr held
    fee.lowered         Dr held                  Cr receivable
    fee.paid_by_card    Dr card                  Cr receivable
    fee.paid_by_bank    Dr bank                  Cr receivable
    fee.refunded_card   Dr receivable            Cr card
    fee.refunded_bank   Dr receivable            Cr bank
    fee.unpaid_by_bank, fee.unrefunded_bank: the same with the sides changed (a bank line that was something else)
    fee.refund_failed   Dr card                  Cr receivable
    fee.passed_on       Dr held                  Cr bank
    card.paid_out       Dr bank                  Cr card
    card.topped_up      Dr card                  Cr bank

A payment that goes by Stripe leaves the balance there instead of the bank:

    transfer.confirmed  Dr clearing              Cr card
    transfer.returned   Dr card                  Cr payable

What was paid wrongly is asked back: the cost of the budget line falls, the provider owes it until it comes to the bank
or is kept back from what it is owed. What a correction took back of a paid month has left the cost already, and only
moves. A debt that came with a package was owed before these books began:

    clawback.decided         Dr recovery         Cr expense
    clawback.taken_over      Dr recovery         Cr payable
    clawback.repaid          Dr bank             Cr recovery
    clawback.unrepaid        Dr recovery         Cr bank   (a bank line that was something else)
    clawback.offset          Dr payable          Cr recovery
    clawback.offset_given    Dr payable          Cr funding

An advance stands on an account of its contract until claims of that contract use it up, or it comes back; one that
came with a package was paid before these books began:

    advance.granted          Dr advance          Cr payable
    advance.withdrawn        Dr payable          Cr advance    (it is not paid after all)
    advance.used             Dr payable          Cr advance
    advance.given_back       Dr advance          Cr payable    (the claim that used it is taken back)
    advance.used_given       Dr payable          Cr funding
    advance.given_back_given Dr funding          Cr payable
    advance.repaid           Dr bank             Cr advance
    advance.unrepaid         Dr advance          Cr bank       (a bank line that was something else)

A visit of another municipality's certificate is its cost: it owes what the budget pays, and the rest, if any, is ours.
What two municipalities owe each other stands on one account a pair in the books of each, and so is set off by itself:

    claim.adjudicated        Dr expense rest, Dr neighbour due, Cr payable, Cr fee
    clawback.decided         Dr recovery, Cr expense rest, Cr neighbour due
    clearing.agreed          Dr expense         Cr neighbour   (in the books of who issued the certificates)
    clearing.returned        Dr neighbour       Cr expense     (of decisions that were taken back)
    clearing.given_up        Dr expense         Cr neighbour   (who bought the visits bears them after all)
    clearing.kept            Dr neighbour       Cr expense     (the same of decisions that were taken back)
    clearing.lowered         Dr expense         Cr neighbour   (refunds worked out anew: the issuer owes less of them)
    clearing.raised          Dr neighbour       Cr expense     (the issuer owes more of them)
    clearing.paid            Dr neighbour       Cr bank
    clearing.received        Dr bank            Cr neighbour
    clearing.unpaid, clearing.unreceived: the same with the sides changed (a bank line that was something else)

A closed year leaves nothing on its costs and fees; what it cost the budget stands on its result. The opposite events
are for a line that got more back than it spent:

    year.expense_closed    Dr result             Cr expense
    year.expense_returned  Dr expense            Cr result
    year.fee_closed        Dr fee                Cr result
    year.fee_returned      Dr result             Cr fee
"""

from __future__ import annotations

from dataclasses import dataclass

EXPENSE, PAYABLE, FEE = "expense", "payable", "fee"
CLEARING, BANK, SUSPENSE = "clearing", "bank", "suspense"
RECEIVABLE, HELD, CARD = "receivable", "held", "card"
FUNDING, RESULT = "funding", "result"
RECOVERY = "recovery"
NEIGHBOUR = "neighbour"
ADVANCE = "advance"

CLAIM_ADJUDICATED, CLAIM_REVERSED = "claim.adjudicated", "claim.reversed"
OPENING_ADDED, OPENING_LOWERED = "opening.added", "opening.lowered"


@dataclass(frozen=True)
class Side:
    """An account kind and the name of the amount that goes there."""

    account: str
    amount: str


@dataclass(frozen=True)
class Rule:
    """What an event debits and credits. Amounts of one side sum to those of the other."""

    debits: tuple[Side, ...]
    credits: tuple[Side, ...]


def _simple(debit: str, credit: str) -> Rule:
    return Rule((Side(debit, "amount"),), (Side(credit, "amount"),))


_COST = (Side(EXPENSE, "gross"), Side(NEIGHBOUR, "due"))
_OWED = (Side(PAYABLE, "payable"), Side(FEE, "fee"))

PLAN: dict[str, Rule] = {
    CLAIM_ADJUDICATED: Rule(_COST, _OWED),
    CLAIM_REVERSED: Rule(_OWED, _COST),
    "payment.sent": _simple(PAYABLE, CLEARING),
    "payment.confirmed": _simple(CLEARING, BANK),
    "payment.returned": _simple(BANK, PAYABLE),
    "payment.unconfirmed": _simple(BANK, CLEARING),
    "payment.unreturned": _simple(PAYABLE, BANK),
    "payment.failed": _simple(CLEARING, PAYABLE),
    "receipt.explained": _simple(BANK, SUSPENSE),
    "charge.explained": _simple(SUSPENSE, BANK),
    "receipt.unexplained": _simple(SUSPENSE, BANK),
    "charge.unexplained": _simple(BANK, SUSPENSE),
    OPENING_ADDED: _simple(BANK, FUNDING),
    OPENING_LOWERED: _simple(FUNDING, BANK),
    "fee.noticed": _simple(RECEIVABLE, HELD),
    "fee.lowered": _simple(HELD, RECEIVABLE),
    "fee.paid_by_card": _simple(CARD, RECEIVABLE),
    "fee.paid_by_bank": _simple(BANK, RECEIVABLE),
    "fee.refunded_card": _simple(RECEIVABLE, CARD),
    "fee.refunded_bank": _simple(RECEIVABLE, BANK),
    "fee.unpaid_by_bank": _simple(RECEIVABLE, BANK),
    "fee.unrefunded_bank": _simple(BANK, RECEIVABLE),
    "fee.refund_failed": _simple(CARD, RECEIVABLE),
    "fee.passed_on": _simple(HELD, BANK),
    "card.paid_out": _simple(BANK, CARD),
    "card.topped_up": _simple(CARD, BANK),
    "transfer.confirmed": _simple(CLEARING, CARD),
    "transfer.returned": _simple(CARD, PAYABLE),
    "clawback.decided": Rule((Side(RECOVERY, "amount"),), (Side(EXPENSE, "rest"), Side(NEIGHBOUR, "due"))),
    "clawback.repaid": _simple(BANK, RECOVERY),
    "clawback.unrepaid": _simple(RECOVERY, BANK),
    "clawback.taken_over": _simple(RECOVERY, PAYABLE),
    "clawback.offset": _simple(PAYABLE, RECOVERY),
    "clawback.offset_given": _simple(PAYABLE, FUNDING),
    "advance.granted": _simple(ADVANCE, PAYABLE),
    "advance.withdrawn": _simple(PAYABLE, ADVANCE),
    "advance.used": _simple(PAYABLE, ADVANCE),
    "advance.given_back": _simple(ADVANCE, PAYABLE),
    "advance.used_given": _simple(PAYABLE, FUNDING),
    "advance.given_back_given": _simple(FUNDING, PAYABLE),
    "advance.repaid": _simple(BANK, ADVANCE),
    "advance.unrepaid": _simple(ADVANCE, BANK),
    "clearing.agreed": _simple(EXPENSE, NEIGHBOUR),
    "clearing.returned": _simple(NEIGHBOUR, EXPENSE),
    "clearing.given_up": _simple(EXPENSE, NEIGHBOUR),
    "clearing.kept": _simple(NEIGHBOUR, EXPENSE),
    "clearing.lowered": _simple(EXPENSE, NEIGHBOUR),
    "clearing.raised": _simple(NEIGHBOUR, EXPENSE),
    "clearing.paid": _simple(NEIGHBOUR, BANK),
    "clearing.received": _simple(BANK, NEIGHBOUR),
    "clearing.unpaid": _simple(BANK, NEIGHBOUR),
    "clearing.unreceived": _simple(NEIGHBOUR, BANK),
    "year.expense_closed": _simple(RESULT, EXPENSE),
    "year.expense_returned": _simple(EXPENSE, RESULT),
    "year.fee_closed": _simple(FEE, RESULT),
    "year.fee_returned": _simple(RESULT, FEE),
}

# Accounts of which an organisation has one; the others carry the code of a provider, the code and year of a budget
# line or the number of an account at a bank.
SINGLE_CODES = {
    CLEARING: "clearing:bank",
    SUSPENSE: "suspense:bank",
    RECEIVABLE: "receivable:fees",
    CARD: "card:stripe",
    FUNDING: "funding:opening",
}
