local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op1 = ov.opset1

cases("broadcast", {
  { "numpy's rule", function(op, x) return op.broadcast(x, { 2, 2, 3 }) end, { { "f32", { 2, 1 }, { 1, 2 } } },
    { { "f32", { 2, 2, 3 }, { 1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2 } } } },
  { "axes told", function(op, x) return op.broadcast(x, { 2, 3 }, { 0 }, "explicit") end, { { "f32", { 2 }, { 1, 2 } } },
    { { "f32", { 2, 3 }, { 1, 1, 1, 2, 2, 2 } } } },
  { "both ways", function(op, x) return op.broadcast(x, { 1, 3 }, nil, "bidirectional") end, { { "f32", { 2, 1 }, { 1, 2 } } },
    { { "f32", { 2, 3 }, { 1, 1, 1, 2, 2, 2 } } } },
  { "version 1", function(_, x) return op1.broadcast(x, { 2, 2 }) end, { { "i64", { 1 }, { 5 } } }, { { "i64", { 2, 2 }, { 5, 5, 5, 5 } } } },
  { "a target from outside", function(op, x, s) return op.broadcast(x, s) end, { { "f32", { 2 }, { 1, 2 } }, { "i64", { 2 }, { 3, 2 } } },
    { { "f32", { 3, 2 }, { 1, 2, 1, 2, 1, 2 } } }, dynamic = false },
  { "strings", function(op, x) return op.broadcast(x, { 2 }) end, { { "string", {}, { "a" } } }, { { "string", { 2 }, { "a", "a" } } } },
  { "odd sizes", function(op, x) return op.broadcast(x, { 3, 5, 7 }) end, { cases.random("f32", { 5, 1 }) } },
  { "does not fit", function(op, x) return op.broadcast(x, { 3 }) end, { { "f32", { 2 }, { 1, 2 } } }, fails = "shape" },
  { "fewer dimensions", function(op, x) return op.broadcast(x, { 2 }) end, { { "f32", { 1, 2 }, { 1, 2 } } }, fails = "shape" },
  { "explicit needs axes", function(op, x) return op.broadcast(x, { 2, 2 }, nil, "explicit") end, { { "f32", { 2 }, { 1, 2 } } },
    fails = "argument" },
})
