-- ovlite's side of compare.py: a command a line on stdin, an answer a line on stdout ("ok ..." or "error ...").
local ov = require("ovlite")
local clock = require("spec.bench.clock")
local core, compiled, request, inputs = ov.Core(), nil, nil, {}
local commands = {}

-- compile PATH SHAPES KEY=VALUE... -> milliseconds of reading and compiling. SHAPES: name=1,3,224,224;other=1,16 or -
function commands.compile(path, shapes, ...)
  local config, start, wanted = {}, clock.now(), nil
  for _, pair in ipairs({ ... }) do
    local key, value = pair:match("^([%w_]+)=(.*)$")
    config[key] = value
  end
  for name, sizes in shapes:gmatch("([^;]+)=([^;=]*)") do
    wanted = wanted or {}
    wanted[name] = {}
    for size in sizes:gmatch("%d+") do table.insert(wanted[name], tonumber(size)) end
  end
  local model = core:read_model(path)
  if wanted then model:reshape(wanted) end
  compiled, inputs = core:compile_model(model, "CPU", config), {}
  request = compiled:create_infer_request()
  return ("%.2f"):format((clock.now() - start) / 1e3)
end

-- input NAME FILE.npy
function commands.input(name, file)
  inputs[name] = ov.Tensor.load(file)
  request:set_tensor(name, inputs[name])
  return ""
end

-- infer N -> median microseconds of N runs
function commands.infer(n)
  local times = {}
  for i = 1, tonumber(n) do
    local start = clock.now()
    request:infer()
    times[i] = clock.now() - start
  end
  return ("%.2f"):format(clock.median(times))
end

-- flood N -> microseconds for each of N runs through a queue of the optimal size
function commands.flood(n)
  local queue, start = ov.AsyncInferQueue(compiled), clock.now()
  for _ = 1, tonumber(n) do queue:start_async(inputs) end
  queue:wait_all()
  return ("%.2f"):format((clock.now() - start) / tonumber(n))
end

-- output POSITION FILE.npy
function commands.output(position, file)
  request:get_output_tensor(tonumber(position)):save(file)
  return ""
end

for line in io.lines() do
  local words = {}
  for word in line:gmatch("[^\t]+") do words[#words + 1] = word end
  local ok, answer = pcall(commands[words[1]], unpack(words, 2))
  io.write(ok and "ok " or "error ", (tostring(answer):gsub("\n", " ")), "\n")
  io.flush()
end
