--- ov.image: what C has no need to do, on top of the functions of the module. Loaded by init.lua.
local core = require("ovlite_core")
local image = core.image

--- Tensors of pictures {height, width, channels} have these as methods too.
local methods = core.classes.Tensor.methods
methods.resize, methods.crop = image.resize, image.crop

local KNOWN = { columns = true, height = true, width = true, gap = true, fill = true, method = true }

local function check_montage(pictures, options)
  if type(pictures) ~= "table" or #pictures == 0 then core.fail("argument", "montage needs a list of pictures, at least one") end
  for key in pairs(options) do
    if not KNOWN[key] then
      core.fail("argument", ("unknown option '%s'; there are columns, fill, gap, height, method, width"):format(tostring(key)))
    end
  end
  local channels
  for i, picture in ipairs(pictures) do
    local rank = #picture.shape
    if rank ~= 2 and rank ~= 3 then core.fail("shape", ("picture %d: expected {height, width, channels}, got %d dimensions"):format(i, rank)) end
    local c = rank == 3 and picture.shape[3] or 1
    if c ~= (channels or c) then core.fail("shape", ("picture %d has %d channels, the first one %d"):format(i, c, channels)) end
    channels = c
  end
  return channels
end

local function whole(options, name, least, otherwise)
  local v = options[name]
  if v == nil then return otherwise end
  if type(v) ~= "number" or v ~= math.floor(v) then core.fail("type", name .. ": expected a whole number") end
  if v < least or v > 65536 then core.fail("argument", ("%s must be %d to 65536, got %d"):format(name, least, v)) end
  return v
end

--- Pictures side by side, each as large as fits into its cell.
function image.montage(pictures, options)
  options = options or {}
  if type(options) ~= "table" then core.fail("type", "options: expected a table") end
  local channels = check_montage(pictures, options)
  local count, tallest, widest = #pictures, 1, 1
  for _, picture in ipairs(pictures) do
    tallest, widest = math.max(tallest, picture.shape[1]), math.max(widest, picture.shape[2])
  end
  local columns = math.min(whole(options, "columns", 1, math.ceil(math.sqrt(count))), count)
  local height, width, gap = whole(options, "height", 1, tallest), whole(options, "width", 1, widest), whole(options, "gap", 0, 4)
  local rows = math.ceil(count / columns)
  local fill, method = options.fill or 0, options.method or "area"
  local whole_height, whole_width = rows * (height + gap) + gap, columns * (width + gap) + gap
  local canvas = image.crop(core.tensor("u8", { 1, 1, channels }), 1, 1, whole_height, whole_width, { fill = fill })
  for i, picture in ipairs(pictures) do
    local top = math.floor((i - 1) / columns) * (height + gap) + gap
    local left = (i - 1) % columns * (width + gap) + gap
    local cell = core.tensor(canvas, { top + 1, left + 1, 1 }, { top + height, left + width, channels })
    if #picture.shape == 2 then picture = picture:reshape({ picture.shape[1], picture.shape[2], 1 }) end
    image.letterbox(picture, height, width, { fill = fill, method = method, out = cell })
  end
  return canvas
end

return image
