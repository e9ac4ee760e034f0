-- What exporters write of dynamic models: chains of Shape, Gather, Concat and the like that compute sizes. They follow the input's shape, and cost nothing: no
-- step of a run computes one.
local ov = require("ovlite")
local onnx = require("spec.support.onnx")
local support = require("spec.support.support")
local node = onnx.node

local function i64(name, ...) return onnx.tensor(name, { select("#", ...) }, { ... }, "i64") end
local function scalar(name, v) return onnx.tensor(name, {}, { v }, "i64") end

local ARITHMETIC = { ShapeOf = true, Gather = true, Concat = true, Unsqueeze = true, Squeeze = true, Multiply = true, Add = true, Subtract = true, Divide = true,
  Convert = true, Range = true, Slice = true, Floor = true, ReduceProd = true, Broadcast = true, Select = true, Equal = true, Reshape = true }

-- {name, nodes, initializers, dims of x, {{dims of a run, dims of y}, ...}, steps that remain}
local GRAPHS = {
  { "x.view(x.size(0), -1)", { node("Shape", { "x" }, { "s" }), node("Gather", { "s", "zero" }, { "b" }, { axis = 0 }),
    node("Unsqueeze", { "b", "axes0" }, { "b1" }), node("Concat", { "b1", "rest" }, { "to" }, { axis = 0 }), node("Reshape", { "x", "to" }, { "v" }),
    node("Relu", { "v" }, { "y" }) }, { scalar("zero", 0), i64("axes0", 0), i64("rest", -1) }, { "b", "c", 3 },
    { { { 2, 5, 3 }, { 2, 15 } }, { { 1, 4, 3 }, { 1, 12 } } }, { Relu = 1 } },
  { "heads apart, and together again", { node("Shape", { "x" }, { "s" }), node("Gather", { "s", "zero" }, { "b" }), node("Gather", { "s", "one" }, { "t" }),
    node("Unsqueeze", { "b", "axes0" }, { "b1" }), node("Unsqueeze", { "t", "axes0" }, { "t1" }), node("Concat", { "b1", "t1", "heads", "size" }, { "to" }, { axis = 0 }),
    node("Reshape", { "x", "to" }, { "a" }), node("Transpose", { "a" }, { "p" }, { perm = { 0, 2, 1, 3 } }), node("Softmax", { "p" }, { "q" }, { axis = -1 }),
    node("Transpose", { "q" }, { "r" }, { perm = { 0, 2, 1, 3 } }), node("Mul", { "heads", "size" }, { "d" }),
    node("Concat", { "b1", "t1", "d" }, { "back" }, { axis = 0 }), node("Reshape", { "r", "back" }, { "y" }) },
    { scalar("zero", 0), scalar("one", 1), i64("axes0", 0), i64("heads", 2), i64("size", 4) }, { "b", "t", 8 },
    { { { 1, 3, 8 }, { 1, 3, 8 } }, { { 2, 7, 8 }, { 2, 7, 8 } } }, { Softmax = 1 } },
  { "a resize to twice the size", { node("Shape", { "x" }, { "s" }), node("Slice", { "s", "from", "to", "axes0" }, { "hw" }), node("Mul", { "hw", "two" }, { "big" }),
    node("Slice", { "s", "axes0", "from", "axes0" }, { "nc" }), node("Concat", { "nc", "big" }, { "sizes" }, { axis = 0 }),
    node("Resize", { "x", "", "", "sizes" }, { "y" }, { mode = "nearest" }) },
    { i64("axes0", 0), i64("from", 2), i64("to", 4), i64("two", 2) }, { 1, 2, "h", "w" },
    { { { 1, 2, 3, 5 }, { 1, 2, 6, 10 } }, { { 1, 2, 4, 4 }, { 1, 2, 8, 8 } } }, { Interpolate = 1 } },
  { "pads up to a multiple of 4", { node("Shape", { "x" }, { "s" }), node("Gather", { "s", "one" }, { "w" }), node("Neg", { "w" }, { "n" }),
    node("Mod", { "n", "four" }, { "more" }), node("Unsqueeze", { "more", "axes0" }, { "m1" }), node("Concat", { "zeros", "m1" }, { "pads" }, { axis = 0 }),
    node("Pad", { "x", "pads" }, { "p" }), node("Relu", { "p" }, { "y" }) },
    { scalar("one", 1), scalar("four", 4), i64("axes0", 0), i64("zeros", 0, 0, 0) }, { 2, "w" },
    { { { 2, 5 }, { 2, 8 } }, { { 2, 9 }, { 2, 12 } } }, { Relu = 1, Pad = 1 } },
  { "a mask of ones, expanded", { node("Shape", { "x" }, { "s" }), node("Expand", { "value", "s" }, { "m" }), node("Mul", { "x", "m" }, { "y" }) },
    { onnx.tensor("value", { 1 }, { 2 }, "f32") }, { "b", "n" }, { { { 2, 3 }, { 2, 3 } }, { { 1, 5 }, { 1, 5 } } }, { Multiply = 1 } },
  { "a branch by the rank", { node("Shape", { "x" }, { "s" }), node("Size", { "s" }, { "rank" }), node("Equal", { "rank", "three" }, { "is" }),
    node("If", { "is" }, { "y" }, {
      then_branch = { graph = onnx.graph({ nodes = { node("Relu", { "x" }, { "t" }) }, outputs = { { "t" } } }) },
      else_branch = { graph = onnx.graph({ nodes = { node("Unsqueeze", { "x", "axes0" }, { "e" }) }, outputs = { { "e" } } }) } }) },
    { scalar("three", 3), i64("axes0", 0) }, { "a", "b", "c" }, { { { 2, 3, 4 }, { 2, 3, 4 } } }, { Relu = 1 } },
}

local function steps_of(request)
  local steps = {}
  for _, s in ipairs(request:get_profiling_info()) do
    if s.status == "EXECUTED" then steps[#steps + 1] = s end
  end
  return steps
end

describe("shape arithmetic of exporters", function()
  for _, g in ipairs(GRAPHS) do
    it(g[1], function()
      local bytes = onnx.model({ nodes = g[2], initializers = g[3], inputs = { { "x", g[4] } }, outputs = { { "y" } }, opset = 17 })
      local model = ov.Core():read_model({ model = bytes })
      local request = ov.Core():compile_model(model, "CPU", { ENABLE_PROFILING = true }):create_infer_request()
      local random = support.random(7)
      for _, run in ipairs(g[5]) do
        local x = random:tensor("f32", run[1], -1, 1)
        local y = request:infer({ x })[1]
        assert.same(run[2], y.shape)
        local steps, there = steps_of(request), {}
        for _, step in ipairs(steps) do
          there[step.node_type] = true
          assert.is_true(not ARITHMETIC[step.node_type] or g[6][step.node_type] ~= nil, step.node_type .. " is computed in the run")
        end
        for kind in pairs(g[6]) do assert.is_true(there[kind], kind .. " is not among the steps") end
        -- the same with nothing open
        local fixed = model:clone()
        fixed:reshape(run[1])
        support.close(ov.Core():compile_model(fixed, "CPU"):create_infer_request():infer({ x })[1], y, 0)
      end
    end)
  end
end)
