# The words of this project, the same for people and for CI. `./do WORD` fetches just where it is missing.
#
# Everything builds in release. The tensor stack takes minutes of optimised code generation and is unusably
# slow without it, so tests, demo, runs and benches share one build, and the checks share its build scripts
# and macros. See docs/decisions/0006-tests-run-in-release.md.

# One target folder outside the checkout outlives fresh clones; a value from the environment wins.
export CARGO_TARGET_DIR := env("CARGO_TARGET_DIR", env("XDG_CACHE_HOME", env("HOME", "/tmp") / ".cache") / "domino/target")

domino := "cargo run --quiet --release -p domino-experiments --bin domino --"

# List the recipes
default:
    @{{ just_executable() }} --list --unsorted

# Build everything that the demo needs, train, score and write a report
demo:
    cargo build --release -p domino-experiments --bin domino
    @{{ domino }} run experiments/configs/demo.toml --out experiments/runs/demo

# One run: `just run experiments/configs/demo.toml seed=3`
run config *args:
    {{ domino }} run {{ config }} {{ args }}

# The smallest run: seconds
smoke:
    {{ domino }} run experiments/configs/smoke.toml --fresh

# Nine runs, three worlds by three model seeds from 1000 up, as one table and one page:
# `just table linear-8 experiments/configs/scaling.toml data.scaling.d=8`
table name config *args:
    for world in 1000 1001 1002; do for seed in 1000 1001 1002; do \
        {{ domino }} run {{ config }} {{ args }} data.scaling.seed=$world seed=$seed \
            --out experiments/runs/table/{{ name }}/$world-$seed || exit; \
    done; done
    {{ domino }} report experiments/runs/table/{{ name }}/1* --out experiments/runs/table/{{ name }}.html

# A study: `just sweep smoke` does experiments/sweeps/smoke.toml and collects it
sweep name *args:
    {{ domino }} sweep run experiments/sweeps/{{ name }}.toml --out experiments/runs/sweep/{{ name }} {{ args }}
    {{ domino }} sweep collect experiments/runs/sweep/{{ name }}

# Run a published study again and compare with its numbers: `just reproduce smoke`
reproduce name *args:
    {{ domino }} sweep run experiments/sweeps/{{ name }}.toml --out experiments/runs/reproduce/{{ name }} {{ args }}
    {{ domino }} sweep check experiments/runs/reproduce/{{ name }} experiments/expected/{{ name }}.json

# Generate a data set, or finish it, and compare every byte with its checksums: `just data scaling-d4`
data name:
    {{ domino }} data generate {{ name }} --out datasets/.cache/{{ name }}
    {{ domino }} data verify datasets/.cache/{{ name }}

# Tests of the workspace, or of one crate: `just test metrics`
test crate="":
    .ci/test {{ crate }}

# Tests of the crates without tensors: seconds instead of minutes
test-fast:
    .ci/test core render data metrics dag

# Check the formatting
fmt:
    cargo fmt --all --check

# The checks cover the CUDA code and share one set of dependencies. DOCS_RS stops burn's LLVM bindings from
# downloading LLVM, which a check does not need; tests and runs compile the code without CUDA.

# Clippy over every target; warnings are errors
lint:
    DOCS_RS=1 cargo clippy --release --workspace --all-targets --all-features -- -D warnings

# Build the documentation; warnings are errors
doc:
    DOCS_RS=1 RUSTDOCFLAGS="-D warnings" cargo doc --release --workspace --no-deps --all-features

# Type-check the command with CUDA: no GPU, no toolkit, no download
cuda-check:
    DOCS_RS=1 cargo check --release -p domino-experiments --features cuda

# Check that Cargo.lock fits the manifests
lock:
    @cargo metadata --locked --format-version 1 >/dev/null

# Check the direction of dependencies between the crates
layers:
    .ci/layers --self-test
    .ci/layers

# Check that every way to build shares one build of burn
one-build:
    .ci/one-build

# What CI runs, cheapest first
ci:
    .ci/run

# Benchmarks, or those whose name holds FILTER
bench filter="":
    cargo bench --workspace --bench '*' -- {{ filter }}

# Licences, advisories, sources and duplicates of the dependencies (optional tool)
deny:
    @command -v cargo-deny >/dev/null || { echo "cargo-deny is missing: cargo install cargo-deny --locked" >&2; exit 1; }
    cargo deny check

# Spelling (optional tool)
typos:
    @command -v typos >/dev/null || { echo "typos is missing: pip install typos, or cargo install typos-cli --locked" >&2; exit 1; }
    typos

# Fuzz a reader of public formats: `just fuzz archive 120`; the targets are in fuzz/fuzz_targets
fuzz target seconds:
    mkdir -p fuzz/corpus/{{ target }} fuzz/artifacts/{{ target }}
    cd fuzz && RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1" \
        cargo run --release --target {{ arch() }}-unknown-linux-gnu --bin {{ target }} -- \
        corpus/{{ target }} ../crates/data/tests/golden -artifact_prefix=artifacts/{{ target }}/ \
        -max_total_time={{ seconds }} -rss_limit_mb=2048 -timeout=20
