"""REST for the account: balance and models."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.principal import Principal
from limner.http.json import Json
from limner.images.service import Images
from limner.rest.door import Door
from limner.schemas import Account, models_data


class AccountRoutes:
    def __init__(self, images: Images) -> None:
        self._images = images

    def routes(self, door: Door) -> list[Route]:
        return [
            door.route("/api/v1/account", self._account),
            door.route("/api/v1/models", self._models),
        ]

    async def _account(self, request: Request, principal: Principal) -> Response:
        balance, cap = await self._images.account(principal)
        return Json(Account.of(principal.user_id, principal.email, balance, cap).data())

    async def _models(self, request: Request, principal: Principal) -> Response:
        return Json(models_data(self._images.catalog))
