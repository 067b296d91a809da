-- Counts the statuses of one kind of request and prints them at the end, one `status count` a line; `lost` are requests without an answer.
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) statuses = {} end
function response(status) statuses[status] = (statuses[status] or 0) + 1 end
function done(summary, latency, requests)
  local all = {}
  for _, thread in ipairs(threads) do
    for status, count in pairs(thread:get("statuses")) do all[status] = (all[status] or 0) + count end
  end
  for status, count in pairs(all) do io.write(string.format("status %d %d\n", status, count)) end
  local e = summary.errors
  io.write(string.format("status lost %d\n", e.connect + e.read + e.write + e.timeout))
end
