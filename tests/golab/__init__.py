"""The Go lab: everything in the tests and benchmarks that needs a Go toolchain.

`toolchain` finds Go, `programs/` are the Go programs whose traces we commit, `record` runs them,
`peers` runs Go's own trace reader so that ours has something to be compared with.
"""
