# Shared by the load and soak runs: builds the gateway, makes keys and configuration, starts processes and ends them. Sourced by a script that has
# `set -euo pipefail`; the working folder is $work, the executable is portcullis, or $dll for dotnet.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

need() { # tools
  local tool
  for tool in "$@"; do command -v "$tool" >/dev/null || { echo "$tool is missing: install it (Debian: apt-get install $tool)" >&2; exit 2; }; done
}

work=$(mktemp -d)
pids=()
clean() {
  touch "$work/stop"
  kill "${pids[@]}" 2>/dev/null || true
  local file
  for file in "$work"/backend.*.pid; do [ -e "$file" ] && kill "$(cat "$file")" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap clean EXIT

dll=${PORTCULLIS_DLL:-src/Portcullis/bin/Release/net10.0/portcullis.dll}
[ -n "${PORTCULLIS_DLL:-}" ] || dotnet build src/Portcullis/Portcullis.csproj -c Release -v q --nologo >/dev/null
portcullis() { dotnet "$dll" "$@"; }
mkdir "$work/config"

put() { cat >"$work/$$.$1.tmp"; mv "$work/$$.$1.tmp" "$work/config/$1"; } # file; atomic, so that no half of it is read

make_key() { portcullis jwk generate --alg "$1" --kid "$2" --out "$work/$2.jwk" --jwks >"$work/$2.jwks"; } # algorithm, name
sign() { portcullis jwt sign --key "$work/$1.jwk" --claim iss="$issuer" --claim sub="$2" --expires-in 2h "${@:3}"; } # key, subject, more of jwt sign

service_yaml() { # name, ports of its endpoints
  local name=$1 port; shift
  printf 'apiVersion: v1\nkind: Service\nmetadata: {name: %s}\nspec: {ports: [{name: http, port: 80}]}\n' "$name"
  for port in "$@"; do
    printf -- '---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %s-%s, labels: {kubernetes.io/service-name: %s}}\n' "$name" "$port" "$name"
    printf 'addressType: IPv4\nendpoints: [{addresses: ["127.0.0.1"]}]\nports: [{name: http, port: %s}]\n' "$port"
  done
}

gateway_yaml() { # more servers, each with a leading comma
  printf 'apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: gw, namespace: istio-system}\n'
  printf 'spec: {selector: {istio: ingressgateway}, servers: [{hosts: ["*"], port: {number: 80, name: http, protocol: HTTP}}%s]}\n' "${1:-}"
}

authentication_yaml() { # key set, more fields of the rule with a leading comma
  printf 'apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {name: jwt, namespace: istio-system}\n'
  printf "spec: {jwtRules: [{issuer: \"%s\", jwks: '%s'%s}]}\n" "$issuer" "$1" "${2:-}"
}

start_backend() { nice -n 5 dotnet "$dll" httpbin --port "$1" >/dev/null 2>&1 & echo $! >"$work/backend.$1.pid"; } # port
accepts() { (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }                                                     # port

start_gateway() { # more arguments of run; listens on $http_port, $https_port, $status_port and $stats_port; sets $gateway
  dotnet "$dll" run -f "$work/config" --port 80="$http_port" --port 443="$https_port" --status-port "$status_port" --stats-port "$stats_port" --admin off "$@" >"$work/gateway.log" 2>&1 &
  gateway=$!; pids+=("$gateway")
  local i
  for i in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1:$status_port/healthz/ready && return; sleep 0.1; done
  echo "the gateway does not get ready:" >&2; tail -5 "$work/gateway.log" >&2; exit 1
}
