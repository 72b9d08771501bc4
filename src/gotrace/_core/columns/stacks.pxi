# STACKS: the frames and stacks of every generation, each known once, by content.
#
# A generation lists its strings, frames and stacks anew under numbers of its own. Here equal
# content gets one number for the whole pass, hits are verified by content, and Python is asked for
# keys and names (tables/stack_keys.py) once per distinct item.
#
# Offers: StackStore.

cdef enum:
    PYTHON_BYTES_PER_ITEM = 500
    PYTHON_BYTES_PER_MEMBER = 56    # its id, and its places in three lists

cdef struct KnownFrame:
    int64_t function            # numbers in the text table
    int64_t file
    int64_t line
    int64_t frame_id

cdef struct KnownStack:
    int64_t first               # into `members`
    int64_t n_frames
    int64_t stack_id

cdef struct StackMaps:
    TextTable texts
    KnownFrame* frames
    int64_t n_frames
    int64_t frames_room
    IdMap frame_by_hash         # number + 1
    KnownStack* stacks
    int64_t n_stacks
    int64_t stacks_room
    IdMap stack_by_hash
    int64_t* members            # numbers of frames, leaf first
    int64_t n_members
    int64_t members_room
    IdMap roots                 # stack id -> number of the function at its root + 1


cdef int64_t known_frame(
    StackMaps* self, int64_t function, int64_t file, int64_t line
) noexcept nogil:
    """Number of a frame, the next one if it is new; -1 without memory."""
    cdef uint64_t hash = mix(self.frame_by_hash.seed ^ <uint64_t>function)
    cdef KnownFrame* frame
    cdef uint64_t* place
    cdef bint is_new
    hash = mix(mix(hash ^ <uint64_t>file) ^ <uint64_t>line)
    if not reserve(<void**>&self.frames, &self.frames_room, self.n_frames + 1, sizeof(KnownFrame)):
        return -1
    while True:
        place = idmap_put(&self.frame_by_hash, hash, &is_new)
        if place == NULL:
            return -1
        if is_new:
            break
        frame = &self.frames[place[0] - 1]
        if frame.function == function and frame.file == file and frame.line == line:
            return <int64_t>place[0] - 1
        hash += 1
    place[0] = <uint64_t>self.n_frames + 1
    frame = &self.frames[self.n_frames]
    frame.function = function
    frame.file = file
    frame.line = line
    frame.frame_id = NULL_ID
    self.n_frames += 1
    return self.n_frames - 1


cdef int64_t known_stack(StackMaps* self, int64_t n_frames) noexcept nogil:
    """Number of the stack whose frames were just put behind `members`; they stay if it is new."""
    cdef const int64_t* frames = self.members + self.n_members
    cdef uint64_t hash = mix(self.stack_by_hash.seed ^ <uint64_t>n_frames)
    cdef KnownStack* stack
    cdef uint64_t* place
    cdef bint is_new
    cdef int64_t i
    if not reserve(<void**>&self.stacks, &self.stacks_room, self.n_stacks + 1, sizeof(KnownStack)):
        return -1
    for i in range(n_frames):
        hash = mix(hash ^ <uint64_t>frames[i])
    while True:
        place = idmap_put(&self.stack_by_hash, hash, &is_new)
        if place == NULL:
            return -1
        if is_new:
            break
        stack = &self.stacks[place[0] - 1]
        if stack.n_frames == n_frames and (
            n_frames == 0
            or memcmp(self.members + stack.first, frames, n_frames * sizeof(int64_t)) == 0
        ):
            return <int64_t>place[0] - 1
        hash += 1
    place[0] = <uint64_t>self.n_stacks + 1
    stack = &self.stacks[self.n_stacks]
    stack.first = self.n_members
    stack.n_frames = n_frames
    stack.stack_id = NULL_ID
    self.n_members += n_frames
    self.n_stacks += 1
    return self.n_stacks - 1


