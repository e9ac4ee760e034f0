-- ov.preprocess: steps before and behind a model, built into it, under OpenVINO's names.
--
--   local ppp = ov.preprocess.PrePostProcessor(model)
--   ppp:input():tensor():set_element_type("u8"):set_layout("NHWC"):set_color_format("BGR"):set_spatial_dynamic_shape()
--   ppp:input():preprocess():convert_element_type("f32"):convert_color("RGB"):resize("linear"):mean({123.7, 116.3, 103.5}):scale({58.4, 57.1, 57.4})
--   ppp:input():model():set_layout("NCHW")
--   local ready = ppp:build()                      -- a new model; `model` stays as it was
--
-- Steps run in the order in which they were called. What is still missing at the end (element type, layout) is added. Errors in the steps' order or shapes come from
-- build(), those in arguments from the call itself. print(ppp) shows what happens to the tensor step by step.
local core = require("ovlite_core")
local color = require("ovlite.preprocess.color")
local steps = require("ovlite.preprocess.steps")
local input = require("ovlite.preprocess.input")
local output = require("ovlite.preprocess.output")
local Layout = require("ovlite.layout")
local preprocess = {}

-- The words that arguments may be, under OpenVINO's names: ov.preprocess.ColorFormat.NV12_TWO_PLANES.
local function words(list)
  local out = {}
  for name in pairs(list) do out[name] = name end
  return out
end
preprocess.ColorFormat = words(color.FORMATS)
preprocess.ResizeAlgorithm = words(steps.RESIZE)
preprocess.PaddingMode = words(steps.PADDING)

local function kind_of(value) return core.class_name(value) or type(value) end

-- ---- classes: methods that see what they are called on ----

-- A class of `methods`; each is given the table that new() was given, and returns self where it returns nothing.
local function class(name, methods)
  local meta = { __name = "ovlite." .. name }
  meta.__index = {}
  for key, method in pairs(methods) do
    meta.__index[key] = function(self, ...)
      if type(self) ~= "table" or getmetatable(self) ~= meta then
        core.fail("type", ("%s: expected a %s before the colon, got %s"):format(key, name, kind_of(self)))
      end
      local result = method(rawget(self, "of"), ...)
      if result == nil then return self end
      return result
    end
  end
  function meta.__tostring() return "ov.preprocess." .. name end
  return function(of) return setmetatable({ of = of }, meta) end, meta
end

-- A method that notes a step down.
local function step(name)
  return function(info, ...) table.insert(info.steps, steps.make[name](...)) end
end

local function set_layout(field)
  return function(info, layout)
    layout = Layout.of(layout, "set_layout")
    if not layout:fits(info.rank) then core.fail("argument", ("set_layout: layout %s does not fit %s, %s"):format(tostring(layout), info.what, steps.text(info.port))) end
    info[field] = layout
  end
end

local InputTensorInfo = class("InputTensorInfo", {
  set_element_type = function(info, element_type) info.element_type = steps.element_type(element_type, "set_element_type") end,
  set_layout = function(info, layout) info.layout = Layout.of(layout, "set_layout") end,
  set_memory_type = function(info, memory_type)
    if type(memory_type) ~= "string" then core.fail("type", "set_memory_type: expected a string, got " .. kind_of(memory_type)) end
    info.memory_type = memory_type
  end,
  set_color_format = input.set_color_format,
  set_shape = input.set_shape,
  set_spatial_static_shape = input.set_spatial_static_shape,
  set_spatial_dynamic_shape = input.set_spatial_dynamic_shape,
  set_from = input.set_from,
})

local pre = {}
for name in pairs(steps.make) do pre[name] = step(name) end
local PreProcessSteps = class("PreProcessSteps", pre)
local InputModelInfo = class("InputModelInfo", { set_layout = set_layout("model_layout") })

local InputInfo = class("InputInfo", {
  tensor = function(info) return info.tensor_info end,
  preprocess = function(info) return info.preprocess_steps end,
  model = function(info) return info.model_info end,
})

local OutputTensorInfo = class("OutputTensorInfo", {
  set_element_type = function(info, element_type) info.element_type = steps.element_type(element_type, "set_element_type") end,
  set_layout = function(info, layout) info.layout = Layout.of(layout, "set_layout") end,
})
local PostProcessSteps = class("PostProcessSteps", {
  convert_element_type = step("convert_element_type"), convert_layout = step("convert_layout"), custom = step("custom"),
})
local OutputModelInfo = class("OutputModelInfo", { set_layout = set_layout("model_layout") })

local OutputInfo = class("OutputInfo", {
  tensor = function(info) return info.tensor_info end,
  postprocess = function(info) return info.postprocess_steps end,
  model = function(info) return info.model_info end,
})

