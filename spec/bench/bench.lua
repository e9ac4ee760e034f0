-- Times the models of a folder: make bench [MODELS=dir] [THREADS=n], or luajit spec/bench/bench.lua dir threads [name,name] [precision]
-- dir holds NAME/model.onnx or model.xml beside case.json and its inputs; without it the demo's net is timed.
local ov = require("ovlite")
local clock = require("spec.bench.clock")
local support = require("spec.support.support")
local folder, threads, only, precision = arg[1], tonumber(arg[2] or 2), arg[3] or "", arg[4] or "f32"
local SECONDS = 1.5 -- of each kind of measurement

local function cases()
  local found = {}
  local pipe = io.popen("ls -d '" .. folder .. "'/*/case.json 2>/dev/null")
  for path in pipe:lines() do
    local here, name = path:match("^(.*/([^/]+))/case%.json$")
    local file = support.exists(here .. "/model.onnx") and here .. "/model.onnx" or here .. "/model.xml"
    if only == "" or ("," .. only .. ","):find("," .. name .. ",", 1, true) then found[#found + 1] = { name = name, path = file, folder = here } end
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
  local request, times, stop = compiled:create_infer_request(), {}, nil
  request:infer(inputs)
  stop = clock.now() + SECONDS * 1e6
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

print(("%-22s%10s%10s%10s%10s%12s"):format("model", "load ms", "compile", "median ms", "min ms", "queue 1/s"))
for _, case in ipairs(cases()) do
  local ok, err = pcall(function()
    local core, inputs = ov.Core(), inputs_of(case)
    local start = clock.now()
    local model = core:read_model(case.path)
    local read = clock.now()
    local config = { PERFORMANCE_HINT = "LATENCY", INFERENCE_NUM_THREADS = threads, INFERENCE_PRECISION_HINT = precision }
    local compiled = core:compile_model(model, "CPU", config)
    local made = clock.now()
    local median, least = latency(compiled, inputs)
    compiled:close()
    config.PERFORMANCE_HINT = "THROUGHPUT"
    local rate = throughput(core:compile_model(model, "CPU", config), inputs)
    print(("%-22s%10.1f%10.1f%10.3f%10.3f%12.1f"):format(case.name, (read - start) / 1e3, (made - read) / 1e3, median, least, rate))
  end)
  if not ok then print(("%-22s%s"):format(case.name, tostring(err))) end
end
