"""What a trace writer knows of the program whose trace it writes: goroutines, procs, the collector.

The runtime says the status of everything once in each generation, before the first event about it,
and counts what happens to it from there. To do the same, the writer has to follow along.
"""

from __future__ import annotations

from dataclasses import dataclass

from gotrace.spec.trace_events import NONE, GoStatus, ProcStatus


@dataclass(slots=True)
class Goroutine:
    """A goroutine that lives: its status, where it runs, and what this generation knows of it."""

    id: int
    status: GoStatus
    thread: int = NONE
    seq: int = 0
    generation: int = 0
    assisting: bool = False

    def next_seq(self) -> int:
        """Count one more event about it in this generation."""
        self.seq += 1
        return self.seq

    def state(self) -> tuple[object, ...]:
        """Return what a status would say."""
        return (self.status, self.thread, self.assisting)


@dataclass(slots=True)
class Proc:
    """A proc: its status, the thread that holds it, and what this generation knows of it."""

    id: int
    status: ProcStatus
    thread: int = NONE
    seq: int = 0
    generation: int = 0
    sweeping: bool = False

    def next_seq(self) -> int:
        """Count one more event about it in this generation."""
        self.seq += 1
        return self.seq

    def state(self) -> tuple[object, ...]:
        """Return what a status would say."""
        return (self.status, self.thread, self.sweeping)


class World:
    """Everything alive, and what was said of it in the generation that is being written."""

    def __init__(self) -> None:
        self.goroutines: dict[int, Goroutine] = {}
        self.procs: dict[int, Proc] = {}
        self.tasks: set[int] = set()
        self.gc_seq = 0
        self.gc_running = False
        self.gc_generation = 0
        self.gc_seq_at_start = 0
        self.tasks_at_start: frozenset[int] = frozenset()
        self._announced: dict[tuple[str, int], tuple[object, ...]] = {}

    def begin_generation(self) -> None:
        """Forget what was said: in a new generation all is said again."""
        self._announced.clear()
        self.gc_seq_at_start = self.gc_seq
        self.tasks_at_start = frozenset(self.tasks)

    def announced(self, resource: Goroutine | Proc, generation: int) -> None:
        """Take note that a status was written."""
        resource.generation = generation
        resource.seq = 0
        key = (type(resource).__name__, resource.id)
        self._announced.setdefault(key, resource.state())

    def why_not_again(self) -> str | None:
        """Say why the generation cannot follow itself as it is, None if it can.

        It can if it leaves everything as it found it.
        """
        if self.gc_seq != self.gc_seq_at_start:
            return "the numbers of GC events go on from generation to generation"
        if self.tasks != self.tasks_at_start:
            return "a task that it begins is still active when it begins again"
        found = dict(self._announced)
        alive: list[Goroutine | Proc] = [*self.goroutines.values(), *self.procs.values()]
        for resource in alive:
            key = (type(resource).__name__, resource.id)
            if found.pop(key, None) != resource.state():
                return f"it does not leave {key[0].lower()} {key[1]} as it finds it"
        if found:
            name, number = next(iter(found))
            return f"it ends {name.lower()} {number}"
        return None
