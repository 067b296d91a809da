#!/usr/bin/env bash
# Portcullis beside what people would use instead, under the same load on the same machine: CPU time of the proxy per request (from /proc), throughput, latency,
# resident memory and start-up. Installs nothing: says what is missing, and leaves out contenders that are not there.
#
#   bench/load/run.sh [--rounds 3] [--seconds 5] [--connections 64] [--only portcullis,haproxy,...] [--rows W1,W2,...] [--out FILE]
#
# Rows: W1 RS256, one token · W1r the same at 2,000 req/s · W2 2,000 tokens · W3 ES256 · W4 each token new · W5 no token, refused · W6 bad signature, refused
#       W7 W1 with 1,000 policies · W8 W1 with a tenth bad signatures · W8r the same at 2,000 req/s
# Every proxy has two threads, one backend (nginx, one worker, 1 KB from memory) and the same tokens. Rounds go through all contenders in turn; the table shows medians.
set -euo pipefail
rounds=3 seconds=5 connections=64 out=
only=portcullis,portcullis-plain,haproxy,haproxy-plain,nginx-plain,yarp
rows=W1,W1r,W2,W3,W4,W5,W6,W7,W8,W8r
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) rounds=$2 ;; --seconds) seconds=$2 ;; --connections) connections=$2 ;; --only) only=$2 ;; --rows) rows=$2 ;; --out) out=$2 ;;
    *) sed -n '2,10p' "$0" >&2; exit 2 ;;
  esac
  shift 2
done

case $(uname -m) in x86_64) platform=linux-x64 ;; aarch64) platform=linux-arm64 ;; *) echo "no platform of .NET's: $(uname -m)" >&2; exit 2 ;; esac
if [ -z "${PORTCULLIS_DLL:-}" ]; then
  # As it is deployed: compiled ahead of time.
  project=$(dirname "$0")/../../src/Portcullis
  dotnet publish "$project" -c Release -r $platform -v q --nologo >/dev/null
  PORTCULLIS_DLL=$(realpath "$project")/bin/Release/net10.0/$platform/publish/portcullis.dll
fi
source "$(dirname "$0")/../lib.sh"
need wrk h2load nginx curl python3
command -v haproxy >/dev/null || { echo "haproxy is not here: it is left out" >&2; only=$(tr , '\n' <<<"$only" | grep -v '^haproxy' | paste -sd,); }
case ,$only, in *,yarp,*) dotnet build bench/YarpJwtBearer/YarpJwtBearer.csproj -c Release -v q --nologo >/dev/null ;; esac

