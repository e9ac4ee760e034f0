local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("mvn", {
  { "opset 2, channel by channel", function(op, a) return ov.opset2.mvn(a, false, true, 0.01) end, { { "f32", { 1, 2, 2, 2 }, { 1.2, -0.4, -0.2,
    1.7, -1.7, -1.4, 1.9, 1.7 } } }, { { "f32", { 1, 2, 2, 2 }, { 0.6936421, -1.082082, -0.8601163, 1.248556, -1.084491, -0.9062183, 1.054779,
    0.9359304 } } } },
  { "opset 2, with channels", function(op, a) return ov.opset2.mvn(a, true, true, 0.01) end, { { "f32", { 1, 2, 2, 2 }, { -1.4, 1.9, -0.9, 1.6,
    1.6, -1.9, -2, -0.7 } } }, { { "f32", { 1, 2, 2, 2 }, { -0.7569821, 1.36901, -0.4348621, 1.175738, 1.175738, -1.079102, -1.143526,
    -0.3060141 } } } },
  { "eps inside_sqrt", function(op, a, b) return op.mvn(a, b, true, 0.1, "inside_sqrt") end, { { "f32", { 2, 2, 3 }, { 1.7, 1.2, -0.5, 1.4, -0.8,
    -0.6, -1.2, 1.8, 1.2, -0.2, -0.9, 1.9 } }, { "i64", { 1 }, { -1 } } }, { { "f32", { 2, 2, 3 }, { 0.9060606, 0.4026936, -1.308754, 1.343012,
    -0.7674354, -0.5755766, -1.349157, 0.899438, 0.449719, -0.3790712, -0.9476781, 1.326749 } } } },
  { "eps outside_sqrt", function(op, a, b) return op.mvn(a, b, true, 0.1, "outside_sqrt") end, { { "f32", { 2, 2, 3 }, { -0.4, -1.2, -0.3, 0.9,
    1.1, -1.6, 1.8, 0.7, -1.8, 1.3, 1.9, 1.4 } }, { "i64", { 1 }, { -1 } } }, { { "f32", { 2, 2, 3 }, { 0.4640973, -1.127093, 0.6629961,
    0.5771491, 0.7277098, -1.304859, 0.9753366, 0.2905258, -1.265862, -0.6437369, 1.011587, -0.3678496 } } } },
  { "the mean alone", function(op, a, b) return op.mvn(a, b, false, 0.1, "inside_sqrt") end, { { "f32", { 2, 3 }, { -2, -0.1, 0.4, 1.6, 0,
    -1.7 } }, { "i64", { 2 }, { 0, 1 } } }, { { "f32", { 2, 3 }, { -1.7, 0.2, 0.7, 1.9, 0.3, -1.4 } } } },
  { "odd sizes", function(op, a) return op.mvn(a, { 2 }, true, 0.00001, "inside_sqrt") end, { cases.random("f32", { 3, 7, 65 }) }, bound = 2e-05 },
  { "an axis twice", function(op, a) return op.mvn(a, { 1, -1 }, true, 0.1, "inside_sqrt") end, { cases.random("f32", { 2, 2 }) },
    fails = "argument" },
})
