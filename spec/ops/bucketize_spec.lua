local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op15 = ov.opset15

cases("bucketize", {
  { "right bounds belong to the bucket", function(op, x, b) return op.bucketize(x, b) end,
    { { "f32", { 2, 4 }, { 0.200000003, 6.4000001, 3, 1.60000002, 0, 2.5, 5, 10 } }, { "f32", { 4 }, { 0, 2.5, 5, 10 } } },
    { { "i64", { 2, 4 }, { 1, 3, 2, 1, 0, 1, 2, 3 } } } },
  { "or to the next", function(op, x, b) return op.bucketize(x, b, "i32", false) end,
    { { "f32", { 2, 4 }, { 0.200000003, 6.4000001, 3, 1.60000002, 0, 2.5, 5, 10 } }, { "f32", { 4 }, { 0, 2.5, 5, 10 } } },
    { { "i32", { 2, 4 }, { 1, 3, 2, 1, 1, 2, 3, 4 } } } },
  { "whole values among float bounds", function(op, x, b) return op.bucketize(x, b) end,
    { { "i32", { 2 }, { 2, 3 } }, { "f32", { 4 }, { 0, 2.5, 5, 10 } } }, { { "i64", { 2 }, { 1, 2 } } } },
  { "no bounds", function(op, x, b) return op.bucketize(x, b) end, { { "f32", { 1 }, { 1 } }, { "f32", { 0 }, {} } }, { { "i64", { 1 }, { 0 } } } },
  { "bounds in a row", function(op, x, b) return op.bucketize(x, b) end,
    { { "f32", { 2, 4 }, { 0.200000003, 6.4000001, 3, 1.60000002, 0, 2.5, 5, 10 } }, { "f32", { 2, 4 },
      { 0.200000003, 6.4000001, 3, 1.60000002, 0, 2.5, 5, 10 } } },
    fails = "shape" },
  { "search_sorted", function(_, a, v) return op15.search_sorted(a, v) end, { { "f32", { 3 }, { 1, 3, 5 } }, { "f32", { 2, 2 }, { 3, 6, 0, 5 } } },
    { { "i64", { 2, 2 }, { 1, 3, 0, 2 } } } },
  { "search_sorted, right, a list for each row", function(_, a, v) return op15.search_sorted(a, v, true) end,
    { { "f32", { 2, 2 }, { 1, 3, 2, 4 } }, { "f32", { 2, 1 }, { 3, 3 } } }, { { "i64", { 2, 1 }, { 2, 1 } } } },
  { "search_sorted, rows that differ", function(_, a, v) return op15.search_sorted(a, v) end,
    { { "f32", { 2, 2 }, { 1, 3, 2, 4 } }, { "f32", { 1, 1 }, { 3 } } }, fails = "shape" },
})
