-- Golden models again, with their small integer constants (axes, indices, sizes, pads, ...) turned into inputs: what is known while planning becomes what
-- the run brings. With the constants' own values they give the same answers; with hostile values they answer or refuse, and nothing breaks; so do numbers
-- that are none in inputs of floats.
local support = require("spec.support.support")
local ov = require("ovlite")

local FAMILIES = { "eltwise", "reduce", "move", "conv", "norm", "recurrent", "detection", "various" }
local CODES = { type = true, unsupported = true, argument = true, shape = true, parse = true, memory = true }
local FLOAT = { f32 = true, f16 = true, bf16 = true, f64 = true }
local MOST = 16 -- elements of what is turned
local HOSTILE = {
  i64 = { "-1", "-9223372036854775808", "9223372036854775807", "1099511627776", "0", "100" },
  i32 = { "-1", "-2147483648", "0", "100" },
  f32 = { "nan", "inf", "-inf", "1e30", "-1e30" },
}
local MODEST = { "-1", "0", "100" } -- of Range: what is between fits into memory, but takes its time

local function cases_of(path)
  local cases, names = {}, {}
  for key, t in pairs(ov.Tensor.load(path)) do
    local name, member = key:match("^(.*)/([^/]+)$")
    if not cases[name] then
      cases[name] = { inputs = {}, wants = {} }
      names[#names + 1] = name
    end
    local list, i = member:match("^(%a+)_(%d+)$")
    if list then cases[name][list == "in" and "inputs" or "wants"][tonumber(i) + 1] = t else cases[name][member] = t end
  end
  table.sort(names)
  return cases, names
end

-- The XML with Parameters for constants; inputs by name: those of the case, and the constants' values.
local function opened(case)
  local bin, inputs, mine, at = case.bin:bytes(), {}, {}, 0
  local xml = case.xml:bytes()
  local body = xml:find("<body>", 1, true) or #xml
  for name in xml:gmatch('<layer id="%d+" name="([^"]*)" type="Parameter"') do
    if xml:find('name="' .. name .. '"', 1, true) < body then
      at = at + 1
      inputs[name] = case.inputs[at]
    end
  end
  xml = xml:gsub('(<layer id="%d+" name="([^"]*)" type=)"Const"( version="opset1">%s*)<data ([^>]-)/>', function(head, name, middle, data)
    local t, shape = data:match('element_type="(i%d+)"'), data:match('shape="([^"]*)"')
    local offset, size = tonumber(data:match('offset="(%d+)"')), tonumber(data:match('size="(%d+)"'))
    if (t ~= "i64" and t ~= "i32") or size > MOST * (t == "i64" and 8 or 4) or size == 0 then return nil end
    local dims = {}
    for d in shape:gmatch("%d+") do dims[#dims + 1] = tonumber(d) end
    for _, d in ipairs(dims) do if d == 0 then return nil end end
    inputs[name] = ov.Tensor(t, dims, bin:sub(offset + 1, offset + size))
    mine[#mine + 1] = name
    return ('%s"Parameter"%s<data shape="%s" element_type="%s"/>'):format(head, middle, shape, t)
  end)
  for name, t in pairs(inputs) do
    if HOSTILE[t.element_type] and t.size > 0 and (t.element_type == "f32" or t.size <= MOST * 4) then mine[name] = t end
  end
  return xml, inputs, mine
end

local function request_of(case, xml)
  local model = ov.Core():read_model({ model = xml, weights = case.bin:bytes() })
  return ov.Core():compile_model(model, "CPU", { INFERENCE_PRECISION_HINT = "f32" }):create_infer_request()
end

-- Bytes of what Lua's numbers do not hold, or not on every Lua.
local EXTREME = { ["-9223372036854775808"] = ("\0"):rep(7) .. "\128", ["9223372036854775807"] = ("\255"):rep(7) .. "\127", nan = "\0\0\192\127",
  inf = "\0\0\128\127", ["-inf"] = "\0\0\128\255" }

-- A copy with another element at `position`.
local function tensor_with(t, position, text)
  local unit, bytes, new = t.element_type == "i64" and 8 or 4, t:bytes(), EXTREME[text]
  new = new or ov.Tensor(t.element_type, { 1 }, { tonumber(text) }):bytes()
  return ov.Tensor(t.element_type, t.shape, bytes:sub(1, position * unit) .. new .. bytes:sub(position * unit + unit + 1))
end

local function attack(request, inputs, name, t, texts)
  for position = 0, math.min(t.size, 3) - 1 do
    for _, text in ipairs(texts) do
      local changed = {}
      for k, v in pairs(inputs) do changed[k] = v end
      changed[name] = tensor_with(t, position, text)
      local ok, why = pcall(request.infer, request, changed)
      if not ok and not CODES[ov.error_code(why)] then error(("%s[%d] = %s: %s"):format(name, position, text, tostring(why)), 0) end
    end
  end
end

for _, family in ipairs(FAMILIES) do
  describe("data instead of constants, golden " .. family, function()
    local path = support.root .. "/spec/golden/" .. family .. ".npz"
    if not support.exists(path) then return pending("skipped: " .. path .. " is not there: make golden") end
    local cases, names = cases_of(path)
    for _, name in ipairs(names) do
      local case = cases[name]
      local xml, inputs, mine = opened(case)
      if next(mine) and not name:find("^RandomUniform") then
        it(name, function()
          local request = request_of(case, xml)
          local results = request:infer(inputs)
          for i, want in ipairs(case.wants) do
            local bound = not FLOAT[want.element_type] and 0 or case.bound and case.bound:flat()[1] or 1e-4
            support.close(results[i], want, bound, "output " .. i)
          end
          for input, t in pairs(mine) do
            if type(input) == "string" then attack(request, inputs, input, t, name:find("^Range") and MODEST or HOSTILE[t.element_type]) end
          end
        end)
      end
    end
  end)
end
