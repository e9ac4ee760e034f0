--- ovlite info MODEL: what is in a model, and what would run.
local json = require("ovlite.cli.json")
local model = require("ovlite.cli.model")
local terminal = require("ovlite.cli.terminal")
local info = { name = "info", summary = "inputs, outputs, operators and sizes of a model, and which kernels run it" }

function info.define(command)
  model.define(command)
  model.define_config(command)
  command:flag("-l --layers", "list every step that runs, with its kernel")
  command:flag("--json", "as JSON")
end

local function ports(list)
  local out = {}
  for i, port in ipairs(list) do
    out[i] = { name = #port.names > 0 and port.any_name or "", names = port.names, type = port.element_type,
      shape = terminal.shape(port.partial_shape) }
  end
  return out
end

-- Operators with how often they occur, and the bytes of constants by type.
local function census(m)
  local rows, at, weights, values = {}, {}, {}, 0
  for _, node in ipairs(m:get_ops()) do
    local kind = node.type_name
    if kind == "Constant" then
      local t = node.element_type
      local value = node.value
      weights[t], values = (weights[t] or 0) + value.byte_size, values + value.size
    elseif kind ~= "Parameter" and kind ~= "Result" then
      local key = kind .. node.opset
      if not at[key] then
        at[key] = { type = kind, opset = node.opset, count = 0 }
        rows[#rows + 1] = at[key]
      end
      at[key].count = at[key].count + 1
    end
  end
  table.sort(rows, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.type .. a.opset < b.type .. b.opset
  end)
  return rows, weights, values
end

-- What runs: steps in order, and how many of each kernel.
local function plan_of(compiled)
  local steps, rows, at = {}, {}, {}
  for _, node in ipairs(compiled:get_runtime_model():get_ops()) do
    if node.type_name == "ExecutionNode" then
      local a = node.attributes
      steps[#steps + 1] = { name = node.friendly_name, type = a.layerType, kernel = a.execType, precision = a.runtimePrecision,
        layouts = a.outputLayouts, order = a.execOrder }
    end
  end
  table.sort(steps, function(a, b) return a.order < b.order end)
  for _, step in ipairs(steps) do
    local kernel = step.kernel:match("^(%S-_%l+%d+)[_ ]") or step.kernel
    local key = step.type .. " " .. kernel
    if not at[key] then
      at[key] = { type = step.type, kernel = kernel, count = 0 }
      rows[#rows + 1] = at[key]
    end
    at[key].count = at[key].count + 1
  end
  table.sort(rows, function(a, b)
    if a.count ~= b.count then return a.count > b.count end
    return a.type .. a.kernel < b.type .. b.kernel
  end)
  return steps, rows
end

local function collect(options)
  local m = model.read(options)
  local operators, weights, values = census(m)
  local out = { file = options.model, name = m.friendly_name, origin = m.origin, bytes = model.file_size(options.model), inputs = ports(m.inputs),
    outputs = ports(m.outputs),
    metadata = m.metadata, operators = operators, weights = weights, weight_values = values }
  local closed = model.close_shapes(m)
  if not closed then return out end
  local config = model.config(options)
  config.PERFORMANCE_HINT = "LATENCY"
  local compiled = model.compile(m, config)
  out.assumed_shapes = closed
  out.steps, out.kernels = plan_of(compiled)
  local memory = compiled:memory_plan()
  out.memory = { packed = compiled:memory().packed, arena = memory.arena, scratch = memory.scratch, without_sharing = memory.side_by_side }
  out.precision = compiled:get_property("INFERENCE_PRECISION_HINT")
  return out
end

local function print_ports(title, list)
  print(title)
  local rows = {}
  for i, port in ipairs(list) do rows[i] = { i, port.name, port.type, port.shape } end
  if #rows == 0 then rows[1] = { "none" } end
  terminal.table(rows, { true })
end

local function print_weights(found)
  local types = {}
  for t, bytes in pairs(found.weights) do types[#types + 1] = { t, bytes } end
  table.sort(types, function(a, b) return a[2] > b[2] end)
  for i, t in ipairs(types) do types[i] = t[1] .. " " .. terminal.bytes(t[2]) end
  print("  weights  " .. terminal.count(found.weight_values) .. " values: " .. (types[1] and table.concat(types, ", ") or "none"))
end

local function print_operators(found)
  print("operators")
  local rows = {}
  for i, o in ipairs(found.operators) do rows[i] = { o.count, o.type, "opset" .. o.opset } end
  terminal.table(rows, { true })
end

local function print_kernels(found, layers)
  if not found.steps then
    print("what runs\n  unknown while shapes are open; give them with -shape")
    return
  end
  local assumed = #found.assumed_shapes > 0 and ", if the input is " .. table.concat(found.assumed_shapes, ", ") .. " (-shape for another)" or ""
  print(("what runs: %d steps%s"):format(#found.steps, assumed))
  local rows = {}
  for i, k in ipairs(layers and found.steps or found.kernels) do
    rows[i] = layers and { i, k.type, k.kernel, k.layouts, k.name } or { k.count, k.type, k.kernel }
  end
  terminal.table(rows, { true })
  local memory = found.memory
  print(("memory\n  packed weights %s, a stream's arena %s (%s without sharing), scratch %s"):format(terminal.bytes(memory.packed),
    terminal.bytes(memory.arena),
    terminal.bytes(memory.without_sharing), terminal.bytes(memory.scratch)))
end

function info.run(options)
  local found = collect(options)
  terminal.clear()
  if options.json then
    if not options.layers then found.steps = found.steps and #found.steps end
    return json.print(found)
  end
  print(("%s: '%s'"):format(found.file, found.name))
  print(("  format   %s, %s"):format(found.origin, terminal.bytes(found.bytes)))
  print_weights(found)
  local keys = {}
  for key in pairs(found.metadata) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    local value = found.metadata[key]
    print(("  %s = %s"):format(key, #value > 60 and value:sub(1, 57):gsub("%c", " ") .. "..." or value:gsub("%c", " ")))
  end
  print_ports("inputs", found.inputs)
  print_ports("outputs", found.outputs)
  print_operators(found)
  print_kernels(found, options.layers)
end

return info
