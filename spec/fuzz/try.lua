-- One hostile model from reading to a run: true and "ran", or true and the code of a proper error; false and what went wrong otherwise.
local ov = require("ovlite")
local CODES = { argument = true, type = true, shape = true, not_found = true, parse = true, unsupported = true, memory = true, io = true,
  cancelled = true }
local MOST = 1e5 -- elements of an input that a run is tried with

-- Static shapes of all inputs, small ones for what is open; nil where that is too much.
local function shapes_of(model)
  local out = {}
  for i, port in ipairs(model.inputs) do
    local shape, count = {}, 1
    if type(port.partial_shape) ~= "table" then return nil end
    for k, d in ipairs(port.partial_shape) do
      shape[k] = type(d) == "table" and math.max(d[1], 1) or d < 0 and 2 or d
      count = count * shape[k]
    end
    if count > MOST or port.element_type == "string" then return nil end
    out[i] = shape
  end
  return out
end

local function whole_way(case)
  local core = ov.Core()
  local model = core:read_model({ model = case.model, weights = case.weights })
  local shapes = shapes_of(model)
  if not shapes then return "read" end
  local request = core:compile_model(model, "CPU", { INFERENCE_NUM_THREADS = 1 }):create_infer_request()
  local feeds = {}
  for i, shape in ipairs(shapes) do feeds[i] = ov.Tensor(model.inputs[i].element_type, shape) end
  if #feeds > 0 then request:start_async(feeds) else request:start_async() end
  if request:wait_for(2000) then return "ran" end
  request:cancel() -- a loop may be endless by right, but it must end when it is told to
  if not request:wait_for(2000) then error("a run that does not end when it is cancelled", 0) end
  return "cancelled"
end

return function(case)
  local ok, answer = pcall(whole_way, case)
  if ok then return true, answer end
  local code = ov.error_code(answer)
  if CODES[code or ""] then return true, code end
  return false, tostring(answer)
end
