"""Graphs of campaigns, their ads and the contacts in them, for tools that draw networks.

What ads say is untrusted: it is escaped, and characters that XML does not know are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from xml.sax.saxutils import quoteattr

from jobscam.errors import InputError

NODE_COLUMNS = {"kind": "string", "label": "string", "size": "long", "tier": "string", "probability": "double", "date": "string"}
"""Attributes of nodes and their types."""
FORMATS = (".graphml", ".gexf")

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Node(NamedTuple):
    """A campaign, an ad or a contact; fields that do not apply are empty."""

    id: str
    kind: str
    label: str
    size: str = ""
    tier: str = ""
    probability: str = ""
    date: str = ""


class Edge(NamedTuple):
    """A line between two nodes, and how many ads it stands for."""

    source: str
    target: str
    weight: int = 1


def format_of(path: str) -> str:
    """Format of a graph by the suffix of its file.

    Raises
    ------
    InputError
        Naming the formats there are.
    """
    for suffix in FORMATS:
        if path.lower().endswith(suffix):
            return suffix
    raise InputError(f"{path}: graphs are written as {' or '.join(FORMATS)}; give the file one of these endings")


def encoded(kind: str, nodes: Iterable[Node], edges: Iterable[Edge]) -> Iterator[bytes]:
    """A graph as pieces of a file; nodes are all taken before the first edge."""
    lines = _graphml(nodes, edges) if kind == ".graphml" else _gexf(nodes, edges)
    for line in lines:
        yield line.encode("utf-8")


def attribute(text: str) -> str:
    r"""A text as quoted attribute.

    Examples
    --------
    >>> attribute('gaji <12jt> "bersih"\x00')
    '\'gaji &lt;12jt&gt; "bersih"\''
    """
    return quoteattr(_NOT_XML.sub("", text))


def _text(text: str) -> str:
    return _NOT_XML.sub("", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _graphml(nodes: Iterable[Node], edges: Iterable[Edge]) -> Iterator[str]:
    yield _HEAD + '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    for name, kind in NODE_COLUMNS.items():
        yield f'<key id="{name}" for="node" attr.name="{name}" attr.type="{kind}"/>\n'
    yield '<key id="weight" for="edge" attr.name="weight" attr.type="long"/>\n<graph edgedefault="undirected">\n'
    for node in nodes:
        data = "".join(f'<data key="{k}">{_text(v)}</data>' for k, v in zip(NODE_COLUMNS, node[1:]) if v)
        yield f"<node id={attribute(node.id)}>{data}</node>\n"
    for edge in edges:
        yield (
            f"<edge source={attribute(edge.source)} target={attribute(edge.target)}>"
            f'<data key="weight">{edge.weight}</data></edge>\n'
        )
    yield "</graph>\n</graphml>\n"


def _gexf(nodes: Iterable[Node], edges: Iterable[Edge]) -> Iterator[str]:
    yield _HEAD + '<gexf xmlns="http://gexf.net/1.3" version="1.3">\n<graph defaultedgetype="undirected">\n'
    yield '<attributes class="node">\n'
    for name, kind in NODE_COLUMNS.items():
        yield f'<attribute id="{name}" title="{name}" type="{kind}"/>\n'
    yield "</attributes>\n<nodes>\n"
    for node in nodes:
        data = "".join(f'<attvalue for="{k}" value={attribute(v)}/>' for k, v in zip(NODE_COLUMNS, node[1:]) if v)
        yield f"<node id={attribute(node.id)} label={attribute(node.label)}><attvalues>{data}</attvalues></node>\n"
    yield "</nodes>\n<edges>\n"
    for number, edge in enumerate(edges):
        yield f'<edge id="{number}" source={attribute(edge.source)} target={attribute(edge.target)} weight="{edge.weight}"/>\n'
    yield "</edges>\n</graph>\n</gexf>\n"
