-- How threads behave: make bench-threads [MODELS=dir] [THREADS=n], or luajit spec/bench/threads.lua dir threads [name,name]
-- For each model: back to back; the first run after a pause; the processor time of a process that has stopped inferring; with one busy process beside it.
-- Beside the peers: make compare COMPARE_FLAGS="--busy 1".
local ov = require("ovlite")
local ffi = require("ffi")
local clock = require("spec.bench.clock")
local support = require("spec.support.support")
local json = require("spec.support.json")
local folder, threads, only = arg[1] or "", tonumber(arg[2] or 2), arg[3] or "mobilenet_v2,bert_mini"
ffi.cdef("int poll(void *, unsigned long, int); int clock_gettime(int, bench_time *);")
local PROCESS_CPU = 2

local function pause(ms) ffi.C.poll(nil, 0, ms) end
local function cpu_ms()
  local t = ffi.new("bench_time")
  ffi.C.clock_gettime(PROCESS_CPU, t)
  return tonumber(t.seconds) * 1e3 + tonumber(t.nanoseconds) / 1e6
end

local function made_net()
  local op, random = ov.opset13, support.random(1)
  local x = op.parameter({ 64, 256 }, "f32", "x")
  local y = x
  for _ = 1, 12 do y = op.relu(op.matmul(y, op.constant(random:tensor("f32", { 256, 256 }, -0.1, 0.1)), false, false)) end
  return ov.Model({ y }, { x }, "made")
end

local function models()
  local found = {}
  for name in only:gmatch("[^,]+") do
    local here = folder .. "/" .. name
    if folder ~= "" and support.exists(here .. "/case.json") then
      local inputs = {}
      for _, input in ipairs(json.read(here .. "/case.json").inputs) do inputs[input.name] = ov.Tensor.load(here .. "/" .. input.file) end
      found[#found + 1] = { name, ov.Core():read_model(here .. "/model.onnx"), inputs }
    end
  end
  if #found == 0 then found[1] = { "made", made_net(), { support.random(2):tensor("f32", { 64, 256 }, -1, 1) } } end
  return found
end

local function median_ms(request, n, gap)
  local times = {}
  for i = 1, n do
    if gap then pause(gap) end
    local start = clock.now()
    request:infer()
    times[i] = clock.now() - start
  end
  return clock.median(times) / 1e3
end

local function beside_a_busy_process(measure)
  local pipe = io.popen("sh -c 'echo $$; exec >/dev/null; while :; do :; done'")
  local pid = pipe:read("*l")
  pause(300)
  local result = measure()
  os.execute("kill " .. pid)
  pipe:close()
  return result
end

print(("%-16s%8s%14s%14s%14s%12s%12s"):format("model", "ms", "after 2 ms", "after 20 ms", "after 200 ms", "idle CPU", "beside one"))
for _, m in ipairs(models()) do
  local request = ov.Core():compile_model(m[2], "CPU", { INFERENCE_NUM_THREADS = threads }):create_infer_request()
  request:infer(m[3])
  median_ms(request, 50)
  local base, cells = median_ms(request, 200), {}
  for _, gap in ipairs({ 2, 20, 200 }) do
    local t = median_ms(request, gap > 50 and 15 or 50, gap)
    cells[#cells + 1] = ("%7.2f %5.2fx"):format(t, t / base)
  end
  median_ms(request, 5)
  pause(20) -- workers spin for a while
  local cpu, start = cpu_ms(), clock.now()
  pause(1000)
  local idle = (cpu_ms() - cpu) / (clock.now() - start) * 1e5
  local busy = beside_a_busy_process(function() return median_ms(request, 200) end)
  print(("%-16s%8.2f%14s%14s%14s%10.2f %%%7.2f %3.1fx"):format(m[1], base, cells[1], cells[2], cells[3], idle, busy, busy / base))
end
