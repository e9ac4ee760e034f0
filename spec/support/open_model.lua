-- open_model(bytes): the bytes of an ONNX model, with every dimension of its inputs open ("x_1", "x_2", ...). Initializers stay as they are.
local onnx = require("spec.support.onnx")

-- Fields of a message, in order: {number, kind, value}; value: a string of bytes (kind 2), the raw bytes of others.
local function fields_of(data)
  local at, list = 1, {}
  local function varint()
    local v, unit, first = 0, 1, at
    repeat
      local b = data:byte(at)
      at, v, unit = at + 1, v + b % 128 * unit, unit * 128
    until b < 128
    return v, data:sub(first, at - 1)
  end
  while at <= #data do
    local key, raw = varint()
    local kind, value = key % 8, nil
    if kind == 0 then value = select(2, varint())
    elseif kind == 2 then
      local n = varint()
      value = data:sub(at, at + n - 1)
      at = at + n
    else
      local n = kind == 1 and 8 or 4
      value = data:sub(at, at + n - 1)
      at = at + n
    end
    list[#list + 1] = { (key - kind) / 8, kind, value, raw }
  end
  return list
end

-- The message with fn(number, value) in place of its fields of bytes; nil: as it was.
local function changed(data, fn)
  local out = {}
  for i, f in ipairs(fields_of(data)) do
    local new = f[2] == 2 and fn(f[1], f[3])
    if new then out[i] = onnx.bytes(f[1], new)
    elseif f[2] == 2 then out[i] = onnx.bytes(f[1], f[3])
    else out[i] = f[4] .. f[3] end
  end
  return table.concat(out)
end

local function field(data, number)
  for _, f in ipairs(fields_of(data)) do
    if f[1] == number then return f[3] end
  end
end

local function open_input(info)
  local name = field(info, 1)
  return changed(info, function(n, type_bytes) -- ValueInfo.type
    if n ~= 2 then return nil end
    return changed(type_bytes, function(m, tensor) -- TypeProto.tensor_type
      if m ~= 1 then return nil end
      return changed(tensor, function(k, shape) -- Tensor.shape
        if k ~= 2 then return nil end
        local i = 0
        return changed(shape, function(d)
          if d ~= 1 then return nil end
          i = i + 1
          return onnx.bytes(2, ("%s_%d"):format(name, i))
        end)
      end)
    end)
  end)
end

return function(bytes)
  return changed(bytes, function(n, graph)
    if n ~= 7 then return nil end
    local initial = {}
    for _, f in ipairs(fields_of(graph)) do
      if f[1] == 5 then initial[field(f[3], 8) or ""] = true end
    end
    return changed(graph, function(k, info)
      if k ~= 11 or initial[field(info, 1)] then return nil end
      return open_input(info)
    end)
  end)
end
