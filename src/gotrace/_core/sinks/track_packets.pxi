# Columns of track events -> packets of a Perfetto trace, one behind the other.
#
# A packet is Trace.packet { timestamp, sequence, track_event, flags }. Lengths come first in
# protobuf, so an event is written behind room for its head, whose size is known by then.
#
# Offers: track_packets.

cdef enum:
    TAG_PACKET = 1 << 3 | WIRE_BYTES
    TAG_TIME = 8 << 3
    TAG_SEQUENCE = 10 << 3
    TAG_EVENT = 11 << 3 | WIRE_BYTES
    TAG_FLAGS = 13 << 3
    TAG_ANNOTATION = 4 << 3 | WIRE_BYTES
    TAG_TYPE = 9 << 3
    TAG_NAME = 10 << 3
    TAG_TRACK = 11 << 3
    TAG_COUNT = 30 << 3
    TAG_ANNOTATION_NAME = 1 << 3
    TAG_ANNOTATION_TEXT = 17 << 3
    FLAG_NEEDS_STATE = 2
    NUMBER_ROOM = 10                # bytes of the longest varint
    EVENT_ROOM = 64                 # type, track, name, count or flow, with their tags
    ANNOTATION_ROOM = 32            # tag, length, and two numbers with their tags
    HEAD_ROOM = 48                  # all of a packet but its event


cdef inline uint8_t* put_number(uint8_t* at, uint64_t value) noexcept nogil:
    while value > 0x7F:
        at[0] = <uint8_t>(value & 0x7F | 0x80)
        value >>= 7
        at += 1
    at[0] = <uint8_t>value
    return at + 1


cdef inline uint8_t* put_tagged(uint8_t* at, uint64_t tag, uint64_t value) noexcept nogil:
    return put_number(put_number(at, tag), value)


cdef inline Py_ssize_t number_size(uint64_t value) noexcept nogil:
    cdef Py_ssize_t size = 1
    while value > 0x7F:
        value >>= 7
        size += 1
    return size


cdef inline uint8_t* put_annotation(uint8_t* at, uint64_t name, uint64_t text) noexcept nogil:
    at = put_number(at, TAG_ANNOTATION)
    at = put_number(at, 3 + number_size(name) + number_size(text))
    at = put_tagged(at, TAG_ANNOTATION_NAME, name)
    return put_tagged(at, TAG_ANNOTATION_TEXT, text)     # a tag of two bytes


cdef inline uint8_t* put_packet(
    uint8_t* at, int64_t time, const uint8_t* event, Py_ssize_t size
) noexcept nogil:
    """Write a packet around an event. One without a time would be at the begin of all."""
    cdef uint64_t when = <uint64_t>max(time, 1)
    cdef Py_ssize_t whole = 6 + number_size(when) + number_size(size) + size
    at = put_tagged(at, TAG_PACKET, whole)
    at = put_tagged(at, TAG_TIME, when)
    at = put_tagged(at, TAG_SEQUENCE, 1)
    at = put_tagged(at, TAG_FLAGS, FLAG_NEEDS_STATE)
    at = put_tagged(at, TAG_EVENT, size)
    memcpy(at, event, size)
    return at + size


def track_packets(
    int kind,
    const int64_t[::1] times,
    const int64_t[::1] tracks,
    *,
    const int64_t[::1] ends=None,
    const int64_t[::1] names=None,
    const int64_t[::1] counts=None,
    const int64_t[::1] flows=None,
    int flow_field=0,
    const int64_t[::1] annotation_names=None,
    const int64_t[:, ::1] annotations=None,
):
    """Write a packet a row, or two where rows have an end; see the stub."""
    cdef Py_ssize_t n = times.shape[0], i
    cdef int k, parts = 0 if annotations is None else annotations.shape[0]
    cdef Py_ssize_t room = EVENT_ROOM + parts * ANNOTATION_ROOM
    cdef bytearray out
    cdef uint8_t* buffer
    cdef uint8_t* at
    cdef uint8_t* event
    cdef uint8_t* end
    cdef uint64_t flow
    if tracks.shape[0] != n or (parts and (
        annotations.shape[1] != n or annotation_names is None or annotation_names.shape[0] != parts
    )):
        raise ValueError("the columns differ in length")
    if (
        (ends is not None and ends.shape[0] != n)
        or (names is not None and names.shape[0] != n)
        or (counts is not None and counts.shape[0] != n)
        or (flows is not None and flows.shape[0] != n)
    ):
        raise ValueError("the columns differ in length")
    out = bytearray(n * (room + HEAD_ROOM + (EVENT_ROOM + HEAD_ROOM if ends is not None else 0)))
    buffer = <uint8_t*><char*>out
    at = buffer
    event = <uint8_t*>malloc(room)
    if event == NULL:
        raise MemoryError("no memory for packets")
    with nogil:
        for i in range(n):
            end = put_tagged(event, TAG_TYPE, kind)
            end = put_tagged(end, TAG_TRACK, <uint64_t>tracks[i])
            if names is not None and names[i] != 0:
                end = put_tagged(end, TAG_NAME, <uint64_t>names[i])
            if counts is not None:
                end = put_tagged(end, TAG_COUNT, <uint64_t>counts[i])
            for k in range(parts):
                if annotations[k, i] != 0:
                    end = put_annotation(
                        end, <uint64_t>annotation_names[k], <uint64_t>annotations[k, i]
                    )
            if flows is not None and flows[i] != 0:
                end = put_number(end, flow_field << 3 | WIRE_FIXED64)
                flow = <uint64_t>flows[i]
                memcpy(end, &flow, sizeof(flow))
                end += sizeof(flow)
            at = put_packet(at, times[i], event, end - event)
            if ends is not None:
                end = put_tagged(event, TAG_TYPE, kind + 1)
                end = put_tagged(end, TAG_TRACK, <uint64_t>tracks[i])
                at = put_packet(at, ends[i], event, end - event)
    free(event)
    del out[at - buffer:]
    return out
