# EXTRAS -> `regions`: user regions, each with how the time of its goroutine divides inside it.
#
# Rows are written as regions close. Go's Summarizer also lets a goroutine begin in the region that
# its creator is in, and closes no region of the runtime's own goroutines; with `compat` so do we.
#
# Offers: begin_region, end_region, abandon_region, close_region, close_regions.

cdef OpenRegion** _region_link(Lives* self, Life* life, int64_t start_seq) noexcept nogil:
    """Where the region that began there hangs; where the list ends if it is none of the open."""
    cdef OpenRegion** link = &life.regions
    while link[0] != NULL and link[0].start_seq != start_seq:
        link = &link[0].next
    return link


cdef void _oldest_first(Life* life) noexcept nogil:
    """Turn the list around before all of it is closed, so that who is next is at its head."""
    cdef OpenRegion* turned = NULL
    cdef OpenRegion* region = life.regions
    cdef OpenRegion* next
    if region == NULL or region.next == NULL or region.start_seq < region.next.start_seq:
        return
    while region != NULL:
        next = region.next
        region.next = turned
        turned = region
        region = next
    life.regions = turned


cdef void _put_region(
    Lives* self, Life* life, OpenRegion** link, const Interval* interval, const Ending* ending,
    int64_t end_stack,
) noexcept nogil:
    """Queue a region and drop what was kept of its begin, where `link` holds something."""
    cdef RegionQueue* queue = self.regions
    cdef Split* split = &self.scratch
    cdef RegionRow* row
    if not reserve(<void**>&queue.rows, &queue.room, queue.n + 1, sizeof(RegionRow)):
        self.no_memory = True
        return
    if life == NULL:
        split_reset(split)
    else:
        snapshot(self, life, ending.time, split)
        if link[0] != NULL:
            split_subtract(split, &link[0].before)
            region_drop(&self.map, link)
    row = &queue.rows[queue.n]
    queue.n += 1
    row.start_ns = interval.start_ns
    row.end_ns = ending.time
    row.duration_ns = ending.time - interval.start_ns
    row.start_seq = interval.start_seq
    row.end_seq = ending.seq
    row.goroutine = interval.goroutine
    row.task = _task_id(interval.task)
    row.stack_id = interval.stack_id
    row.end_stack_id = end_stack
    memcpy(row.states, split.states, sizeof(split.states))
    row.total = split.total
    row.unknown = split_unknown(split)
    row.depth = interval.depth
    row.open_start = interval.open_start
    row.open_end = ending.open
    put_name(queue.name, &interval.name)
    put_lists(&queue.lists, split, self)


cdef void begin_region(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    cdef Life* life = life_find(&self.map, rows.goroutine[extra.row])
    cdef OpenRegion* region
    cdef int64_t room
    if life == NULL or life.is_over:
        return
    if lives_memory(self) > self.memory_most:
        self.too_much = True
        return
    region = region_push(&self.map, life)
    if region == NULL:
        self.no_memory = True
        return
    region.inherited = False
    region.start_ns = rows.time[extra.row]
    region.start_seq = rows.first_seq + extra.row
    region.task = extra.task
    region.stack_id = rows.context_stack[extra.row]
    region.name = NULL_ID
    region.depth = 0
    if region.next != NULL:
        region.depth = region.next.depth + (not region.next.inherited)
    if self.compat and extra.name.length:
        region.name = text_number(&self.names, extra.name.data, extra.name.length)
    room = split_bytes(&region.before)
    snapshot(self, life, region.start_ns, &region.before)
    self.map.bytes += split_bytes(&region.before) - room


cdef void _fill_interval(
    Lives* self, Life* life, OpenRegion* region, Interval* interval
) noexcept nogil:
    """What the order would have said of a region."""
    memset(interval, 0, sizeof(Interval))
    interval.start_ns = region.start_ns
    interval.start_seq = region.start_seq
    interval.goroutine = life.goroutine
    interval.task = <uint64_t>region.task if region.task >= 0 else 0
    interval.stack_id = region.stack_id
    interval.depth = region.depth
    if region.name >= 0:
        interval.name = self.names.texts[region.name]


cdef void end_region(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    cdef Life* life = life_find(&self.map, rows.goroutine[extra.row])
    cdef OpenRegion* none = NULL
    cdef OpenRegion** link = &none
    cdef const Interval* interval = extra.ended
    cdef Interval made
    cdef Ending ending
    ending.time = rows.time[extra.row]
    ending.seq = rows.first_seq + extra.row
    ending.open = False
    if life != NULL and interval != NULL:
        link = _region_link(self, life, interval.start_seq)
    elif life != NULL and life.regions != NULL and life.regions.inherited:
        link = &life.regions                # Go takes the end for that of the inherited one
        _fill_interval(self, life, link[0], &made)
        interval = &made
    if interval == NULL:                    # it was open before the trace
        memset(&made, 0, sizeof(Interval))
        made.open_start = True
        made.start_ns = self.sync_ns
        made.start_seq = self.sync_seq
        if life != NULL:
            made.start_ns = life.start_ns
            made.start_seq = life.start_seq
        made.goroutine = rows.goroutine[extra.row]
        made.task = <uint64_t>extra.task if extra.task >= 0 else 0
        made.name = extra.name
        made.stack_id = NULL_ID
        interval = &made
    _put_region(self, life, link, interval, &ending, rows.context_stack[extra.row])


cdef void abandon_region(Lives* self, const Rows* rows, const Extra* extra) noexcept nogil:
    """Its goroutine died in it."""
    cdef Life* life = life_find(&self.map, rows.resource_id[extra.row])
    cdef Ending ending
    cdef OpenRegion* none = NULL
    cdef OpenRegion** link = &none
    if self.compat or extra.ended.what != KIND_REGION_BEGIN:
        return
    ending.time = rows.time[extra.row]
    ending.seq = rows.first_seq + extra.row
    ending.open = True
    if life != NULL:
        _oldest_first(life)
        link = _region_link(self, life, extra.ended.start_seq)
    _put_region(self, life, link, extra.ended, &ending, NULL_ID)


cdef void close_region(Lives* self, const Interval* interval, const Ending* ending) noexcept nogil:
    """The trace ended in it."""
    cdef Life* life = life_find(&self.map, interval.goroutine)
    cdef OpenRegion* none = NULL
    cdef OpenRegion** link = &none
    if life != NULL:
        if self.compat and (life.is_over or is_system(self, life)):
            return
        _oldest_first(life)
        link = _region_link(self, life, interval.start_seq)
    _put_region(self, life, link, interval, ending, NULL_ID)


cdef void close_regions(Lives* self, Life* life, const Ending* ending) noexcept nogil:
    """compat: what is open in a goroutine ends with it, the outermost first."""
    cdef OpenRegion** link
    cdef Interval interval
    _oldest_first(life)
    while life.regions != NULL:
        link = &life.regions
        if is_system(self, life):
            region_drop(&self.map, link)
            continue
        _fill_interval(self, life, link[0], &interval)
        _put_region(self, life, link, &interval, ending, NULL_ID)
