local cases = require("spec.support.op_cases")

cases("grid_sample", {
  { "bilinear, zeros", function(op, a, b) return op.grid_sample(a, b, { mode = "bilinear", padding_mode = "zeros", align_corners = false }) end,
    { { "f32", { 1, 1, 3, 2 }, { 1.2, -1.9, -1.1, 0.5, -1.5, -0.3 } }, { "f32", { 1, 1, 3, 2 }, { -0.6, -0.6, -0.7, 1.3, -0.5, -1.1 } } },
    { { "f32", { 1, 1, 1, 3 }, { 0.8730001, -0.06000023, 0.42 } } }, bound = 0.0001 },
  { "bilinear, border, corners aligned", function(op, a, b) return op.grid_sample(a, b, { mode = "bilinear", padding_mode = "border",
    align_corners = true }) end, { { "f32", { 1, 1, 3, 2 }, { 1.7, -1.4, 0.9, 0.6, 0.9, 1.1 } }, { "f32", { 1, 1, 3, 2 }, { -0.9, -1.3, -0.2,
    -0.2, -0.7, 0.9 } } }, { { "f32", { 1, 1, 1, 3 }, { 1.545, 0.716, 0.9225 } } }, bound = 0.0001 },
  { "bilinear, reflection", function(op, a, b) return op.grid_sample(a, b, { mode = "bilinear", padding_mode = "reflection",
    align_corners = false }) end, { { "f32", { 1, 1, 3, 2 }, { -1.6, -0, 0.1, -2, 1.2, -0.6 } }, { "f32", { 1, 1, 3, 2 }, { -0.1, -0.9, -0.3,
    -0.1, 0.3, -1.3 } } }, { { "f32", { 1, 1, 1, 3 }, { -0.96, -0.4639999, -0.3200001 } } }, bound = 0.0001 },
  { "bilinear, reflection, corners aligned", function(op, a, b) return op.grid_sample(a, b, { mode = "bilinear", padding_mode = "reflection",
    align_corners = true }) end, { { "f32", { 1, 1, 3, 2 }, { -0.3, -0, 1.8, 0.4, 0.7, -0.2 } }, { "f32", { 1, 1, 3, 2 }, { -0, 1.4, -0.2, 1.4,
    0.3, 1.2 } } }, { { "f32", { 1, 1, 1, 3 }, { 0.5900001, 0.7, 0.2700001 } } }, bound = 0.0001 },
  { "bicubic, zeros", function(op, a, b) return op.grid_sample(a, b, { mode = "bicubic", padding_mode = "zeros", align_corners = false }) end,
    { { "f32", { 1, 1, 3, 2 }, { 0.3, 1.3, 1.3, -0.5, -0.7, 1.8 } }, { "f32", { 1, 1, 3, 2 }, { -0.5, 0.8, -0.9, -0, -0.3, -0.6 } } },
    { { "f32", { 1, 1, 1, 3 }, { -0.7688, 0.99, 0.6237969 } } }, bound = 0.0001 },
  { "bicubic, border, corners aligned", function(op, a, b) return op.grid_sample(a, b, { mode = "bicubic", padding_mode = "border",
    align_corners = true }) end, { { "f32", { 1, 1, 3, 2 }, { -1, 1.9, 0.7, -0.1, 0.3, 1.4 } }, { "f32", { 1, 1, 3, 2 }, { 0.5, -1, -0.8, 1.1,
    0.2, 0.3 } } }, { { "f32", { 1, 1, 1, 3 }, { 1.242969, 0.3753649, 0.360996 } } }, bound = 0.0001 },
  { "bicubic, reflection", function(op, a, b) return op.grid_sample(a, b, { mode = "bicubic", padding_mode = "reflection",
    align_corners = false }) end, { { "f32", { 1, 1, 3, 2 }, { -1.3, -1.5, -1.1, -0.7, 0.2, -0.5 } }, { "f32", { 1, 1, 3, 2 }, { 0.5, -0.2, 0,
    1.3, -1.3, 0.4 } } }, { { "f32", { 1, 1, 1, 3 }, { -0.9452499, -0.1232812, -0.2624001 } } }, bound = 0.0001 },
  { "bicubic, reflection, corners aligned", function(op, a, b) return op.grid_sample(a, b, { mode = "bicubic", padding_mode = "reflection",
    align_corners = true }) end, { { "f32", { 1, 1, 3, 2 }, { 0.9, -1.3, 1.4, -1.5, 1.2, -1.2 } }, { "f32", { 1, 1, 3, 2 }, { -0.2, -0.3, 0.2,
    0.4, -1.3, 0.9 } } }, { { "f32", { 1, 1, 1, 3 }, { 0.2991091, -0.4171489, 1.060893 } } }, bound = 0.0001 },
  { "nearest, zeros", function(op, a, b) return op.grid_sample(a, b, { mode = "nearest", padding_mode = "zeros", align_corners = false }) end,
    { { "f32", { 1, 1, 3, 2 }, { 0.1, 1.7, -1.3, -0.2, 1.8, 0.5 } }, { "f32", { 1, 1, 3, 2 }, { 0, -0.1, 1.2, -1.4, 1.4, -0.1 } } }, { { "f32",
    { 1, 1, 1, 3 }, { -1.3, 0, 0 } } }, bound = 0.0001 },
  { "nearest, border, corners aligned", function(op, a, b) return op.grid_sample(a, b, { mode = "nearest", padding_mode = "border",
    align_corners = true }) end, { { "f32", { 1, 1, 3, 2 }, { 1.3, -0.1, 1.3, -1.6, -0.3, 1.1 } }, { "f32", { 1, 1, 3, 2 }, { 1.4, 0, -1.2, 0.7,
    0.4, -1 } } }, { { "f32", { 1, 1, 1, 3 }, { -1.6, -0.3, -0.1 } } }, bound = 0.0001 },
  { "nearest, reflection", function(op, a, b) return op.grid_sample(a, b, { mode = "nearest", padding_mode = "reflection",
    align_corners = false }) end, { { "f32", { 1, 1, 3, 2 }, { -1.2, 0, -1.3, 1.7, 2, 1 } }, { "f32", { 1, 1, 3, 2 }, { 1, -0.5, -1.1, 0.6, 0.8,
    0.5 } } }, { { "f32", { 1, 1, 1, 3 }, { 0, 2, 1 } } }, bound = 0.0001 },
  { "nearest, reflection, corners aligned", function(op, a, b) return op.grid_sample(a, b, { mode = "nearest", padding_mode = "reflection",
    align_corners = true }) end, { { "f32", { 1, 1, 3, 2 }, { -1.3, -1.9, 0.2, -1.4, -0.8, -0.1 } }, { "f32", { 1, 1, 3, 2 }, { -0.7, 1.2, -0.5,
    0.2, 1.3, 0.5 } } }, { { "f32", { 1, 1, 1, 3 }, { -0.8, 0.2, -0.1 } } }, bound = 0.0001 },
  { "a volume", function(op, a, b) return op.grid_sample(a, b, { mode = "bilinear", padding_mode = "zeros", align_corners = true }) end,
    { { "f32", { 1, 1, 2, 2, 2 }, { 1, 2, 3, 4, 5, 6, 7, 8 } }, { "f32", { 1, 1, 1, 3, 3 }, { -1, -1, 1, 0, 0, 0, 1, -1, 0 } } },
    { { "f32", { 1, 1, 1, 1, 3 }, { 5, 4.5, 4 } } } },
  { "a volume wants three coordinates", function(op, a, b) return op.grid_sample(a, b) end,
    { { "f32", { 1, 1, 1, 1, 1 }, { 1 } }, { "f32", { 1, 1, 1, 1, 2 }, { 0, 0 } } }, fails = "shape" },
  { "no image fits", function(op, a, b) return op.grid_sample(a, b) end, { cases.random("f32", { 2, 3, 4, 5 }), cases.random("f32", { 3, 2, 2, 2 }) },
    fails = "shape" },
})

