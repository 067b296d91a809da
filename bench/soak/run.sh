#!/usr/bin/env bash
# Full load, in clear and over TLS, while backends die and return one at a time, the configuration is rewritten ten times a second, and the server's
# certificate and the issuer's keys rotate. Every answer is checked. Prints tables; ends with 1 when
#  - an answer had another status or body than its route and token ask for, came from a configuration that was long gone, or did not come;
#  - a 5xx has no line in the access log, its line has no response flag, or one that a dying backend does not explain, or no backend was down then;
#  - a handshake after the rotation showed a certificate of before, or a connection from before did not live to the end;
#  - a token of a key that was withdrawn still passed;
#  - memory grew after warm-up, or the gateway had a fault of its own.
# Memory is judged over the last SECONDS, all else from the first second of the warm-up, which is of the same kind.
# Installs nothing. Usage: bench/soak/run.sh [SECONDS [WARM-UP]]; PORTCULLIS_DLL names a built portcullis.dll, KEEP a folder for what was recorded.
set -euo pipefail
measured=${1:-60}
warmup=${2:-$((measured * 2))}
seconds=$((measured + warmup))
source "$(dirname "$0")/../lib.sh"
need wrk curl openssl perl

issuer=https://soak.example
backends=(28101 28102 28103)
http_port=28080 https_port=28443 status_port=28021 stats_port=28090
key_period=6 certificate_period=2
keys=$((seconds / key_period + 2)) certificates=$((seconds / certificate_period + 2))

echo "making $keys keys and $certificates certificates" >&2
for k in $(seq 0 "$keys"); do
  make_key ES256 "k$k"
  for user in alice bob; do sign "k$k" $user >"$work/$user.$k"; done
done
for c in $(seq 1 "$certificates"); do
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -set_serial "$c" -subj /CN=soak.example \
    -addext subjectAltName=DNS:soak.example -keyout "$work/$c.key" -out "$work/$c.crt" 2>/dev/null
done

secret() { # serial
  printf 'apiVersion: v1\nkind: Secret\nmetadata: {name: web, namespace: istio-system}\ndata: {tls.crt: %s, tls.key: %s}\n' \
    "$(base64 -w0 "$work/$1.crt")" "$(base64 -w0 "$work/$1.key")" | put secret.yaml
}
publish_keys() { # number of the first of two
  local set; set="{\"keys\":[$(sed 's/^{"keys":\[\(.*\)\]}$/\1/' "$work/k$1.jwks"),$(sed 's/^{"keys":\[\(.*\)\]}$/\1/' "$work/k$(($1 + 1)).jwks")]}"
  authentication_yaml "$set" ', outputClaimToHeaders: [{header: x-user, claim: sub}]' | put authentication.yaml
}
use_key() { # number
  local user
  for user in alice bob; do printf 'Bearer %s' "$(cat "$work/$user.$1")" >"$work/tmp.$user"; mv "$work/tmp.$user" "$work/header.$user"; done
  printf 'Bearer %sAAAAA' "$(sed 's/.....$//' "$work/alice.$1")" >"$work/tmp.forged"; mv "$work/tmp.forged" "$work/header.forged"
}
routes='apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all, namespace: istio-system}
spec: {gateways: [gw], hosts: ["*"], http: [
  {match: [{uri: {prefix: /anything/one}}], headers: {request: {set: {x-soak: "NUMBER", x-route: one}}}, route: [{destination: {host: backend.default.svc.cluster.local}}]},
  {match: [{uri: {prefix: /anything/two}}], headers: {request: {set: {x-soak: "NUMBER", x-route: two}}}, route: [{destination: {host: backend.default.svc.cluster.local}}]}]}'

