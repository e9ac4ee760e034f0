local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("inverse", {
  { "one matrix", function(op, a) return ov.opset14.inverse(a) end, { { "f32", { 2, 2 }, { 2, 1, 1, 3 } } }, { { "f32", { 2, 2 }, { 0.6, -0.2,
    -0.2, 0.4 } } } },
  { "with rows exchanged, transposed", function(op, a) return ov.opset14.inverse(a, true) end, { { "f32", { 1, 2, 2 }, { 0, 2, 1, 3 } } },
    { { "f32", { 1, 2, 2 }, { -1.5, 0.5, 1, 0 } } } },
  { "not square", function(op, a) return ov.opset14.inverse(a) end, { cases.random("f32", { 2, 3 }) }, fails = "shape" },
})
