-- Checks every answer to one kind of request, and prints at the end `status N COUNT` lines and how many answers were wrong.
-- Arguments: a file with the Authorization header's value, read again every second (`-` for none); the status that is right; the file to which the first
-- wrong answers go; then texts that the body of a right answer holds. 503 is counted: whether it was right is for the access log to say.
-- A body with "X-Soak": "N" tells by which configuration it was routed: it must not be older than what was seen five seconds before.
local threads = {}
function setup(thread) table.insert(threads, thread) end

local header, right, failures, texts, read_at, built = nil, 200, nil, {}, 0, nil
local seen, floor, second, recent = 0, 0, 0, {}

function init(args)
  statuses, wrong = {}, 0
  header = args[1] ~= "-" and args[1] or nil
  right, failures = tonumber(args[2]), args[3]
  for i = 4, #args do texts[#texts + 1] = args[i] end
end

function request()
  local now = os.time()
  if not built or (header and now ~= read_at) then
    read_at = now
    if header then
      local file = io.open(header)
      if file then wrk.headers["Authorization"] = file:read("*l"); file:close() end
    end
    built = wrk.format(nil)
  end
  return built
end

local function fail(status, body, why)
  wrong = wrong + 1
  if wrong <= 3 then
    local file = io.open(failures, "a")
    file:write(why, ": ", status, " ", body:sub(1, 600), "\n"); file:close()
  end
end

function response(status, headers, body)
  statuses[status] = (statuses[status] or 0) + 1
  if status == 503 then return end
  if status ~= right then return fail(status, body, "another status") end
  for _, text in ipairs(texts) do
    if not body:find(text, 1, true) then return fail(status, body, "without " .. text) end
  end
  local number = body:match('"X%-Soak": "(%d+)"')
  if not number then return end
  local now = os.time()
  if now ~= second then
    second = now
    recent[#recent + 1] = seen
    if #recent > 5 then floor = table.remove(recent, 1) end
  end
  number = tonumber(number)
  if number > seen then seen = number end
  if number < floor then fail(status, body, "a configuration of more than five seconds ago, before " .. floor) end
end

function done(summary, latency, requests)
  local all, bad = {}, 0
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do all[status] = (all[status] or 0) + count end
    bad = bad + thread:get("wrong")
  end
  for status, count in pairs(all) do io.write(string.format("status %d %d\n", status, count)) end
  local e = summary.errors
  io.write(string.format("status lost %d\nwrong %d\n", e.connect + e.read + e.write + e.timeout, bad))
end
