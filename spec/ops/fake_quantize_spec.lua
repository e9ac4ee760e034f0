local cases = require("spec.support.op_cases")

cases("fake_quantize", {
  { "four levels", function(op, a, b, c, d, e) return op.fake_quantize(a, b, c, d, e, 4) end, { { "f32", { 7 }, { -3, -1, -0.4, 0.2, 0.9, 1.6,
    5 } }, { "f32", {}, { -1 } }, { "f32", {}, { 2 } }, { "f32", {}, { -2 } }, { "f32", {}, { 4 } } }, { { "f32", { 7 }, { -2, -2, 0, 0, 2, 4,
    4 } } } },
  { "ranges for each channel", function(op, a, b, c, d, e) return op.fake_quantize(a, b, c, d, e, 16) end, { { "f32", { 1, 2, 3 }, { 0.6, -1.8,
    0.3, 0.5, 0.3, 2 } }, { "f32", { 1, 2, 1 }, { -1, -0.5 } }, { "f32", { 1, 2, 1 }, { 1, 0.5 } }, { "f32", { 1, 2, 1 }, { -2, 0 } }, { "f32",
    { 1, 2, 1 }, { 2, 1 } } }, { { "f32", { 1, 2, 3 }, { 1.2, -2, 0.6666667, 1, 0.8, 1 } } }, bound = 0.0001 },
  { "to 8-bit floats", function(op, a, b) return op.fake_convert(a, b, { destination_type = "f8e4m3" }) end, { { "f32", { 5 }, { 0.1, 1.3, -27.9,
    1000, 0 } }, { "f32", {}, { 1 } } }, { { "f32", { 5 }, { 0.1015625, 1.25, -28, 448, 0 } } } },
  { "to 8-bit floats with a wide range", function(op, a, b, c) return op.fake_convert(a, b, c, "f8e5m2") end, { { "f32", { 5 }, { 0.1, 1.3, -27.9,
    1000, 0 } }, { "f32", {}, { 2 } }, { "f32", {}, { 0.5 } } }, { { "f32", { 5 }, { 0.09375, 1.25, -27.75, 1024.25, 0 } } } },
  { "one level", function(op, a) return op.fake_quantize(a, a, a, a, a, 1) end, { cases.random("f32", { 2 }) }, fails = "argument" },
})
