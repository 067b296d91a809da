#!/usr/bin/env bash
# Full load while backends die and return and the configuration is rewritten up to ten times a second. Prints a table; ends with 1 when an answer
# was not among those allowed for its kind, a 5xx has no response flag in the access log, a request got no answer, or memory grew.
# Installs nothing. Usage: bench/soak/run.sh [SECONDS]; PORTCULLIS_DLL names a built portcullis.dll.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
command -v wrk >/dev/null || { echo "wrk is missing: install it (Debian: apt-get install wrk)" >&2; exit 2; }

work=$(mktemp -d)
pids=()
trap 'touch "$work/stop"; kill "${pids[@]}" 2>/dev/null || true; for f in "$work"/backend*.pid; do kill "$(cat "$f")" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$work"' EXIT

dll=${PORTCULLIS_DLL:-src/Portcullis/bin/Release/net10.0/portcullis.dll}
[ -n "${PORTCULLIS_DLL:-}" ] || dotnet build src/Portcullis/Portcullis.csproj -c Release -v q --nologo >/dev/null
portcullis() { dotnet "$dll" "$@"; }

mkdir "$work/config"
portcullis jwk generate --alg ES256 --kid soak --out "$work/private.jwk" --jwks >"$work/jwks.json"
issuer=https://soak.example
token=$(portcullis jwt sign --key "$work/private.jwk" --claim iss=$issuer --claim sub=soak --expires-in 1h)
cat >"$work/mesh.yaml" <<YAML
accessLogFile: $work/access.log
accessLogFormat: "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%\n"
YAML
cat >"$work/config/base.yaml" <<YAML
apiVersion: v1
kind: Service
metadata: {name: backend}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: a, labels: {kubernetes.io/service-name: backend}}
addressType: IPv4
endpoints: [{addresses: ["127.0.0.1"]}]
ports: [{name: http, port: 18101}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: b, labels: {kubernetes.io/service-name: backend}}
addressType: IPv4
endpoints: [{addresses: ["127.0.0.1"]}]
ports: [{name: http, port: 18102}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: c, labels: {kubernetes.io/service-name: backend}}
addressType: IPv4
endpoints: [{addresses: ["127.0.0.1"]}]
ports: [{name: http, port: 18103}]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec: {selector: {istio: ingressgateway}, servers: [{hosts: ["*"], port: {number: 80, name: http, protocol: HTTP}}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: istio-system}
spec: {jwtRules: [{issuer: "$issuer", jwks: '$(cat "$work/jwks.json")'}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec: {rules: [{from: [{source: {requestPrincipals: ["$issuer/*"]}}]}]}
YAML
route() { # number; atomic, so that no half of a file is read
  cat >"$work/route.tmp" <<YAML
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec: {gateways: [gw], hosts: ["*"], http: [{headers: {request: {set: {x-soak: "$1"}}}, route: [{destination: {host: backend}}]}]}
YAML
  mv "$work/route.tmp" "$work/config/route.yaml"
}
backend() { dotnet "$dll" httpbin --port "1810$1" >/dev/null 2>&1 & echo $! >"$work/backend$1.pid"; }

route 0
for b in 1 2 3; do backend $b; done
dotnet "$dll" run -f "$work/config" --mesh-config "$work/mesh.yaml" --port 80=18080 --status-port 18021 --stats-port 18090 --admin off >"$work/gateway.log" 2>&1 & gateway=$!; pids+=($gateway)
for _ in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1:18021/healthz/ready && break; sleep 0.1; done

(n=0; while [ ! -e "$work/stop" ]; do n=$((n + 1)); route $n; echo $n >"$work/rewrites"; sleep 0.1; done) & pids+=($!)
(kills=0; while [ ! -e "$work/stop" ]; do
  sleep 1; b=$((RANDOM % 3 + 1)); kill -9 "$(cat "$work/backend$b.pid")" 2>/dev/null || true; kills=$((kills + 1)); echo $kills >"$work/kills"; sleep 1; backend $b
done) 2>/dev/null & pids+=($!)
(while [ ! -e "$work/stop" ]; do awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$gateway/status" >>"$work/rss"; sleep 0.5; done) 2>/dev/null & pids+=($!)

load() { wrk -t1 -c"$2" -d"$seconds" --timeout 30s -s bench/soak/count.lua "${@:3}" http://127.0.0.1:18080/status/200 >"$work/$1.out" 2>&1; }
load valid 32 -H "Authorization: Bearer $token" & w1=$!
load none 8 & w2=$!
load invalid 8 -H "Authorization: Bearer ${token%?????}AAAAA" & w3=$!
wait $w1 $w2 $w3
touch "$work/stop"; kill -TERM $gateway; wait $gateway || true

bad=0
echo "$(nproc) cores, $seconds s, $(date -u +%F); $(cat "$work/rewrites") rewrites of the configuration, $(grep -c 'configuration is live' "$work/gateway.log" || true) went live, $(cat "$work/kills") backends killed"
echo
echo "| requests with | allowed | answers | wrong |"
echo "|---|---|---|---|"
check() { # kind, allowed statuses
  local allowed=" $2 "; local answers="" wrong=0
  while read -r _ status count; do
    [ "$count" -gt 0 ] && answers="$answers $status:$count"
    [[ $allowed == *" $status "* ]] || wrong=$((wrong + count))
  done < <(grep '^status' "$work/$1.out")
  [ -n "$answers" ] && [ $wrong = 0 ] || bad=1
  echo "| $1 token | $2 |$answers | $wrong |"
}
check valid "200 503"
check none "401"
check invalid "401"
echo
echo "| 5xx and broken off in the access log, by flags and details | count |"
echo "|---|---|"
awk '$1 >= 500 || $1 == 0 || $2 != "-" {n[$1 " " $2 " " $3]++} END {for (k in n) printf "| %s | %d |\n", k, n[k]}' "$work/access.log"
unexplained=$(awk '($1 >= 500 || $1 == 0) && $2 == "-"' "$work/access.log" | wc -l)
[ "$unexplained" = 0 ] || bad=1
echo
# Flat after warm-up: the last third's mean is at most a tenth, or 16 MB, above the middle third's.
read -r middle last < <(awk '{v[NR] = $1} END {t = int(NR / 3)
  for (i = t; i < 2 * t; i++) middle += v[i]
  for (i = 2 * t; i < 3 * t; i++) last += v[i]
  print int(middle / t), int(last / t)}' "$work/rss")
growth=$((last - middle)); slack=$((middle / 10 > 16 ? middle / 10 : 16))
[ $growth -le $slack ] || bad=1
echo "without a flag: $unexplained; resident: $middle MB in the middle third, $last MB in the last; faults of the gateway: $(grep -c 'the gateway failed' "$work/gateway.log" || true)"
! grep -q 'the gateway failed' "$work/gateway.log" || { bad=1; grep -A5 'the gateway failed' "$work/gateway.log" | head -20; }
[ $bad = 0 ] && echo "good" || echo "BAD"
exit $bad
