-- Colour formats of the preprocessing: the tensors an image of a format comes in, and how one format is made into another.
--
-- A format is one of the words below, in capital or small letters.
local core = require("ovlite_core")
local op = require("ovlite.builder").opset(13)
local color = {}

-- planes: names of the tensors; channels: of a one-tensor format, where that is known.
local FORMATS = {
  UNDEFINED = { planes = { "" } },
  RGB = { planes = { "" }, channels = 3, layout = "NHWC" },
  BGR = { planes = { "" }, channels = 3, layout = "NHWC" },
  RGBX = { planes = { "" }, channels = 4, layout = "NHWC" },
  BGRX = { planes = { "" }, channels = 4, layout = "NHWC" },
  GRAY = { planes = { "" }, layout = "NHWC" },
  NV12_SINGLE_PLANE = { planes = { "" }, layout = "NHWC", video = "nv12" },
  NV12_TWO_PLANES = { planes = { "y", "uv" }, layout = "NHWC", video = "nv12" },
  I420_SINGLE_PLANE = { planes = { "" }, layout = "NHWC", video = "i420" },
  I420_THREE_PLANES = { planes = { "y", "u", "v" }, layout = "NHWC", video = "i420" },
}
color.FORMATS = FORMATS

--- The word of a list that `value` spells: {RGB = ...}, "rgb" -> "RGB". Errors: type, argument (with the words there are).
function color.one_of(list, value, what, prefix)
  if type(value) ~= "string" then
    core.fail("type", ("%s: expected a string, got %s"):format(what, core.class_name(value) or type(value)))
  end
  local word = value:upper()
  if list[word] then return word end
  if prefix and list[prefix .. word] then return prefix .. word end
  local names = {}
  for name in pairs(list) do names[#names + 1] = name end
  table.sort(names)
  core.fail("argument", ("%s: there is no '%s'; there are %s"):format(what, value, table.concat(names, ", ")))
end

function color.layout(format) return FORMATS[format].layout end
function color.planes(format) return FORMATS[format].planes end
function color.is_video(format) return FORMATS[format].video ~= nil end

--- A model can take it as it is.
function color.fits_model(format) return format == "UNDEFINED" or format == "RGB" or format == "BGR" or format == "GRAY" end

-- ---- shapes ----

local function scaled(dim, up, down)
  if type(dim) ~= "number" or dim < 0 then return -1 end
  return math.floor(dim * up / down)
end

--- The shape of plane i (from 1) of an image of `shape` (a list of sizes); video is [N, H, W, C].
function color.plane_shape(format, i, shape, layout)
  local about, out = FORMATS[format], {}
  if type(shape) ~= "table" then return shape end
  for k, d in ipairs(shape) do out[k] = d end
  if about.channels then
    out[layout:axis("C", #shape, "set_color_format") + 1] = about.channels
  elseif about.video then
    if #shape ~= 4 then core.fail("shape", ("set_color_format: %s is [N,H,W,C], not of %d dimensions"):format(format, #shape)) end
    out[4] = about.planes[i] == "uv" and 2 or 1
    if #about.planes == 1 then
      out[2] = scaled(shape[2], 3, 2)
    elseif i > 1 then
      out[2], out[3] = scaled(shape[2], 1, 2), scaled(shape[3], 1, 2)
    end
  end
  return out
end

-- ---- conversions ----

local function channels_axis(ctx, x, who) return ctx.layout:axis("C", ctx.rank(x), who) end

--- The same with its channels in the opposite order.
function color.reversed(ctx, x, who)
  local axis = channels_axis(ctx, x, who)
  local shape = x.partial_shape
  local count = type(shape) == "table" and shape[axis + 1] or -1
  local range
  if type(count) == "number" and count >= 0 then
    local order = {}
    for i = 1, count do order[i] = count - i end
    range = op.constant(order, "i64", { count })
  else
    local size = op.squeeze(op.gather(op.shape_of(x, "i64"), op.constant({ axis }, "i64"), op.constant(0, "i64")), op.constant({ 0 }, "i64"))
    range = op.range(op.subtract(size, op.constant(1, "i64")), op.constant(-1, "i64"), op.constant(-1, "i64"), "i64")
  end
  return op.gather(x, range, op.constant(axis, "i64"))
end

-- Without the fourth channel.
local function cut(ctx, x, who)
  local axis = channels_axis(ctx, x, who)
  return op.slice(x, op.constant({ 0 }, "i64"), op.constant({ -1 }, "i64"), op.constant({ 1 }, "i64"), op.constant({ axis }, "i64"))
end

-- Brightness as the eye weighs it; whole numbers are rounded to even.
local function gray_of(ctx, x, weights, who)
  local axis, rank, kind = channels_axis(ctx, x, who), ctx.rank(x), x.element_type
  local shape = x.partial_shape
  if type(shape) ~= "table" or shape[axis + 1] ~= 3 then core.fail("shape", who .. ": three channels are expected, in " .. ctx.text(x)) end
  local whole = not ctx.is_float(kind)
  local ones = {}
  for i = 1, rank do ones[i] = 1 end
  ones[axis + 1] = 3
  if whole then x = op.convert(x, "f32") end
  local y = op.reduce_sum(op.multiply(x, op.constant(weights, x.element_type, ones)), op.constant({ axis }, "i64"), true)
  return whole and op.convert(op.round(y, "half_to_even"), kind) or y
end

-- The rows of brightness, which come first in a one-plane frame.
local function rows_of_brightness(x)
  local h, one = x.partial_shape[2], op.constant({ 1 }, "i64")
  local rows
  if type(h) == "number" and h >= 0 then
    rows = op.constant({ math.floor(h / 3) * 2 }, "i64")
  else
    local all = op.gather(op.shape_of(x, "i64"), one, op.constant(0, "i64"))
    rows = op.multiply(op.divide(all, op.constant({ 3 }, "i64")), op.constant({ 2 }, "i64"))
  end
  return op.slice(x, op.constant({ 0 }, "i64"), rows, one, one)
end

local function from_video(about, planes, to, who)
  if to == "GRAY" then return #planes > 1 and planes[1] or rows_of_brightness(planes[1]) end
  if to ~= "RGB" and to ~= "BGR" then core.fail("argument", who .. ": video frames become RGB, BGR or GRAY, not " .. to) end
  local convert = op[about.video .. "_to_" .. to:lower()]
  if #planes == 2 then return convert(planes[1], planes[2]) end
  if #planes == 3 then return convert(planes[1], planes[2], planes[3]) end
  return convert(planes[1])
end

local RGB_WEIGHTS, BGR_WEIGHTS = { 0.299, 0.587, 0.114 }, { 0.114, 0.587, 0.299 }

--- The nodes of an image of format ctx.color as one of format `to`.
function color.convert(ctx, nodes, to, who)
  local from = ctx.color
  if from == to then return nodes end
  local about, plain = FORMATS[from], from:match("^(%u%u%u)X?$")
  if about.video then return { from_video(about, nodes, to, who) } end
  local x = nodes[1]
  if from:sub(4) == "X" and (to == "RGB" or to == "BGR") then
    x = cut(ctx, x, who)
    return { plain == to and x or color.reversed(ctx, x, who) }
  end
  if (from == "RGB" or from == "BGR") and (to == "RGB" or to == "BGR") then return { color.reversed(ctx, x, who) } end
  if (from == "RGB" or from == "BGR") and to == "GRAY" then return { gray_of(ctx, x, from == "RGB" and RGB_WEIGHTS or BGR_WEIGHTS, who) } end
  core.fail("argument", ("%s: there is no way from %s to %s%s"):format(who, from, to, from == "UNDEFINED" and "; tensor():set_color_format says what comes in" or ""))
end

return color
