--- The clock, and what a list of times amounts to.
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } ovlite_cli_time; int clock_gettime(int, ovlite_cli_time *);")
local at = ffi.new("ovlite_cli_time")
local stats = {}

--- Microseconds of the monotonic clock.
function stats.now()
  ffi.C.clock_gettime(1, at)
  return tonumber(at.seconds) * 1e6 + tonumber(at.nanoseconds) / 1e3
end

local function at_rank(sorted, share)
  local place = 1 + (#sorted - 1) * share
  local low = math.floor(place)
  return sorted[low] + (sorted[math.min(low + 1, #sorted)] - sorted[low]) * (place - low)
end

--- Of a list that is not empty: count, min, median, mean, p90, p99, max. The list stays as it is.
function stats.summary(times)
  local sorted, sum = {}, 0
  for i, t in ipairs(times) do sorted[i], sum = t, sum + t end
  table.sort(sorted)
  return { count = #sorted, min = sorted[1], median = at_rank(sorted, 0.5), mean = sum / #sorted, p90 = at_rank(sorted, 0.9),
    p99 = at_rank(sorted, 0.99), max = sorted[#sorted] }
end

return stats
