--- ovlite bench MODEL: how fast, in the manner of OpenVINO's benchmark_app.
local ov = require("ovlite")
local fail = require("ovlite.cli.fail")
local inputs = require("ovlite.cli.inputs")
local json = require("ovlite.cli.json")
local model = require("ovlite.cli.model")
local stats = require("ovlite.cli.stats")
local terminal = require("ovlite.cli.terminal")
local bench = { name = "bench", summary = "time a model: reading, compiling, first inference, latency, throughput" }

local FRESH = 8 -- sets of inputs that take turns
local CHUNK = 0.1e6 -- microseconds between two looks at the progress

function bench.define(command)
  model.define(command)
  model.define_config(command)
  command:option("-i --input", "NAME=WHAT, as ovlite run takes it; random otherwise"):count("*"):argname("NAME=WHAT")
  command:option("--hint", "what to compile for; latency with -api sync, else throughput"):choices({ "latency", "throughput",
    "none" }):argname("HINT")
  command:option("--api", "sync: one inference after the other; async: several at a time (default)"):choices({ "sync", "async" }):argname("API")
  command:option("--niter", "inferences of each measurement"):convert(model.count("niter")):argname("N")
  command:option("-t --time", "seconds of each measurement (5, where -niter is not given)"):convert(model.positive("t")):argname("SECONDS")
  command:option("--nstreams", "streams"):convert(model.count("nstreams")):argname("N")
  command:option("--nireq", "requests in flight (-api async)"):convert(model.count("nireq")):argname("N")
  command:flag("--pc", "times of each step, beside their limits")
  command:option("--report", "write all figures there: .json, or .csv"):argname("FILE")
  command:flag("--json", "as JSON")
end

local function configure(options)
  local config = model.config(options)
  local hint = options.hint or (options.api == "sync" and "latency" or "throughput")
  if hint ~= "none" then config.PERFORMANCE_HINT = hint:upper() end
  config.NUM_STREAMS = options.nstreams
  config.ENABLE_PROFILING = options.pc and true or nil
  return config, hint
end

-- ---- loops ----

-- Says whether to go on, and draws the bar now and then.
local function counter(options, label)
  local start, looked, runs = stats.now(), 0, 0
  local seconds = options.time or not options.niter and 5 or math.huge
  local niter = options.niter or math.huge
  return function()
    local now = stats.now()
    local done = math.max(runs / niter, (now - start) / 1e6 / seconds)
    if now - looked > CHUNK then
      terminal.progress(done, label)
      looked = now
    end
    runs = runs + 1
    return done < 1
  end
end

local function measured(times, elapsed)
  local s = stats.summary(times)
  s.throughput = #times / elapsed * 1e6
  s.seconds = elapsed / 1e6
  return s
end

