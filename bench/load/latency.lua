-- A request after the other with the tokens of a file in turn, and at the end one line that a script can read:
-- RESULT requests rate p50 p99 p99.9 failed (times in ms).
-- TOKENS names the file. NO_TOKEN=1 sends none. BAD_EVERY=N sends the token of BROKEN in every N-th request.
local requests, at = {}, 0
local broken
local bad, n = tonumber(os.getenv("BAD_EVERY") or "0"), 0

local function with(token)
    return wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
end

function init(_)
    if os.getenv("NO_TOKEN") == "1" then
        requests[1] = wrk.format("GET")
    else
        for token in io.lines(os.getenv("TOKENS")) do
            requests[#requests + 1] = with(token)
        end
    end
    if bad > 0 then broken = with(os.getenv("BROKEN")) end
end

function request()
    n = n + 1
    if bad > 0 and n % bad == 0 then return broken end
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency, _)
    io.write(string.format("RESULT %d %.0f %.3f %.3f %.3f %d\n", summary.requests, summary.requests / summary.duration * 1e6,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency:percentile(99.9) / 1000, summary.errors.status))
    local errors = summary.errors
    if errors.connect + errors.read + errors.write + errors.timeout > 0 then
        io.write(string.format("SOCKET ERRORS connect %d read %d write %d timeout %d\n", errors.connect, errors.read, errors.write, errors.timeout))
    end
end
