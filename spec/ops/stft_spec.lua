local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("stft", {
  { "frames first", function(op, a, b) return ov.opset15.stft(a, b, 4, 2, false) end, { { "f32", { 1, 8 }, { 0.4, 0.9, 0.5, 1.7, 1.1, -0.3, -0.8,
    -1.4 } }, { "f32", { 3 }, { 0.5, 0.2, 0.2 } } }, { { "f32", { 1, 3, 3, 2 }, { 0.48, 0, 0.1, -0.18, 0.12, 0, 0.8100001, 0, 0.02999999, -0.34,
    0.13, 0, 0.33, 0, 0.71, 0.06, 0.45, 0 } } }, bound = 0.0001 },
  { "frames last", function(op, a, b) return ov.opset15.stft(a, b, 4, 2, true) end, { { "f32", { 1, 8 }, { 1.5, 0.8, 0.2, 1.4, 0.1, -0.4, 0.7,
    0.4 } }, { "f32", { 3 }, { 0.2, 0.3, 0.6 } } }, { { "f32", { 1, 3, 3, 2 }, { 0.66, 0, 0.52, 0, 0.32, 0, 0.18, -0.24, -0.02, -0.42, -0.4,
    0.12, 0.18, 0, -0.32, 0, 0.5600001, 0 } } }, bound = 0.0001 },
  { "a frame longer than the signal", function(op, a, b) return ov.opset15.stft(a, b, 9, 2, false) end, { cases.random("f32", { 1, 8 }),
    cases.random("f32", { 3 }) }, fails = "shape" },
})
