--- Data for a model's inputs from the command line: files of tensors, images, numbers, text, random values.
local ov = require("ovlite")
local fail = require("ovlite.cli.fail")
local model = require("ovlite.cli.model")
local terminal = require("ovlite.cli.terminal")
local inputs = {}

local IMAGES = { png = true, jpg = true, jpeg = true, bmp = true, gif = true, ppm = true, pgm = true }
local WHOLE = { i8 = true, i16 = true, i32 = true, i64 = true, u8 = true, u16 = true, u32 = true, u64 = true }

--- "'x' f32 [1,3,224,224]"
function inputs.describe(port) return ("'%s' %s %s"):format(port.any_name, port.element_type, terminal.shape(port.partial_shape)) end

local function list(ports)
  local out = {}
  for i, port in ipairs(ports) do out[i] = inputs.describe(port) end
  return table.concat(out, ", ")
end

-- ---- random values ----

-- A multiplicative generator (Park and Miller): the same data on every run.
local state = 1
local function random()
  state = state * 48271 % 2147483647
  return state / 2147483647
end

function inputs.seed(n) state = n % 2147483646 + 1 end

--- Floats between 0 and 1, whole numbers from 0 to 9, booleans, empty strings.
function inputs.random(element_type, shape)
  local t = ov.Tensor(element_type, shape)
  if element_type == "f32" or element_type == "f64" then
    local data = t.data
    for i = 0, t.size - 1 do data[i] = random() end
  elseif WHOLE[element_type] then
    local data = t.data
    for i = 0, t.size - 1 do data[i] = math.floor(random() * 10) end
  elseif element_type == "boolean" then
    local data = t.data
    for i = 0, t.size - 1 do data[i] = random() < 0.5 and 1 or 0 end
  elseif element_type ~= "string" then -- small types go through one that Lua can write
    t = inputs.random("f32", shape):astype(element_type)
  end
  return t
end

local function static_shape(port, how)
  local shape = {}
  for i, d in ipairs(type(port.partial_shape) == "table" and port.partial_shape or { -1 }) do
    if type(d) == "table" or d < 0 then fail.usage("input %s has open dimensions, so '%s' needs a shape: -shape", inputs.describe(port), how) end
    shape[i] = d
  end
  return shape
end

-- ---- images ----

-- Height, width and position of the channels (2: NCHW, 4: NHWC) of an image input; -1 where open.
local function image_place(port)
  local s = port.partial_shape
  if type(s) ~= "table" or #s ~= 4 then fail.usage("input %s takes no image: it needs 4 dimensions, like [1,3,224,224]", inputs.describe(port)) end
  local function size(d) return type(d) == "table" and -1 or d end
  local function channels(d) return d == 3 or d == 1 or d == 4 end
  if channels(size(s[2])) or not channels(size(s[4])) then return size(s[3]), size(s[4]), 2, size(s[2]) end
  return size(s[2]), size(s[3]), 4, size(s[4])
end

