local cases = require("spec.support.pass_cases")
local q = cases.random("f32", { 2, 3, 5, 8 })
local k = cases.random("f32", { 2, 3, 7, 8 })
local v = cases.random("f32", { 2, 3, 7, 6 })
local flat = { cases.random("f32", { 2, 5, 8 }), cases.random("f32", { 2, 7, 8 }), cases.random("f32", { 2, 7, 6 }) }
local NAME = "ScaledDotProductAttention"

cases("fuse_attention", {
  { "turned by the product, divided behind it", function(op, a, b, c)
    return op.matmul(op.softmax(op.divide(op.matmul(a, b, false, true), math.sqrt(8)), -1), c, false, false)
  end, { q, k, v }, NAME },
  { "turned by a transpose, parts of the scale on both", function(op, a, b, c)
    local turned = op.multiply(op.transpose(b, { 0, 1, 3, 2 }), 0.5)
    return op.matmul(op.softmax(op.matmul(op.multiply(a, 0.7), turned, false, false), 3), c, false, false)
  end, { q, k, v }, NAME },
  { "keys with heads in the middle", function(op, a, b, c)
    return op.matmul(op.softmax(op.matmul(a, op.transpose(b, { 0, 2, 3, 1 }), false, false), 3), c, false, false)
  end, { q, cases.random("f32", { 2, 7, 3, 8 }), v }, NAME },
  { "the scale below the transpose", function(op, a, b, c)
    return op.matmul(op.softmax(op.matmul(a, op.transpose(op.multiply(b, 0.3), { 0, 1, 3, 2 }), false, false), 3), c, false, false)
  end, { q, k, v }, NAME },
  { "no scale, three dimensions", function(op, a, b, c)
    return op.matmul(op.softmax(op.matmul(a, b, false, true), 2), c, false, false)
  end, flat, NAME },
  { "mask", function(op, a, b, c, m)
    return op.matmul(op.softmax(op.add(m, op.multiply(op.matmul(a, b, false, true), 0.2)), 3), c, false, false)
  end, { q, k, v, cases.random("f32", { 2, 1, 5, 7 }, -9, 0) }, NAME },
  { "a mask for all", function(op, a, b, c, m)
    return op.matmul(op.softmax(op.add(op.matmul(a, b, false, true), m), 3), c, false, false)
  end, { q, k, v, cases.random("f32", { 7 }, -9, 0) }, NAME },
  { "values turned", function(op, a, b, c)
    return op.matmul(op.softmax(op.matmul(a, b, false, true), 3), c, false, true)
  end, { q, k, cases.random("f32", { 2, 3, 6, 7 }) }, NAME },
  { "a scale from a shape", function(op, a, b, c)
    local width = op.gather(op.shape_of(a), 3, 0)
    local s = op.divide(1.0, op.sqrt(op.convert(width, "f32")))
    local r = op.sqrt(s)
    return op.matmul(op.softmax(op.matmul(op.multiply(a, r), op.multiply(op.transpose(b, { 0, 1, 3, 2 }), r), false, false), 3), c, false, false)
  end, { q, k, v }, NAME },
  { "weights that are seen", function(op, a, b, c)
    local w = op.softmax(op.matmul(a, b, false, true), 3)
    return { op.matmul(w, c, false, false), w }
  end, { q, k, v }, "MatMul Softmax MatMul" },
  { "softmax over another dimension", function(op, a, b, c)
    return op.matmul(op.softmax(op.matmul(a, b, false, true), 2), c, false, false)
  end, { q, k, v }, "MatMul Softmax MatMul" },
})
