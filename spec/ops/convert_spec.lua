local cases = require("spec.support.op_cases")
local ov = require("ovlite")
local op14 = ov.opset14

cases("convert", {
  { "floats are cut and saturate", function(op, x) return { op.convert(x, "i32"), op.convert(x, "u8"), op.convert(x, "i8") } end,
    { { "f32", { 5 }, { -1.89999998, 1.89999998, 300.5, 0 / 0, -math.huge } } },
    { { "i32", { 5 }, { -1, 1, 300, 0, -2147483648 } }, { "u8", { 5 }, { 0, 1, 255, 0, 0 } }, { "i8", { 5 }, { -1, 1, 127, 0, -128 } } } },
  { "whole numbers keep their low bits", function(op, x) return { op.convert(x, "u8"), op.convert(x, "i16") } end,
    { { "i32", { 3 }, { 300, -1, 65537 } } }, { { "u8", { 3 }, { 44, 255, 1 } }, { "i16", { 3 }, { 300, -1, 1 } } } },
  { "to boolean", function(op, x) return op.convert(x, "boolean") end, { { "f32", { 3 }, { 0, 0.5, -3 } } },
    { { "boolean", { 3 }, { false, true, true } } } },
  { "from boolean", function(op, x) return op.convert(x, "f32") end, { { "boolean", { 2 }, { true, false } } }, { { "f32", { 2 }, { 1, 0 } } } },
  { "f16 and back", function(op, x) return op.convert(op.convert(x, "f16"), "f32") end, { { "f32", { 3 }, { 1.00097656, 70000, -2.5 } } },
    { { "f32", { 3 }, { 1.00097656, math.huge, -2.5 } } } },
  { "bf16 and back", function(op, x) return op.convert(op.convert(x, "bf16"), "f32") end, { { "f32", { 3 }, { 1.0078125, 1.00100005, -3 } } },
    { { "f32", { 3 }, { 1.0078125, 1, -3 } } } },
  { "i4 and back", function(op, x) return op.convert(op.convert(x, "i4"), "i32") end, { { "i32", { 3 }, { -8, 7, 3 } } },
    { { "i32", { 3 }, { -8, 7, 3 } } }, dynamic = false },
  { "convert_like", function(op, x, like) return op.convert_like(x, like) end, { { "f32", { 2 }, { 1.5, -2.5 } }, { "i64", { 1 }, { 0 } } },
    { { "i64", { 2 }, { 1, -2 } } } },
  { "odd sizes", function(op, x) return op.convert(x, "f16") end, { cases.random("f32", { 3, 37 }) }, bound = 1e-3 },
  { "promoted types", function(_, a, b) local y = op14.convert_promote_types(a, b); return { y:output(1), y:output(2) } end,
    { { "i8", { 2 }, { 1, 2 } }, { "f32", { 1 }, { 0.5 } } }, { { "f32", { 2 }, { 1, 2 } }, { "f32", { 1 }, { 0.5 } } } },
  { "promotion that loses", function(_, a, b) return op14.convert_promote_types(a, b) end, { { "i32", { 1 }, { 1 } }, { "f16", { 1 }, { 0.5 } } },
    fails = "type" },
  { "a scalar follows the tensor", function(_, a, b) return op14.convert_promote_types(a, b, true, true):output(2) end,
    { { "i8", { 2 }, { 1, 2 } }, { "i64", {}, { 3 } } }, { { "i8", {}, { 3 } } } },
  { "strings are no numbers", function(op, x) return op.convert(x, "f32") end, { { "string", { 1 }, { "a" } } }, fails = "type" },
})
