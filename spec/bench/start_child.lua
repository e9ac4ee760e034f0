-- ovlite's side of start.py: a fresh process that reads, compiles and runs one model once, and prints a line of JSON.
--   luajit start_child.lua MODEL THREADS CACHE_DIR|- [NAME=INPUT.npy ...]
local ov = require("ovlite")
local clock = require("spec.bench.clock")
local path, threads, cache = arg[1], arg[2], arg[3]
local inputs = {}
for i = 4, #arg do
  local name, file = arg[i]:match("^(.-)=(.*)$")
  inputs[name] = ov.Tensor.load(file)
end
local config = { INFERENCE_NUM_THREADS = threads, INFERENCE_PRECISION_HINT = "f32" }
if cache ~= "-" then config.CACHE_DIR = cache end

local start = clock.now()
local core = ov.Core()
local compiled = core:compile_model(path, "CPU", config)
local ready = clock.now()
local request = compiled:create_infer_request()
request:infer(next(inputs) and inputs or nil)
local first = clock.now()

local status = io.open("/proc/self/status"):read("*a")
io.write(("{\"compile\": %.2f, \"first\": %.2f, \"peak\": %d}\n"):format((ready - start) / 1e3, (first - start) / 1e3, tonumber(status:match("VmHWM:%s*(%d+)")) / 1024))
