local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("softmax", {
  { "the last axis", function(op, a) return op.softmax(a, -1) end, { { "f32", { 2, 3 }, { 0.2, 0.5, 0.3, -1.7, 0.5, 1 } } }, { { "f32", { 2, 3 },
    { 0.2894331, 0.3906938, 0.319873, 0.04015299, 0.3623813, 0.5974658 } } } },
  { "an inner axis", function(op, a) return op.softmax(a, 1) end, { { "f32", { 1, 2, 3 }, { -1.4, 0.4, 1.3, -1.2, 1.7, 1.9 } } }, { { "f32", { 1,
    2, 3 }, { 0.450166, 0.214165, 0.3543437, 0.549834, 0.785835, 0.6456563 } } } },
  { "opset 1", function(op, a) return ov.opset1.softmax(a, 1) end, { { "f32", { 2, 2 }, { 0.8, 1.5, -0.9, 0.7 } } }, { { "f32", { 2, 2 },
    { 0.3318122, 0.6681877, 0.1679816, 0.8320184 } } } },
  { "logarithms", function(op, a) return op.log_softmax(a, -1) end, { { "f32", { 2, 3 }, { 1.7, -1.8, 1.3, -1.1, 1.2, 0.6 } } }, { { "f32", { 2,
    3 }, { -0.5309325, -4.030932, -0.9309326, -2.800212, -0.5002118, -1.100212 } } } },
  { "large numbers", function(op, a) return op.softmax(a, 0) end, { { "f32", { 3 }, { 1000, 1001, 999 } } }, { { "f32", { 3 }, { 0.2447285,
    0.6652409, 0.09003057 } } } },
  { "odd sizes", function(op, a) return { op.softmax(a, -1), op.softmax(a, 1), op.log_softmax(a, 0) } end, { cases.random("f32", { 5, 17,
    33 }) } },
  { "no such axis", function(op, a) return op.softmax(a, 2) end, { cases.random("f32", { 2, 2 }) }, fails = "argument" },
  { "whole numbers", function(op, a) return op.softmax(a, 0) end, { cases.random("i32", { 2 }) }, fails = "type" },
})
