-- Operations on whole tensors: sorting, gathering, scaling, suppression, CTC, and `out`, which reuses memory.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local nan = 0 / 0

local function same(want, got) assert.are.same(want, got) end

describe("sort", function()
  it("sorts along a dimension and says where each came from", function()
    local values, positions = ov.Tensor("f32", { 2, 3 }, { 3, 1, 2, -1, 5, 0 }):sort()
    same({ { 1, 2, 3 }, { -1, 0, 5 } }, values:totable())
    same({ { 2, 3, 1 }, { 1, 3, 2 } }, positions:totable())
    same("i64", positions.element_type)
    values, positions = ov.Tensor("i8", { 2, 3 }, { 3, 1, 2, -1, 5, 0 }):sort(1)
    same({ { -1, 1, 0 }, { 3, 5, 2 } }, values:totable())
    same({ { 2, 1, 2 }, { 1, 2, 1 } }, positions:totable())
  end)

  it("keeps the order of equals in both directions, and puts NaN above all", function()
    local t = ov.Tensor("f64", { 5 }, { 1, nan, 0, 1, -math.huge })
    same({ 5, 3, 1, 4, 2 }, select(2, t:sort()):flat())
    same({ 2, 1, 4, 3, 5 }, select(2, t:sort({ descending = true })):flat())
    same({ 1, 2, 3 }, select(2, ov.Tensor("f32", { 3 }, { 0, -0.0, 0 }):sort()):flat())
  end)

  it("agrees with table.sort on every type and length", function()
    local random = support.random(4)
    for _, name in ipairs({ "f32", "f16", "u8", "i32", "i64", "u64" }) do
      for _, n in ipairs({ 0, 1, 2, 7, 300, 1025 }) do
        local t = random:tensor(name, { n })
        local want = t:flat()
        table.sort(want)
        same(want, (t:sort()):flat())
      end
    end
  end)

  it("says what is wrong", function()
    broken(function() ov.Tensor("f32", {}):sort() end, "argument")
    broken(function() ov.Tensor("f32", { 2 }):sort(2) end, "not_found")
    broken(function() ov.Tensor("string", { 2 }):sort() end, "type")
    broken(function() ov.Tensor("f32", { 2 }):sort({ reverse = true }) end, "argument")
    local one = ov.Tensor("f32", { 2 })
    broken(function() one:sort({ out = { one } }) end, "type")
    broken(function() one:sort({ out = one }) end, "type")
  end)
end)

describe("gather", function()
  local t = ov.Tensor("i32", { 2, 3 }, { 1, 2, 3, 4, 5, 6 })
  it("takes positions from a tensor, a list or a number", function()
    same({ { 3, 1 }, { 6, 4 } }, t:gather(2, { 3, 1 }):totable())
    same({ { 4, 5, 6 }, { 1, 2, 3 }, { 4, 5, 6 } }, t:gather(1, ov.Tensor({ 2, 1, 2 }, "u8")):totable())
    same({ 2, 5 }, t:gather(2, 2):totable())
    same({ 2, 2, 2 }, t:gather(2, { { 1, 2 }, { 3, 3 } }).shape)
    same({ 2, 0 }, t:gather(2, ov.Tensor("i64", { 0 })).shape)
  end)

  it("says what is wrong", function()
    local message = broken(function() t:gather(2, { 1, 4 }) end, "not_found")
    assert.is_truthy(message:find("no position 4 in dimension 2: its positions are 1 to 3", 1, true))
    broken(function() t:gather(2, { 0 }) end, "not_found")
    broken(function() t:gather(3, { 1 }) end, "not_found")
    broken(function() t:gather(1, ov.Tensor({ 1.5 })) end, "type")
    broken(function() t:gather(1, "1") end, "shape")
    broken(function() ov.Tensor("u4", { 2 }):gather(1, { 1 }) end, "type")
    broken(function() ov.Tensor("f32", { 1, 1, 1, 1, 1, 1, 1, 1 }):gather(1, ov.Tensor("i64", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 })) end, "shape")
  end)
end)

