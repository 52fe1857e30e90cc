"""What differs between account and stack, attribute by attribute, and whose is what."""

from __future__ import annotations

from nvcfplan.differences.assigning import (
    assign,
)
from nvcfplan.differences.cautions import (
    caution,
    is_move,
    is_mutable,
)
from nvcfplan.differences.compare import (
    NO_ATTRIBUTES,
    Compared,
    carried_config,
    compare_config,
    compare_ownership,
    compare_secrets,
    compare_specifications,
    created_attributes,
    removed_attributes,
    secret_change,
)
from nvcfplan.differences.differ import (
    CompareOptions,
    Difference,
    compare_function,
    keep_function,
    remove_function,
)
from nvcfplan.differences.flattening import (
    MASK,
    NOTHING,
    Attribute,
    flatten_config,
    flatten_specification,
)
from nvcfplan.differences.freeform import (
    Leaf,
    describe,
)
from nvcfplan.differences.hashing import (
    Value,
    hash_live,
    hash_state,
    match_values,
)
from nvcfplan.differences.late import (
    Arrivals,
    find_arrivals,
    has_row,
)
from nvcfplan.differences.leftovers import (
    FAILED,
    LATE,
    SURPLUS,
    cleaning,
    is_due,
    is_over,
    leaving,
    note_failed,
)
from nvcfplan.differences.mutability import (
    CONFIG_ROWS,
    FOLDED,
    PLACEMENT_ROWS,
    SHARING,
    SPECIFICATION_ROWS,
    Row,
)
from nvcfplan.differences.ownership import (
    Holdings,
    OwnedFunction,
    find_owned,
    needed_reads,
)
from nvcfplan.differences.sealing import (
    conceal,
    seal_config,
    seal_function,
    seal_stack,
)
from nvcfplan.differences.sharing import (
    compare_sharing,
    created_sharing,
    judge_sharing,
    manages_sharing,
)
from nvcfplan.differences.specifications import (
    Matching,
    Pairing,
    carry_forward,
    match_specifications,
)
from nvcfplan.differences.standing import (
    WORDS,
    judge_standing,
    on_rung,
    rung_in_words,
    rung_kind,
    standing,
)
from nvcfplan.differences.trouble import (
    judge_live,
    unmovable_secrets,
)

__all__ = [
    "CONFIG_ROWS",
    "FAILED",
    "FOLDED",
    "LATE",
    "MASK",
    "NOTHING",
    "NO_ATTRIBUTES",
    "PLACEMENT_ROWS",
    "SHARING",
    "SPECIFICATION_ROWS",
    "SURPLUS",
    "WORDS",
    "Arrivals",
    "Attribute",
    "CompareOptions",
    "Compared",
    "Difference",
    "Holdings",
    "Leaf",
    "Matching",
    "OwnedFunction",
    "Pairing",
    "Row",
    "Value",
    "assign",
    "carried_config",
    "carry_forward",
    "caution",
    "cleaning",
    "compare_config",
    "compare_function",
    "compare_ownership",
    "compare_secrets",
    "compare_sharing",
    "compare_specifications",
    "conceal",
    "created_attributes",
    "created_sharing",
    "describe",
    "find_arrivals",
    "find_owned",
    "flatten_config",
    "flatten_specification",
    "has_row",
    "hash_live",
    "hash_state",
    "is_due",
    "is_move",
    "is_mutable",
    "is_over",
    "judge_live",
    "judge_sharing",
    "judge_standing",
    "keep_function",
    "leaving",
    "manages_sharing",
    "match_specifications",
    "match_values",
    "needed_reads",
    "note_failed",
    "on_rung",
    "remove_function",
    "removed_attributes",
    "rung_in_words",
    "rung_kind",
    "seal_config",
    "seal_function",
    "seal_stack",
    "secret_change",
    "standing",
    "unmovable_secrets",
]
