"""The public shapes, written once: what callers send and what every door answers."""

from limner.schemas.account import Account, CapLeft, UsageLine
from limner.schemas.images import Charge, DescribedImage, Image
from limner.schemas.models import ModelEntry, ModelPrice, models_data
from limner.schemas.reading import json_schema, parse
from limner.schemas.requests import PROMPT_CHARACTERS, WAIT_SECONDS, Edit, Generate, GetImage, PageOf
from limner.schemas.shapes import WELL_FORMED, Id, Nothing, Shape, Time, iso
from limner.schemas.uploads import CreateUpload, OpenUpload, SentUpload

__all__ = [
    "PROMPT_CHARACTERS",
    "WAIT_SECONDS",
    "WELL_FORMED",
    "Account",
    "CapLeft",
    "Charge",
    "CreateUpload",
    "DescribedImage",
    "Edit",
    "Generate",
    "GetImage",
    "Id",
    "Image",
    "ModelEntry",
    "ModelPrice",
    "Nothing",
    "OpenUpload",
    "PageOf",
    "SentUpload",
    "Shape",
    "Time",
    "UsageLine",
    "iso",
    "json_schema",
    "models_data",
    "parse",
]
