"""The queue of chunks: frames are numbers that count up, so that every jump, gap and repetition shows."""

import threading
import time

import numpy as np
import pytest

from fitmotion_models.motion.chunk_queue import LatencyTracker, PoseChunkQueue


def rows(first, count=20, plan=0.0):
    """Rows (count, 2): frame number, and which plan they are of."""
    return np.stack([np.arange(first, first + count, dtype=float), np.full(count, plan)], axis=1)


def popped(queue, count):
    return [queue.pop()[0] for _ in range(count)]


def test_a_chunk_that_comes_in_time_goes_on_where_it_was_planned_to():
    queue = PoseChunkQueue(rows(-20))
    queue.merge(rows(0), 0)
    plan = queue.plan(3)
    assert plan.first == 3
    np.testing.assert_array_equal(plan.history[:, 0], np.arange(-17, 3))
    popped(queue, 2)  # two frames were played meanwhile
    merged = queue.merge(rows(3, plan=1.0), plan.first)
    assert merged == (20, 0)
    np.testing.assert_array_equal([queue.pop() for _ in range(4)], [[2, 0], [3, 1], [4, 1], [5, 1]])


def test_a_late_chunk_never_replays_the_past():
    queue = PoseChunkQueue(rows(-20))
    queue.merge(rows(0), 0)
    plan = queue.plan(2)
    assert popped(queue, 7) == list(range(7))
    joins = []

    def join(before, chunk):
        joins.append((before[:, 0].tolist(), chunk[0, 0]))
        return chunk

    assert queue.merge(rows(2, plan=1.0), plan.first, join) == (15, 5)
    assert joins == [([5.0, 6.0], 7.0)]
    assert popped(queue, 15) == list(range(7, 22))
    assert queue.pop() is None


def test_a_chunk_that_is_wholly_past_changes_nothing():
    queue = PoseChunkQueue(rows(-20))
    queue.merge(rows(0, 40), 0)
    popped(queue, 25)
    assert queue.merge(rows(0, plan=1.0), 0) == (0, 20)
    np.testing.assert_array_equal(queue.pop(), [25, 0])


def test_a_plan_reaches_no_further_than_what_waits():
    queue = PoseChunkQueue(rows(-20))
    queue.merge(rows(0, 4), 0)
    assert queue.plan(10).first == 4
    assert queue.plan_from(2).first == 2
    assert queue.plan_from(-5).first == 0


def test_gaps_and_other_rows_are_refused():
    queue = PoseChunkQueue(rows(-20))
    with pytest.raises(ValueError, match="leaves a gap"):
        queue.merge(rows(1), 1)
    with pytest.raises(ValueError, match=r"shape \(N, 2\); got \(20, 3\)"):
        queue.merge(np.zeros((20, 3)), 0)
    with pytest.raises(ValueError, match="N at least 1"):
        PoseChunkQueue(np.zeros((0, 2)))


def test_what_is_popped_is_the_callers_own():
    queue = PoseChunkQueue(rows(-20))
    queue.merge(rows(0), 0)
    queue.pop()[:] = np.nan
    assert np.isfinite(queue.plan(0).history).all()


@pytest.mark.slow
def test_one_thread_plans_and_merges_while_another_plays_without_a_jump():
    queue = PoseChunkQueue(rows(-20), keep=20)
    queue.merge(rows(0), 0)
    stop = threading.Event()
    random = np.random.default_rng(0)

    def work():
        while not stop.is_set():
            plan = queue.plan(int(random.integers(0, 6)))
            queue.merge(rows(plan.history[-1, 0] + 1), plan.first)

    worker = threading.Thread(target=work)
    worker.start()
    played = []
    while len(played) < 2000:
        row = queue.pop()
        if row is not None:
            played.append(row[0])
        else:
            time.sleep(0)
    stop.set()
    worker.join()
    assert played == list(range(2000))


def test_latency_is_of_the_last_chunks_and_rounded_up_to_frames():
    tracker = LatencyTracker(window=100)
    assert tracker.p50 is None and tracker.p95 is None and tracker.delay_frames(0.05) == 0
    for seconds in [9.0] * 50 + [k / 1000.0 for k in range(1, 101)]:
        tracker.add(seconds)
    # 1 to 100 ms: percentiles as numpy interpolates them
    assert tracker.p50 == pytest.approx(0.0505)
    assert tracker.p95 == pytest.approx(0.09505)
    assert tracker.delay_frames(0.05) == 2
    assert tracker.delay_frames(0.02) == 5
