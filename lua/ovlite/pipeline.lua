--- ov.pipeline: steps of a pipeline around a model that are not a graph. Loops run over pictures, windows and lines; elements are C's affair.
local core = require("ovlite_core")
local image = core.image
local pipeline = {}

local function check(value, kind, what)
  if type(value) ~= kind then core.fail("type", ("%s: expected a %s, got %s"):format(what, kind, type(value))) end
  return value
end

local function options_of(options, known)
  if options == nil then return {} end
  check(options, "table", "options")
  for key in pairs(options) do
    if not known[key] then
      local names = {}
      for name in pairs(known) do names[#names + 1] = name end
      table.sort(names)
      core.fail("argument", ("unknown option '%s'; there are %s"):format(tostring(key), table.concat(names, ", ")))
    end
  end
  return options
end

local function whole(value, least, what)
  if type(value) ~= "number" then core.fail("type", what .. ": expected a whole number, got " .. type(value)) end
  if value ~= math.floor(value) then core.fail("type", what .. ": expected a whole number") end
  if value < least then core.fail("argument", ("%s must be %d or more, got %d"):format(what, least, value)) end
  return value
end

-- ---- pictures ----

--- Points of a letterboxed picture as points of the picture it came from. points: {..., 2} as x, y, or {n, 4} as left, top, right, bottom (f32).
function pipeline.unletterbox(points, placement)
  local shape = points.shape
  local n = shape[#shape]
  if n ~= 2 and n ~= 4 then core.fail("shape", "points must be {..., 2} or {n, 4}, got a last dimension of " .. tostring(n)) end
  local scale, shift = {}, {}
  for i = 1, n do
    local s, offset = placement.scale_x, placement.left
    if i % 2 == 0 then s, offset = placement.scale_y, placement.top end
    scale[i], shift[i] = 1 / s, -offset / s
  end
  return points:affine(scale, shift, { dim = #shape })
end

local TILES = { overlap = true }

-- Where tiles of `size` begin along a side: every `step`, the last one at the end.
local function starts(side, size, step)
  local list, at = {}, 0
  while at + size < side do
    list[#list + 1] = at
    at = at + step
  end
  list[#list + 1] = math.max(side - size, 0)
  return list
end

--- for tile, left, top in pipeline.tiles(picture, height, width): views of the picture, which cover it; those at the end reach back into it.
--- Pictures smaller than a tile get a margin of zeros. overlap: pixels that neighbours have in common.
function pipeline.tiles(picture, height, width, options)
  local overlap = whole(options_of(options, TILES).overlap or 0, 0, "overlap")
  whole(height, 1, "height")
  whole(width, 1, "width")
  if overlap >= math.min(height, width) then core.fail("argument", "overlap must be smaller than a tile") end
  local shape = picture.shape
  local h, w = shape[1], shape[2]
  if h < height or w < width then picture = image.crop(picture, 0, 0, math.max(h, height), math.max(w, width), { fill = 0 }) end
  shape = picture.shape
  local tops, lefts, i = starts(shape[1], height, height - overlap), starts(shape[2], width, width - overlap), -1
  return function()
    i = i + 1
    local top, left = tops[math.floor(i / #lefts) + 1], lefts[i % #lefts + 1]
    if not top then return nil end
    local first, last = { top + 1, left + 1 }, { top + height, left + width }
    for k = 3, #shape do first[k], last[k] = 1, shape[k] end
    return core.tensor(picture, first, last), left, top
  end
end

-- ---- sound ----

local WINDOWS = { hop = true, out = true }

--- for window, first in pipeline.windows(samples, size): windows over {n} samples, `hop` (size) apart; the last one is filled up with zeros.
--- Each is written into the same tensor: {size}, or `out`.
function pipeline.windows(samples, size, options)
  options = options_of(options, WINDOWS)
  whole(size, 1, "size")
  local hop, n = whole(options.hop or size, 1, "hop"), samples.size
  if #samples.shape ~= 1 then core.fail("shape", ("samples must be {n}, got %d dimensions"):format(#samples.shape)) end
  local out = options.out or core.tensor(samples.element_type, { size })
  if out.size ~= size then core.fail("shape", ("out has %d elements, a window %d"):format(out.size, size)) end
  local window, first = out:reshape({ size }), 1 - hop
  return function()
    first = first + hop
    if first > n or (first > 1 and first + size - hop > n) then return nil end
    if first + size - 1 <= n then
      samples:slice(1, first, first + size - 1, { out = window })
    else
      window:fill(0)
      core.tensor(window, { 1 }, { n - first + 1 }):copy_from(core.tensor(samples, { first }, { n }))
    end
    return out, first
  end
end

local function little(bytes, at, n)
  local v = 0
  for i = n - 1, 0, -1 do v = v * 256 + bytes:byte(at + i) end
  return v
end

-- format, bits -> element type, scale and shift to -1..1
local SAMPLES = {
  ["1:8"] = { "u8", 1 / 128, -1 }, ["1:16"] = { "i16", 1 / 32768, 0 }, ["1:32"] = { "i32", 1 / 2147483648, 0 }, ["3:32"] = { "f32", 1, 0 },
  ["3:64"] = { "f64", 1, 0 },
}

local function wav_chunks(bytes)
  local chunks, at = {}, 13
  while at + 8 <= #bytes + 1 do
    local size = little(bytes, at + 4, 4)
    local name = bytes:sub(at, at + 3)
    chunks[name] = chunks[name] or bytes:sub(at + 8, at + 7 + size)
    at = at + 8 + size + size % 2
  end
  return chunks
end

--- A WAV file (path or bytes; PCM of 8, 16 or 32 bits, or floats) as f32 between -1 and 1, and its rate.
--- {samples} of one channel, {channels, samples} of more.
function pipeline.wav(source)
  check(source, "string", "source")
  local bytes = source
  if source:sub(1, 4) ~= "RIFF" then
    local file, why = io.open(source, "rb")
    if not file then core.fail("io", "cannot open the sound: " .. tostring(why)) end
    bytes = file:read("*a") or ""
    file:close()
  end
  if bytes:sub(1, 4) ~= "RIFF" or bytes:sub(9, 12) ~= "WAVE" then core.fail("parse", "this is no WAV file") end
  local chunks = wav_chunks(bytes)
  local format, data = chunks["fmt "], chunks.data
  if not format or #format < 16 or not data then core.fail("parse", "the WAV file has no fmt or no data") end
  local code, channels, rate, bits = little(format, 1, 2), little(format, 3, 2), little(format, 5, 4), little(format, 15, 2)
  if code == 65534 and #format >= 26 then code = little(format, 25, 2) end
  local kind = SAMPLES[code .. ":" .. bits]
  if not kind then core.fail("unsupported", ("a WAV file of format %d with %d bits"):format(code, bits)) end
  if channels < 1 then core.fail("parse", "the WAV file has no channels") end
  local frame = channels * bits / 8
  local n = math.floor(#data / frame)
  local samples = core.tensor(kind[1], { n, channels }, data:sub(1, n * frame)):affine(kind[2], kind[3], { type = "f32" })
  if channels == 1 then return samples:reshape({ n }), rate end
  return samples:transpose(), rate
end

-- ---- results ----

--- Groups of at most `most` items, those of like key together, largest last:
--- for group in pipeline.batches(lines, 6, function(line) return line.width end).
function pipeline.batches(items, most, key)
  check(items, "table", "items")
  check(key, "function", "key")
  whole(most, 1, "most")
  local order = {}
  for i, item in ipairs(items) do order[i] = { item = item, key = key(item), at = i } end
  table.sort(order, function(a, b)
    if a.key ~= b.key then return a.key < b.key end
    return a.at < b.at
  end)
  local at = 0
  return function()
    if at >= #order then return nil end
    local group = {}
    while #group < most and at < #order do
      at = at + 1
      group[#group + 1] = order[at].item
    end
    return group
  end
end

--- The k best of scores (one row): a list of {position, score, label}, best first. labels may be nil.
function pipeline.top(scores, k, labels)
  local flat = scores:reshape({ -1 })
  local values, positions = flat:topk(math.min(whole(k, 1, "k"), flat.size))
  local list, v = {}, values:flat()
  for i, position in ipairs(positions:flat()) do list[i] = { position = position, score = v[i], label = labels and labels[position] } end
  return list
end

return pipeline