local function new_input(port, i)
  local info = input.new(port, i)
  info.tensor_info, info.preprocess_steps, info.model_info = InputTensorInfo(info), PreProcessSteps(info), InputModelInfo(info)
  return info
end

local function new_output(port, i)
  local info = output.new(port, i)
  info.tensor_info, info.postprocess_steps, info.model_info = OutputTensorInfo(info), PostProcessSteps(info), OutputModelInfo(info)
  return info
end

-- ---- build ----

-- `model`, a clone that nobody else has, with the inputs' steps in front of it.
local function with_inputs(model, inputs)
  local parameters, names = {}, input.names_of(model)
  for i, info in ipairs(inputs) do
    local node = model.parameters[i]
    if info:touched() then
      local made = input.begin(info, names)
      local out = input.finish(info, made, steps.run(info.steps, made.ctx, made.nodes, info.what))
      core.replace_output(node, out)
      for _, p in ipairs(made.parameters) do parameters[#parameters + 1] = p end
    else
      parameters[#parameters + 1] = node
    end
  end
  return core.remake_model(model, model.results, parameters)
end

local function with_outputs(model, outputs)
  local results = {}
  for i, info in ipairs(outputs) do
    local result = model.results[i]
    results[i] = info:touched() and output.make(info, result) or result
  end
  return core.remake_model(model, results, model.parameters)
end

local function any_touched(list)
  for _, info in ipairs(list) do
    if info:touched() then return true end
  end
  return false
end

-- ---- PrePostProcessor ----

-- The info of a position, a name or a port; without any, of the only one.
local function find(list, key, side)
  if key == nil then
    if #list == 1 then return list[1] end
    core.fail("argument", ("the model has %d %ss (%s), so say which one"):format(#list, side, list.text))
  end
  if type(key) == "number" then
    if key ~= math.floor(key) then core.fail("type", ("a position must be a whole number, got %s"):format(key)) end
    return list[key] or core.fail("not_found", ("there is no %s at position %d; there are %s"):format(side, key, list.text))
  end
  for _, info in ipairs(list) do
    if rawequal(info.port, key) then return info end
    for _, name in ipairs(info.port.names) do
      if name == key then return info end
    end
  end
  if type(key) ~= "string" and core.class_name(key) ~= "Port" then
    core.fail("type", ("%s: expected a position, a name or a port, got %s"):format(side, kind_of(key)))
  end
  core.fail("not_found", ("the model has no %s '%s'; there are %s"):format(side, tostring(key), list.text))
end

local function infos(ports, new)
  local list, text = {}, {}
  for i, port in ipairs(ports) do
    list[i] = new(port, i)
    text[i] = ("%d '%s'"):format(i, table.concat(port.names, "' or '"))
  end
  list.text = table.concat(text, ", ")
  return list
end

local PrePostProcessor, meta = class("PrePostProcessor", {
  input = function(self, key) return InputInfo(find(self.inputs, key, "input")) end,
  output = function(self, key) return OutputInfo(find(self.outputs, key, "output")) end,
  build = function(self)
    local model = self.model:clone()
    if any_touched(self.inputs) then model = with_inputs(model, self.inputs) end
    if any_touched(self.outputs) then model = with_outputs(self.model == model and model:clone() or model, self.outputs) end
    return model
  end,
})

-- What print shows: the inputs with steps, then the outputs. An error ends it, as a line.
function meta.__tostring(ppp)
  local self, lines = rawget(ppp, "of"), { "ov.preprocess.PrePostProcessor('" .. rawget(ppp, "of").model.friendly_name .. "')" }
  local ok, err = pcall(function()
    local model = self.model:clone()
    for _, info in ipairs(self.inputs) do
      if info:touched() then input.describe(info, lines, input.names_of(model)) end
    end
    if any_touched(self.inputs) then model = with_inputs(model, self.inputs) end
    for i, info in ipairs(self.outputs) do
      if info:touched() then output.describe(info, lines, model.results[i]) end
    end
  end)
  if not ok then lines[#lines + 1] = "error: " .. (tostring(err):match("ovlite: (.*)") or tostring(err)) end
  if #lines == 1 then lines[2] = "  no steps" end
  return table.concat(lines, "\n")
end

--- Steps for a model, which stays as it is. Errors: type.
function preprocess.PrePostProcessor(model)
  if core.class_name(model) ~= "Model" then core.fail("type", "PrePostProcessor: expected an ov.Model, got " .. kind_of(model)) end
  return PrePostProcessor({ model = model, inputs = infos(model.inputs, new_input), outputs = infos(model.outputs, new_output) })
end

return preprocess
