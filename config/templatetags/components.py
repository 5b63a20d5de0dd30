"""Block tags and small tags that pages are built from; a builtin library, so no page has to load it.

    {% table caption=_("Claims") rows=page empty=_("There are no claims yet.") todo=_("...") %} ... {% endtable %}
    {% status claim.status %}   {% facts %}<dt>..</dt><dd>..</dd>{% endfacts %}   {% product %}   {% tr step.label %}

The include templates of ``templates/components`` say at their top how each is used.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import count
from typing import Any

from django import template
from django.core.paginator import Page, Paginator
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from config import law_words
from config import product as product_name
from config.figures import written
from config.links import may_open, url_of_label
from config.record_names import full_names_of
from config.statuses import label_of_status, tone_of_status

register = template.Library()

UNVERIFIED = "[unverified]"


@register.simple_tag
def product() -> str:
    """Name of the product."""
    return product_name.NAME


@register.simple_tag
def tr(text: Any) -> str:
    """A stored English message id in the reader's language; an empty text stays empty."""
    return gettext(str(text)) if text else ""


@register.filter
def url_of(label: Any) -> str:
    """Page of "app.model:pk", empty when it has none."""
    return url_of_label(str(label))


@register.filter
def parameter_words(key: Any) -> str:
    """What a parameter of law is called; several keys are separated by commas."""
    keys = str(key or "").replace(UNVERIFIED, "").split(",")
    return ", ".join(law_words.parameter_title(item.strip()) for item in keys)


@register.filter
def act_words(act: Any) -> str:
    """An act with its article in the reader's language."""
    return law_words.act_words(str(act or "").replace(UNVERIFIED, "").strip())


@register.filter
def note_words(note: Any) -> str:
    """A note of a reference row in the reader's language; one that is only a rule's id says nothing to a person."""
    return law_words.note_words(str(note or ""))


@register.filter
def article_words(article: Any) -> str:
    """An article in the reader's language."""
    return law_words.article_words(str(article or ""))


@register.filter
def value_words(value: Any) -> str:
    """A coded value of a parameter in words; figures as the reader writes them."""
    words = law_words.value_words(str(value))
    return words if words != str(value) else figure(value)


@register.filter
def formula_title(formula: Any) -> str:
    """What a formula is called, from its id."""
    return law_words.formula_title(str(formula or ""))


@register.filter
def formula_words(formula: Any) -> str:
    """The formula cell of a calculation, codes in words."""
    return law_words.formula_words(str(formula or ""))


@register.filter
def iso_day(value: Any) -> date | None:
    """A stored ISO date as a date, for the date filter; None when it is none."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


@register.filter
def record_name(label: Any) -> str:
    """Kind and name of the record "app.model:pk"."""
    return full_names_of([str(label)])[str(label)] if label else "—"


@register.simple_tag
def record_names(rows: Any) -> dict[str, str]:
    """Kind and name of the records that rows with a ``label`` name, by label: one query a kind."""
    return full_names_of({row.label for row in rows if row.label})


@register.filter
def openable(address: Any, may: Any) -> str:
    """The address when the reader may open it, else empty: ``{% if url|openable:may %}``."""
    return str(address) if address and may_open(str(address), may or ()) else ""


@register.simple_tag
def status(code: Any) -> SafeString:
    """A state as a badge: text, shape and colour, never colour alone."""
    return format_html('<span class="status {}">{}</span>', tone_of_status(str(code)), label_of_status(str(code)))


@register.filter
def state_on(row: Any, day: date) -> str:
    """The state of a record that ends with a day, as it is on a day: ``{% status row|state_on:access.today %}``."""
    return str(row.state_on(day))


@register.filter
def status_text(code: Any) -> str:
    """A state in words."""
    return label_of_status(str(code))


@register.filter
def tone(code: Any) -> str:
    """CSS tone of a state or severity."""
    return tone_of_status(str(code))


@register.filter
def figure(value: Any) -> str:
    """A stored figure in the reader's writing: "1520.00" -> «1 520,00»; other text as it is."""
    text = "" if value is None else str(value)
    try:
        number = Decimal(text)
    except InvalidOperation:
        return gettext(text) if text else ""
    places = max(0, -int(number.as_tuple().exponent)) if number.is_finite() else 0
    pattern = "#,##0" + ("." + "0" * places if places else "")
    return written(number, pattern)


@register.filter
def last_day(exclusive_end: date | None) -> date | None:
    """The last day of a half-open range, as people say it."""
    return exclusive_end - timedelta(days=1) if exclusive_end else None


@register.filter
def is_unverified(step: Any, keys: Any = None) -> bool:
    """Whether a row of a calculation rests on a parameter that nobody has verified."""
    read = step.get if isinstance(step, dict) else lambda name, default="": getattr(step, name, default)
    parameter, act = str(read("parameter", "") or ""), str(read("act", "") or "")
    return UNVERIFIED in parameter or UNVERIFIED in act or bool(keys and parameter in keys)


@register.filter
def page_window(paginator: Paginator, number: int) -> list[int]:
    """Page numbers around the present one, 0 where some are left out."""
    found = paginator.get_elided_page_range(number, on_each_side=2, on_ends=1)
    return [page if isinstance(page, int) else 0 for page in found]


@register.simple_block_tag(takes_context=True)
def table(
    context: Context,
    content: str,
    caption: Any = "",
    rows: Any = True,
    empty: Any = "",
    todo: Any = "",
    stack: bool = True,
) -> str:
    """A table in a scrollable region named by its caption; with empty ``rows`` a sentence and what to do instead.

    ``stack``: on a phone each row becomes a card; give every ``td`` a ``data-label``. Wide tables of figures that
    must be compared take ``stack=False`` and scroll. A Page of a paginator brings its pager; when a search or a
    filter left nothing in it, the table says that instead of ``empty``.
    """
    page = rows if isinstance(rows, Page) else None
    if page is not None and not page and _asked_for(context):
        empty, todo = gettext("Nothing was found."), gettext("Write it differently, or show the whole list.")
    values = {"content": content, "caption": caption, "has_rows": bool(rows), "empty": empty, "todo": todo}
    return render_to_string(
        "components/table.html",
        {**values, "stack": stack, "id": _next_id(context), "page": page, "request": context.get("request")},
    )


@register.simple_block_tag
def facts(content: str) -> SafeString:
    """A definition list: ``<dt>`` and ``<dd>`` pairs."""
    return format_html('<dl class="facts">{}</dl>', content)


def _asked_for(context: Context) -> bool:
    """Whether the reader searched or filtered the list."""
    request = context.get("request")
    return request is not None and any(value.strip() for name, value in request.GET.items() if name != "page")


def _next_id(context: Context) -> str:
    """Ids that are unique in the page and the same in every rendering of it."""
    numbers: Any = context.render_context.setdefault("component_ids", count(1))  # type: ignore[arg-type]
    return f"part-{next(numbers)}"
