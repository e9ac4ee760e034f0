local cases = require("spec.support.pass_cases")
local nhwc, nchw = cases.random("u8", { 2, 7, 9, 3 }, 0, 255), cases.random("u8", { 1, 3, 6, 10 }, 0, 255)
local rgbx, wide = cases.random("u8", { 1, 5, 6, 4 }, 0, 255), cases.random("u8", { 1, 5, 6, 5 }, 0, 255)
local f32 = cases.random("f32", { 1, 7, 9, 3 }, 0, 255)

local function i64(op, ...) return op.constant({ ... }, "i64") end
local function turn(op, x, ...) return op.transpose(x, i64(op, ...)) end
local function to_f32(op, x) return op.convert(x, "f32") end
local function resize(op, x, h, w, a, b, mode)
  return op.interpolate(x, i64(op, h, w), { mode = mode or "linear", shape_calculation_mode = "sizes", axes = i64(op, a, b) })
end
-- One value per channel, the channels last.
local function mean(op, x) return op.subtract(x, op.constant({ 10, 20, 30 }, "f32", { 1, 1, 1, 3 })) end
local function scale(op, x) return op.divide(x, op.constant({ 2, 4, 8 }, "f32", { 1, 1, 1, 3 })) end
local function reversed(op, x, axis) return op.gather(x, i64(op, 2, 1, 0), op.constant(axis, "i64")) end

cases("fuse_pixels", {
  { "the usual way", function(op, x) return turn(op, scale(op, mean(op, resize(op, to_f32(op, x), 5, 4, 1, 2))), 0, 3, 1, 2) end, { nhwc }, "PixelPass" },
  { "resized as bytes", function(op, x) return turn(op, scale(op, mean(op, to_f32(op, resize(op, x, 5, 4, 1, 2)))), 0, 3, 1, 2) end, { nhwc }, "PixelPass",
    bound = 0.01 }, -- one level of 255, scaled
  { "mean and scale first", function(op, x) return turn(op, resize(op, scale(op, mean(op, to_f32(op, x))), 5, 12, 1, 2), 0, 3, 1, 2) end, { nhwc }, "PixelPass" },
  { "channels turned around, then picked", function(op, x)
    return turn(op, mean(op, reversed(op, turn(op, reversed(op, to_f32(op, turn(op, x, 0, 3, 1, 2)), 1), 0, 2, 3, 1), 3)), 0, 3, 1, 2)
  end, { nhwc }, "PixelPass" },
  { "video", function(op, y, uv) return turn(op, op.multiply(to_f32(op, op.nv12_to_bgr(y, uv)), 2), 0, 3, 1, 2) end,
    { cases.random("u8", { 1, 4, 18, 1 }, 0, 255), cases.random("u8", { 1, 2, 9, 2 }, 0, 255) }, "PixelPass" },
  { "resized, channels last", function(op, x) return mean(op, resize(op, to_f32(op, x), 5, 4, 1, 2)) end, { nhwc }, "PixelPass" },
  { "the fourth channel left out", function(op, x)
    return turn(op, op.slice(to_f32(op, x), i64(op, 0), i64(op, 3), i64(op, 1), i64(op, 3)), 0, 3, 1, 2)
  end, { rgbx }, "PixelPass" },
  { "planes", function(op, x) return op.multiply(resize(op, to_f32(op, x), 4, 13, 2, 3, "cubic"), 0.5) end, { nchw }, "PixelPass" },
  { "height and width swapped", function(op, x) return turn(op, resize(op, to_f32(op, x), 5, 4, 2, 1), 0, 3, 2, 1) end, { nhwc }, "PixelPass" },
  { "one number for all", function(op, x) return turn(op, op.add(op.multiply(to_f32(op, x), 2), 1), 0, 3, 1, 2) end, { nhwc }, "PixelPass" },
  { "not turned into planes", function(op, x) return mean(op, to_f32(op, x)) end, { nhwc }, "Convert Add" },
  { "planes, neither resized nor picked", function(op, x) return op.multiply(to_f32(op, x), 2) end, { nchw }, "Convert Multiply" },
  { "bytes as they are", function(op, x) return op.relu(to_f32(op, x)) end, { nhwc }, "Convert Relu" },
  { "floats", function(op, x) return op.relu(resize(op, turn(op, x, 0, 3, 1, 2), 4, 4, 2, 3)) end, { f32 }, "Interpolate Relu" },
  { "five channels", function(op, x) return op.multiply(to_f32(op, turn(op, x, 0, 3, 1, 2)), 2) end, { wide }, "Convert Multiply" },
  { "two readers", function(op, x)
    local y = to_f32(op, x)
    return { mean(op, y), op.relu(y) }
  end, { nhwc }, "Convert Relu Add" },
  { "a sum per column", function(op, x) return op.add(to_f32(op, x), op.constant({ 1, 2, 3, 4, 5, 6, 7, 8, 9 }, "f32", { 1, 1, 9, 1 })) end, { nhwc }, "Convert Add" },
  { "resized twice", function(op, x) return resize(op, resize(op, to_f32(op, x), 5, 5, 2, 3), 3, 3, 2, 3) end, { nchw }, "PixelPass Interpolate" },
})
