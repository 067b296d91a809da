#!/usr/bin/env bash
# Restores, builds and runs every test. Last line: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

dotnet restore Portcullis.slnx
dotnet build Portcullis.slnx --no-restore -c Release

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
dotnet test --solution Portcullis.slnx --no-build -c Release --max-parallel-test-modules 1 2>&1 | tee "$log" || status=$?

count() { grep -E "^ +$1: [0-9]+" "$log" | tail -n 1 | grep -oE '[0-9]+' || echo 0; }
echo "$(count succeeded) passed, $(count failed) failed, $(count skipped) skipped"
exit "$status"
