local cases = require("spec.support.op_cases")
local ov = require("ovlite")

cases("non_max_suppression", {
  { "sorted", function(op, a, b) return op.non_max_suppression(a, b, 3, 0.5, 0.25, 0, { sort_result_descending = true }):outputs() end, { { "f32",
    { 1, 5, 4 }, { 0, 0, 1, 1, 0.1, 0, 1.1, 1, 0, 2, 1, 3, 0, 2.1, 1, 3, 3, 3, 4, 4 } }, { "f32", { 1, 2, 5 }, { 0.9, 0.8, 0.7, 0.95, 0.2, 0.1,
    0.5, 0.6, 0.4, 0.3 } } }, { { "i64", { 5, 3 }, { 0, 0, 3, 0, 0, 0, 0, 1, 2, 0, 1, 1, 0, 1, 4 } }, { "f32", { 5, 3 }, { 0, 0, 0.95, 0, 0,
    0.9, 0, 1, 0.6, 0, 1, 0.5, 0, 1, 0.3 } }, { "i64", { 1 }, { 5 } } } },
  { "class by class", function(op, a, b) return op.non_max_suppression(a, b, 3, 0.5, 0.25, 0, { sort_result_descending = false }):outputs() end,
    { { "f32", { 1, 5, 4 }, { 0, 0, 1, 1, 0.1, 0, 1.1, 1, 0, 2, 1, 3, 0, 2.1, 1, 3, 3, 3, 4, 4 } }, { "f32", { 1, 2, 5 }, { 0.9, 0.8, 0.7, 0.95,
    0.2, 0.1, 0.5, 0.6, 0.4, 0.3 } } }, { { "i64", { 5, 3 }, { 0, 0, 3, 0, 0, 0, 0, 1, 2, 0, 1, 1, 0, 1, 4 } }, { "f32", { 5, 3 }, { 0, 0, 0.95,
    0, 0, 0.9, 0, 1, 0.6, 0, 1, 0.5, 0, 1, 0.3 } }, { "i64", { 1 }, { 5 } } } },
  { "softly", function(op, a, b) return op.non_max_suppression(a, b, 3, 0.5, 0.25, 0.5):outputs() end, { { "f32", { 1, 5, 4 }, { 0, 0, 1, 1, 0.1,
    0, 1.1, 1, 0, 2, 1, 3, 0, 2.1, 1, 3, 3, 3, 4, 4 } }, { "f32", { 1, 2, 5 }, { 0.9, 0.8, 0.7, 0.95, 0.2, 0.1, 0.5, 0.6, 0.4, 0.3 } } },
    { { "i64", { 6, 3 }, { 0, 0, 3, 0, 0, 0, 0, 1, 2, 0, 1, 1, 0, 0, 1, 0, 1, 4 } }, { "f32", { 6, 3 }, { 0, 0, 0.95, 0, 0, 0.9, 0, 1, 0.6, 0,
    1, 0.5, 0, 0, 0.4096038, 0, 1, 0.3 } }, { "i64", { 1 }, { 6 } } } },
  { "boxes by their centres", function(op, a, b) return op.non_max_suppression(a, b, 3, 0.5, 0.25, 0, { box_encoding = "center",
    output_type = "i32" }):outputs() end, { { "f32", { 1, 3, 4 }, { 0.5, 0.5, 1, 1, 0.6, 0.5, 1, 1, 3, 3, 1, 1 } }, { "f32", { 1, 1, 3 }, { 0.5,
    0.9, 0.7 } } }, { { "i32", { 2, 3 }, { 0, 0, 1, 0, 0, 2 } }, { "f32", { 2, 3 }, { 0, 0, 0.9, 0, 0, 0.7 } }, { "i32", { 1 }, { 2 } } } },
  { "opset 1", function(op, a, b) return ov.opset1.non_max_suppression(a, b, 3, 0.5, 0.25) end, { { "f32", { 1, 5, 4 }, { 0, 0, 1, 1, 0.1, 0, 1.1,
    1, 0, 2, 1, 3, 0, 2.1, 1, 3, 3, 3, 4, 4 } }, { "f32", { 1, 2, 5 }, { 0.9, 0.8, 0.7, 0.95, 0.2, 0.1, 0.5, 0.6, 0.4, 0.3 } } }, { { "i64",
    { 5, 3 }, { 0, 0, 3, 0, 0, 0, 0, 1, 2, 0, 1, 1, 0, 1, 4 } } } },
  { "turned boxes, clockwise", function(op, a, b) return op.nms_rotated(a, b, 3, 0.3, 0.1, { clockwise = true }):outputs() end, { { "f32", { 1, 4,
    5 }, { 2, 2, 4, 1, 0, 2, 2, 4, 1, 1.5, 3, 2.8, 4, 1, 0.3, 2.2, 2, 4, 1, 0.1 } }, { "f32", { 1, 1, 4 }, { 0.9, 0.8, 0.7, 0.6 } } },
    { { "i64", { 3, 3 }, { 0, 0, 0, 0, 0, 1, 0, 0, 2 } }, { "f32", { 3, 3 }, { 0, 0, 0.9, 0, 0, 0.8, 0, 0, 0.7 } }, { "i64", { 1 }, { 3 } } } },
  { "turned boxes, the other way", function(op, a, b) return op.nms_rotated(a, b, 3, 0.3, 0.1, { clockwise = false }):outputs() end, { { "f32",
    { 1, 4, 5 }, { 2, 2, 4, 1, 0, 2, 2, 4, 1, 1.5, 3, 2.8, 4, 1, 0.3, 2.2, 2, 4, 1, 0.1 } }, { "f32", { 1, 1, 4 }, { 0.9, 0.8, 0.7, 0.6 } } },
    { { "i64", { 3, 3 }, { 0, 0, 0, 0, 0, 1, 0, 0, 2 } }, { "f32", { 3, 3 }, { 0, 0, 0.9, 0, 0, 0.8, 0, 0, 0.7 } }, { "i64", { 1 }, { 3 } } } },
  { "boxes of three numbers", function(op, a, b) return op.non_max_suppression(a, b, 3, 0.5, 0.25, 0) end, { cases.random("f32", { 1, 2, 3 }),
    cases.random("f32", { 1, 1, 2 }) }, fails = "shape" },
})

