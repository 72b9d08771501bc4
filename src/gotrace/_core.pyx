# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False, auto_pickle=False, autotestdict=False, embedsignature=True
"""The compiled core of gotrace: bytes in, Arrow batches out.

Read it as a table of contents, in the order that the bytes take. Leaf code is in the `.pxd` files
that are cimported, stateful parts in the `.pxi` files that are included; none of it does I/O.
"""

cimport cython

import os

__all__ = [
    "Batch", "CallGraph", "CriticalPath", "DelaySums", "FlameTree", "GenerationIndex",
    "GoUtilization", "IdSet", "LastStacks", "NumberBlock", "PairSums", "StackTable",
    "TextPairs", "TraceDecoder", "add_rows", "add_to_parents", "address_keys", "decode_profile",
    "distinct_lists", "expand_lists", "frame_keys", "label_set_keys", "list_keys", "list_members",
    "narrow_rows_of_ids", "number_stacks", "preorder", "profile_end", "rows_of_ids", "site_keys",
    "sort_lists", "take_lists", "track_packets", "windowed_means",
]

from cpython.buffer cimport (
    PyBUF_SIMPLE, PyBuffer_FillInfo, PyBuffer_Release, PyObject_GetBuffer,
)
from cpython.exc cimport PyErr_CheckSignals
from cpython.object cimport PyObject_Hash
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.stdint cimport (
    INT32_MAX, INT64_MAX, INT64_MIN, UINT32_MAX,
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t, uintptr_t,
)
from libc.stdlib cimport calloc, free, malloc, qsort, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove, memset, strlen

# --- memory: buffers that come back, blocks that go at once, maps of ids and texts
from gotrace._core.memory.arena cimport *
from gotrace._core.memory.atomics cimport *
from gotrace._core.memory.hashing cimport *
from gotrace._core.memory.idmap cimport *
from gotrace._core.memory.pool cimport *
from gotrace._core.memory.shared cimport *
from gotrace._core.memory.texts cimport *
from gotrace._core.memory.vector cimport *

include "_core/memory/owned.pxi"

# --- faults: what is wrong with the input, and the gate to Python
from gotrace._core.fault cimport *

include "_core/fault.pxi"

# --- decode: bytes to batches, generations, tables, events
from gotrace._core.decode.event_cursor cimport *
from gotrace._core.decode.event_spec cimport *
from gotrace._core.decode.generation cimport *
from gotrace._core.decode.varint cimport *

include "_core/decode/framing.pxi"
include "_core/decode/tables.pxi"

# --- order: the events of all threads, one after the other
from gotrace._core.order.frontier cimport *
from gotrace._core.order.ordering cimport *
from gotrace._core.order.rows cimport *
from gotrace._core.order.states cimport *

include "_core/order/annotate.pxi"
include "_core/order/advance.pxi"
include "_core/order/ordering.pxi"

# --- columns: ordered rows to Arrow
from gotrace._core.columns.append cimport *
from gotrace._core.columns.arrow_abi cimport *
from gotrace._core.columns.column cimport *
from gotrace._core.columns.compact cimport *
from gotrace._core.columns.span cimport *
from gotrace._core.columns.utf8 cimport *
from gotrace._core.columns.validity cimport *

include "_core/columns/export.pxi"
include "_core/columns/table.pxi"
include "_core/columns/blocks.pxi"
include "_core/columns/events.pxi"
include "_core/order/ahead.pxi"
include "_core/columns/stacks.pxi"
include "_core/columns/waits.pxi"
include "_core/columns/transitions.pxi"
include "_core/columns/allocations.pxi"
include "_core/columns/points.pxi"
include "_core/columns/intervals.pxi"

# --- lives: what every goroutine was doing, and for how long
from gotrace._core.lives.life cimport *
from gotrace._core.lives.lives cimport *
from gotrace._core.lives.machines cimport *
from gotrace._core.lives.split cimport *

include "_core/lives/lives.pxi"
include "_core/lives/stays.pxi"
include "_core/lives/ranges.pxi"
include "_core/lives/ends.pxi"
include "_core/lives/regions.pxi"
include "_core/columns/strips.pxi"
include "_core/columns/split.pxi"
include "_core/columns/shares.pxi"
include "_core/columns/states.pxi"
include "_core/columns/tasks.pxi"
include "_core/columns/wakeups.pxi"
include "_core/columns/goroutines.pxi"
include "_core/columns/regions.pxi"
include "_core/columns/lives.pxi"
include "_core/lives/machines.pxi"
include "_core/columns/machines.pxi"

# --- what is known of the pass itself, and all of it together
include "_core/columns/notes.pxi"
include "_core/columns/gc.pxi"
include "_core/columns/typed.pxi"

# --- profiles: one message to columns of numbers
from gotrace._core.profile.wire cimport *

include "_core/profile/raw_profile.pxi"
include "_core/profile/messages.pxi"
include "_core/profile/ids.pxi"
include "_core/profile/decode_profile.pxi"
include "_core/profile/number_stacks.pxi"

# --- keys: content hashes of frames, stacks and label sets
from gotrace._core.keys.digest cimport *

include "_core/keys/content_keys.pxi"

# --- flame: distinct stacks to trees and call graphs
include "_core/flame/refs.pxi"
include "_core/flame/sort_lists.pxi"
include "_core/flame/stack_table.pxi"
include "_core/flame/text_pairs.pxi"
include "_core/flame/distinct_lists.pxi"
include "_core/flame/flame_tree.pxi"
include "_core/flame/call_graph.pxi"

# --- analyses: loops over columns of tables
include "_core/analyses/delays.pxi"
include "_core/analyses/utilization.pxi"
include "_core/analyses/critical_path.pxi"
include "_core/analyses/last_stacks.pxi"
include "_core/analyses/pair_sums.pxi"

# --- sinks: columns to bytes of other formats
include "_core/sinks/track_packets.pxi"

# --- the face
include "_core/generation_index.pxi"
include "_core/trace_decoder.pxi"
