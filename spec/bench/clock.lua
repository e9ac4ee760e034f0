-- Microseconds of the monotonic clock, and the median of a list.
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } bench_time; int clock_gettime(int, bench_time *);")
local at = ffi.new("bench_time")
local clock = {}

function clock.now()
  ffi.C.clock_gettime(1, at)
  return tonumber(at.seconds) * 1e6 + tonumber(at.nanoseconds) / 1e3
end

function clock.median(list)
  local sorted = {}
  for i, v in ipairs(list) do sorted[i] = v end
  table.sort(sorted)
  local n = #sorted
  return n % 2 == 1 and sorted[(n + 1) / 2] or (sorted[n / 2] + sorted[n / 2 + 1]) / 2
end

return clock
