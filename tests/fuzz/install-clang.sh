#!/usr/bin/env bash
# clang with libFuzzer and the sanitizers, from the distribution if it is not there.
set -euo pipefail

works() {
    printf 'int LLVMFuzzerTestOneInput(const char *d, unsigned long n) { return n && !d; }' |
        clang -x c -fsanitize=fuzzer,address,undefined -o /dev/null - 2>/dev/null
}

works && exit 0
echo "fuzzing needs clang with libFuzzer: installing it"
command -v apt-get >/dev/null || {
    echo "there is no apt-get here: install clang and its compiler-rt by hand" >&2
    exit 1
}
sudo=$([ "$(id -u)" = 0 ] || echo sudo)
set -x
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends clang
$sudo apt-get install -y -qq --no-install-recommends \
    "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
set +x
works || {
    echo "clang is installed, but cannot build a fuzzer" >&2
    exit 1
}
