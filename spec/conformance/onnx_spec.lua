-- The ONNX conformance suite: Debian's package libonnx-testdata, one test per model, with a table per operator at the end (make conformance).
local support = require("spec.support.support")
local ov = require("ovlite")
local misses = require("spec.conformance.misses")
local matches = require("spec.conformance.matches")

local ROOTS = { os.getenv("OVLITE_ONNX_SUITE") or "/usr/share/libonnx-testdata/data" }

local function folders(root)
  local list, pipe = {}, io.popen(("find '%s' -name model.onnx 2>/dev/null | sort"):format(root))
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

local function load(path, element_type)
  if not support.exists(path) then return nil end
  if element_type == "sequence" then
    local file = assert(io.open(path, "rb"))
    local data = file:read("*a")
    file:close()
    return list_of(data)
  end
  return as_declared(ov.Tensor.load(path), element_type)
end

local function check(folder)
  local core = ov.Core()
  local model = core:read_model(folder .. "/model.onnx")
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

local function operator_of(name) -- "test_reduce_mean_keepdims" -> "reduce": a rough grouping for the table
  return name:match("^test_([%a%d]+)") or name
end

describe("ONNX conformance suite", function()
  local list = folders(ROOTS[1])
  if #list == 0 then return pending("skipped: " .. ROOTS[1] .. " is not there (Debian: libonnx-testdata)") end
  local table_of, passed = {}, 0
  for _, folder in ipairs(list) do
    local name = folder:match("([^/]+)$")
    it(name, function()
      local ok, why = pcall(check, folder)
      local row = table_of[operator_of(name)] or { 0, 0 }
      table_of[operator_of(name)] = row
      row[1], row[2], passed = row[1] + (ok and 1 or 0), row[2] + 1, passed + (ok and 1 or 0)
      local miss, by_chance = misses(name)
      if by_chance then return end
      if miss then
        assert.is_false(ok, name .. " is listed as a miss, but passes")
      else
        assert.is_true(ok, tostring(why))
      end
    end)
  end
  teardown(function()
    if not os.getenv("OVLITE_CONFORMANCE_TABLE") then return end
    local names = {}
    for name in pairs(table_of) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do io.write(("%-28s %3d of %3d\n"):format(name, table_of[name][1], table_of[name][2])) end
    io.write(("conformance: %d of %d pass\n"):format(passed, #list))
  end)
end)
