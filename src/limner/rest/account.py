"""REST for the account: balance, usage, models."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Principal
from limner.http.json import Json
from limner.images.service import Images
from limner.rest import reading
from limner.rest.door import Door
from limner.schemas import Account, UsageLine, models_data


class AccountRoutes:
    def __init__(self, images: Images) -> None:
        self._images = images

    def routes(self, door: Door) -> list[Route]:
        return [
            door.route("/api/v1/account", self._account),
            door.route("/api/v1/usage", self._usage),
            door.route("/api/v1/models", self._models),
        ]

    async def _account(self, request: Request, principal: Principal) -> Response:
        balance, cap = await self._images.account(principal)
        return Json(Account.of(principal.user_id, principal.email, balance, cap).data())

    async def _usage(self, request: Request, principal: Principal) -> Response:
        limit, offset = reading.page_of(request)
        lines, total = await self._images.usage(principal, limit=limit, offset=offset)
        shown = [UsageLine.of(line).data() for line in lines]
        return Json({"transactions": shown, "total": total, "limit": limit, "offset": offset})

    async def _models(self, request: Request, principal: Principal) -> Response:
        return Json(models_data(self._images.catalog))