proxy=()
stop_proxy() { if [ ${#proxy[@]} -gt 0 ]; then kill "${proxy[@]}" 2>/dev/null || true; wait "${proxy[@]}" 2>/dev/null || true; fi; proxy=(); }
trap 'stop_proxy; clean' EXIT

issuer=https://bench.example
hz=$(getconf CLK_TCK)
threads=$(nproc)
port=18080 plain=18079 origin=18000

make_key RS256 rsa
make_key ES256 ec
portcullis jwk to-pem "$work/rsa.jwk" >"$work/rsa.pem"
portcullis jwk to-pem "$work/ec.jwk" >"$work/ec.pem"
jwks=$(python3 -c 'import json,sys; print(json.dumps({"keys": [k for f in sys.argv[1:] for k in json.load(open(f))["keys"]]}))' "$work/rsa.jwks" "$work/ec.jwks")
echo "$jwks" >"$work/jwks.json"
tokens() { sign "$1" bench --claim 'groups:=["dev","ops"]' "${@:2}"; } # key, more of jwt sign
tokens rsa >"$work/one"
tokens ec >"$work/one-ec"
tokens rsa --count 2000 >"$work/many"
token=$(cat "$work/one")
case ,$rows, in
  *,W4,*)
    # More than the fastest can take in the time: a cache must not see one twice.
    fresh=$(((seconds + 1) * 12000 / 2))
    tokens rsa --count "$fresh" >"$work/fresh1" & tokens rsa --count "$fresh" >"$work/fresh2" & wait
    cat "$work/fresh1" "$work/fresh2" >"$work/fresh"
    ;;
esac
broken=${token%?????}AAAAA

fill() { # template, then what @RULES@ is
  sed -e "s|@WORK@|$work|g; s|@PORT@|$port|g; s|@PLAIN@|$plain|g; s|@BACKEND@|$origin|g; s|@THREADS@|$threads|g; s|@ISSUER@|$issuer|g; s|@BODY@|$(printf 'x%.0s' $(seq 1024))|" \
    -e "/@RULES@/{r ${2:-/dev/null}
    d}" "bench/load/peers/$1"
}

fill nginx-backend.conf >"$work/backend.conf"
if accepts $origin; then echo "something listens on port $origin already" >&2; exit 2; fi
nginx -p "$work" -c "$work/backend.conf" & pids+=($!)

configure() { # folder, number of policies; -1: no authentication either
  mkdir -p "$1"
  service_yaml backend $origin >"$1/service.yaml"
  gateway_yaml >"$1/gateway.yaml"
  cat >"$1/route.yaml" <<YAML
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: istio-system}
spec: {gateways: [gw], hosts: ["*"], http: [{route: [{destination: {host: backend.default.svc.cluster.local}}]}]}
YAML
  [ "$2" -ge 0 ] || return 0
  authentication_yaml "$jwks" >"$1/authentication.yaml"
  cat >"$1/policies.yaml" <<YAML
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec: {rules: [{from: [{source: {requestPrincipals: ["$issuer/*"]}}]}]}
YAML
  for i in $(seq "$2"); do
    cat >>"$1/policies.yaml" <<YAML
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-$i, namespace: istio-system}
spec: {action: DENY, rules: [{from: [{source: {notRequestPrincipals: ["$issuer/admin-$i"]}}], to: [{operation: {paths: ["/p$i/*"]}}]}]}
YAML
  done
}
configure "$work/config" 0
configure "$work/config-plain" -1
configure "$work/config-policies" 1000
for i in $(seq 1000); do echo "    http-request deny deny_status 403 if { path_beg /p$i/ } !{ var(txn.bearer),jwt_payload_query('\$.sub') -m str admin-$i }"; done >"$work/rules"

ready() { # URL; the time from here to the first answer, in ms
  local begin=$1
  for _ in $(seq 2000); do
    if curl -s -o /dev/null -m 2 "${@:2}"; then echo $((($(date +%s%N) - begin) / 1000000)); return; fi
  done
  echo "it does not answer" >&2
  return 1
}

start() { # contender, rules or not
  local begin; begin=$(date +%s%N)
  local url=http://127.0.0.1:$port/
  case $1 in
    portcullis | portcullis-plain)
      local config=$work/config
      [ "$1" = portcullis ] || config=$work/config-plain
      [ "$2" = no ] || config=$work/config-policies
      dotnet "$dll" run -f "$config" --port 80=$port --status-port 18021 --stats-port 18090 --admin off >"$work/gateway.log" 2>&1 & proxy=($!) ;;
    haproxy | haproxy-plain)
      fill haproxy.cfg "$([ "$2" = no ] && echo /dev/null || echo "$work/rules")" >"$work/haproxy.cfg"
      haproxy -db -f "$work/haproxy.cfg" >"$work/haproxy.log" 2>&1 & proxy=($!)
      [ "$1" = haproxy ] || url=http://127.0.0.1:$plain/ ;;
    nginx-plain)
      fill nginx-plain.conf >"$work/plain.conf"
      nginx -p "$work" -c "$work/plain.conf" & proxy=($!) ;;
    yarp)
      bench/YarpJwtBearer/bin/Release/net10.0/yarp-jwt-bearer "http://127.0.0.1:$port" "http://127.0.0.1:$origin" "$issuer" "$work/jwks.json" >"$work/yarp.log" 2>&1 & proxy=($!) ;;
    *) echo "no contender of this name: $1" >&2; exit 2 ;;
  esac
  target=$url
  startup=$(ready "$begin" -f -H "Authorization: Bearer $token" "$url")
}

processes() { echo "${proxy[0]}"; pgrep -P "${proxy[0]}" || true; }
ticks() { for p in $(processes); do cut -d')' -f2 "/proc/$p/stat"; done | awk '{t += $12 + $13} END {print t}'; }
resident() { for p in $(processes); do grep VmRSS "/proc/$p/status"; done | awk '{m += $2} END {printf "%.0f\n", m / 1024}'; }

