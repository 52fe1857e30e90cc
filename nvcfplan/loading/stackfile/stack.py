"""One document of a stack: its head is checked as a whole, each function by itself.

That a faulty function leaves the others to be checked further is why the two are separate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from nvcfplan.loading.stackfile.base import ENDPOINT, Name, Strict, VariableName, Word
from nvcfplan.loading.stackfile.function import FunctionFile


class AccountFile(Strict):
    """The account this stack belongs to; another one is refused."""

    endpoint: Annotated[str, Field(pattern=ENDPOINT)] | None = Field(
        default=None, description="Address of the API, such as `https://api.ngc.nvidia.com`."
    )
    org: Word | None = Field(default=None, description="NGC organisation.")
    nca_id: Word | None = Field(default=None, description="NVIDIA Cloud Account id.")


class QuotaFile(Strict):
    """A limit of the account that cannot be read, or not in these units."""

    gpu: Word = Field(description="GPU name of the inventory, such as `H100`.")
    limit: int = Field(ge=0, description="How many the account may have, in `unit`.")
    unit: Literal["gpus", "instances"] = Field(
        default="gpus", description="Whether GPUs are counted, or instances of whatever size."
    )
    instance_type: Word | None = Field(
        default=None, description="Only instances of this type count. Absent: of every type."
    )
    backends: list[Word] = Field(
        default_factory=list, description="Cluster groups that it is about, by name."
    )
    clusters: list[Word] = Field(
        default_factory=list,
        description="Clusters that it is about, by name. Neither these nor backends: all of them.",
    )
    counts: Literal["minInstances", "maxInstances"] | None = Field(
        default=None,
        description="Which bound of each deployed specification is added up. Absent: not known, so "
        "the sum of minInstances over the limit is an error, that of maxInstances a risk.",
    )


class StackHead(Strict):
    api_version: Literal["nvcfplan/v1"] = Field(description="The version of this format.")
    stack: Name | None = Field(
        default=None,
        description="The stack's name; stands in one file at least, and is the same in all.",
    )
    account: AccountFile = Field(
        default_factory=AccountFile, description="Binds the stack to one account."
    )
    vars: dict[VariableName, object] = Field(
        default_factory=dict,
        description="Variables for templates, with their defaults; `--var NAME=VALUE` overrides.",
    )
    quotas: dict[Name, QuotaFile] = Field(
        default_factory=dict,
        description="Limits of the account under keys of your own, for what no reading shows.",
    )
    functions: Mapping[Name, object] = Field(
        default_factory=dict,
        description="Functions under keys of your own; a key is the function's identity.",
    )


class StackFile(StackHead):
    """A stack of NVIDIA Cloud Functions, as nvcfplan deploys it: one file, or one of several."""

    functions: Mapping[Name, FunctionFile] = Field(
        default_factory=dict,
        description="Functions under keys of your own; a key is the function's identity.",
    )
