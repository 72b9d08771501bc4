# The `wait` of a state, from (reason, stack): spec/waits.py is asked once for each pair.
#
# Offers: WaitClasses.

cdef enum:
    RECENT_WAITS = 1 << 12
    ANNOUNCED = 8               # with a state: it was in it before the trace began

# The wait of a (reason, stack) that was looked up lately.
cdef struct RecentWait:
    int64_t stack
    int32_t key                 # of reason and state; 0: empty
    int8_t code


@cython.final
cdef class WaitClasses:
    cdef StackStore stacks
    cdef object wait_of         # (state, reason, functions) -> code
    cdef _Words reasons
    cdef dict codes             # (state, reason, stack) -> code
    cdef RecentWait recent[RECENT_WAITS]

    def __cinit__(self, StackStore stacks, _Words reasons):
        from gotrace.spec.waits import wait_code

        self.stacks = stacks
        self.wait_of = wait_code
        self.reasons = reasons
        self.codes = {}

    cdef inline int8_t code(
        self, int state, bint announced, int16_t reason, int64_t stack
    ) except? -1:
        """Null for a state that is no wait; `announced`: a status said so, without a reason."""
        cdef RecentWait* recent
        cdef int32_t key
        if state != STATE_WAITING and state != STATE_SYSCALL:
            return NULL_ID
        state |= announced * ANNOUNCED
        key = <int32_t>reason * 16 + state
        recent = &self.recent[(stack ^ reason) & (RECENT_WAITS - 1)]
        if recent.stack != stack or recent.key != key:
            recent.code = self._find(state, reason, stack)
            recent.stack = stack
            recent.key = key
        return recent.code

    cdef int8_t _find(self, int state, int16_t reason, int64_t stack) except? -1:
        key = (state, reason, stack)
        code = self.codes.get(key)
        if code is None:
            text = self.reasons.values[reason] if reason >= 0 else ""
            word = "announced" if state & ANNOUNCED else "waiting"
            if state & 7 == STATE_SYSCALL:
                word = "syscall"
            code = self.wait_of(word, text, self.stacks.functions_of.get(stack, ()))
            self.codes[key] = code
        return code