cdef int intern_stacks(
    StackMaps* self, const Generation* generation, int64_t* numbers
) noexcept nogil:
    """Write the number of every stack of a generation into `numbers`; -1 without memory."""
    cdef int64_t* frame_numbers = <int64_t*>malloc((generation.n_frames + 1) * sizeof(int64_t))
    cdef const Stack* stack
    cdef int64_t i, j, function, file, position
    cdef int status = 0
    if frame_numbers == NULL:
        return -1
    for i in range(generation.n_frames):
        function = _text_number(self, generation, generation.frames[i].function)
        file = _text_number(self, generation, generation.frames[i].file)
        frame_numbers[i] = known_frame(self, function, file, generation.frames[i].line)
        if function < 0 or file < 0 or frame_numbers[i] < 0:
            status = -1
    for i in range(generation.n_stacks if status == 0 else 0):
        stack = &generation.stacks[i]
        if not reserve(
            <void**>&self.members, &self.members_room, self.n_members + stack.n_frames, sizeof(
                int64_t
            )
        ):
            status = -1
            break
        for j in range(stack.n_frames):
            position = generation.stack_frames[stack.first_frame + j]
            self.members[self.n_members + j] = frame_numbers[position]
        numbers[i] = known_stack(self, stack.n_frames)
        if numbers[i] < 0:
            status = -1
            break
    free(frame_numbers)
    return status


cdef int64_t _text_number(
    StackMaps* self, const Generation* generation, int32_t position
) noexcept nogil:
    if position == EMPTY_STRING:
        return text_number(&self.texts, "", 0)
    return text_number(
        &self.texts, generation.strings[position].data, generation.strings[position].length
    )


cdef int put_str(Column* column, str text) except -1:
    """Append a Python text; None is null."""
    cdef bytes encoded
    if column == NULL:
        return 0
    if text is None:
        put_text(column, NULL, 0)
    else:
        encoded = text.encode()
        put_text(column, encoded, len(encoded))
    return 0


