--- ovlite profile MODEL -o report.html: where the time and the memory of a model go.
local ov = require("ovlite")
local fail = require("ovlite.cli.fail")
local inputs = require("ovlite.cli.inputs")
local model = require("ovlite.cli.model")
local stats = require("ovlite.cli.stats")
local terminal = require("ovlite.cli.terminal")
local profile = { name = "profile", summary = "an HTML page: times of layers beside their limits, streams, kernels, memory" }

local SECONDS, MOST_RUNS, RUNS_PER_STREAM = 2, 200, 4

function profile.define(command)
  model.define(command)
  model.define_config(command)
  command:option("-o --output", "the page"):default("report.html"):argname("FILE.html")
  command:option("-i --input", "NAME=WHAT, as ovlite run takes it; random otherwise"):count("*"):argname("NAME=WHAT")
  command:option("--niter", "runs whose median is told"):convert(model.count("niter")):argname("N")
  command:option("--nstreams", "streams of the timeline"):convert(model.count("nstreams")):argname("N")
  command:flag("--json", "the data as JSON on stdout, instead of the page")
end

-- Per step the median over the runs.
local function medians(runs)
  local steps = {}
  for i, first in ipairs(runs[1].steps) do
    local times = {}
    for k, run in ipairs(runs) do times[k] = run.steps[i].real_time end
    steps[i] = { name = first.node_name, type = first.node_type, kernel = first.exec_type, us = stats.summary(times).median, limit_us = first.limit,
      limited_by = first.limited_by,
      flops = first.flops, bytes = first.bytes }
  end
  return steps
end

local function measure_latency(compiled, given, niter)
  local request, runs = compiled:create_infer_request(), {}
  for name, tensor in pairs(given) do fail.blame("input '" .. name .. "'", request.set_tensor, request, name, tensor) end
  for _ = 1, 3 do request:infer() end
  local start = stats.now()
  repeat
    request:infer()
    runs[#runs + 1] = request.run_profile
    terminal.progress(math.max(#runs / (niter or MOST_RUNS), niter and 0 or (stats.now() - start) / 1e6 / SECONDS), "layers")
  until #runs >= (niter or MOST_RUNS) or (not niter and stats.now() - start > SECONDS * 1e6)
  return medians(runs), #runs, request.run_profile.threads
end

-- A few runs per stream, all started at once: what ran where and when, and how many runs a second.
local function measure_streams(compiled, given, out)
  local streams = tonumber(compiled:get_property("NUM_STREAMS"))
  local queue, runs = ov.AsyncInferQueue(compiled, RUNS_PER_STREAM * streams), {}
  for _, request in ipairs(queue:requests()) do
    for name, tensor in pairs(given) do request:set_tensor(name, tensor) end
  end
  for _ = 1, 2 do -- the first round is for warm caches
    for _ = 1, queue:size() do queue:start_async() end
    queue:wait_all()
  end
  for i, request in ipairs(queue:requests()) do
    local p, steps = request.run_profile, {}
    for k, s in ipairs(p.steps) do steps[k] = { name = s.node_name, type = s.node_type, start = s.start, us = s.real_time } end
    runs[i] = { stream = p.stream, start = p.start, us = p.real_time, steps = steps }
    out.stream_threads = p.threads
  end
  table.sort(runs, function(a, b) return a.start < b.start end)
  local first, last = runs[1].start, 0
  for _, run in ipairs(runs) do
    run.start = run.start - first
    last = math.max(last, run.start + run.us)
  end
  out.timeline, out.streams, out.throughput = runs, streams, #runs / last * 1e6
end

local function shapes_text(given)
  local parts = {}
  for name, tensor in pairs(given) do parts[#parts + 1] = name .. terminal.shape(tensor.shape) end
  table.sort(parts)
  return table.concat(parts, ", ")
end

--- Everything that the page shows.
function profile.collect(options)
  local m, read_ms = model.read(options)
  if not model.close_shapes(m) then fail.usage("the model has open shapes that cannot be guessed: give -shape") end
  inputs.seed(1)
  local given = inputs.collect(options.input, m, options, "random")
  local config = model.config(options)
  config.ENABLE_PROFILING, config.PERFORMANCE_HINT = true, "LATENCY"
  local compiled, compile_ms = model.compile(m, config)
  local out = { file = options.model, name = m.friendly_name, origin = m.origin, version = ov.version, read_ms = read_ms, compile_ms = compile_ms,
    shapes = shapes_text(given),
    processor = ov.Core():get_property("CPU", "FULL_DEVICE_NAME"), precision = compiled:get_property("INFERENCE_PRECISION_HINT"), flops = 0 }
  out.steps, out.runs, out.threads = measure_latency(compiled, given, options.niter)
  for _, s in ipairs(out.steps) do out.flops = out.flops + s.flops end
  out.memory, out.limits = compiled:memory_plan(), ov.machine_limits(out.threads)
  compiled:close()
  terminal.status("streams")
  config.PERFORMANCE_HINT, config.NUM_STREAMS = "THROUGHPUT", options.nstreams
  measure_streams(model.compile(m, config), given, out)
  return out
end

function profile.run(options)
  if not options.json and not options.output:find("%.html?$") then fail.usage("the page must end in .html, got '%s'", options.output) end
  local data = profile.collect(options)
  terminal.clear()
  if options.json then return require("ovlite.cli.json").print(data) end
  local page = require("ovlite.cli.report").page(data)
  local file, err = io.open(options.output, "wb")
  if not file then fail.now("cannot write %s", err) end
  file:write(page)
  file:close()
  print(("%s: %d steps, %d runs -> %s (%s)"):format(options.model, #data.steps, data.runs, options.output, terminal.bytes(#page)))
end

return profile
