# CallGraph: who calls whom, over distinct stacks. A node or an edge that a stack meets twice
# (recursion) counts it once: a stamp per node and edge holds the last stack that met it.

cdef struct Call:
    int32_t caller
    int32_t callee
    int64_t value
    int64_t stamp
    uint8_t inlined                 # every call of this edge is an inlined one
    uint8_t residual                # nodes were left out between the two


cdef class CallGraph(Owned):
    """Edges between nodes, in the order they were met."""

    cdef IdMap edges
    cdef Call* calls
    cdef int64_t capacity, count

    def __cinit__(self):
        self.edges.seed = int.from_bytes(os.urandom(8), "little")

    def __dealloc__(self):
        idmap_clear(&self.edges)
        free(self.calls)

    def __len__(self):
        return self.count

    @cython.boundscheck(True)
    def build(
        self,
        const int64_t[::1] offsets,
        const int32_t[::1] nodes,
        const uint8_t[::1] inlined,
        const uint8_t[::1] kept,
        const int64_t[::1] values,
        int64_t[::1] flat,
        int64_t[::1] cum,
        int64_t[::1] stacks,
    ):
        """Walk stacks of nodes, root first, each with its value; fill flat, cum, stacks by node.

        A node that is not `kept` is passed over: its caller and its callee get a residual edge, and
        nobody gets what is flat at it.
        """
        cdef Py_ssize_t i
        cdef int64_t j
        cdef int32_t parent, node
        cdef bint residual, is_new, failed = False
        cdef uint64_t* edge
        cdef Call* call
        cdef int64_t* met = NULL
        self.enter()
        try:
            met = <int64_t*>calloc(kept.shape[0] + 1, sizeof(int64_t))
            if met == NULL:
                raise MemoryError
            for i in range(nodes.shape[0]):
                if nodes[i] < 0 or nodes[i] >= kept.shape[0]:
                    raise ValueError(f"node {nodes[i]} is none of {kept.shape[0]}")
            with nogil:
                for i in range(values.shape[0]):
                    parent = -1
                    residual = False
                    for j in range(offsets[i], offsets[i + 1]):
                        node = nodes[j]
                        if not kept[node]:
                            residual = True
                            continue
                        if met[node] != i + 1:
                            met[node] = i + 1
                            cum[node] += values[i]
                            stacks[node] += 1
                        if parent >= 0 and node != parent:
                            edge = idmap_put(
                                &self.edges, (<uint64_t>parent << 32) | <uint64_t>node, &is_new
                            )
                            if edge == NULL or (is_new and not reserve(
                                <void**>&self.calls, &self.capacity, self.count + 1, sizeof(Call)
                            )):
                                failed = True
                                break
                            if is_new:
                                edge[0] = <uint64_t>(self.count + 1)
                                self.calls[self.count] = Call(parent, node, 0, 0, True, False)
                                self.count += 1
                            call = &self.calls[edge[0] - 1]
                            if call.stamp != i + 1:
                                call.stamp = i + 1
                                call.value += values[i]
                                call.residual = call.residual or residual
                                call.inlined = call.inlined and inlined[j]
                        parent = node
                        residual = False
                    if failed:
                        break
                    if parent >= 0 and not residual:
                        flat[parent] += values[i]
        finally:
            self.leave()
            free(met)
        if failed:
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
