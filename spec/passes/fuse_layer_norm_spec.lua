local cases = require("spec.support.pass_cases")
local support = require("spec.support.support")
local x = cases.random("f32", { 2, 3, 16 }, -2, 2)
local function row(op, shape, seed) return op.constant(support.random(seed):tensor("f32", shape)) end
local function mean(op, a) return op.reduce_mean(a, { -1 }, true) end
local function centred(op, a) return op.subtract(a, mean(op, a)) end
local function affine(op, a) return op.add(op.multiply(a, row(op, { 16 }, 1)), row(op, { 16 }, 2)) end
local function mvn(op, a, axes) return op.mvn(a, axes, true, 1e-5, "INSIDE_SQRT") end

-- Where the last dimension is open, gamma might make the result larger: then the product waits for known shapes like everything else.
cases("fuse_layer_norm", {
  { "mvn, gamma, beta", function(op, a) return affine(op, mvn(op, a, { -1 })) end, { x }, "LayerNorm" },
  { "mvn and gamma", function(op, a) return op.multiply(row(op, { 1, 1, 16 }, 1), mvn(op, a, { 2 })) end, { x }, "LayerNorm" },
  { "mvn and beta", function(op, a) return op.add(mvn(op, a, { 2 }), row(op, { 16 }, 1)) end, { x }, "LayerNorm" },
  { "a number for gamma", function(op, a) return op.add(op.multiply(mvn(op, a, { 2 }), 3.0), row(op, { 16 }, 1)) end, { x }, "LayerNorm" },
  { "two dimensions", function(op, a) return op.multiply(mvn(op, a, { 1, 2 }), row(op, { 3, 16 }, 1)) end, { x }, "LayerNorm" },
  { "gamma of another dimension stays", function(op, a) return op.multiply(mvn(op, a, { 2 }), row(op, { 3, 1 }, 1)) end, { x }, "MVN Multiply" },
  { "written out", function(op, a)
    local d = centred(op, a)
    return affine(op, op.divide(d, op.sqrt(op.add(mean(op, op.power(d, 2.0)), 1e-5))))
  end, { x }, "LayerNorm" },
  { "written out, two differences, a product", function(op, a)
    local d = centred(op, a)
    return affine(op, op.multiply(centred(op, a), op.power(op.add(mean(op, op.multiply(d, d)), 1e-5), -0.5)))
  end, { x }, "LayerNorm" },
  { "written out, squared differences, a reciprocal", function(op, a)
    local v = mean(op, op.squared_difference(a, mean(op, a)))
    return op.multiply(centred(op, a), op.divide(1.0, op.sqrt(op.add(v, 1e-5))))
  end, { x }, "MVN" },
  { "rms", function(op, a) return op.multiply(a, op.power(op.add(mean(op, op.power(a, 2.0)), 1e-6), -0.5)) end, { x }, "RMS" },
  { "rms and gamma", function(op, a)
    return op.multiply(op.divide(a, op.sqrt(op.add(mean(op, op.multiply(a, a)), 1e-6))), row(op, { 16 }, 1))
  end, { x }, "RMS" },
  { "another mean is none of these", function(op, a)
    local d = centred(op, a)
    return op.divide(d, op.sqrt(op.add(op.reduce_mean(op.power(d, 2.0), { 1 }, true), 1e-5)))
  end, { x }, "ReduceMean Subtract Power ReduceMean Add Divide" },
})