describe("affine", function()
  it("scales and shifts all, or each position of a dimension", function()
    local t = ov.Tensor("u8", { 2, 3 }, { 0, 1, 2, 253, 254, 255 })
    same({ { 1, 3, 5 }, { 507, 509, 511 } }, t:affine(2, 1):totable())
    same("f32", t:affine(2, 1).element_type)
    same({ { 0, 2, 6 }, { 253, 508, 765 } }, t:affine({ 1, 2, 3 }):totable())
    same({ { 10, 11, 12 }, { 273, 274, 275 } }, t:affine(1, { 10, 20 }, { dim = 1 }):totable())
    same({ { 0, 2, 4 }, { 255, 255, 255 } }, t:affine(2, 0, { type = "u8" }):totable())
    same("f16", ov.Tensor("f16", { 1 }):affine(1).element_type)
    same(7, ov.Tensor("f32", {}, 3):affine(2, 1):totable())
  end)

  it("goes through blocks and long runs right", function()
    local random = support.random(2)
    for _, shape in ipairs({ { 3, 700 }, { 700, 3 }, { 2, 3, 511 } }) do
      local t = random:tensor("f32", shape)
      local dim = shape[1] == 700 and 2 or #shape - 1
      local got, from = t:affine({ 1, -2, 0.5 }, { 0, 1, 2 }, { dim = dim }):flat(), t:flat()
      local inner = dim == #shape and 1 or shape[#shape]
      for i, v in ipairs(from) do
        local c = math.floor((i - 1) / inner) % 3 + 1
        assert.is_true(math.abs(got[i] - (v * ({ 1, -2, 0.5 })[c] + c - 1)) < 1e-6)
      end
    end
  end)

  it("may fill the tensor itself", function()
    local t = ov.Tensor("f32", { 3 }, { 1, 2, 3 })
    assert.are.equal(t, t:affine(10, 1, { out = t }))
    same({ 11, 21, 31 }, t:flat())
  end)

  it("says what is wrong", function()
    local t = ov.Tensor("f32", { 2, 3 })
    broken(function() t:affine({ 1, 2 }) end, "argument")
    broken(function() t:affine("1") end, "type")
    broken(function() t:affine({ 1, "2", 3 }) end, "type")
    broken(function() t:affine(1, 0, { dim = 3 }) end, "not_found")
    broken(function() t:affine(1, 0, { type = "string" }) end, "type")
    broken(function() t:affine(1, 0, { type = "f33" }) end, "argument")
  end)
end)

describe("nms", function()
  local boxes = ov.Tensor("f32", { 4, 4 }, { 0, 0, 10, 10, 1, 1, 11, 11, 20, 20, 30, 30, 0, 0, 10, 10 })
  local scores = ov.Tensor("f32", { 4 }, { 0.8, 0.9, 0.5, 0.8 })
  it("keeps the best of those that overlap", function()
    same({ 2, 3 }, boxes:nms(scores):flat())
    same({ 2, 1, 3 }, boxes:nms(scores, { iou = 0.9 }):flat())
    same({ 2, 1, 4, 3 }, boxes:nms(scores, { iou = 1 }):flat())
    same({ 2 }, boxes:nms(scores, { score = 0.6 }):flat())
    same({ 2 }, boxes:nms(scores, { max = 1 }):flat())
    same({ 2, 4, 3 }, boxes:nms(scores, { classes = ov.Tensor({ 1, 1, 1, 2 }, "i32") }):flat())
  end)

  it("reads boxes by centre and size, ignores NaN and empty boxes' overlap", function()
    local centred = ov.Tensor("f32", { 3, 4 }, { 5, 5, 10, 10, 6, 6, 10, 10, 25, 25, 10, 10 })
    same({ 2, 3 }, centred:nms(ov.Tensor({ 0.8, 0.9, 0.5 }), { centred = true }):flat())
    same({ 2 }, ov.Tensor("f32", { 2, 4 }):nms(ov.Tensor({ nan, 0.5 })):flat())
    same({}, ov.Tensor("f32", { 0, 4 }):nms(ov.Tensor("f32", { 0 })):flat())
  end)

  it("says what is wrong", function()
    broken(function() boxes:nms(ov.Tensor("f32", { 3 })) end, "shape")
    broken(function() ov.Tensor("f32", { 4 }):nms(scores) end, "shape")
    broken(function() ov.Tensor("f32", {}):nms(scores) end, "shape")
    broken(function() boxes:nms() end, "type")
    broken(function() boxes:nms(scores, { max = -1 }) end, "argument")
    broken(function() boxes:nms(scores, { classes = ov.Tensor("i32", { 1 }) }) end, "shape")
    broken(function() ov.Tensor("string", { 0, 4 }):nms(ov.Tensor("f32", { 0 })) end, "type")
  end)
end)

describe("ctc", function()
  local function steps(list, classes)
    local rows = {}
    for i, best in ipairs(list) do
      rows[i] = {}
      for c = 1, classes do rows[i][c] = c == best and 0.5 + i / 100 or 0.01 end
    end
    return rows
  end

  it("drops the blank and repetitions", function()
    local t = ov.Tensor({ steps({ 1, 3, 3, 1, 3, 2 }, 4), steps({ 1, 1, 1, 1, 1, 1 }, 4) })
    local texts, scores = t:ctc()
    same({ { 3, 3, 2 }, {} }, texts)
    assert.is_true(math.abs(scores[1] - (0.52 + 0.55 + 0.56) / 3) < 1e-6)
    same(0, scores[2])
    same({ { 1, 3, 1, 3 }, { 1 } }, (t:ctc({ blank = 2 })))
    same({ { 3, 3, 2 }, {} }, (t:astype("f16"):ctc()))
  end)

  it("says what is wrong", function()
    broken(function() ov.Tensor("f32", { 2, 3 }):ctc() end, "shape")
    broken(function() ov.Tensor("f32", { 2, 3, 0 }):ctc() end, "shape")
    broken(function() ov.Tensor("f32", { 2, 3, 4 }):ctc({ blank = 5 }) end, "not_found")
    broken(function() ov.Tensor("f32", { 2, 3, 4 }):ctc({ blank = 0 }) end, "not_found")
    same({ { {}, {} }, { 0, 0 } }, { ov.Tensor("f32", { 2, 0, 4 }):ctc() })
  end)
end)

