"""The shapes of REST's answers as a whole, for the OpenAPI description; tests hold the answers to them."""

from collections.abc import Mapping

from pydantic import ConfigDict, Field

from limner.rest.keys import Key
from limner.rest.webhooks import DeliveryLine, Webhook
from limner.schemas import Charge, DescribedImage, ModelEntry, Shape, UsageLine
from limner.schemas.prompts import OnePrompt


class ImageWithBytes(DescribedImage):
    """`b64_json` is there for a succeeded picture, unless it was declined."""

    b64_json: str | None = Field(default=None, alias="b64_json", json_schema_extra={"contentEncoding": "base64"})


class FirstImage(ImageWithBytes):
    """The first picture of a call, and the others."""

    others: tuple[ImageWithBytes, ...]


class MadeImages(Shape):
    image: FirstImage
    credits: Charge


class WouldCharge(Shape):
    would_charge: int
    would_remain: int


class QuoteAnswer(Shape):
    """The answer to `dryRun`."""

    credits: WouldCharge
    warnings: tuple[str, ...]


class OneImage(Shape):
    image: ImageWithBytes


class ImageList(Shape):
    images: tuple[DescribedImage, ...]
    total: int | None
    limit: int
    offset: int
    next_cursor: str | None


class UsageList(Shape):
    transactions: tuple[UsageLine, ...]
    total: int | None
    limit: int
    offset: int
    next_cursor: str | None


class ModelList(Shape):
    models: tuple[ModelEntry, ...]
    default: str


class KeyList(Shape):
    keys: tuple[Key, ...]


class OneKey(Shape):
    key: Key


class KeyAndSecret(Shape):
    """The secret is shown this once."""

    key: Key
    secret: str


class WebhookList(Shape):
    webhooks: tuple[Webhook, ...]


class WebhookAndSecret(Shape):
    """The secret is shown this once; Standard Webhooks' libraries take it as it is."""

    webhook: Webhook
    secret: str


class DeliveryList(Shape):
    deliveries: tuple[DeliveryLine, ...]
    limit: int
    offset: int


class OneDelivery(Shape):
    delivery: DeliveryLine


class SavedPromptList(Shape):
    prompts: tuple[OnePrompt, ...]


class OneSavedPrompt(Shape):
    prompt: OnePrompt


class FilledPrompt(Shape):
    """What generate_image and `/api/v1/images/generate` take."""

    arguments: Mapping[str, str]


class ImportedPrompts(Shape):
    created: int
    updated: int


class ErrorDetail(Shape):
    path: str
    message: str
    code: str


class ErrorObject(Shape):
    """More fields stand beside these where the code calls for them, such as `needed` and `available`."""

    model_config = ConfigDict(extra="allow")

    code: str
    message: str
    details: tuple[ErrorDetail, ...]
    retryable: bool
    retry_after_seconds: int | None
    credits_charged: int
    next_step: str
    request_id: str


class ErrorAnswer(Shape):
    error: ErrorObject