local function numbers(text, what, count)
  local out = {}
  for word in text:gmatch("[^,%s]+") do out[#out + 1] = tonumber(word) or fail.usage("%s must be numbers, got '%s'", what, text) end
  if #out ~= 1 and #out ~= count then fail.usage("%s takes 1 or %d numbers, got '%s'", what, count, text) end
  for i = #out + 1, count do out[i] = out[1] end
  return out
end

-- Pixels as the model wants them: resized, channels in its order, (pixel - mean) / scale, its type.
local function fit(pixels, port, height, width, where, options)
  local c = pixels.shape[3]
  local x = ov.image.blob(pixels, height, width, { mean = numbers(options.mean or "0", "--mean", c), scale = numbers(options.scale or "1", "--scale", c),
    reverse = options.bgr and c == 3 or nil })
  if where == 4 then x = x:transpose({ 1, 3, 4, 2 }) end
  if WHOLE[port.element_type] then x = x:affine(1, 0.5) end -- astype cuts
  return port.element_type == "f32" and x or x:astype(port.element_type)
end

local function image(path, port, options)
  local height, width, where, channels = image_place(port)
  local pixels = ov.image.load(path, { channels = channels > 0 and channels or 3 })
  height, width = height > 0 and height or pixels.shape[1], width > 0 and width or pixels.shape[2]
  return fit(pixels, port, height, width, where, options)
end

-- ---- what stands behind --input ----

local function file_bytes(path)
  local file = io.open(path, "rb")
  local bytes = file:read("*a")
  file:close()
  return bytes
end

local function values(text, port)
  local out = {}
  for word in text:gmatch("[^,%s]+") do out[#out + 1] = tonumber(word) end
  local shape, count = port.partial_shape, #out
  if type(shape) == "table" then -- one open dimension takes what there is
    local known, open, fixed = 1, 0, {}
    for i, d in ipairs(shape) do
      fixed[i] = d
      if type(d) == "table" or d < 0 then open = open + 1 else known = known * d end
    end
    for i, d in ipairs(fixed) do
      if type(d) == "table" or d < 0 then
        fixed[i] = open == 1 and count / known or i == 1 and 1 or count
        open = open - (i == 1 and 1 or 0)
      end
    end
    return ov.Tensor(port.element_type, fixed, out)
  end
  return ov.Tensor(port.element_type, { count }, out)
end

local KINDS = {
  random = function(port) return inputs.random(port.element_type, static_shape(port, "random")) end,
  zeros = function(port) return ov.Tensor(port.element_type, static_shape(port, "zeros")) end,
  ones = function(port)
    local t = ov.Tensor(port.element_type, static_shape(port, "ones"))
    t:fill(1)
    return t
  end,
}

--- The tensor that `text` means for this input: random, zeros, ones, numbers like 1,2,3, text:..., an image, .npy,
--- .npz#name, else a file of raw bytes.
function inputs.read(text, port, options)
  if KINDS[text] then return KINDS[text](port) end
  if text:find("^text:") then return ov.Tensor("string", #port.partial_shape == 0 and {} or { 1 }, { text:sub(6) }) end
  if text:find("^[%-%+%d%.][%d%.,%s%-%+eE]*$") and not model.exists(text) then return values(text, port) end
  local path, member = text:match("^(.-%.npz)#(.+)$")
  path = path or text
  if not model.exists(path) then
    fail.usage("there is no file '%s' for input %s (a file of .npy, .npz#name, an image or raw bytes; random, zeros, ones; numbers like 1,2,3; "
      .. "text:...)", path, inputs.describe(port))
  end
  local ending = (path:match("%.(%w+)$") or ""):lower()
  if IMAGES[ending] then return image(path, port, options) end
  if ending == "npy" or ending == "npz" then
    local t = ov.Tensor.load(path)
    if type(t) ~= "table" then return t end
    return t[member] or fail.usage("'%s' has no array called '%s'; write FILE.npz#NAME", path, tostring(member))
  end
  return ov.Tensor(port.element_type, static_shape(port, path), file_bytes(path))
end

-- "name=what" or, for a model of one input, "what".
local function split(text, ports)
  for _, port in ipairs(ports) do
    for _, name in ipairs(port.names) do
      if text:sub(1, #name + 1) == name .. "=" then return port, text:sub(#name + 2) end
    end
  end
  if #ports == 1 and not text:match("^[%w_%.:/%-]+=") then return ports[1], text end
  fail.usage("--input %s names no input; there is %s", text, list(ports))
end

--- {name = tensor} from the texts of --input; each input must be there. `missing` (may be nil) stands for those that are not.
function inputs.collect(texts, m, options, missing)
  local found = {}
  for _, text in ipairs(texts or {}) do
    local port, what = split(text, m.inputs)
    found[port.any_name] = fail.blame("--input " .. text, inputs.read, what, port, options)
  end
  for _, port in ipairs(m.inputs) do
    local name = port.any_name
    if not found[name] then
      if not missing then fail.usage("input %s is not given: --input %s=FILE (or =random)", inputs.describe(port), name) end
      found[name] = KINDS[missing](port)
    end
  end
  return found
end

return inputs
