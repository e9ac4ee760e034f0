-- LuaJIT's FFI, where it is there: tells array.c what a cdata is, makes 64-bit integers, and gives tensors' .data as typed pointers.
local core = require("ovlite_core")
local has_ffi, ffi = pcall(require, "ffi")
if not has_ffi or type(jit) ~= "table" then return false end

-- C type as LuaJIT prints it -> element type
local ELEMENT = {
  ["float"] = "f32", ["double"] = "f64", ["bool"] = "boolean", ["char"] = "i8", ["signed char"] = "i8", ["unsigned char"] = "u8", ["short"] = "i16",
  ["unsigned short"] = "u16", ["int"] = "i32", ["unsigned int"] = "u32", ["int64_t"] = "i64", ["uint64_t"] = "u64", ["void"] = "dynamic",
}

-- "ctype<const float (&)[4]>" -> kind, element type, const. Kinds: array, pointer, reference (to an array), scalar; nil for anything else.
local function parse(text)
  local inside = text:match("^ctype<(.*)>$")
  if not inside then return nil end
  local base, rest = inside:match("^([%w_ ]-)%s*([%*%[%(].*)$")
  base = base or inside
  local constant = base:find("^const ") ~= nil
  local element = ELEMENT[(base:gsub("const ", ""):gsub("volatile ", ""))]
  if not element then return nil end
  if not rest then return element ~= "dynamic" and "scalar" or nil, element, constant end
  if element == "dynamic" and not rest:find("^%*[^%*%[]*$") then return nil end
  if rest:find("^%*[^%*%[]*$") or rest:find("^%(%*%)%[") then return "pointer", element, constant end
  if rest:find("^[%[%d%?%]]+$") then return "array", element, constant end
  if rest:find("^%(&%)[%[%d%?%]]+$") then return "reference", element, constant end
  return nil
end

local known = {} -- by number of the C type, of which there are at most some thousands
local function describe(cdata)
  local ctype = ffi.typeof(cdata)
  local id = tonumber(ctype)
  local entry = known[id]
  if not entry then
    entry = { parse(tostring(ctype)) }
    known[id] = entry
  end
  local kind = entry[1]
  if not kind then return nil end
  return kind, entry[2], kind == "pointer" and 0 or ffi.sizeof(cdata), entry[3]
end

local buffer = ffi.new("int64_t[1]")
core.set_cdata(describe, buffer, function(unsigned)
  if unsigned then return ffi.cast("uint64_t", buffer[0]) end
  return buffer[0]
end)

-- ---- tensor.data ----
local POINTER = {}
for name, ctype in pairs({
  f32 = "float", f64 = "double", f16 = "uint16_t", bf16 = "uint16_t", boolean = "bool", i8 = "int8_t", i16 = "int16_t", i32 = "int32_t", i64 = "int64_t",
  u8 = "uint8_t", u16 = "uint16_t", u32 = "uint32_t", u64 = "uint64_t", i4 = "uint8_t", u4 = "uint8_t", u1 = "uint8_t", f8e4m3 = "uint8_t", f8e5m2 = "uint8_t",
  i2 = "uint8_t", u2 = "uint8_t", f8e4m3fnuz = "uint8_t", f8e5m2fnuz = "uint8_t", f8e8m0 = "uint8_t", f4e2m1 = "uint8_t",
}) do
  POINTER[name] = ffi.typeof(ctype .. " *")
end

-- A pointer keeps its memory: it is the key of an entry that holds a tensor on that memory, also when the tensor it came from is closed or reshaped.
local anchors = setmetatable({}, { __mode = "k" })
local getters = core.classes.Tensor.getters
local address = getters.data

function getters.data(tensor)
  local pointer = ffi.cast(POINTER[getters.element_type(tensor)] or "void *", address(tensor))
  anchors[pointer] = core.tensor_region(tensor)
  return pointer
end

return true
