--- ovlite run MODEL --input x=FILE --output FILE: one inference.
local fail = require("ovlite.cli.fail")
local inputs = require("ovlite.cli.inputs")
local json = require("ovlite.cli.json")
local model = require("ovlite.cli.model")
local terminal = require("ovlite.cli.terminal")
local run = { name = "run", summary = "run a model once, on files, images or numbers" }

function run.define(command)
  model.define(command)
  model.define_config(command)
  command:option("-i --input", "NAME=WHAT, or WHAT on a model of one input: a .npy, FILE.npz#NAME, an image (resized to the input), a file of raw " ..
    "bytes, random, zeros, ones, numbers like 1,2,3, or text:..."):count("*"):argname("NAME=WHAT")
  command:option("-o --output", "where outputs go: NAME=FILE.npy, FILE.npy on a model of one output, or a folder that is there")
    :count("*"):argname("NAME=FILE")
  command:option("--mean", "of an image: taken from each pixel (0 to 255), one number or one a channel"):argname("M")
  command:option("--scale", "of an image: what pixels are divided by then"):argname("S")
  command:flag("--bgr", "images go in as BGR")
  command:option("--top", "print the N largest values of each output, as a classifier's answers"):convert(model.count("top")):argname("N")
  command:option("--labels", "a file with one label a line, for --top"):argname("FILE")
  command:flag("--json", "as JSON")
end

local function labels_of(path)
  if not path then return nil end
  if not model.exists(path) then fail.usage("there is no file '%s' (--labels)", path) end
  local out = {}
  for line in io.lines(path) do out[#out + 1] = line:gsub("%s+$", "") end
  return out
end

local function is_folder(path) return os.rename(path, path) ~= nil and not model.exists(path) end

-- Output position -> file.
local function places(options, outputs)
  local at = {}
  for _, text in ipairs(options.output or {}) do
    local name, path = text:match("^([^=]+)=(.+)$")
    if is_folder(text) then
      for i, port in ipairs(outputs) do at[i] = ("%s/%s.npy"):format(text, (port.any_name:gsub("[^%w_%-%.]", "_"))) end
    elseif name then
      local found
      for i, port in ipairs(outputs) do
        for _, n in ipairs(port.names) do
          if n == name then found = i end
        end
      end
      if not found then
        local names = {}
        for i, port in ipairs(outputs) do names[i] = port.any_name end
        fail.usage("--output %s names no output; there is %s", text, table.concat(names, ", "))
      end
      at[found] = path
    elseif #outputs == 1 then
      at[1] = text
    else
      fail.usage("--output %s: the model has %d outputs, so give a folder or NAME=FILE", text, #outputs)
    end
  end
  for _, path in pairs(at) do
    if not path:find("%.npy$") then fail.usage("outputs are written as .npy, got '%s'", path) end
  end
  return at
end

local function shown(x) return type(x) == "number" and ("%.6g"):format(x) or tostring(x) end

local function top_of(t, count, labels)
  local flat = t:reshape({ t.size })
  local values, where = flat:topk(math.min(count, t.size))
  local out = {}
  for i = 1, values.size do
    local place = tonumber(where:get(i))
    out[i] = { index = place - 1, value = tonumber(values:get(i)), label = labels and labels[place] }
  end
  return out
end

local function describe(port, t, options, labels)
  local row = { name = port.any_name, type = t.element_type, shape = t.shape }
  if t.element_type == "string" then
    row.values = t:flat()
  elseif t.size > 0 and t.element_type ~= "boolean" then
    row.min, row.max, row.mean = tonumber(t:min()), tonumber(t:max()), tonumber(t:mean())
    if options.top then row.top = top_of(t, options.top, labels) end
  end
  return row
end

local function first_values(t)
  local out, flat = {}, t:reshape({ t.size })
  for i = 1, math.min(8, t.size) do out[i] = shown(flat:get(i)) end
  return table.concat(out, " ") .. (t.size > 8 and " ..." or "")
end

local function print_output(row, t)
  print(("%s  %s %s"):format(row.name, row.type, terminal.shape(row.shape)))
  if row.min then print(("  from %s to %s, mean %s"):format(shown(row.min), shown(row.max), shown(row.mean))) end
  if row.top then
    local rows = {}
    for i, answer in ipairs(row.top) do rows[i] = { answer.index, shown(answer.value), answer.label or "" } end
    terminal.table(rows, { true, true })
  elseif t.size > 0 then
    print("  " .. first_values(t:is_continuous() and t or t:clone()))
  end
end

function run.run(options)
  local labels = labels_of(options.labels)
  local m = model.read(options)
  local feeds = inputs.collect(options.input, m, options)
  local at = places(options, m.outputs)
  local config = model.config(options)
  config.PERFORMANCE_HINT = "LATENCY"
  local compiled = model.compile(m, config)
  local request = compiled:create_infer_request()
  terminal.status("running")
  for name, tensor in pairs(feeds) do fail.blame("input '" .. name .. "'", request.set_tensor, request, name, tensor) end
  local results = request:infer()
  terminal.clear()
  local said = {}
  for i, port in ipairs(m.outputs) do
    local t = results[i]
    said[i] = describe(port, t, options, labels)
    if at[i] then
      t:save(at[i])
      said[i].file = at[i]
    end
    if not options.json then print_output(said[i], t) end
    if at[i] and not options.json then print("  -> " .. at[i]) end
  end
  if options.json then json.print({ outputs = said, latency_ms = request.latency }) end
end

return run