-- `sets`: inputs that take turns; nil: what the request has.
local function sync_loop(request, options, sets, label)
  local times, go_on, start = {}, counter(options, label), stats.now()
  while go_on() do
    local before = stats.now()
    if sets then request:infer(sets[#times % #sets + 1]) else request:infer() end
    times[#times + 1] = stats.now() - before
  end
  return measured(times, stats.now() - start)
end

local function async_loop(queue, options, sets, label)
  local times, started, go_on, start = {}, 0, counter(options, label), stats.now()
  queue:set_callback(function(request, _, err)
    if err then error(err, 0) end
    times[#times + 1] = request.latency * 1e3
  end)
  while go_on() do
    started = started + 1
    queue:start_async(sets and sets[started % #sets + 1] or nil)
  end
  queue:wait_all()
  return measured(times, stats.now() - start)
end

-- ---- inputs ----

local function random_sets(m, given)
  local sets = {}
  for i = 1, FRESH do
    inputs.seed(i + 1)
    sets[i] = {}
    for _, port in ipairs(m.inputs) do
      local fixed = given[port.any_name]
      sets[i][port.any_name] = fixed:clone()
      local kind = fixed.element_type
      if not given.files[port.any_name] and kind ~= "string" then sets[i][port.any_name] = inputs.random(kind, fixed.shape) end
    end
  end
  return sets
end

-- Whole numbers and states that a file gave are meant: only what was random is made anew.
local function prepare_inputs(m, options)
  inputs.seed(1)
  local given = inputs.collect(options.input, m, options, "random")
  local files = {}
  for _, text in ipairs(options.input or {}) do
    for _, port in ipairs(m.inputs) do
      if not text:find("=", 1, true) or text:sub(1, #port.any_name + 1) == port.any_name .. "=" then files[port.any_name] = true end
    end
  end
  given.files = files
  local sets = random_sets(m, given)
  given.files = nil
  return given, sets
end

local function set_inputs(request, given)
  for name, tensor in pairs(given) do fail.blame("input '" .. name .. "'", request.set_tensor, request, name, tensor) end
end

-- ---- the whole measurement ----

local function counters_of(request)
  local rows = {}
  for i, s in ipairs(request.run_profile.steps) do
    rows[i] = { name = s.node_name, type = s.node_type, kernel = s.exec_type, us = s.real_time, limit_us = s.limit, limited_by = s.limited_by,
      flops = s.flops, bytes = s.bytes }
  end
  return rows
end

local function loops(compiled, options, given, sets, out)
  local request = compiled:create_infer_request()
  set_inputs(request, given)
  terminal.status("first inference")
  local before = stats.now()
  request:infer()
  out.first_ms = (stats.now() - before) / 1e3
  for _ = 1, 3 do request:infer() end
  if options.pc then out.counters = counters_of(request) end
  if options.api == "sync" then
    out.requests = 1
    out.fixed = sync_loop(request, options, nil, "fixed input")
    out.fresh = sync_loop(request, options, sets, "fresh input")
  else
    local queue = ov.AsyncInferQueue(compiled, options.nireq or 0)
    for _, r in ipairs(queue:requests()) do set_inputs(r, given) end
    out.requests = queue:size()
    out.fixed = async_loop(queue, options, nil, "fixed input")
    out.fresh = async_loop(queue, options, sets, "fresh input")
  end
end

local function property(compiled, name)
  local ok, value = pcall(compiled.get_property, compiled, name)
  return ok and value or nil
end

local function measure(options)
  local m, load_ms = model.read(options)
  local assumed = model.close_shapes(m)
  if not assumed then fail.usage("the model has open shapes that cannot be guessed: give -shape") end
  local given, sets = prepare_inputs(m, options)
  local config, hint = configure(options)
  local compiled, compile_ms = model.compile(m, config)
  local out = { file = options.model, api = options.api or "async", hint = hint, load_ms = load_ms, compile_ms = compile_ms, shapes = {},
    assumed_shapes = assumed,
    streams = tonumber(property(compiled, "NUM_STREAMS")), threads = tonumber(property(compiled, "INFERENCE_NUM_THREADS")),
    precision = property(compiled, "INFERENCE_PRECISION_HINT"), processor = property(ov.Core(), "FULL_DEVICE_NAME") }
  for name, tensor in pairs(given) do out.shapes[name] = tensor.shape end
  loops(compiled, options, given, sets, out)
  return out
end

-- ---- telling ----

local KINDS = { { "fixed", "fixed input" }, { "fresh", "fresh input" } }

local function print_all(out)
  if #out.assumed_shapes > 0 then print("open shapes taken as " .. table.concat(out.assumed_shapes, ", ") .. " (-shape for others)") end
  print(("%s, %s, hint %s: %s stream(s), %s thread(s), %d request(s), %s"):format(out.file, out.api, out.hint, out.streams or "?", out.threads or
    "?", out.requests, out.precision or "f32"))
  print(("  load %s, compile %s, first inference %s"):format(terminal.time(out.load_ms * 1e3), terminal.time(out.compile_ms * 1e3),
    terminal.time(out.first_ms * 1e3)))
  local rows = { { "latency", "median", "mean", "min", "p90", "p99", "max", "count", "inferences/s" } }
  for _, kind in ipairs(KINDS) do
    local s = out[kind[1]]
    rows[#rows + 1] = { kind[2], terminal.time(s.median), terminal.time(s.mean), terminal.time(s.min), terminal.time(s.p90), terminal.time(s.p99),
      terminal.time(s.max), s.count,
      ("%.1f"):format(s.throughput) }
  end
  terminal.table(rows, { false, true, true, true, true, true, true, true, true })
end

local function print_counters(counters)
  local sorted, sum = {}, 0
  for i, c in ipairs(counters) do sorted[i], sum = c, sum + c.us end
  table.sort(sorted, function(a, b) return a.us > b.us end)
  local rows = { { "share", "time", "limit", "by", "operator", "kernel", "node" } }
  for _, c in ipairs(sorted) do
    rows[#rows + 1] = { ("%.1f %%"):format(100 * c.us / sum), terminal.time(c.us), terminal.time(c.limit_us), c.limited_by, c.type, c.kernel, c.name }
  end
  print(("steps: %d, %s"):format(#counters, terminal.time(sum)))
  terminal.table(rows, { true, true, true })
end

local function quote(x) return '"' .. tostring(x):gsub('"', '""') .. '"' end

local function csv(out)
  local lines = { "figure,value" }
  for _, key in ipairs({ "file", "api", "hint", "streams", "threads", "requests", "precision", "processor", "load_ms", "compile_ms", "first_ms" }) do
    lines[#lines + 1] = key .. "," .. quote(out[key] == nil and "" or out[key])
  end
  for _, kind in ipairs(KINDS) do
    for _, key in ipairs({ "count", "min", "median", "mean", "p90", "p99", "max", "throughput" }) do
      local unit = (key == "count" or key == "throughput") and "" or "_us"
      lines[#lines + 1] = kind[1] .. "_" .. key .. unit .. "," .. quote(out[kind[1]][key])
    end
  end
  if out.counters then
    lines[#lines + 1] = "\nnode,operator,kernel,us,limit_us,limited_by,flops,bytes"
    for _, c in ipairs(out.counters) do
      lines[#lines + 1] = table.concat({ quote(c.name), quote(c.type), quote(c.kernel), c.us, c.limit_us, c.limited_by, c.flops, c.bytes }, ",")
    end
  end
  return table.concat(lines, "\n") .. "\n"
end

local function write_report(path, out)
  local text = path:find("%.json$") and json.encode(out) .. "\n" or csv(out)
  local file, err = io.open(path, "wb")
  if not file then fail.now("cannot write %s", err) end
  file:write(text)
  file:close()
end

function bench.run(options)
  if options.report and not options.report:find("%.json$") and not options.report:find("%.csv$") then
    fail.usage("--report writes .json or .csv, got '%s'", options.report)
  end
  local out = measure(options)
  terminal.clear()
  if options.report then write_report(options.report, out) end
  if options.json then return json.print(out) end
  print_all(out)
  if out.counters then print_counters(out.counters) end
  if options.report then print("report: " .. options.report) end
end

return bench