cat >"$work/mesh.yaml" <<YAML
accessLogFile: $work/access.log
accessLogFormat: "%START_TIME(%s.%3f)% %DURATION% %RESPONSE_CODE% %RESPONSE_FLAGS% %UPSTREAM_HOST% %RESPONSE_CODE_DETAILS%\n"
YAML
service_yaml backend "${backends[@]}" | put service.yaml
gateway_yaml ', {hosts: ["*"], port: {number: 443, name: https, protocol: HTTPS}, tls: {mode: SIMPLE, credentialName: web}}' | put gateway.yaml
put policy.yaml <<YAML
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: require-jwt, namespace: istio-system}
spec: {rules: [{from: [{source: {requestPrincipals: ["$issuer/*"]}}]}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: istio-system}
spec: {action: DENY, rules: [{to: [{operation: {paths: ["/anything/two/closed"]}}]}]}
YAML
printf '%s\n' "${routes//NUMBER/0}" | put routes.yaml
secret 1; publish_keys 0; use_key 0

for b in "${backends[@]}"; do start_backend "$b"; disown; done
for b in "${backends[@]}"; do until accepts "$b"; do sleep 0.1; done; done
start_gateway --mesh-config "$work/mesh.yaml"

pause() { local s; printf -v s %d.%02d $(($1 / 100)) $(($1 % 100)); read -rt "$s" <>"$work/never" || true; } # hundredths of a second, without a process
mkfifo "$work/never"
running() { [ ! -e "$work/stop" ]; }
now() { echo $((${EPOCHREALTIME/[.,]/} / 10000)); } # hundredths of a second

rewriting() { # ten times a second; in perl, because a process for each change would wait for its turn among the load
  perl -e '
    my ($work, $text) = @ARGV;
    my ($n, $next) = (0, now());
    until (-e "$work/stop") {
      $n++; (my $routes = $text) =~ s/NUMBER/$n/g;
      put("$work/routes.tmp", $routes); rename("$work/routes.tmp", "$work/config/routes.yaml") or die;
      put("$work/rewrites", $n);
      my $left = ($next += 0.1) - now();
      select(undef, undef, undef, $left) if $left > 0;
    }
    sub put { open(my $file, ">", $_[0]) or die; print $file $_[1]; close($file) }
    sub now { require Time::HiRes; Time::HiRes::time() }
  ' "$work" "$routes"
}
dying() { # one at a time; the times of each go to a file
  local kills=0 b from
  while running; do
    pause 100; b=${backends[RANDOM % 3]}
    from=$EPOCHREALTIME; kill -9 "$(cat "$work/backend.$b.pid")"; wait "$(cat "$work/backend.$b.pid")" || true
    kills=$((kills + 1)); echo $kills >"$work/kills"
    pause 50; start_backend "$b"
    until accepts "$b" || ! running; do pause 5; done
    echo "127.0.0.1:$b $from $EPOCHREALTIME" >>"$work/down"
  done
}
serial() { openssl s_client -connect 127.0.0.1:$https_port -servername soak.example </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null | sed 's/serial=0*//' || true; }
rotating_certificates() { # the new one must be seen within five seconds, and from then on no other
  local c=1 handshakes=0 stale=0 begun hex shown
  while running && [ $c -lt "$certificates" ]; do
    c=$((c + 1)); printf -v hex %X $c; secret $c; begun=$(now)
    while running; do
      shown=$(serial); handshakes=$((handshakes + 1))
      [ "$shown" != "$hex" ] || break
      [ $(($(now) - begun)) -lt 500 ] || { stale=$((stale + 1)); echo "certificate $hex is not shown after five seconds, but ${shown:-none}" >>"$work/certificate.wrong"; break; }
    done
    while running && [ $(($(now) - begun)) -lt $((certificate_period * 100)) ]; do
      pause 20; shown=$(serial); handshakes=$((handshakes + 1))
      [ "$shown" = "$hex" ] || { stale=$((stale + 1)); echo "certificate $hex had been shown, then ${shown:-none}" >>"$work/certificate.wrong"; }
    done
    echo "$c $handshakes $stale" >"$work/certificates"
  done
}
status_of() { curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(cat "$1")" http://127.0.0.1:$http_port/anything/one; }
rotating_keys() { # a key is published half a period before its use, and withdrawn half a period after its last
  local k=0 withdrawn=0 passed=0 begun
  while running && [ $((k + 2)) -le "$keys" ]; do
    pause $((key_period * 50)); use_key $((k + 1))
    pause $((key_period * 50)); running || break
    publish_keys $((k + 1)); begun=$(now)
    until [ "$(status_of "$work/alice.$k")" = 401 ] || [ $(($(now) - begun)) -gt 250 ] || ! running; do pause 10; done
    running || break
    [ "$(status_of "$work/alice.$k")" = 401 ] || passed=$((passed + 1))
    withdrawn=$((withdrawn + 1)); k=$((k + 1)); echo "$withdrawn $passed" >"$work/keys"
  done
}
old_connection() { # one TLS connection from before every rotation to the end; says how many requests it sent
  local n=0 close=""
  while [ -z "$close" ]; do
    running || close=$'Connection: close\r\n'
    printf 'GET /anything/one HTTP/1.1\r\nHost: soak.example\r\n%sAuthorization: %s\r\n\r\n' "$close" "$(cat "$work/header.alice")"
    n=$((n + 1)); echo $n >"$work/old.sent"; pause 100
  done
}
sampling() { while running; do awk '/VmRSS/ {print int($2 / 1024)}' "/proc/$gateway/status" >>"$work/rss"; pause 50; done; }
load() { # name, connections, URL, header file, status, texts
  local name=$1 connections=$2 url=$3; shift 3
  nice -n 19 wrk -t1 -c"$connections" -d"$seconds" --timeout 30s -s bench/soak/check.lua "$url" -- "$1" "$2" "$work/$name.wrong" "${@:3}" >"$work/$name.out" 2>&1
}

old_connection | openssl s_client -quiet -connect 127.0.0.1:$https_port -servername soak.example >"$work/old.out" 2>/dev/null & old=$!
until [ -s "$work/old.out" ]; do sleep 0.05; done
rewriting & r=$!
dying 2>/dev/null & d=$!
rotating_certificates & c=$!
rotating_keys & k=$!
sampling 2>/dev/null & s=$!
clear=http://127.0.0.1:$http_port/anything secure=https://127.0.0.1:$https_port/anything
load alice 16 $clear/one "$work/header.alice" 200 '"X-User": "alice"' '"X-Route": "one"' & w1=$!
load bob 16 $clear/two "$work/header.bob" 200 '"X-User": "bob"' '"X-Route": "two"' & w2=$!
load tls 8 $secure/one "$work/header.alice" 200 '"X-User": "alice"' '"X-Route": "one"' & w3=$!
load none 4 $clear/one - 401 'Jwt is missing' & w4=$!
load forged 4 $clear/one "$work/header.forged" 401 'Jwt verification fails' & w5=$!
load closed 4 $secure/two/closed "$work/header.bob" 403 'RBAC: access denied' & w6=$!
wait $w1 $w2 $w3 $w4 $w5 $w6 || { tail -n 3 "$work"/*.out >&2; exit 1; }
touch "$work/stop"
wait $r $d $c $k $s $old 2>/dev/null || true
live=$(grep -c 'configuration is live' "$work/gateway.log" || true)
kill -TERM "$gateway"; wait "$gateway" || true

bad=0
read -r shown handshakes stale <"$work/certificates"
read -r withdrawn passed <"$work/keys"
echo "$(nproc) cores, $warmup s of warm-up and $measured s, $(date -u +%F): $(cat "$work/rewrites") rewrites of the routes, $live configurations went live; $(cat "$work/kills") backends killed;" \
  "$shown certificates, $handshakes handshakes; $withdrawn keys withdrawn"
echo
echo "| requests | right | answers | wrong |"
echo "|---|---|---|---|"
client503=0
report() { # name, what it is, right status
  local answers="" status count wrong
  while read -r _ status count; do
    [ "$count" -gt 0 ] || continue
    answers="$answers $status:$count"
    [ "$status" != 503 ] || client503=$((client503 + count))
    [ "$status" != lost ] || { bad=1; answers="$answers (BAD)"; }
  done < <(grep '^status' "$work/$1.out")
  wrong=$(awk '/^wrong/ {print $2}' "$work/$1.out")
  [ "$wrong" = 0 ] && [ -n "$answers" ] || bad=1
  echo "| $2 | $3 |$answers | $wrong |"
  [ ! -e "$work/$1.wrong" ] || cat "$work/$1.wrong" >&2
}
report alice "alice, route one" 200
report bob "bob, route two" 200
report tls "alice, route one, TLS" 200
report none "no token" 401
report forged "forged token" 401
report closed "closed to everybody, TLS" 403
echo
echo "| 5xx and broken off, by flags and details | count |"
echo "|---|---|"
awk '$3 >= 500 || $3 == 0 || $4 != "-" {n[$3 " " $4 " " $6]++} END {for (k in n) printf "| %s | %d |\n", k, n[k]}' "$work/access.log"
echo
# A failure is explained when its flags are those of a backend that dies or is dead (UF, UC; URX: its retries too) and the backend of its line was down
# at some time between the request's beginning and its end.
awk -v in_flight=52 -v client="$client503" '
  FILENAME ~ /down$/ {from[$1, ++n[$1]] = $2; to[$1, n[$1]] = $3; next}
  $3 >= 500 {
    total++
    if ($4 !~ /^(UF|UC|URX)(,(UF|UC|URX))*$/ || $3 != 503) {print "not explained by its flags: " $0; bad = 1; next}
    down = 0
    for (i = 1; i <= n[$5] && !down; i++) down = $1 <= to[$5, i] && $1 + $2 / 1000 + 0.002 >= from[$5, i]
    if (!down) {print "its backend was up: " $0; bad = 1}
  }
  $3 == 0 && $4 != "DC" {print "broken off without a flag: " $0; bad = 1}
  END {
    printf "5xx that clients saw: %d; in the access log: %d (a client that stops leaves some unread)\n", client, total
    if (total < client || total > client + in_flight) {print "the two do not agree"; bad = 1}
    exit bad
  }' "$work/down" "$work/access.log" >"$work/explained" || bad=1
head -20 "$work/explained"
answered=$(grep -o 'HTTP/1.1 [0-9]' "$work/old.out" | wc -l)
sent=$(cat "$work/old.sent")
[ "$answered" = "$sent" ] || bad=1
[ "$stale" = 0 ] || { bad=1; cat "$work/certificate.wrong"; }
[ "$passed" = 0 ] || bad=1
echo "handshakes with a certificate of before: $stale; the connection from before all rotations: $answered answers to $sent requests; tokens of withdrawn keys that passed: $passed"
# Flat: the line of least squares through the samples after the warm-up rises by no more than a twentieth of their mean.
read -r mean growth < <(awk -v skip="$(awk -v w=$warmup -v s=$seconds 'BEGIN {print w / s}')" '{v[NR] = $1} END {s = int(NR * skip); n = NR - s
  for (i = s + 1; i <= NR; i++) {x = i - s; sx += x; sy += v[i]; sxx += x * x; sxy += x * v[i]}
  slope = (n * sxy - sx * sy) / (n * sxx - sx * sx); printf "%d %d\n", sy / n, slope * n}' "$work/rss")
limit=$((mean / 20))
[ "$growth" -le "$limit" ] || bad=1
faults=$(grep -c 'the gateway failed' "$work/gateway.log" || true)
[ "$faults" = 0 ] || { bad=1; grep -A5 'the gateway failed' "$work/gateway.log" | head -20; }
echo "resident after warm-up: $mean MB, rising by $growth MB in $measured s (at most $limit); faults of the gateway: $faults"
[ -z "${KEEP:-}" ] || { mkdir -p "$KEEP"; cp "$work"/access.log "$work"/down "$work"/rss "$work"/gateway.log "$work"/*.out "$work/explained" "$KEEP/" || true; }
[ $bad = 0 ] && echo "good" || echo "BAD"
exit $bad
