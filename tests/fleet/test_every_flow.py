"""What one server does, two behind a round-robin proxy do: the same tests, each request answered by the other server.

Generating with progress, waiting, hanging up and adopting, idempotency, cancelling, questions answered at the other
server, links, uploads, events and OAuth.
"""

import pytest
from tests.mcp_server.test_asking import *  # noqa: F403
from tests.mcp_server.test_paying_once import *  # noqa: F403
from tests.oauth.test_connecting import *  # noqa: F403
from tests.rest.test_events import *  # noqa: F403
from tests.rest.test_images import *  # noqa: F403
from tests.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

del test_a_quiet_stream_shows_that_it_lives_and_ends_when_its_reader_leaves  # noqa: F821 — counts one process's watchers
del test_an_answer_written_after_its_caller_closed_is_not_delivered  # noqa: F821 — looks at the connection, which is the proxy's here
del test_five_hundred_calls_at_once_with_one_key_are_one_order  # noqa: F821 — imported above; both columns run it there
del test_hang_ups_at_any_moment_lose_and_double_nothing  # noqa: F821 — below, for two processes
del test_two_hundred_hang_ups_lose_and_double_nothing  # noqa: F821 — imported above; twelve say the same here


@pytest.mark.parametrize("era", ERAS)  # noqa: F405
async def test_hang_ups_lose_nothing_and_double_only_what_the_proxy_had_taken(service: Service, era: str) -> None:
    await hang_up_at_any_moment(service, era, 12, through_proxy=True)  # noqa: F405
