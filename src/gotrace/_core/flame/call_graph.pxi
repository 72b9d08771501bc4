# CallGraph: who calls whom, over distinct stacks. A node or an edge that a stack meets twice
# (recursion) counts it once: a stamp per node and edge holds the last stack that met it.

cdef struct Call:
    int32_t caller
    int32_t callee
    int64_t value
    int64_t stamp
    uint8_t inlined                 # every call of this edge is an inlined one
    uint8_t residual                # nodes were left out between the two


cdef enum:
    NEAR_CALLS = 1 << 13            # edges that are found without the map: nearly all


cdef struct NodeSum:
    int64_t stamp
    int64_t flat
    int64_t cum
    int64_t stacks


cdef struct NearCall:
    uint64_t key
    int64_t call                    # + 1; 0 is empty


cdef class CallGraph(Owned):
    """Edges between nodes, in the order they were met."""

    cdef IdMap edges
    cdef NearCall* near
    cdef Call* calls
    cdef int64_t capacity, count

    def __cinit__(self):
        self.edges.seed = int.from_bytes(os.urandom(8), "little")
        self.near = <NearCall*>calloc(NEAR_CALLS, sizeof(NearCall))
        if self.near == NULL:
            raise MemoryError

    def __dealloc__(self):
        idmap_clear(&self.edges)
        free(self.near)
        free(self.calls)

    def __len__(self):
        return self.count

    cdef Call* _call(self, int32_t caller, int32_t callee) noexcept nogil:
        """The edge between two nodes; NULL without memory."""
        cdef uint64_t key = (<uint64_t>caller << 32) | <uint64_t>callee
        cdef NearCall* near = &self.near[(key * <uint64_t>0x9E3779B97F4A7C15) >> 51]
        cdef uint64_t* edge
        cdef bint is_new
        if near.call and near.key == key:
            return &self.calls[near.call - 1]
        edge = idmap_put(&self.edges, key, &is_new)
        if edge == NULL:
            return NULL
        if is_new:
            if not reserve(
                <void**>&self.calls, &self.capacity, self.count + 1, sizeof(Call)
            ):
                return NULL
            self.calls[self.count] = Call(caller, callee, 0, 0, True, False)
            self.count += 1
            edge[0] = <uint64_t>self.count
        near.key = key
        near.call = <int64_t>edge[0]
        return &self.calls[edge[0] - 1]

    cdef bint _walk(
        self, const int64_t[::1] starts, const int64_t[::1] ends, const RefSpan* locations,
        const int64_t[::1] entry_offsets, const int32_t[::1] nodes, const uint8_t[::1] inlined,
        const uint8_t[::1] kept, const int64_t[::1] values, NodeSum* sums,
    ) noexcept nogil:
        cdef Py_ssize_t i
        cdef int64_t worked = 0
        cdef int64_t j, k, location
        cdef int32_t parent, node
        cdef bint residual
        cdef NodeSum* sum
        cdef Call* call
        for i in range(values.shape[0]):
            parent = -1
            residual = False
            for j in range(ends[i] - 1, starts[i] - 1, -1):
                location = ref_at(locations, j)
                for k in range(entry_offsets[location + 1] - 1, entry_offsets[location] - 1, -1):
                    node = nodes[k]
                    if not kept[node]:
                        residual = True
                        continue
                    sum = &sums[node]
                    if sum.stamp != i + 1:
                        sum.stamp = i + 1
                        sum.cum += values[i]
                        sum.stacks += 1
                    if parent >= 0 and node != parent:
                        call = self._call(parent, node)
                        if call == NULL:
                            return False
                        if call.stamp != i + 1:
                            call.stamp = i + 1
                            call.value += values[i]
                            call.residual = call.residual or residual
                            call.inlined = call.inlined and inlined[k]
                    parent = node
                    residual = False
            if parent >= 0 and not residual:
                sums[parent].flat += values[i]
            if not undisturbed(&worked, 8 * (ends[i] - starts[i])):
                return False
        return True

    def build(
        self,
        const int64_t[::1] starts,
        const int64_t[::1] ends,
        locations,
        const int64_t[::1] entry_offsets,
        const int32_t[::1] entry_nodes,
        const uint8_t[::1] entry_inlined,
        const uint8_t[::1] kept,
        const int64_t[::1] values,
        int64_t[::1] flat,
        int64_t[::1] cum,
        int64_t[::1] stacks,
    ):
        """Walk stacks of locations, each with its value; fill flat, cum, stacks by node.

        A stack lies leaf first between its start and its end; a location has some entries,
        innermost first, each with its node. A node that is not `kept` is passed over: its caller
        and its callee get a residual edge, and nobody gets what is flat at it.
        """
        cdef Refs refs = Refs(locations)
        cdef Py_ssize_t i
        cdef NodeSum* sums = NULL
        cdef bint done = False
        _check_stacks(starts, ends, refs, entry_offsets, entry_nodes.shape[0])
        if values.shape[0] != starts.shape[0] or entry_inlined.shape[0] != entry_nodes.shape[0]:
            raise ValueError("stacks, values and entries do not agree")
        if not kept.shape[0] == flat.shape[0] == cum.shape[0] == stacks.shape[0]:
            raise ValueError("the arrays by node do not agree")
        for i in range(entry_nodes.shape[0]):
            if not 0 <= entry_nodes[i] < kept.shape[0]:
                raise ValueError(f"node {entry_nodes[i]} is none of {kept.shape[0]}")
        self.enter()
        try:
            sums = <NodeSum*>calloc(kept.shape[0] + 1, sizeof(NodeSum))
            if sums == NULL:
                raise MemoryError
            with nogil:
                done = self._walk(
                    starts, ends, &refs.span, entry_offsets, entry_nodes, entry_inlined, kept,
                    values, sums,
                )
                for i in range(kept.shape[0]):
                    flat[i] += sums[i].flat
                    cum[i] += sums[i].cum
                    stacks[i] += sums[i].stacks
        finally:
            self.leave()
            free(sums)
        raise_waiting()
        if not done:
            raise MemoryError

    @cython.boundscheck(True)
    def copy_to(
        self,
        int32_t[::1] callers,
        int32_t[::1] callees,
        int64_t[::1] values,
        uint8_t[::1] inlined,
        uint8_t[::1] residual,
    ):
        """Copy the edges out."""
        cdef int64_t i
        self.enter()
        try:
            with nogil:
                for i in range(self.count):
                    callers[i] = self.calls[i].caller
                    callees[i] = self.calls[i].callee
                    values[i] = self.calls[i].value
                    inlined[i] = self.calls[i].inlined
                    residual[i] = self.calls[i].residual
        finally:
            self.leave()
