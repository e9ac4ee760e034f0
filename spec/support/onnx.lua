-- Writes small ONNX files, right or wrong ones, byte by byte: onnx.model{...} gives the bytes of a ModelProto.
--
--   onnx.model{ nodes = { onnx.node("Relu", {"x"}, {"y"}, {axis = 1}) }, inputs = { {"x", {1, "n"}} }, outputs = { {"y"} },
--               initializers = { onnx.tensor("w", {2, 2}, {1, 2, 3, 4}) }, opset = 13 }
local onnx = {}
local TYPES = { f32 = 1, u8 = 2, i8 = 3, u16 = 4, i16 = 5, i32 = 6, i64 = 7, string = 8, boolean = 9, f16 = 10, f64 = 11, u32 = 12, u64 = 13, bf16 = 16 }

local function varint(v)
  local bytes = {}
  if v < 0 then -- two's complement in 64 bits: ten bytes
    for i = 1, 9 do bytes[i], v = string.char(v % 128 + 128), math.floor(v / 128) end
    return table.concat(bytes) .. "\1"
  end
  while v >= 128 do bytes[#bytes + 1], v = string.char(v % 128 + 128), math.floor(v / 128) end
  return table.concat(bytes) .. string.char(v)
end
local function number(field, v) return varint(field * 8) .. varint(v) end
local function bytes(field, s) return varint(field * 8 + 2) .. varint(#s) .. s end
local function float(field, v) return varint(field * 8 + 5) .. require("ovlite").Tensor("f32", {}, { v }):bytes() end
local function each(list, fn)
  local out = {}
  for i, v in ipairs(list or {}) do out[i] = fn(v) end
  return table.concat(out)
end
onnx.number, onnx.bytes = number, bytes

-- Attributes: whole numbers are ints, others floats; tables of numbers are ints; {tensor = bytes} {graph = bytes}, {floats = list} and {strings = list} as they say.
local function attribute(name, v)
  local body = bytes(1, name)
  if type(v) == "string" then return body .. bytes(4, v) .. number(20, 3) end
  if type(v) == "number" and v % 1 == 0 then return body .. number(3, v) .. number(20, 2) end
  if type(v) == "number" then return body .. float(2, v) .. number(20, 1) end
  if v.tensor then return body .. bytes(5, v.tensor) .. number(20, 4) end
  if v.graph then return body .. bytes(6, v.graph) .. number(20, 5) end
  if v.strings then return body .. each(v.strings, function(t) return bytes(9, t) end) .. number(20, 8) end
  if v.floats then return body .. each(v.floats, function(f) return float(7, f) end) .. number(20, 6) end
  return body .. each(v, function(i) return number(8, i) end) .. number(20, 7)
end

function onnx.node(kind, inputs, outputs, attributes, domain)
  local names, body = {}, each(inputs, function(n) return bytes(1, n) end) .. each(outputs, function(n) return bytes(2, n) end)
  body = body .. bytes(3, "node_" .. (outputs[1] or kind)) .. bytes(4, kind)
  for name in pairs(attributes or {}) do names[#names + 1] = name end
  table.sort(names)
  return body .. each(names, function(n) return bytes(5, attribute(n, attributes[n])) end) .. (domain and bytes(7, domain) or "")
end

-- values: a list of numbers of element type `kind` ("f32"), or a string of raw bytes, or nil for none; more: bytes of further fields.
function onnx.tensor(name, dims, values, kind, more)
  if type(values) == "table" then values = require("ovlite").Tensor(kind or "f32", { #values }, values):bytes() end
  return each(dims, function(d) return number(1, d) end) .. number(2, TYPES[kind or "f32"]) .. bytes(8, name) .. (values and bytes(9, values) or "") .. (more or "")
end

-- external{location = "w.bin", offset = "0"}: what makes a tensor's data external; goes into onnx.tensor's `more`.
function onnx.external(entries)
  local out = {}
  for key, v in pairs(entries) do out[#out + 1] = bytes(13, bytes(1, key) .. bytes(2, v)) end
  return table.concat(out) .. number(14, 1)
end

local function value_info(v)
  local shape = v[2] and bytes(2, each(v[2], function(d) return bytes(1, type(d) == "string" and bytes(2, d) or number(1, d)) end)) or ""
  return bytes(1, v[1]) .. bytes(2, bytes(1, number(1, TYPES[v[3] or "f32"]) .. shape))
end

function onnx.graph(t)
  return each(t.nodes, function(n) return bytes(1, n) end) .. bytes(2, t.name or "graph") .. each(t.initializers, function(i) return bytes(5, i) end) ..
    each(t.inputs, function(v) return bytes(11, value_info(v)) end) .. each(t.outputs, function(v) return bytes(12, value_info(v)) end)
end

function onnx.model(t)
  return number(1, 8) .. bytes(2, "spec") .. bytes(7, onnx.graph(t)) .. bytes(8, bytes(1, "") .. number(2, t.opset or 13)) .. (t.more or "")
end

return onnx
