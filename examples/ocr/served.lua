-- For bench.py: reads paths from standard input, and prints {seconds, lines} for each. luajit served.lua MODELS
local here = (arg and arg[0] or ""):match("^(.*/)") or "./"
package.path = here .. "?.lua;" .. package.path
local cjson = require("cjson")
local ffi = require("ffi")
local ov = require("ovlite")
ffi.cdef("typedef struct { long s, ns; } served_time; int clock_gettime(int, served_time *);")

local t = ffi.new("served_time")
local function now()
  ffi.C.clock_gettime(1, t)
  return tonumber(t.s) + tonumber(t.ns) / 1e9
end

local reader = require("reader").open(arg[1])
for path in io.lines() do
  local start = now()
  local lines = reader:read(ov.image.load(path, { channels = 3 }))
  local answer = { seconds = now() - start, lines = {} }
  for i, line in ipairs(lines) do answer.lines[i] = line.text end
  print(cjson.encode(answer))
  io.stdout:flush()
end
