"""The Tasks extension: a handle instead of a wait, the result by polling, from any process and after anything."""

from typing import Any, Literal

import mcp_types
import pytest
from mcp.client.extension import ClaimContext, ClientExtension, ResultClaim
from tests.mcp_server.rawcalls import MODERN, answer, call, post, request
from tests.service import Service

from limner.errors import ModerationBlocked

TASKS = "io.modelcontextprotocol/tasks"
DECLARED = {"_meta": {"io.modelcontextprotocol/clientCapabilities": {"extensions": {TASKS: {}}}}}


class Handle(mcp_types.Result):
    result_type: Literal["task"] = "task"
    task_id: str
    status: str


class GetTaskParams(mcp_types.RequestParams):
    task_id: str


class GetTask(mcp_types.Request[GetTaskParams, Literal["tasks/get"]]):
    name_param = "taskId"
    method: Literal["tasks/get"] = "tasks/get"
    params: GetTaskParams


class Task(mcp_types.Result):
    status: str
    result: dict[str, Any] | None = None


class Polling(ClientExtension):
    """What a client needs to speak the extension: it polls until the result is there."""

    identifier = TASKS

    def __init__(self, service: Service) -> None:
        self._service = service
        self.polled: list[str] = []

    def claims(self) -> list[ResultClaim[Any]]:
        return [ResultClaim(result_type="task", model=Handle, resolve=self._resolve)]

    async def _resolve(self, handle: Handle, context: ClaimContext) -> mcp_types.CallToolResult:
        while True:
            task = await context.session.send_request(GetTask(params=GetTaskParams(task_id=handle.task_id)), Task)
            self.polled.append(task.status)
            if task.result is not None:
                return mcp_types.CallToolResult.model_validate(task.result)
            self._service.stage.let_go()


async def test_the_official_client_gets_its_picture_by_polling(service: Service) -> None:
    service.stage.holding = True
    polling = Polling(service)
    async with service.mcp(extensions=[polling]) as client:
        made = await client.call_tool("generate_image", {"prompt": "a slow lake"})
    assert made.structured_content["status"] == "succeeded"
    assert (polling.polled[0], polling.polled[-1]) == ("working", "completed")
    assert [block.type for block in made.content] == ["text", "image", "resource_link"]
    assert (await service.balance()).available == 99


async def test_a_task_is_told_by_its_fields(service: Service) -> None:
    task = await _slow_task(service)
    told = await _task(service, task["taskId"])
    assert task["resultType"] == "task"
    assert (told["resultType"], told["status"]) == ("complete", "working")
    assert {"taskId", "createdAt", "lastUpdatedAt", "ttlMs", "pollIntervalMs", "statusMessage"} <= told.keys()
    assert (told["ttlMs"], "result" in told) == (None, False)
    service.stage.let_go()
    done = await _ended(service, task["taskId"])
    assert (done["status"], done["result"]["isError"]) == ("completed", False)
    assert done["result"]["structuredContent"]["id"] in task["taskId"]


async def test_what_is_ready_at_once_is_no_task(service: Service) -> None:
    lake = call("generate_image", {"prompt": "a lake", "idempotencyKey": "lake"}, era="modern", more=DECLARED)
    while (made := answer(await post(service, lake))["result"])["resultType"] == "task":
        await service.http.get(f"/api/v1/images/{made['taskId'].split('.')[0]}?wait=20&format=metadata")
    assert (made["resultType"], made["structuredContent"]["status"]) == ("complete", "succeeded")


async def test_who_says_how_long_to_wait_gets_no_task(service: Service) -> None:
    service.stage.holding = True
    lake = call("generate_image", {"prompt": "a lake", "waitSeconds": 0}, era="modern", more=DECLARED)
    made = answer(await post(service, lake))["result"]
    service.stage.let_go()
    assert made["structuredContent"]["status"] in ("queued", "running")


async def test_how_the_result_is_wanted_is_kept(service: Service) -> None:
    task = await _slow_task(service, inline="none", n=2)
    service.stage.let_go()
    result = (await _ended(service, task["taskId"]))["result"]
    assert [block["type"] for block in result["content"]] == ["text", "resource_link", "resource_link"]
    assert len(result["structuredContent"]["others"]) == 1


