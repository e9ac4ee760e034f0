--- What commands share about models: the options that say which model in which form, reading it, shapes, compiling.
local ov = require("ovlite")
local fail = require("ovlite.cli.fail")
local stats = require("ovlite.cli.stats")
local terminal = require("ovlite.cli.terminal")
local model = {}

local PRECISIONS = { "f32", "bf16", "f16" }

--- MODEL and -shape.
function model.define(command)
  command:argument("model", "OpenVINO IR (.xml, its .bin beside it) or ONNX"):argname("MODEL")
  command:option("-s --shape", "shapes of inputs: [1,3,224,224], or name[1,3,224,224],other[1,16]"):argname("SHAPE")
end

--- How it is compiled.
function model.define_config(command)
  command:option("--infer_precision", "type of the arithmetic"):choices(PRECISIONS):argname("TYPE")
  command:option("--nthreads", "threads, all streams together"):convert(model.count("nthreads")):argname("N")
end

--- A converter for argparse: a whole number from 1 (or from `least`).
function model.count(name, least)
  return function(text)
    local n = tonumber(text)
    if n and n % 1 == 0 and n >= (least or 1) and n < 2 ^ 31 then return n end
    return nil, ("%s must be a whole number from %d, got '%s'"):format(name, least or 1, text)
  end
end

--- A converter: a positive number.
function model.positive(name)
  return function(text)
    local n = tonumber(text)
    if n and n > 0 and n < math.huge then return n end
    return nil, ("%s must be a number above 0, got '%s'"):format(name, text)
  end
end

function model.exists(path)
  local file = io.open(path, "rb")
  local readable = file and file:read(0) ~= nil
  if file then file:close() end
  return readable
end

function model.file_size(path)
  local file = io.open(path, "rb")
  if not file then return 0 end
  local size = file:seek("end")
  file:close()
  return size
end

-- ---- shapes ----

local function dimension(text, whole)
  if text == "?" or text == "-1" then return -1 end
  local low, high = text:match("^(%d+)%.%.(%d*)$")
  if low then return { tonumber(low), tonumber(high) or -1 } end
  return text:match("^%d+$") and tonumber(text) or fail.usage("'%s' in -shape %s is no dimension: a number, ?, or 1..8", text, whole)
end

--- "[1,3,8,8]" or "a[1,3],b[4]" as {[name or 1] = shape}.
function model.parse_shapes(text)
  local shapes, rest = {}, text
  while rest ~= "" do
    local name, inside, after = rest:match("^%s*([^%[%]]-)%s*%[([^%[%]]*)%]%s*,?(.*)$")
    if not name then fail.usage("-shape %s is not understood: write [1,3,224,224] or name[1,3,224,224],other[1,16]", text) end
    local shape = {}
    for part in inside:gmatch("[^,%s]+") do shape[#shape + 1] = dimension(part, text) end
    shapes[name == "" and 1 or name] = shape
    rest = after
  end
  return shapes
end

local function is_open(d) return type(d) == "table" or d < 0 end

-- What open dimensions might be: sides of images, the last dimension of everything else, those in the middle; the first one,
-- a batch, is 1. Enough to look at what would run.
local GUESSES = { { 224, 16, 16 }, { 48, 16, 16 }, { 640, 16, 16 }, { 224, 16, 1 }, { 224, 512, 1 }, { 224, 1, 1 }, { 1, 1, 1 } }

local function guess(port, image_side, last, middle)
  local shape = port.partial_shape
  if type(shape) ~= "table" then return nil end
  local out, image = {}, #shape == 4 and (shape[2] == 3 or shape[2] == 1 or shape[4] == 3 or shape[4] == 1)
  for i, d in ipairs(shape) do
    out[i] = d
    if is_open(d) then
      local least, most = 1, math.huge
      if type(d) == "table" then least, most = d[1], d[2] and d[2] >= 0 and d[2] or math.huge end
      out[i] = math.max(least, math.min(most, i == 1 and 1 or image and image_side or i == #shape and last or middle))
    end
  end
  return out
end

local function try_guess(m, sides)
  local keyed, said = {}, {}
  for _, port in ipairs(m.inputs) do
    local shape = guess(port, unpack(sides))
    if not shape then return nil end
    keyed[port.any_name] = shape
    if terminal.shape(port.partial_shape) ~= terminal.shape(shape) then said[#said + 1] = port.any_name .. terminal.shape(shape) end
  end
  return pcall(m.reshape, m, keyed) and said or nil
end

--- Closes the open dimensions of a model with guesses. A list of "name[1,3,224,224]" that were guessed; nil where that cannot be done.
function model.close_shapes(m)
  if not m.dynamic then return {} end
  for _, sides in ipairs(GUESSES) do
    local said = try_guess(m, sides)
    if said then return said end
  end
end

-- ---- reading and compiling ----

--- The model of the options, reshaped as they say, and the milliseconds that reading took.
function model.read(options)
  if not model.exists(options.model) then fail.usage("there is no file '%s'", options.model) end
  local shapes = options.shape and model.parse_shapes(options.shape)
  terminal.status("reading")
  local start = stats.now()
  local m = ov.read_model(options.model)
  local ms = (stats.now() - start) / 1e3
  if shapes then fail.blame("-shape " .. options.shape, m.reshape, m, shapes[1] and #m.inputs == 1 and shapes[1] or shapes) end
  return m, ms
end

--- The configuration that the options ask for.
function model.config(options)
  return { INFERENCE_PRECISION_HINT = options.infer_precision, INFERENCE_NUM_THREADS = options.nthreads }
end

--- The compiled model and the milliseconds that it took.
function model.compile(m, config)
  terminal.status("compiling")
  local start = stats.now()
  local compiled = ov.compile_model(m, "CPU", config)
  return compiled, (stats.now() - start) / 1e3
end

return model
