local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op1 = ov.opset1

cases("range", {
  { "whole numbers", function(op, a) return op.range(a, 7, 2, "i64") end, { { "i64", {}, { 1 } } }, { { "i64", { 3 }, { 1, 3, 5 } } },
    dynamic = false },
  { "downwards", function(op, a) return op.range(a, -1, -1, "i32") end, { { "i32", {}, { 2 } } }, { { "i32", { 3 }, { 2, 1, 0 } } },
    dynamic = false },
  { "floats", function(op, a) return op.range(a, 1, 0.25, "f32") end, { { "f32", {}, { 0 } } }, { { "f32", { 4 }, { 0, 0.25, 0.5, 0.75 } } },
    dynamic = false },
  { "nothing", function(op, a) return op.range(a, 5, 1, "i32") end, { { "i32", {}, { 5 } } }, { { "i32", { 0 }, {} } }, dynamic = false },
  { "the length comes from the data", function(op, a, b) return op.range(a, b, 1, "f32") end, { { "i64", {}, { 0 } }, { "i64", {}, { 3 } } },
    { { "f32", { 3 }, { 0, 1, 2 } } }, dynamic = false },
  { "version 1", function(_, a, b, c) return op1.range(a, b, c) end, { { "f32", {}, { 1 } }, { "f32", {}, { 2 } }, { "f32", {}, { 0.5 } } },
    { { "f32", { 2 }, { 1, 1.5 } } }, dynamic = false },
  { "a step of zero", function(op, a) return op.range(a, 2, 0, "f32") end, { { "f32", {}, { 1 } } }, fails = "argument" },
  { "types that differ in version 1", function(_, a, b) return op1.range(a, b, 1) end, { { "f32", {}, { 1 } }, { "i64", {}, { 1 } } },
    fails = "type" },
})