-- Many channels and places within and beyond the picture.
local ov = require("ovlite")
local rows = {}
for i, mode in ipairs({ "bilinear", "bicubic", "nearest" }) do
  for k, padding in ipairs({ "zeros", "border", "reflection" }) do
    local channels, corners = ({ 1, 17, 37 })[k], i == k
    rows[#rows + 1] = { ("%s, %s, %d channels"):format(mode, padding, channels), function(op, a, b)
      return op.grid_sample(a, op.multiply(b, 1.7), { mode = mode, padding_mode = padding, align_corners = corners })
    end, { cases.random("f32", { 2, channels, 7, 9 }), cases.random("f32", { 2, 5, 11, 2 }) }, bound = 2e-5 }
  end
end
rows[#rows + 1] = { "channels last on both sides", function(op, a, b)
  local y = op.grid_sample(op.transpose(a, op.constant({ 0, 3, 1, 2 }, "i64")), b)
  return op.transpose(y, op.constant({ 0, 2, 3, 1 }, "i64"))
end, { cases.random("f32", { 1, 6, 5, 19 }), cases.random("f32", { 1, 4, 4, 2 }) }, bound = 2e-5 }
rows[#rows + 1] = { "no numbers among the places", function(op, a, b) return op.grid_sample(a, b) end, { cases.random("f32", { 1, 3, 4, 4 }),
  function() return ov.Tensor("f32", { 1, 1, 4, 2 }, { 0 / 0, 0, 1 / 0, 0, 0, -1 / 0, 1e30, 0.5 }) end } }
cases("grid_sample", rows)
