-- OVDict: the results of a run. Its array part holds the output tensors in order; names and ports find the same ones.
-- All dictionaries of one compiled model share a metatable, made once; wrap_request.c makes the tables themselves.
local core = require("ovlite_core")
local unpack = table.unpack or unpack
local OVDict = {}

local function meta_of(dict)
  local meta = type(dict) == "table" and getmetatable(dict)
  if type(meta) ~= "table" or meta.__name ~= "ovlite.OVDict" then core.fail("type", "expected an OVDict, got " .. type(dict)) end
  return meta
end

local function keys_text(meta)
  local out = {}
  for i, port in ipairs(meta.ports) do out[i] = ("%d '%s'"):format(i, table.concat(port.names, "' or '")) end
  return table.concat(out, ", ")
end

local function missing(meta, what) core.fail("not_found", ("there is no output %s; there are %s"):format(what, keys_text(meta))) end

-- The position that a key stands for; past the end nil.
local function position(meta, key)
  if type(key) == "number" then
    if key ~= math.floor(key) then core.fail("type", ("a position must be a whole number, got %s"):format(key)) end
    if key < 1 then missing(meta, ("at position %s: positions count from 1"):format(key)) end
    return key
  end
  if type(key) ~= "string" and core.class_name(key) ~= "Port" then
    core.fail("type", "the keys of an OVDict are positions, names and ports, got " .. (core.class_name(key) or type(key)))
  end
  return meta.where[key] or missing(meta, type(key) == "string" and "'" .. key .. "'" or tostring(key))
end

--- An iterator over port, tensor.
function OVDict.items(dict)
  local ports, i = meta_of(dict).ports, 0
  return function()
    i = i + 1
    if ports[i] then return ports[i], rawget(dict, i) end
  end
end

function OVDict.keys(dict)
  local out = {}
  for i, port in ipairs(meta_of(dict).ports) do out[i] = port end
  return out
end

function OVDict.values(dict)
  local out = {}
  for i in ipairs(meta_of(dict).ports) do out[i] = rawget(dict, i) end
  return out
end

--- A list with the list of names of each output.
function OVDict.names(dict)
  local out = {}
  for i, port in ipairs(meta_of(dict).ports) do out[i] = port.names end
  return out
end

--- A plain table keyed by port.
function OVDict.to_dict(dict)
  local out = {}
  for port, tensor in OVDict.items(dict) do out[port] = tensor end
  return out
end

function OVDict.to_tuple(dict)
  return unpack(OVDict.values(dict), 1, #meta_of(dict).ports)
end

--- Whether the position, name or port is there.
function OVDict.has(dict, key)
  local meta = meta_of(dict)
  if type(key) == "number" then return rawget(dict, key) ~= nil end
  if type(key) ~= "string" and core.class_name(key) ~= "Port" then
    core.fail("type", "the keys of an OVDict are positions, names and ports, got " .. (core.class_name(key) or type(key)))
  end
  return meta.where[key] ~= nil
end

local function to_string(dict)
  local out = {}
  for port, tensor in OVDict.items(dict) do out[#out + 1] = ("%s = %s"):format(port.any_name, tostring(tensor)) end
  return "ov.OVDict{" .. table.concat(out, ", ") .. "}"
end

local function new_meta(ports)
  local where = {}
  for i, port in ipairs(ports) do
    where[port] = i
    for _, name in ipairs(port.names) do where[name] = where[name] or i end
  end
  local meta = { __name = "ovlite.OVDict", ports = ports, where = where, __tostring = to_string }
  function meta.__index(dict, key)
    if type(key) == "string" and not where[key] and OVDict[key] then return OVDict[key] end
    return rawget(dict, position(meta, key))
  end
  function meta.__newindex() core.fail("argument", "an OVDict is not there to be changed; :to_dict() makes a plain table") end
  return meta
end

core.set_dict(new_meta)
return OVDict
