"""Writing small XML trees, and reading XML that strangers send: no DTD, no entities, no network, bounded
size.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from lxml import etree

from settlement.gateways.base import GatewayError

MAX_BYTES = 64 * 1024 * 1024
_CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Writer:
    """Builds a tree by paths: ``add(parent, "Id/IBAN", text)`` makes the missing elements of the path."""

    def __init__(self, namespace: str, root: str) -> None:
        self.namespace = namespace
        self.root = etree.Element(f"{{{namespace}}}{root}", nsmap={None: namespace})  # type: ignore[dict-item]

    def add(self, parent: etree._Element, path: str, text: str | None = None, **attributes: str) -> etree._Element:
        """Append a new element at the end of ``path``; elements above it are taken from the last ones
        there.
        """
        *above, last = path.split("/")
        for name in above:
            children = parent.findall(f"{{{self.namespace}}}{name}")
            parent = children[-1] if children else etree.SubElement(parent, f"{{{self.namespace}}}{name}")
        element = etree.SubElement(parent, f"{{{self.namespace}}}{last}", attributes)
        element.text = None if text is None else printable(text)
        return element

    def as_bytes(self) -> bytes:
        """The document in UTF-8 with its declaration."""
        return etree.tostring(self.root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def printable(text: str) -> str:
    """The text without characters that XML cannot hold."""
    return _CONTROL.sub("", text)


def iterate(content: bytes, *, max_bytes: int = MAX_BYTES) -> Iterator[tuple[str, etree._Element]]:
    """Start and end events of a foreign document.

    Raises: GatewayError TOO_LARGE, UNREADABLE_XML, or DTD_REFUSED for any document type declaration.
    """
    if len(content) > max_bytes:
        raise GatewayError("TOO_LARGE", size=len(content), limit=max_bytes)
    events = etree.iterparse(
        io.BytesIO(content),
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        for number, (event, element) in enumerate(events):
            if number == 0 and element.getroottree().docinfo.doctype:
                raise GatewayError("DTD_REFUSED")
            yield event, element
    except etree.XMLSyntaxError as error:
        raise GatewayError("UNREADABLE_XML", line=error.lineno or 0, reason=error.msg or "") from error


def local_name(element: etree._Element) -> str:
    """Name without its namespace, so that every version of a message reads the same."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def children(element: etree._Element, name: str) -> list[etree._Element]:
    """Direct children by local name."""
    return [child for child in element if local_name(child) == name]


def find(element: etree._Element | None, path: str) -> etree._Element | None:
    """The first element at a path of local names."""
    for name in path.split("/"):
        if element is None:
            return None
        element = next(iter(children(element, name)), None)
    return element


def text_at(element: etree._Element | None, *paths: str) -> str:
    """Stripped text of the first path that has any, else empty."""
    for path in paths:
        found = find(element, path)
        if found is not None and found.text and found.text.strip():
            return found.text.strip()
    return ""


def drop(element: etree._Element) -> None:
    """Free an element that has been read; the shell of its predecessor goes, its own must stay while the
    parser is here.
    """
    element.clear()
    previous, parent = element.getprevious(), element.getparent()
    if previous is not None and parent is not None and previous.tag == element.tag:
        parent.remove(previous)
