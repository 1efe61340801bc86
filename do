#!/bin/sh
# Gets what the recipes need, then hands over to just: `./do demo`, `./do test`; `./do` lists them all.
# Works on a bare Debian with Rust added; what it fetches for itself lives in .tools.
set -eu
cd "$(dirname "$0")"
PATH="$PWD/.tools/bin:${CARGO_HOME:-${HOME:-/root}/.cargo}/bin:$PATH"
export PATH

have() { command -v "$1" >/dev/null 2>&1; }

have cargo || { echo "cargo is missing: install Rust from https://rustup.rs and run this again" >&2; exit 1; }

if ! have cc; then
    have apt-get || { echo "no C compiler (cc) found: Rust needs one to link" >&2; exit 1; }
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    { $as_root apt-get update -q; $as_root apt-get install -qy --no-install-recommends gcc libc6-dev; } >&2
fi

if ! have just; then
    echo "fetching just into .tools" >&2
    python3 -m pip install -q --target .tools --upgrade 'rust-just>=1.40,<2' >&2 2>/dev/null ||
        cargo install just --version '^1.40' --locked --debug --root .tools >&2 # unoptimised builds sooner
fi

exec just "$@"