load() { # seconds; the environment of tokens.lua, wrk's arguments: requests, requests/s, p50, p99, p99.9 in ms, answers that are no success
  local time=$1; shift
  wrk -t1 -c"$connections" -d"$time" -s bench/load/latency.lua "$@" "$target" 2>&1 | awk '/^RESULT/ {print $2, $3, $4, $5, $6, $7}'
}

paced() { # 2,000 requests a second
  local args=() token_file=$1 bad=$2
  : >"$work/paced.log"
  h2load --h1 -c 50 -t 1 --rps 40 -D "$seconds" --warm-up-time 1 --log-file="$work/paced.log" -H "Authorization: Bearer $(head -1 "$token_file")" "$target" >"$work/h2load.out" 2>&1 &
  local good=$!
  if [ "$bad" = yes ]; then
    h2load --h1 -c 5 -t 1 --rps 40 -D "$seconds" --warm-up-time 1 -H "Authorization: Bearer $broken" "$target" >/dev/null 2>&1 || true
  fi
  wait "$good"
  sort -n -k3 "$work/paced.log" | awk '{t[NR] = $3; if ($2 >= 400 || $2 < 0) bad++} END {printf "%d %.0f %.2f %.2f %.2f %d\n", NR, NR / '"$seconds"', t[int(NR * 0.5) + 1] / 1000, t[int(NR * 0.99) + 1] / 1000, t[int(NR * 0.999) + 1] / 1000, bad}'
}

record() { # contender, row, wanted share of failures (0, 1, a part), measured line, ticks
  local contender=$1 row=$2 wanted=$3 spent=$5
  read -r requests rate p50 p99 p999 failed <<<"$4"
  awk -v f="$failed" -v r="$requests" -v w="$wanted" 'BEGIN {exit !(w == 0 ? f == 0 : w == 1 ? f == r : f > 0 && f < r)}' ||
    { echo "WRONG ANSWERS: $contender $row: $failed of $requests failed" >&2; exit 1; }
  awk -v c="$contender" -v r="$row" -v t="$spent" -v hz="$hz" -v n="$requests" -v rest="$rate $p50 $p99 $p999" \
    'BEGIN {printf "%s %s %.1f %s\n", c, r, t / hz * 1e6 / n, rest}' | tee -a "$work/measured" >&2
}

measure() { # contender row
  local contender=$1 row=$2 wanted=0 file=$work/one before line
  export BAD_EVERY=0 BROKEN=$broken TOKENS=$work/one NO_TOKEN=
  case $row in
    W2) TOKENS=$work/many ;;
    W3) TOKENS=$work/one-ec ;;
    W4) TOKENS=$work/fresh ;;
    W5) NO_TOKEN=1 wanted=1 ;;
    W6) BAD_EVERY=1 wanted=1 ;;
    W8) BAD_EVERY=10 wanted=part ;;
  esac
  case $contender in *-plain) wanted=0 ;; esac
  case $row in
    W1r | W8r)
      before=$(ticks)
      line=$(paced "$file" "$([ "$row" = W8r ] && echo yes || echo no)")
      local after; after=$(ticks)
      # The second of warming up is in the ticks and not in the log.
      record "$contender" "$row" 0 "$line" $(((after - before) * seconds / (seconds + 1))) ;;
    *)
      [ "$row" = W4 ] || load 1 >/dev/null
      before=$(ticks)
      line=$(load "$seconds")
      record "$contender" "$row" "$wanted" "$line" $(($(ticks) - before)) ;;
  esac
}

: >"$work/measured"
: >"$work/footprint"
for round in $(seq "$rounds"); do
  for contender in ${only//,/ }; do
    start "$contender" no
    export BAD_EVERY=0 BROKEN=$broken TOKENS=$work/many NO_TOKEN=
    # Long enough for the runtime to compile what is hot once more; the others need no warming.
    load 10 >/dev/null
    for row in ${rows//,/ }; do
      case $contender:$row in *:W7 | *-plain:W[2-8] | *-plain:W8r) ;; *) measure "$contender" "$row" ;; esac
    done
    echo "$contender $startup $(resident)" >>"$work/footprint"
    stop_proxy
    case $contender:,$rows, in
      portcullis:*,W7,* | haproxy:*,W7,*)
        start "$contender" yes
        TOKENS=$work/many load 10 >/dev/null
        measure "$contender" W7
        stop_proxy ;;
    esac
  done
done

python3 bench/load/report.py "$work/measured" "$work/footprint" "$rounds" "$seconds" "$connections" | tee ${out:+"$out"}