-- What the rule says, word for word: of the boxes of a class, best first, each is kept that overlaps none of those kept.
local function expected(boxes, scores, classes, count, most, iou, least)
  local function corners(i) return boxes[4 * i + 1], boxes[4 * i + 2], boxes[4 * i + 3], boxes[4 * i + 4] end
  local function overlap(a, b)
    local ay, ax, by, bx = corners(a)
    local cy, cx, dy, dx = corners(b)
    local area, other = (by - ay) * (bx - ax), (dy - cy) * (dx - cx)
    local both = math.max(0, math.min(by, dy) - math.max(ay, cy)) * math.max(0, math.min(bx, dx) - math.max(ax, cx))
    return area > 0 and other > 0 and both / (area + other - both) or 0
  end
  local out = {}
  for class = 0, classes - 1 do
    local order, kept = {}, {}
    for i = 0, count - 1 do
      if scores[class * count + i + 1] > least then order[#order + 1] = i end
    end
    table.sort(order, function(a, b)
      local x, y = scores[class * count + a + 1], scores[class * count + b + 1]
      return x > y or (x == y and a < b)
    end)
    for _, i in ipairs(order) do
      local good = #kept < most
      for _, k in ipairs(kept) do good = good and not (overlap(i, k) > iou) end
      if good then kept[#kept + 1] = i end
    end
    for _, i in ipairs(kept) do out[#out + 1], out[#out + 2], out[#out + 3] = 0, class, i end
  end
  return out
end

describe("non_max_suppression of many boxes", function()
  local support = require("spec.support.support")
  for n, count in ipairs({ 1, 7, 8, 9, 17, 63, 200, 1001 }) do
    it(("keeps what the rule keeps of %d"):format(count), function()
      local random, classes = support.random(n), 3
      local places, sizes = random:tensor("f32", { count, 2 }, 0, 20):flat(), random:tensor("f32", { count, 2 }, -0.5, 6):flat()
      local scores = random:tensor("f32", { 1, classes, count }, 0, 1):flat()
      local boxes = {}
      for i = 0, count - 1 do
        for side = 1, 2 do
          boxes[4 * i + side] = places[2 * i + side]
          boxes[4 * i + side + 2] = places[2 * i + side] + math.max(0, sizes[2 * i + side]) -- some of no area
        end
        for class = 0, classes - 1 do -- and some equal scores
          local at = class * count + i + 1
          scores[at] = math.floor(scores[at] * 100) / 128
        end
      end
      local b, s = ov.Tensor("f32", { 1, count, 4 }, boxes), ov.Tensor("f32", { 1, classes, count }, scores)
      boxes, scores = b:flat(), s:flat()
      for _, most in ipairs({ 1, 5, count }) do
        for _, iou in ipairs({ 0, 0.25, 0.5 }) do
          local model = support.model(function(op, x, y)
            return op.non_max_suppression(x, y, most, iou, 0.125, 0, { sort_result_descending = false }):output(1)
          end, { b, s })
          local got = ov.Core():compile_model(model, "CPU"):create_infer_request():infer({ b, s })[1]
          assert.are.same(expected(boxes, scores, classes, count, most, iou, 0.125), got:flat())
        end
      end
    end)
  end
end)
