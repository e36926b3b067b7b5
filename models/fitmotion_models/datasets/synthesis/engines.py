"""What spreads the recordings of a data set over processes of this machine, or over a cluster of Ray."""

import os
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import active_children, connection, get_context, parent_process
from typing import Any

from fitmotion_models.datasets.synthesis.work import Outcome

Task = Callable[[Any], Outcome]
LOCAL, RAY = "local", "ray"
ENGINES = (LOCAL, RAY)
"""What `spread` can use."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_ATTEMPTS = 2


def check_engine(engine: str) -> None:
    """Whether an engine can be used here. Raises ValueError, saying what to do."""
    if engine not in ENGINES:
        raise ValueError(f"engine '{engine}' unknown; known: {', '.join(ENGINES)}")
    if engine == RAY:
        try:
            import ray
        except ImportError as error:
            raise ValueError(
                f"engine ray needs the package ray ({error}); install it on every machine, with "
                "`./fitmotion exec -- python -m pip install ray`, or take --engine local"
            ) from error
        del ray


def spread(task: Task, sources: Sequence[Any], jobs: int, engine: str = LOCAL) -> Iterator[Outcome]:
    """What the task gives for each source, in the order in which they are done.

    jobs: at once. engine: "local" (processes; with one job this one) or "ray". The task and the sources must be ones
    that can be sent to a process. When the caller leaves off, what runs is stopped.
    """
    if engine == RAY:
        yield from _with_ray(task, sources, jobs)
    elif jobs == 1 or len(sources) < 2:
        yield from map(task, sources)
    else:
        yield from _LocalPool(task, jobs).outcomes(sources)


class _LocalPool:
    """Processes of this machine. A source whose process dies is tried again by itself, so that no other is blamed."""

    def __init__(self, task: Task, jobs: int) -> None:
        self._task, self._jobs = task, jobs
        self._died: Counter[str] = Counter()

    def outcomes(self, sources: Sequence[Any]) -> Iterator[Outcome]:
        """See `spread`."""
        # each process does sums of small arrays, which threads of its own only slow down
        for variable in _THREADS:
            os.environ.setdefault(variable, "1")
        suspects: list[Any] = []
        yield from self._round(deque(sources), self._jobs, suspects)
        while suspects:
            again, suspects = suspects, []
            for source in again:
                if self._died[source.id] >= _ATTEMPTS:
                    yield Outcome(source.id, problem="its process died, of too little memory perhaps")
                else:
                    yield from self._round(deque([source]), 1, suspects)

    def _round(self, todo: "deque[Any]", jobs: int, suspects: list[Any]) -> Iterator[Outcome]:
        """Work through the sources; those whose process died, and what ran beside, become suspects."""
        while todo:
            before = set(active_children())
            pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_begin_process)
            running: dict[Future[Outcome], Any] = {}
            try:
                while todo or running:
                    # as many as there are processes, so that what died is among these
                    while todo and len(running) < jobs:
                        source = todo.popleft()
                        running[pool.submit(self._task, source)] = source
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        outcome = future.result()
                        del running[future]
                        yield outcome
                pool.shutdown()
            except BrokenProcessPool:
                for source in running.values():
                    self._died[source.id] += 1
                    suspects.append(source)
            finally:
                if running:
                    _stop(pool, before)


def _stop(pool: ProcessPoolExecutor, before: set[Any]) -> None:
    """End the processes of a pool, whatever they do."""
    ours = [child for child in active_children() if child not in before]
    for child in ours:
        child.terminate()
    pool.shutdown(wait=False, cancel_futures=True)
    for child in ours:
        child.join()


def _begin_process() -> None:
    """In a process of the pool: leave Ctrl-C to the one that started it, and end with that one."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _with_ray(task: Task, sources: Sequence[Any], jobs: int) -> Iterator[Outcome]:
    """Tasks of Ray: on the cluster that RAY_ADDRESS names, else on this machine. The folder has to be seen by all."""
    import ray

    mine = not ray.is_initialized()
    if mine:
        _connect(ray, jobs)
    try:
        remote, shared = ray.remote(max_retries=_ATTEMPTS - 1)(_call), ray.put(task)
        todo: deque[Any] = deque(sources)
        running: dict[Any, Any] = {}
        while todo or running:
            while todo and len(running) < jobs:
                source = todo.popleft()
                running[remote.remote(shared, source)] = source
            done, _ = ray.wait(list(running), num_returns=1)
            for reference in done:
                source = running.pop(reference)
                try:
                    yield ray.get(reference)
                except (ray.exceptions.RayError, RuntimeError) as error:
                    yield Outcome(source.id, problem=f"its task died: {str(error).splitlines()[0]}")
    finally:
        if mine:
            with suppress(Exception):
                ray.shutdown()


def _call(task: Task, source: Any) -> Outcome:
    return task(source)


def _connect(ray: Any, jobs: int) -> None:
    """To the cluster, or to a Ray of its own with so many processors. Tasks import what this process can."""
    environment = {name: os.environ[name] for name in ("PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    environment |= dict.fromkeys(_THREADS, "1")
    address = os.environ.get("RAY_ADDRESS")
    where = {"address": address} if address else {"num_cpus": jobs, "include_dashboard": False}
    ray.init(logging_level="error", log_to_driver=False, runtime_env={"env_vars": environment}, **where)
