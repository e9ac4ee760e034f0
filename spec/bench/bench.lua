-- Times the models of a folder: make bench [MODELS=dir] [THREADS=n] [BENCH_FLAGS="only=name,name precision=bf16 by=steps"], or
-- luajit spec/bench/bench.lua dir threads [flags]. dir holds NAME/model.onnx or model.xml beside case.json and its inputs; without it the demo's
-- net is timed. "least" is what the arithmetic and the memory traffic of all steps need on this machine, each at its own limit (run_profile);
-- by=operators and by=steps list where the time goes, beside those limits.
local ov = require("ovlite")
local clock = require("spec.bench.clock")
local support = require("spec.support.support")
local folder, threads, flags = arg[1], tonumber(arg[2] or 2), { only = "", precision = "f32", by = "models" }
local SECONDS = 1.5 -- of each kind of measurement
for i = 3, #arg do
  local key, value = arg[i]:match("^(%w+)=(.*)$")
  if not flags[key or ""] then error("unknown flag '" .. arg[i] .. "'; there are only=, precision= and by=models, operators or steps", 0) end
  flags[key] = value
end

local function cases()
  local found = {}
  local pipe = io.popen("ls -d '" .. folder .. "'/*/case.json 2>/dev/null")
  for path in pipe:lines() do
    local here, name = path:match("^(.*/([^/]+))/case%.json$")
    local file = support.exists(here .. "/model.onnx") and here .. "/model.onnx" or here .. "/model.xml"
    if flags.only == "" or ("," .. flags.only .. ","):find("," .. name .. ",", 1, true) then found[#found + 1] = { name = name, path = file,
      folder = here } end
  end
  pipe:close()
  if #found == 0 then found[1] = { name = "digits", path = support.root .. "/examples/digits/model.xml" } end
  return found
end

local function inputs_of(case)
  if not case.folder then return { support.random(1):tensor("f32", { 1, 1, 8, 8 }, 0, 1) } end
  local inputs = {}
  for _, input in ipairs(require("spec.support.json").read(case.folder .. "/case.json").inputs) do
    inputs[input.name] = ov.Tensor.load(case.folder .. "/" .. input.file)
  end
  return inputs
end

local function latency(compiled, inputs)
  local request, times = compiled:create_infer_request(), {}
  request:infer(inputs)
  local stop = clock.now() + SECONDS * 1e6
  repeat
    local start = clock.now()
    request:infer()
    times[#times + 1] = clock.now() - start
  until start > stop and #times >= 5
  return clock.median(times) / 1e3, math.min(unpack(times, 1, math.min(#times, 5000))) / 1e3
end

local function throughput(compiled, inputs)
  local queue = ov.AsyncInferQueue(compiled, 0)
  for _ = 1, queue:size() do queue:start_async(inputs) end
  queue:wait_all()
  local runs, start = 0, clock.now()
  repeat
    queue:start_async(inputs)
    runs = runs + 1
  until clock.now() - start > SECONDS * 1e6
  queue:wait_all()
  return runs / (clock.now() - start) * 1e6
end

-- The steps of a run, their times the medians of 40 runs.
local function profile(compiled, inputs)
  local request, times, steps = compiled:create_infer_request(), {}, nil
  request:infer(inputs)
  for run = 1, 40 do
    request:infer()
    steps = request.run_profile.steps
    for i, step in ipairs(steps) do
      times[i] = times[i] or {}
      times[i][run] = step.real_time
    end
  end
  for i, step in ipairs(steps) do step.real_time = clock.median(times[i]) end
  return steps
end

-- Steps, or sums of them by operator: the longest first.
local function rows_of(steps)
  if flags.by == "steps" then
    for _, s in ipairs(steps) do s.name, s.count = ("%s %s '%s'"):format(s.node_type, s.exec_type, s.node_name), 1 end
  else
    local sums, rows = {}, {}
    for _, s in ipairs(steps) do
      local row = sums[s.node_type]
      if not row then
        row = { name = s.node_type, count = 0, real_time = 0, limit = 0, flops = 0, bytes = 0 }
        sums[s.node_type], rows[#rows + 1] = row, row
      end
      row.count = row.count + 1
      for _, key in ipairs({ "real_time", "limit", "flops", "bytes" }) do row[key] = row[key] + s[key] end
    end
    steps = rows
  end
  table.sort(steps, function(a, b) return a.real_time > b.real_time end)
  return steps
end

local function tell_steps(steps, total)
  print(("  %6s%7s%11s%11s%9s%10s%8s  %s"):format("share", "count", "us", "least us", "of least", "GFLOP/s", "GB/s", flags.by == "steps" and
    "step" or "operator"))
  for _, row in ipairs(rows_of(steps)) do
    print(("  %5.1f%%%7d%11.2f%11.2f%8.2fx%10.1f%8.2f  %s"):format(100 * row.real_time / total, row.count, row.real_time, row.limit,
      row.real_time / row.limit,
      row.flops / row.real_time / 1e3, row.bytes / row.real_time / 1e3, row.name))
  end
end

local function time_model(case)
  local core, inputs = ov.Core(), inputs_of(case)
  local start = clock.now()
  local model = core:read_model(case.path)
  local read = clock.now()
  local config = { PERFORMANCE_HINT = "LATENCY", INFERENCE_NUM_THREADS = threads, INFERENCE_PRECISION_HINT = flags.precision }
  local compiled = core:compile_model(model, "CPU", config)
  local made = clock.now()
  local median, least = latency(compiled, inputs)
  compiled:close()
  config.PERFORMANCE_HINT = "THROUGHPUT"
  local rate = throughput(core:compile_model(model, "CPU", config), inputs)
  config.PERFORMANCE_HINT, config.ENABLE_PROFILING = "LATENCY", true
  local steps, total, limit = profile(core:compile_model(model, "CPU", config), inputs), 0, 0
  for _, s in ipairs(steps) do total, limit = total + s.real_time, limit + s.limit end
  print(("%-22s%10.1f%10.1f%10.3f%10.3f%12.1f%10.3f%9.2fx"):format(case.name, (read - start) / 1e3, (made - read) / 1e3, median, least, rate,
    limit / 1e3, total / limit))
  if flags.by ~= "models" then tell_steps(steps, total) end
end

local machine = ov.machine_limits(threads)
print(("%d threads, %s: %.0f GFLOP/s in registers, %.0f GB/s from cache, %.1f GB/s from memory"):format(threads, flags.precision,
  (flags.precision == "f32" and machine.flops or machine.flops_bf16) / 1e9, machine.cache_bytes / 1e9, machine.memory_bytes / 1e9))
print(("%-22s%10s%10s%10s%10s%12s%10s%10s"):format("model", "load ms", "compile", "median ms", "min ms", "queue 1/s", "least ms", "of least"))
for _, case in ipairs(cases()) do
  local ok, err = pcall(time_model, case)
  if not ok then print(("%-22s%s"):format(case.name, tostring(err))) end
end