cdef class StackStore:
    """Content ids of stacks, and the rows of `stacks` and `frames` as they become known."""

    cdef StackMaps maps
    cdef list texts             # str by number in the text table
    cdef dict functions_of      # stack id -> function names, leaf first
    cdef dict taken             # (kind, id) -> what it stands for: two contents never share an id
    cdef object frame_row       # gotrace.tables.stack_keys
    cdef object stack_row
    cdef Table stacks           # None where nobody asked
    cdef Table frames
    cdef int64_t limit          # of memory, in bytes
    cdef readonly int64_t collisions

    def __cinit__(self, Table stacks, Table frames, uint64_t seed, int64_t limit):
        from gotrace.tables.stack_keys import frame_row, stack_row

        memset(&self.maps, 0, sizeof(StackMaps))
        self.maps.texts.by_hash.seed = seed
        self.maps.frame_by_hash.seed = seed
        self.maps.stack_by_hash.seed = seed
        self.maps.roots.seed = seed
        self.texts = []
        self.taken = {}
        self.functions_of = {}
        self.frame_row = frame_row
        self.stack_row = stack_row
        self.stacks = stacks
        self.frames = frames
        self.limit = limit
        self.collisions = 0

    def __dealloc__(self):
        texts_clear(&self.maps.texts)
        idmap_clear(&self.maps.frame_by_hash)
        idmap_clear(&self.maps.stack_by_hash)
        idmap_clear(&self.maps.roots)
        free(self.maps.frames)
        free(self.maps.stacks)
        free(self.maps.members)

    cdef int64_t memory(self) noexcept:
        """Bytes of the maps, of rows that wait, and about what Python keeps for each item."""
        cdef int64_t waiting = 0
        for table in (self.stacks, self.frames):
            if table is not None:
                waiting += (<Table>table).early_bytes + (<Table>table).text_bytes()
        return (
            waiting
            + (self.maps.n_frames + self.maps.n_stacks + self.maps.texts.count)
            * PYTHON_BYTES_PER_ITEM
            + self.maps.texts.arena.bytes
            + self.maps.frames_room * <int64_t>sizeof(KnownFrame)
            + self.maps.stacks_room * <int64_t>sizeof(KnownStack)
            + self.maps.members_room * <int64_t>sizeof(int64_t)
            + self.maps.n_members * PYTHON_BYTES_PER_MEMBER
        )

    cdef int resolve(self, Generation* generation) except -1:
        """Give every stack of a generation its content id, and write the rows of new ones.

        Stops where that takes more memory than there may be, which the caller looks at.
        """
        cdef int64_t known_stacks = self.maps.n_stacks
        cdef int64_t known_frames = self.maps.n_frames
        cdef int64_t i, position
        cdef int status
        with nogil:
            status = intern_stacks(&self.maps, generation, generation.stack_ids)
        if status < 0:
            raise MemoryError("no memory for stacks")
        if self.memory() > self.limit:
            return 0
        for i in range(len(self.texts), self.maps.texts.count):
            self.texts.append(
                self.maps.texts.texts[i].data[: self.maps.texts.texts[i].length].decode(
                    "utf-8", "replace"
                )
            )
        for i in range(known_frames, self.maps.n_frames):
            self._name_frame(&self.maps.frames[i])
        for i in range(known_stacks, self.maps.n_stacks):
            self._name_stack(&self.maps.stacks[i])
            if i % 64 == 0 and self.memory() > self.limit:
                return 0
        for i in range(generation.n_stacks):
            generation.stack_ids[i] = self.maps.stacks[generation.stack_ids[i]].stack_id
        for i in range(generation.stack_index.dense_count):
            position = generation.stack_index.dense[i]
            generation.dense_stack_ids[i] = UNKNOWN_ID
            if position >= 0:
                generation.dense_stack_ids[i] = generation.stack_ids[position]
        generation.dense_stack_ids[0] = NULL_ID
        return 0

    cdef int64_t _unique(self, str kind, int64_t id, object content, bint* is_new) except -1:
        """The id, or the next free one where another content has it.

        The same content can come twice: instances of a generic function are folded into one.
        """
        while True:
            known = self.taken.setdefault((kind, id), content)
            is_new[0] = known is content
            if is_new[0] or known == content:
                return id
            self.collisions += 1
            id = id + 1 if id < INT64_MAX else 1

    cdef int _name_frame(self, KnownFrame* frame) except -1:
        cdef str function = self.texts[frame.function]
        cdef str file = self.texts[frame.file]
        cdef bint is_new
        row = self.frame_row(function, file, frame.line)
        frame.frame_id = self._unique(
            "frame", row.frame_id, (row.function, file, frame.line), &is_new
        )
        if is_new and self.frames is not None:
            self._put_frame(frame, row, file)
        return 0

    cdef int _put_frame(self, const KnownFrame* frame, row, str file) except -1:
        cdef Table table = self.frames
        put_int(table.column("frame_id"), frame.frame_id)
        put_str(table.column("function"), row.function or None)
        put_str(table.column("file"), file or None)
        put_int(table.column("line"), frame.line if file or frame.line else NULL_ID)
        put_str(table.column("package"), row.package or None)
        put_int(table.column("is_std"), row.is_std)
        put_int(table.column("is_runtime"), row.is_runtime)
        table.column("image")       # every frame of a trace has symbols: all null
        table.column("address")
        table.end_rows(1)
        return 0

    cdef int _name_stack(self, KnownStack* stack) except -1:
        cdef list ids = []
        cdef list functions = []
        cdef list files = []
        cdef list lines = []
        cdef const KnownFrame* frame = NULL
        cdef uint64_t* root
        cdef int64_t i
        cdef bint is_new, is_first
        for i in range(stack.n_frames):
            frame = &self.maps.frames[self.maps.members[stack.first + i]]
            ids.append(frame.frame_id)
            functions.append(self.texts[frame.function])
            files.append(self.texts[frame.file])
            lines.append(frame.line)
        row = self.stack_row(ids, functions, files, lines)
        stack.stack_id = self._unique("stack", row.stack_id, tuple(ids), &is_new)
        if is_new:
            self.functions_of[stack.stack_id] = functions
            if stack.n_frames and functions[stack.n_frames - 1]:
                root = idmap_put(&self.maps.roots, <uint64_t>stack.stack_id, &is_first)
                if root == NULL:
                    raise MemoryError("no memory for stacks")
                root[0] = <uint64_t>frame.function + 1
            if self.stacks is not None:
                self._put_stack(stack, row, ids, functions)
        return 0

    cdef int _put_stack(self, const KnownStack* stack, row, list ids, list functions) except -1:
        cdef Table table = self.stacks
        cdef Column* frame_ids = table.column("frame_ids")
        cdef Column* names = table.column("functions")
        put_int(table.column("stack_id"), stack.stack_id)
        put_int(table.column("site_stack_id"), row.site_stack_id)
        put_int(table.column("fingerprint"), row.fingerprint)
        put_int(table.column("depth"), stack.n_frames)
        if frame_ids != NULL:
            for id in ids:
                put_int(frame_ids.children, id)
            close_list(frame_ids)
        if names != NULL:
            for function in functions:
                put_str(names.children, function)
            close_list(names)
        put_str(table.column("leaf"), row.leaf or None)
        put_str(table.column("root"), row.root or None)
        put_str(table.column("site"), row.site)
        put_str(table.column("site_function"), row.site_function)
        put_str(table.column("site_file"), row.site_file)
        put_int(table.column("site_line"), NULL_ID if row.site_line is None else row.site_line)
        put_int(table.column("truncated"), stack.n_frames >= MAX_STACK_FRAMES)
        table.end_rows(1)
        return 0
