local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op1 = ov.opset1

cases("pad", {
  { "constant", function(op, x) return op.pad(x, { 1, 2 }, { 0, 1 }, "constant") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 3, 6 }, { 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0 } } } },
  { "edge", function(op, x) return op.pad(x, { 1, 2 }, { 0, 1 }, "edge") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 3, 6 }, { 1, 1, 1, 2, 3, 3, 1, 1, 1, 2, 3, 3, 4, 4, 4, 5, 6, 6 } } } },
  { "reflect", function(op, x) return op.pad(x, { 1, 2 }, { 0, 1 }, "reflect") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 3, 6 }, { 6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5 } } } },
  { "symmetric", function(op, x) return op.pad(x, { 1, 2 }, { 0, 1 }, "symmetric") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 3, 6 }, { 2, 1, 1, 2, 3, 3, 2, 1, 1, 2, 3, 3, 5, 4, 4, 5, 6, 6 } } } },
  { "a value", function(op, x) return op.pad(x, { 0, 1 }, { 1, 0 }, "constant", 7) end, { { "i32", { 1, 1 }, { 1 } } },
    { { "i32", { 2, 2 }, { 7, 1, 7, 7 } } } },
  { "below zero cuts off", function(op, x) return op.pad(x, { -1, 1 }, { 0, -2 }, "constant") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    { { "f32", { 1, 2 }, { 0, 4 } } } },
  { "pads from outside", function(op, x, b, e) return op.pad(x, b, e, "edge") end,
    { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } }, { "i64", { 2 }, { 0, 1 } }, { "i64", { 2 }, { 0, 0 } } },
    { { "f32", { 2, 4 }, { 1, 1, 2, 3, 4, 4, 5, 6 } } }, dynamic = false },
  { "strings", function(op, x) return op.pad(x, { 1 }, { 0 }, "edge") end, { { "string", { 2 }, { "a", "b" } } },
    { { "string", { 3 }, { "a", "a", "b" } } } },
  { "images", function(op, x) return op.pad(x, { 0, 0, 1, 2 }, { 0, 0, 2, 1 }, "constant") end, { cases.random("f32", { 2, 19, 5, 4 }) } },
  { "version 1 does not cut", function(_, x) return op1.pad(x, { -1, 0 }, { 0, 0 }, "constant") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    fails = "argument" },
  { "reflect reaches too far", function(op, x) return op.pad(x, { 2, 0 }, { 0, 0 }, "reflect") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    fails = "shape" },
  { "as many pads as dimensions", function(op, x) return op.pad(x, { 1 }, { 1 }, "constant") end, { { "f32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 } } },
    fails = "shape" },
})
