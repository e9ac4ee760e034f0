-- The ONNX suite of Debian's libonnx-testdata, or of $OVLITE_ONNX_SUITE.
--
--   suite.root, suite.folders()       where it is; its models' folders, sorted
--   suite.check(folder [, change])    runs the folder's model on its data and holds the outputs against it; change(bytes) gives the model that is read
local support = require("spec.support.support")
local ov = require("ovlite")
local matches = require("spec.conformance.matches")
local suite = {}

suite.root = os.getenv("OVLITE_ONNX_SUITE") or "/usr/share/libonnx-testdata/data"

function suite.folders()
  local list, pipe = {}, io.popen(("find '%s' -name model.onnx 2>/dev/null | sort"):format(suite.root))
  for path in pipe:lines() do list[#list + 1] = path:match("^(.*)/model.onnx$") end
  pipe:close()
  return list
end

-- bf16 is stored in the suite as uint16 bit patterns: the model's own type counts.
local function as_declared(t, element_type)
  if element_type == "bf16" and t.element_type == "u16" then return ov.Tensor("bf16", t.shape, t:bytes()) end
  return t
end

-- A serialised SequenceProto or OptionalProto: tensors are field 3, sequences field 5, in both. They become a list.
local function list_of(data)
  local at, list = 1, {}
  local function varint()
    local v, unit = 0, 1
    repeat
      local b = data:byte(at)
      at, v, unit = at + 1, v + b % 128 * unit, unit * 128
    until b < 128
    return v
  end
  while at <= #data do
    local key = varint()
    if key % 8 == 0 then varint() else
      local n = varint()
      local part = data:sub(at, at + n - 1)
      at = at + n
      if key == 3 * 8 + 2 then
        local name = os.tmpname()
        local file = assert(io.open(name, "wb"))
        file:write(part)
        file:close()
        list[#list + 1] = ov.Tensor.load(name)
        os.remove(name)
      elseif key == 5 * 8 + 2 then list[#list + 1] = list_of(part) end
    end
  end
  return list
end

local function bytes_of(path)
  local file = assert(io.open(path, "rb"))
  local data = file:read("*a")
  file:close()
  return data
end

local function load(path, element_type)
  if not support.exists(path) then return nil end
  if element_type == "sequence" then return list_of(bytes_of(path)) end
  return as_declared(ov.Tensor.load(path), element_type)
end

function suite.check(folder, change)
  local core, model = ov.Core(), folder .. "/model.onnx"
  model = core:read_model(change and { model = change(bytes_of(model)) } or model)
  local request = core:compile_model(model, "CPU"):create_infer_request()
  local data, inputs = folder .. "/test_data_set_0/", {}
  for i, port in ipairs(model.inputs) do
    inputs[i] = assert(load(("%sinput_%d.pb"):format(data, i - 1), port.element_type), "there is no data for input " .. i)
  end
  local results = request:infer(inputs)
  for i = 1, #model.outputs do
    local got = results[i]
    local want = load(("%soutput_%d.pb"):format(data, i - 1), type(got) == "table" and "sequence" or got.element_type)
    if want then matches(i, got, want) end
  end
end

return suite
