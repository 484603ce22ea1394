"""The circuit breaker, with a clock the test turns."""

import pytest

from limner.errors import ModerationBlocked, NoImage, ServiceError, UpstreamTimeout, UpstreamUnavailable
from limner.providers.base import Unbilled
from limner.providers.breaker import OPEN_SECONDS, Breaker


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock, failures_that_open=3)


def call(breaker: Breaker, error: Exception | None = None) -> None:
    with breaker.watching():
        if error is not None:
            raise error


def fail(breaker: Breaker, error: Exception, times: int) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            call(breaker, error)


@pytest.mark.parametrize("error", [UpstreamUnavailable(), Unbilled(UpstreamUnavailable())], ids=["billed", "unbilled"])
def test_a_run_of_failures_opens_it(breaker: Breaker, error: Exception) -> None:
    fail(breaker, error, times=3)
    assert breaker.is_open


def test_while_open_nothing_passes_and_the_caller_learns_how_long(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, UpstreamUnavailable(), times=3)
    clock.now += 10.5
    with pytest.raises(UpstreamUnavailable) as refusal:
        call(breaker)
    assert refusal.value.retry_after_seconds == OPEN_SECONDS - 10


def test_two_failures_and_a_success_leave_it_closed(breaker: Breaker) -> None:
    fail(breaker, UpstreamUnavailable(), times=2)
    call(breaker)
    fail(breaker, UpstreamUnavailable(), times=2)
    assert not breaker.is_open


@pytest.mark.parametrize("error", [ModerationBlocked(), NoImage()])
def test_a_supplier_that_answers_is_alive(breaker: Breaker, error: ServiceError) -> None:
    fail(breaker, UpstreamUnavailable(), times=2)
    fail(breaker, error, times=1)
    fail(breaker, UpstreamUnavailable(), times=2)
    assert not breaker.is_open


def test_a_timeout_neither_opens_nor_closes_it(breaker: Breaker) -> None:
    fail(breaker, UpstreamUnavailable(), times=2)
    fail(breaker, UpstreamTimeout(), times=5)
    assert not breaker.is_open
    fail(breaker, UpstreamUnavailable(), times=1)
    assert breaker.is_open


def test_after_the_pause_one_probe_passes_and_its_success_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, UpstreamUnavailable(), times=3)
    clock.now += OPEN_SECONDS
    with breaker.watching(), pytest.raises(UpstreamUnavailable):
        call(breaker)
    assert not breaker.is_open
    call(breaker)


def test_a_failed_probe_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, UpstreamUnavailable(), times=3)
    clock.now += OPEN_SECONDS
    fail(breaker, UpstreamUnavailable(), times=1)
    with pytest.raises(UpstreamUnavailable):
        call(breaker)


def test_a_probe_that_times_out_leaves_the_way_free_for_the_next(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, UpstreamUnavailable(), times=3)
    clock.now += OPEN_SECONDS
    fail(breaker, UpstreamTimeout(), times=1)
    call(breaker)
    assert not breaker.is_open
