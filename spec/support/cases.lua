-- Cases of ONNX models in .npz files, as spec/golden/make_onnx.py writes them.
--
--   cases.read(path, into)      adds the file's cases to the table: name -> {name, inputs, wants, has_data, and tensors: model, ...}
--   cases.check(model, data)    reads the model (bytes as a string or a tensor, or a path), runs it on data.inputs, holds the outputs against data.wants
local ov = require("ovlite")
local matches = require("spec.conformance.matches")
local cases = {}

local function shape_of(text)
  local shape = {}
  for d in text:gmatch("%d+") do shape[#shape + 1] = tonumber(d) end
  return shape
end

-- "0", "0.n", "0.1.2" -> where it belongs in the tree of values: lists of tensors.
local function put(values, path, t)
  local at, key = values, nil
  for part in path:gmatch("[^.]+") do
    if part == "n" then
      at[key] = at[key] or {}
      return
    end
    if key then
      at[key] = at[key] or {}
      at = at[key]
    end
    key = tonumber(part) + 1
  end
  at[key] = t
end

function cases.read(path, into)
  for key, t in pairs(ov.Tensor.load(path)) do
    local name, member = key:match("^([^/]+)/(.+)$")
    local case = into[name] or { name = name, inputs = {}, wants = {} }
    into[name] = case
    local list, where, element_type, shape = member:match("^(%a+)_(%S+) ?(%w*) ?([%d,]*)$")
    if list then
      case.has_data = true
      if element_type ~= "" then t = { element_type, shape, t } end -- made when it is run: not every type is one of ovlite's
      put(list == "in" and case.inputs or case.wants, where, t)
    else
      case[member] = t
    end
  end
end

local function made(v)
  if type(v) ~= "table" then return v end
  if type(v[1]) == "string" then return ov.Tensor(v[1], shape_of(v[2]), v[3]:bytes()) end
  local list = {}
  for i, element in ipairs(v) do list[i] = made(element) end
  return list
end

function cases.check(from, data)
  local core, model = ov.Core(), nil
  if type(from) == "string" and from:find("^/.*%.xml$") then model = core:read_model(from)
  else model = core:read_model({ model = type(from) == "string" and from or from:bytes() }) end
  local request = core:compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request()
  local inputs = {}
  for i = 1, #model.inputs do inputs[i] = made(data.inputs[i]) end
  local results = request:infer(inputs)
  for i = 1, #model.outputs do
    local want = made(data.wants[i])
    if want then matches(i, results[i], want) end
  end
end

return cases
