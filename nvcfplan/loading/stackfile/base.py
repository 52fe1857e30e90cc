"""What all models of the stack file share: strictness, names in camel case, and patterns.

Patterns are in the dialect that Rust's regex and JSON Schema have in common. `PATTERN_WORDS` says
each in words, because a pattern is no error message.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from nvcfplan.model import NAME_PATTERN

NAME: Final = f"^{NAME_PATTERN}$"
FUNCTION_NAME: Final = r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,127}$"
VARIABLE_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_]*$"
ENVIRONMENT_KEY: Final = r"^[^=\s]+$"
SECRET_NAME: Final = r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,47}$"
TAG: Final = r"^[a-zA-Z0-9_:=-]{1,128}$"
URL_PATH: Final = r"^/\S*$"
WORD: Final = r"^\S+$"
DURATION: Final = (
    r"^(([0-9]+h)?([0-9]+m)?[0-9]+s|([0-9]+h)?[0-9]+m|[0-9]+h"
    r"|PT([0-9]+H)?([0-9]+M)?[0-9]+(\.[0-9]+)?S|PT([0-9]+H)?[0-9]+M|PT[0-9]+H"
    r"|P[0-9]+D(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?)$"
)
RATES: Final = r"^[0-9]+-[SMHD](,[0-9]+-[SMHD]){0,3}$"
ENDPOINT: Final = r"^https?://[^\s/?#]+[^\s?#]*$"
CHART: Final = r"^[a-z]+://\S+$"
ACCOUNT_ID: Final = r"^(\*|[A-Za-z0-9_.-]{1,128})$"

PATTERN_WORDS: Final = {
    NAME: "a lower-case letter, then up to 39 lower-case letters, digits and hyphens",
    FUNCTION_NAME: "a letter or digit, then letters, digits, `-` and `_`; at most 128 characters",
    VARIABLE_NAME: "letters, digits and `_`, not beginning with a digit",
    ENVIRONMENT_KEY: "without spaces and without `=`",
    SECRET_NAME: "a letter or digit, then letters, digits, `_`, `.` and `-`; at most 48 characters",
    TAG: "1 to 128 letters, digits and any of `-_:=`",
    URL_PATH: "a path that begins with `/` and has no spaces",
    WORD: "one word without spaces",
    DURATION: "a duration such as `90s`, `15m`, `1h30m` or `PT10S`",
    RATES: "a rate such as `100-S`, or several joined by commas (units S, M, H, D)",
    ENDPOINT: "an address such as `https://api.ngc.nvidia.com`, without a query",
    ACCOUNT_ID: "letters, digits, `_`, `.` and `-`, at most 128; or `*` for everyone",
    CHART: "the address of a chart, such as `https://helm.ngc.nvidia.com/ORG/charts/NAME-1.0.tgz`",
}

TEXT_KIND: Final = "(text)"
MAPPING_KIND: Final = "(mapping)"
"""Stand in pydantic's locations for the branch taken; no key can be written so."""

Name: TypeAlias = Annotated[str, Field(pattern=NAME)]
VariableName: TypeAlias = Annotated[str, Field(pattern=VARIABLE_NAME)]
EnvironmentKey: TypeAlias = Annotated[str, Field(pattern=ENVIRONMENT_KEY)]
SecretName: TypeAlias = Annotated[str, Field(pattern=SECRET_NAME)]
Tag: TypeAlias = Annotated[str, Field(pattern=TAG)]
UrlPath: TypeAlias = Annotated[str, Field(pattern=URL_PATH)]
Word: TypeAlias = Annotated[str, Field(pattern=WORD)]
DurationText: TypeAlias = Annotated[str, Field(pattern=DURATION)]
AccountId: TypeAlias = Annotated[str, Field(pattern=ACCOUNT_ID)]
Port: TypeAlias = Annotated[int, Field(ge=1, le=65535)]


class Strict(BaseModel):
    """No coercion between types, no unknown keys, keys as the API writes them."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        frozen=True,
        protected_namespaces=(),
    )
