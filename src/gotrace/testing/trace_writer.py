"""Write execution traces of any Go version from 1.22 on, event by event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from gotrace.spec.trace_events import (
    EVENT_BY_NAME,
    HEADERS,
    MAX_BATCH_BYTES,
    NONE,
    GoStatus,
    ProcStatus,
    header,
)
from gotrace.testing.thread_writer import Frame, Stack, ThreadWriter
from gotrace.testing.world import World
from gotrace.wire.binary import Record, encode_batch, encode_record

_SYNC_SINCE: Final = 25
_END_OF_GENERATION_SINCE: Final = 26
_FIRST_ADDRESS: Final = 0x401000


class Writable(Protocol):
    """A binary file, socket, pipe."""

    def write(self, data: bytes, /) -> object:
        """Take all of the bytes."""


@dataclass(frozen=True, slots=True)
class _Sample:
    time: int
    thread: int
    proc: int
    goroutine: int
    stack: int


@dataclass(frozen=True, slots=True)
class _Batch:
    thread: int
    time: int
    payload: bytes
    experiment: int | None = None


class TraceWriter:
    """Write a trace to a file, a generation at a time; memory holds one.

    Threads come from `thread(id)` and write their events at a common clock. Strings and stacks are
    given as they are and interned. `new_generation` closes the current generation and begins the
    next, in which all statuses are written again as they are needed; `close` (or leaving the
    `with`) closes the last. The file stays open.

    Args:
        file: where to, anything with `write`.
        minor: the header: 22, 23, 25 or 26 (`gotrace.spec.trace_events.HEADERS`).
        frequency: ticks a second; by default a tick is a nanosecond.
        clock: the time of the first event, in ticks.
        tick: how far the clock moves on with every event.
        generation: number of the first generation; flight recorders begin at any.
        batch_bytes: when a thread's batch is full.
        wall_ns: wall clock at tick 0, for the clock snapshots of Go 1.25.
        keep: keep each generation until the next begins, for `repeat`.
    """

    def __init__(
        self,
        file: Writable,
        minor: int = 26,
        *,
        frequency: int = 1_000_000_000,
        clock: int = 1_000,
        tick: int = 1,
        generation: int = 1,
        batch_bytes: int = MAX_BATCH_BYTES,
        wall_ns: int = 1_700_000_000_000_000_000,
        keep: bool = False,
    ) -> None:
        if minor not in HEADERS:
            raise ValueError(f"no trace of format v2 has the version 1.{minor}")
        self.minor = minor
        self.frequency = frequency
        self.clock = clock
        self.tick = tick
        self.generation = generation
        self.batch_bytes = batch_bytes
        self.bytes_written = 0
        self.world = World()
        self._file = file
        self._wall_ns = wall_ns
        self._first_generation = generation
        self._threads: dict[int, ThreadWriter] = {}
        self._addresses: dict[tuple[str, str, int], int] = {}
        self._keep = keep
        self._kept: list[_Batch] = []
        self.is_open = False
        self._strings: dict[bytes, int] = {}
        self._stacks: dict[tuple[Frame, ...], int] = {}
        self._samples: list[_Sample] = []
        self._begin_clock = clock
        self.write(header(minor))

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            self.close()

    @property
    def is_first_generation(self) -> bool:
        """Whether statuses make known what they speak of; later they confirm it."""
        return self.generation == self._first_generation

    def thread(self, thread: int) -> ThreadWriter:
        """Return the writer of a thread's events; NONE is the thread that is none."""
        self._begin()
        writer = self._threads.get(thread)
        if writer is None:
            writer = self._threads[thread] = ThreadWriter(self, thread)
        return writer

    def string(self, text: str | bytes) -> int:
        """Intern a string in this generation and return its id; the empty one is 0."""
        self._begin()
        data = text.encode() if isinstance(text, str) else text
        if not data:
            return 0
        return self._strings.setdefault(data, len(self._strings) + 1)

    def stack(self, stack: Stack) -> int:
        """Intern a stack, leaf first, in this generation and return its id; no stack is 0."""
        self._begin()
        if isinstance(stack, int):
            return stack
        if not stack:
            return 0
        return self._stacks.setdefault(tuple(stack), len(self._stacks) + 1)

    def cpu_sample(
        self,
        thread: int,
        proc: int | None = None,
        goroutine: int | None = None,
        stack: Stack = None,
        at: int | None = None,
    ) -> None:
        """Add a sample of the CPU profiler, now or at a time in this generation."""
        self._begin()
        time = self.clock if at is None else at
        who = NONE if proc is None else proc, goroutine or 0
        self._samples.append(_Sample(time, thread, *who, self.stack(stack)))

    def experimental_batch(
        self, payload: bytes, experiment: int = 1, thread: int = NONE, at: int | None = None
    ) -> None:
        """Add opaque bytes of an experiment (Go 1.23)."""
        self._begin()
        time = self.clock if at is None else at
        self.write_batch(thread, time, payload, experiment)

    # --- generations ------------------------------------------------------------------------

    def new_generation(self, generation: int | None = None) -> None:
        """End this generation and begin the next, by default the next in number."""
        self._end()
        self.generation = self.generation + 1 if generation is None else generation
        self._begin()

    def close(self) -> None:
        """End the last generation. A trace without any is a header alone."""
        self._end()

    def repeat(self, times: int) -> None:
        """End this generation and write it `times` times more, each at its own time.

        That is as fast as copying: how to write gigabytes. The generation has to leave everything
        as it finds it, and the writer to `keep` it. What comes after begins with `new_generation`.

        Raises:
            ValueError: if the generation cannot follow itself.
        """
        if not self._keep:
            raise ValueError("only a writer with keep=True can repeat a generation")
        self._begin()
        self._end()
        obstacle = self.world.why_not_again()
        if obstacle:
            raise ValueError(f"the generation cannot follow itself: {obstacle}")
        batches, samples = self._kept, self._samples
        self._kept = []
        begin = self._begin_clock
        length = self.clock - begin
        self._keep = False
        for _ in range(times):
            self.generation += 1
            shift = self.clock - begin
            if self.minor >= _SYNC_SINCE:
                self._write_clock(self.clock)
            for batch in batches:
                self.write_batch(batch.thread, batch.time + shift, batch.payload, batch.experiment)
            self._write_samples(samples, shift)
            self._write_end()
            self.clock += length
        self._keep = True

    def _begin(self) -> None:
        if self.is_open:
            return
        self.is_open = True
        self._begin_clock = self.clock
        self._kept = []
        self._strings, self._stacks, self._samples = {}, {}, []
        self.world.begin_generation()
        if self.minor >= _SYNC_SINCE:
            self._write_clock(self.clock)
        if self.minor < _END_OF_GENERATION_SINCE:
            self._announce_idle_procs()

    def _end(self) -> None:
        if not self.is_open:
            return
        self._announce_rest()
        for thread in self._threads.values():
            thread.flush()
        if self.minor < _SYNC_SINCE:
            self.write_batch(NONE, self.clock, _frequency(self.frequency))
        self._write_samples(self._samples, 0)
        self._write_stacks()
        self._write_strings()
        self._write_end()
        self.is_open = False

    def _announce_idle_procs(self) -> None:
        for proc in self.world.procs.values():
            if proc.generation != self.generation and proc.status == ProcStatus.IDLE:
                self.thread(NONE).proc_status(proc.id, proc.status)

    def _announce_rest(self) -> None:
        """Say the status of all that this generation did not touch, as the runtime at its end."""
        for thread in list(self._threads.values()):
            if thread.id != NONE:
                held = thread.proc, thread.goroutine
                if any(r is not None and r.generation != self.generation for r in held):
                    thread.announce()
        nobody = self.thread(NONE)
        for goroutine in list(self.world.goroutines.values()):
            if goroutine.generation != self.generation:
                in_syscall = goroutine.status == GoStatus.SYSCALL
                where = goroutine.thread if in_syscall else NONE
                nobody.go_status(goroutine.id, goroutine.status, where)
        if self.minor >= _END_OF_GENERATION_SINCE:
            self._announce_idle_procs()

    # --- bytes ------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """Put bytes into the file as they are, at once: before what threads have not flushed."""
        self.bytes_written += len(data)
        self._file.write(data)

    def write_batch(
        self, thread: int, time: int, payload: bytes, experiment: int | None = None
    ) -> None:
        """Write a batch of this generation, at once."""
        if self._keep:
            self._kept.append(_Batch(thread, time, payload, experiment))
        self.write(encode_batch(self.generation, thread, time, payload, experiment=experiment))

    def _write_end(self) -> None:
        if self.minor >= _END_OF_GENERATION_SINCE:
            self.write(bytes((EVENT_BY_NAME["EndOfGeneration"].id,)))

    def _write_clock(self, clock: int) -> None:
        """Write the Sync batch of Go 1.25; not kept, a repetition has its own."""
        nanoseconds = clock * 1_000_000_000 // self.frequency
        seconds, rest = divmod(self._wall_ns + nanoseconds, 1_000_000_000)
        payload = b"".join(
            (
                _record("Sync"),
                _frequency(self.frequency),
                _record("ClockSnapshot", 1, nanoseconds + 1, seconds, rest),
            )
        )
        self.write(encode_batch(self.generation, NONE, max(clock - 1, 1), payload))

    def _write_samples(self, samples: Iterable[_Sample], shift: int) -> None:
        """Write the profiler's samples; not kept, their times are absolute."""
        records = (
            _record("CPUSample", s.time + shift, s.thread, s.proc, s.goroutine, s.stack)
            for s in samples
        )
        keep, self._keep = self._keep, False
        self._write_table("CPUSamples", records)
        self._keep = keep

    def _write_stacks(self) -> None:
        self._write_table("Stacks", [self._stack_record(*item) for item in self._stacks.items()])

    def _write_strings(self) -> None:
        spec = EVENT_BY_NAME["String"]
        records = (
            encode_record(Record(spec, (number,), data=data))
            for data, number in self._strings.items()
        )
        self._write_table("Strings", records)

    def _write_table(self, name: str, records: Iterable[bytes]) -> None:
        """Write the records of a table in as many batches as it takes."""
        start = _record(name)
        payload = bytearray(start)
        for record in records:
            if len(payload) + len(record) > MAX_BATCH_BYTES:
                self.write_batch(NONE, self.clock, bytes(payload))
                payload = bytearray(start)
            payload += record
        if len(payload) > len(start):
            self.write_batch(NONE, self.clock, bytes(payload))

    def _stack_record(self, stack: tuple[Frame, ...], number: int) -> bytes:
        frames = []
        for frame in stack:
            function, file, line = frame[:3]
            address = frame[3] if len(frame) > 3 else self._address(function, file, line)
            frames.append((address, self.string(function), self.string(file), line))
        args = (number, len(frames))
        return encode_record(Record(EVENT_BY_NAME["Stack"], args, tuple(frames)))

    def _address(self, function: str, file: str, line: int) -> int:
        """Return the address of a frame: one for each, since a generation knows one frame each."""
        known = len(self._addresses)
        return self._addresses.setdefault((function, file, line), _FIRST_ADDRESS + 16 * known)


def _record(name: str, *args: int) -> bytes:
    return encode_record(Record(EVENT_BY_NAME[name], args))


def _frequency(frequency: int) -> bytes:
    return _record("Frequency", frequency)
