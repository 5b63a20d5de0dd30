"""Why a row or a package is refused: codes and sentences for people."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError

SENTENCES = {
    "REQUIRED": _("This cell must not be blank. Fill it in."),
    "CHARACTER": _("The cell holds control characters. Remove them."),
    "TOO_LONG": _("The text is too long. Shorten it."),
    "TOO_LARGE": _("The number is too large."),
    "CHOICE": _("This word is not one of those allowed here."),
    "BOOLEAN": _("Write true or false."),
    "DATE": _("This is not a date. Write it as 2025-11-30."),
    "MONTH": _("This is not a month. Write it as 2025-11."),
    "CHECK": _("This is not a check. Write it as CLM-33."),
    "TIME": _("This is not a time. Write it as 2025-11-30T09:00:00+02:00."),
    "TIME_ZONE": _("The time has no zone. Add it, as in 2025-11-30T09:00:00+02:00."),
    "INTEGER": _("This is not a whole number."),
    "NUMBER": _("This is not a number."),
    "DECIMALS": _("Too many decimal places: units have 3, rates 4, amounts 2."),
    "NOT_POSITIVE": _("The number must be above zero."),
    "NEGATIVE": _("The amount must not be negative."),
    "CELLS": _("The row has more or fewer cells than the header."),
    "DUPLICATE_KEY": _("A row with this key stands above. Keep one of them."),
    "REFERENCE": _("There is no such record, neither in the package nor in the database."),
    "PARENT_REFUSED": _("The row that this one belongs to was refused. Correct that one first."),
    "DIFFERS": _("The database has this key with another value. Nothing is overwritten by an import."),
    "OVERLAP": _("Two rows of one key hold on the same day. End one before the other begins."),
    "RANGE": _("The last day comes before the first."),
    "NOT_FIRST_OF_MONTH": _("A fee decision starts on the first day of a month."),
    "LIMIT_MISSING": _("A differentiated fee needs a monthly limit."),
    "FROZEN": _("The claim has been judged and takes no more lines."),
    "VALUE": _("Adjudication cannot read this value. Write a number, or a day of the year as 01-15."),
    "TAKES": _("A warning takes nothing; a rejection or a pend takes units, only a cut may take money alone."),
    "CLAIMED_HERE": _("The claim was made here: its remarks are lifted here, by two people, not by a package."),
    "RUN_TOO_EARLY": _("The claim is judged only in a later run."),
    "FEE_TOO_HIGH": _("The fee is above the amount that was allowed."),
    "ALLOWED_TOO_MUCH": _("More is allowed than was claimed, or the amount is above units times rate."),
    "JUDGED_HERE": _("The claim was made here: it is judged here, and no package decides it."),
    "MONTH_HELD_HERE": _("Claims of this month were made here: its runs are played here, and no package decides them."),
    "RUN_ORDER": _("Runs of a month are told from the first one on, and their turns go by their numbers."),
    "RUN_INCOMPLETE": _(
        "The package does not tell the whole run: lines are missing, or amounts do not add up to what was claimed. "
        "Have the package exported again."
    ),
    "RUN_TOLD": _("Another package told how that run was decided, as a whole: it takes no more claims or lines."),
    "RUN_DONE": _("That run has been played: what it found and kept back stays as it is."),
    "OTHER_PROVIDER": _(
        "The database has this code under another name, and no equal IBAN says that it is the same provider. Give the "
        "provider's IBAN, or another code."
    ),
    "OTHER_WORKER": _("The code belongs to a worker of another provider. Give this worker another code."),
    "REVERSES_ITSELF": _("A claim cannot reverse itself."),
    "REVERSES_REVERSAL": _("The claim reverses one that itself reverses another. Submit a new claim instead."),
    "REVERSES_FOREIGN": _("The reversed claim is of another provider."),
    "REVERSES_LATER": _("The reversed claim is of a later month or run than the one that reverses it."),
    "REVERSES_UNSUBMITTED": _("The reversed claim was withdrawn or returned: there is nothing to take back."),
    "REVERSED_TWICE": _("Another claim already reverses the same one. Keep one of them."),
    "REVERSES_CLAWBACK": _("Money of the reversed claim is asked back by a clawback case here."),
    "REVERSAL_LINE": _("A claim that reverses another has no lines."),
    "ENCODING": _("The file is not UTF-8 text. Save it as CSV UTF-8."),
    "UNKNOWN_COLUMN": _(
        "The table has no such column. Correct its name, or delete it; --accept-good-rows reads the others without it."
    ),
    "MISSING_COLUMN": _("The header lacks this column."),
    "HEADER": _("The first row must name the columns, each once."),
}


IGNORED = {
    "RECALCULATED": _("Findings of checks that adjudication decides itself: they are recalculated, not read."),
    "RESULTS": _("Results are recalculated, not read."),
    "UNKNOWN_FILE": _("The package format has no such table: it was not read."),
    "TABLE_TWICE": _("Another file or sheet has the same table: this one was not read."),
    "UNKNOWN_COLUMN": _("The table has no such column: it was not read."),
    "NAME_KEPT": _("The database has these under a name written in another way; that name stays."),
    "WORD_UNKNOWN": _("The word is none of the format's: the row is read as not in force, the word stays as written."),
}


@dataclass(frozen=True)
class Ignored:
    """What a package holds and the import does not use, or not as it stands.

    ``rows`` is 0 where rows are not the matter; ``row`` and ``value`` name one cell, counted as a spreadsheet does.
    """

    file: str
    code: str
    column: str = ""
    rows: int = 0
    row: int = 0
    value: str = ""

    @property
    def sentence(self) -> str:
        """What was passed over and why, in the reader's language."""
        return str(IGNORED[self.code])

    def as_dict(self) -> dict[str, str | int]:
        """For JSON."""
        return vars(self) | {"sentence": self.sentence}


@dataclass(frozen=True)
class Refusal:
    """A refused cell. ``row`` counts as a spreadsheet does: the header is row 1."""

    file: str
    row: int
    column: str
    value: str
    code: str

    @property
    def sentence(self) -> str:
        """What happened and what to do, in the reader's language."""
        return str(SENTENCES[self.code])

    def as_dict(self) -> dict[str, str | int]:
        """For JSON."""
        return vars(self) | {"sentence": self.sentence}


class PackageUnreadable(DomainError):
    """The path is no package."""

    code = "PACKAGE_UNREADABLE"
    message = _("%(path)s cannot be read as a package: %(reason)s")


class OrganisationUnclear(DomainError):
    """datapackage.json does not name a municipality."""

    code = "ORGANISATION_MISSING"
    message = _('datapackage.json must name its municipality: "organisation": {"code", "name", "jurisdiction"}.')


class OrganisationDiffers(DomainError):
    """The municipality is known under other particulars."""

    code = "ORGANISATION_DIFFERS"
    message = _("The municipality %(code)s has another %(field)s in the database: %(known)s, not %(given)s.")
