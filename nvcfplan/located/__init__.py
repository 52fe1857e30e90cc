"""YAML text to documents that know where everything was written; bounded, and YAML 1.2."""

from __future__ import annotations

from nvcfplan.located.parsing import (
    DEEPEST,
    LONGEST_SCALAR,
    MOST_FAULTS,
    MOST_NODES,
    ComplexKey,
    Parsed,
    load_documents,
    parse_source,
)
from nvcfplan.located.scalars import (
    Plain,
    core_scalar,
)
from nvcfplan.located.sourcemap import (
    Place,
    SourceMap,
)
from nvcfplan.located.sources import (
    BREAK,
    HIDDEN,
    MOST_BYTES,
    Range,
    Source,
    decode_source,
    too_large,
)
from nvcfplan.located.tree import (
    Entry,
    Located,
    MappingNode,
    Node,
    Path,
    ScalarNode,
    SequenceNode,
    to_plain,
)
from nvcfplan.located.wording import (
    Words,
    words_for,
)

__all__ = [
    "BREAK",
    "DEEPEST",
    "HIDDEN",
    "LONGEST_SCALAR",
    "MOST_BYTES",
    "MOST_FAULTS",
    "MOST_NODES",
    "ComplexKey",
    "Entry",
    "Located",
    "MappingNode",
    "Node",
    "Parsed",
    "Path",
    "Place",
    "Plain",
    "Range",
    "ScalarNode",
    "SequenceNode",
    "Source",
    "SourceMap",
    "Words",
    "core_scalar",
    "decode_source",
    "load_documents",
    "parse_source",
    "to_plain",
    "too_large",
    "words_for",
]