describe("argmax of long rows", function()
  it("finds the first of the largest, wherever it is, NaN above all", function()
    local random = support.random(9)
    for _, n in ipairs({ 1, 15, 16, 17, 511, 512, 513, 6625 }) do
      local t = random:tensor("f32", { n })
      for _ = 1, 5 do
        local at = random:integer(1, n)
        local copy = t:clone()
        copy:set(5, at)
        if at < n then copy:set(5, n) end
        assert.are.equal(at, copy:argmax())
        copy:set(nan, n)
        assert.are.equal(n, copy:argmax())
      end
      assert.are.equal(1, ov.Tensor("f32", { n }):fill(-math.huge):argmax())
    end
  end)
end)

describe("out", function()
  local t = ov.Tensor("f32", { 2, 3 }, { 3, 1, 2, 9, 7, 8 })
  -- name -> call with an options table, type of the result
  local calls = {
    slice = function(o) return t:slice(2, 2, 3, o) end,
    select = function(o) return t:select(1, 2, o) end,
    transpose = function(o) return t:transpose({ 2, 1 }, o) end,
    argmax = function(o) return t:argmax(2, o) end,
    softmax = function(o) return t:softmax(1, o) end,
    gather = function(o) return t:gather(1, { 2, 2, 1 }, o) end,
    affine = function(o) return t:affine(2, 1, o) end,
    nms = function(o) return ov.Tensor("f32", { 2, 4 }, { 0, 0, 1, 1, 5, 5, 6, 6 }):nms(ov.Tensor({ 1, 2 }), o) end,
  }

  for name, call in pairs(calls) do
    it("is filled, of any size, in part or whole: " .. name, function()
      local want = call()
      for _, shape in ipairs({ want.shape, { 0 }, { 100 } }) do
        local out = ov.Tensor(want.element_type, shape)
        assert.are.equal(out, call({ out = out }))
        same(want:totable(), out:totable())
      end
      local first, last, large = {}, {}, {}
      for i, d in ipairs(want.shape) do first[i], last[i], large[i] = 2, d + 1, d + 2 end
      local base = ov.Tensor(want.element_type, large)
      local region = ov.Tensor(base, first, last)
      call({ out = region })
      same(want:totable(), region:totable())
      assert.is_true(math.abs(base:sum() - want:sum()) < 1e-5) -- nothing beside it
    end)

    it("must be of the right type and on other memory: " .. name, function()
      local wrong = ov.Tensor("u16", { 1 })
      broken(function() call({ out = wrong }) end, "type")
      broken(function() call({ out = 3 }) end, "type")
      broken(function() call({ into = wrong }) end, "argument")
    end)
  end

  it("cannot be the tensor that is read", function()
    for _, fn in ipairs({ function() t:slice(1, 1, 1, { out = t }) end, function() t:transpose({ 2, 1 }, { out = t }) end,
      function() t:softmax({ out = t }) end, function() t:gather(1, 1, { out = t }) end,
      function() t:topk(1, { out = { t, ov.Tensor("i64", { 1 }) } }) end }) do
      broken(fn, "argument")
    end
    same({ 3, 1, 2, 9, 7, 8 }, t:flat())
  end)

  it("takes values and positions of topk and sort", function()
    local values, positions = ov.Tensor("f32", { 0 }), ov.Tensor("i64", { 0 })
    local a, b = t:topk(2, { out = { values, positions } })
    assert.is_true(a == values and b == positions)
    same({ { 3, 2 }, { 9, 8 } }, values:totable())
    same({ { 1, 3 }, { 1, 3 } }, positions:totable())
    t:sort(1, { descending = true, out = { values, positions } })
    same({ { 9, 7, 8 }, { 3, 1, 2 } }, values:totable())
    broken(function() t:topk(2, { out = { values, values } }) end, "argument")
    broken(function() t:topk(2, { out = { values, ov.Tensor("i32", { 1 }) } }) end, "type")
  end)

  it("makes no memory when it is large enough", function()
    local out = ov.Tensor("f32", { 3, 2 })
    local before = tostring(out.data)
    for _ = 1, 10 do
      t:transpose({ 2, 1 }, { out = out })
      t:slice(1, 1, 1, { out = out })
    end
    assert.are.equal(before, tostring(out.data))
  end)

  it("of memory that cannot grow is refused", function()
    local region = ov.Tensor(ov.Tensor("f32", { 4, 4 }), { 1, 1 }, { 2, 2 })
    broken(function() t:transpose({ 2, 1 }, { out = region }) end, "shape")
  end)
end)