async def test_a_failed_generation_is_a_completed_task_with_an_error_for_result(service: Service) -> None:
    service.stage.errors["doomed"] = ModerationBlocked()
    failed = answer(await post(service, call("generate_image", {"prompt": "doomed"})))["result"]["structuredContent"]
    task = await _task(service, f"{failed['id']}.auto")
    assert (task["status"], task["result"]["isError"]) == ("completed", True)
    assert task["result"]["structuredContent"]["error"]["code"] == "moderation_blocked"


async def test_a_cancelled_task_costs_nothing(service: Service) -> None:
    task = await _slow_task(service)
    acknowledged = answer(await post(service, _request("tasks/cancel", task["taskId"])))
    assert acknowledged["result"]["resultType"] == "complete"
    assert (await _ended(service, task["taskId"]))["status"] == "cancelled"
    assert (await service.balance()).available == 100


async def test_a_call_repeated_after_a_lost_handle_gives_a_task_of_the_same_picture(service: Service) -> None:
    first = await _slow_task(service)
    again = await _slow_task(service)
    assert again["taskId"].split(".")[0] == first["taskId"].split(".")[0]
    service.stage.let_go()
    assert (await _ended(service, again["taskId"]))["result"]["structuredContent"]["replayed"] is True
    assert (await service.balance()).available == 99


async def test_answers_to_what_was_never_asked_are_ignored(service: Service) -> None:
    task = await _slow_task(service)
    sent = _request("tasks/update", task["taskId"], inputResponses={"x": {"action": "accept"}})
    assert answer(await post(service, sent))["result"]["resultType"] == "complete"
    service.stage.let_go()


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
async def test_unknown_and_foreign_tasks_are_refused_alike(service: Service, method: str) -> None:
    task = await _slow_task(service)
    service.stage.let_go()
    _, stranger = await service.account("stranger@example.org")
    headers = {"Authorization": f"Bearer {stranger}"}
    for task_id in (task["taskId"], "0199.auto", "nonsense", ""):
        refused = answer(await post(service, _request(method, task_id, inputResponses={}), headers=headers))
        assert refused["error"] == {"code": -32602, "message": "Task not found"}, task_id


async def test_who_did_not_declare_the_extension_is_told_so(service: Service) -> None:
    sent = request("tasks/get", {"taskId": "x"}, era="modern")
    sent["headers"]["Mcp-Name"] = "x"
    refused = await post(service, sent)
    assert (refused.status_code, answer(refused)["error"]["code"]) == (400, -32021)
    assert answer(refused)["error"]["data"] == {"requiredCapabilities": {"extensions": {TASKS: {}}}}
    legacy = answer(await post(service, request("tasks/get", {"taskId": "x"})))
    assert legacy["error"]["code"] == -32601


async def test_a_header_that_names_another_task_is_refused(service: Service) -> None:
    sent = _request("tasks/get", "one")
    sent["headers"]["Mcp-Name"] = "other"
    refused = await post(service, sent)
    assert (refused.status_code, answer(refused)["error"]["code"]) == (400, -32020)


async def test_the_extension_is_advertised_where_it_is_served(service: Service) -> None:
    for path, served in (("/api/mcp", True), ("/getimages/api/mcp", False)):
        told = answer(await post(service, request("server/discover", {}, era="modern"), path=path))["result"]
        assert (TASKS in told["capabilities"].get("extensions", {})) is served


async def _slow_task(service: Service, **arguments: Any) -> dict[str, Any]:
    service.stage.holding = True
    arguments = {"prompt": "a slow lake"} | arguments
    made = answer(await post(service, call("generate_image", arguments, era="modern", more=DECLARED)))["result"]
    assert made["resultType"] == "task"
    return made


def _request(method: str, task_id: str, **params: Any) -> dict[str, Any]:
    sent = request(method, {"taskId": task_id, **params, **DECLARED}, era="modern")
    sent["headers"]["Mcp-Name"] = task_id
    assert sent["headers"]["MCP-Protocol-Version"] == MODERN
    return sent


async def _task(service: Service, task_id: str) -> dict[str, Any]:
    return answer(await post(service, _request("tasks/get", task_id)))["result"]


async def _ended(service: Service, task_id: str) -> dict[str, Any]:
    """Polls, as a client does."""
    await service.http.get(f"/api/v1/images/{task_id.split('.')[0]}?wait=20&format=metadata")
    while (task := await _task(service, task_id))["status"] == "working":
        pass
    return task
