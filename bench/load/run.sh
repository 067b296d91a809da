#!/usr/bin/env bash
# Loads the gateway with wrk and reports requests a second, latency, and CPU time of the gateway per request (from /proc).
# Installs nothing: says what is missing. Usage: bench/load/run.sh [SECONDS] [CONNECTIONS]
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-10}
connections=${2:-64}

command -v wrk >/dev/null || { echo "wrk is missing: install it (Debian: apt-get install wrk)" >&2; exit 2; }

work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

dotnet build src/Portcullis/Portcullis.csproj -c Release -v q --nologo >/dev/null
dll=src/Portcullis/bin/Release/net10.0/portcullis.dll
portcullis() { dotnet "$dll" "$@"; }

mkdir "$work/config"
portcullis jwk generate --alg RS256 --kid bench --out "$work/private.jwk" --jwks >"$work/jwks.json"
issuer=https://bench.example
cat >"$work/config/guide.yaml" <<YAML
apiVersion: v1
kind: Service
metadata: {name: backend}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: backend, labels: {kubernetes.io/service-name: backend}}
addressType: IPv4
endpoints: [{addresses: ["127.0.0.1"]}]
ports: [{name: http, port: 18000}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec: {selector: {istio: ingressgateway}, servers: [{hosts: ["*"], port: {number: 80, name: http, protocol: HTTP}}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec: {gateways: [gw], hosts: ["*"], http: [{route: [{destination: {host: backend}}]}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: istio-system}
spec:
  jwtRules: [{issuer: "$issuer", jwks: '$(cat "$work/jwks.json")'}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec: {rules: [{from: [{source: {requestPrincipals: ["$issuer/*"]}}]}]}
YAML
token=$(portcullis jwt sign --key "$work/private.jwk" --claim iss=$issuer --claim sub=bench --expires-in 1h)

dotnet "$dll" httpbin --port 18000 >"$work/httpbin.log" 2>&1 & pids+=($!)
dotnet "$dll" run -f "$work/config" --port 80=18080 --status-port 18021 --stats-port 18090 --admin off >"$work/gateway.log" 2>&1 & gateway=$!; pids+=($gateway)
for _ in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1:18021/healthz/ready && break; sleep 0.1; done

ticks() { awk '{print $14 + $15}' "/proc/$gateway/stat"; }
measure() { # label, expected outcome, wrk arguments
  local label=$1; shift
  wrk -t1 -c"$connections" -d2 "$@" >/dev/null
  local before after; before=$(ticks)
  wrk -t1 -c"$connections" -d"$seconds" --latency "$@" >"$work/wrk.log"
  after=$(ticks)
  awk -v label="$label" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
    /requests in/ {requests = $1} /Requests\/sec/ {rate = $2} /50%/ {p50 = $2} /99%/ {p99 = $2}
    END {printf "| %s | %.0f | %.0f | %s | %s |\n", label, rate, ticks / hz * 1e6 / requests, p50, p99}' "$work/wrk.log"
}

echo "$(nproc) cores, $connections connections, $seconds s a row, $(date -u +%F); resident memory at the end in the last line"
echo
echo "| traffic | requests/s | CPU µs/request (gateway) | p50 | p99 |"
echo "|---|---|---|---|---|"
measure "valid token, forwarded" -H "Authorization: Bearer $token" http://127.0.0.1:18080/status/200
measure "no token, 401" http://127.0.0.1:18080/status/200
measure "malformed token, 401" -H "Authorization: Bearer invalidToken" http://127.0.0.1:18080/status/200
measure "bad signature, 401" -H "Authorization: Bearer ${token%?????}AAAAA" http://127.0.0.1:18080/status/200
echo
awk '/VmRSS/ {printf "resident: %.0f MB\n", $2 / 1024}' "/proc/$gateway/status"
