-- Every model of the golden data with inputs of every other type: it answers, or refuses with an error that has a code; nothing breaks.
local support = require("spec.support.support")
local ov = require("ovlite")

local FAMILIES = { "eltwise", "reduce", "move", "conv", "norm", "recurrent", "detection", "various" }
local TYPES = { "boolean", "bf16", "f16", "f32", "f64", "i2", "i4", "i8", "i16", "i32", "i64", "u1", "u4", "u8", "u16", "u32", "u64", "f8e4m3", "f4e2m1", "string" }
local CODES = { type = true, unsupported = true, argument = true, shape = true, parse = true }

local function cases_of(path)
  local cases, names = {}, {}
  for key, t in pairs(ov.Tensor.load(path)) do
    local name, member = key:match("^(.*)/([^/]+)$")
    if not cases[name] then
      cases[name] = { inputs = {} }
      names[#names + 1] = name
    end
    local i = member:match("^in_(%d+)$")
    if i then cases[name].inputs[tonumber(i) + 1] = t else cases[name][member] = t end
  end
  table.sort(names)
  return cases, names
end

local function as(t, element_type)
  if t.element_type == element_type then return t end
  if t.element_type == "string" then return ov.Tensor(element_type, t.shape) end
  if element_type ~= "string" then return t:astype(element_type) end
  local texts = {}
  for i = 1, t.size do texts[i] = "text that does not fit into a pointer " .. i end
  return ov.Tensor("string", t.shape, texts)
end

local function run(case, element_type)
  local xml = case.xml:bytes():gsub('(type="Parameter".-element_type=")%w+"', function(head) return head .. element_type .. '"' end)
  local model = ov.Core():read_model({ model = xml, weights = case.bin:bytes() })
  local request, inputs = ov.Core():compile_model(model, "CPU"):create_infer_request(), {}
  for i, t in ipairs(case.inputs) do inputs[i] = as(t, model.inputs[i].element_type) end
  return request:infer(inputs)
end

for _, family in ipairs(FAMILIES) do
  describe("any type for golden " .. family, function()
    local path = support.root .. "/spec/golden/" .. family .. ".npz"
    if not support.exists(path) then return pending("skipped: " .. path .. " is not there: make golden") end
    local cases, names = cases_of(path)
    for _, name in ipairs(names) do
      if not support.slow or name:find("%.1$") then
        it(name, function()
          for _, element_type in ipairs(TYPES) do
            local ok, why = pcall(run, cases[name], element_type)
            if not ok then assert.is_true(CODES[ov.error_code(why)], element_type .. ": " .. tostring(why)) end
          end
          collectgarbage()
        end)
      end
    end
  end)
end
