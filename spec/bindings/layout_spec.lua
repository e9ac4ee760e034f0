-- Layouts: reading, comparing, and how one becomes another. B363 is among them.
local ov = require("ovlite")
local Layout = require("ovlite.layout")
local broken = require("spec.support.support").broken

local function text(s) return tostring(ov.Layout(s)) end

describe("ov.Layout", function()
  it("reads short and long forms, in capital and small letters (B363)", function()
    local pairs_of = { NCHW = "[N,C,H,W]", nchw = "[N,C,H,W]", [" NC "] = "[N,C]", ["N...C"] = "[N,...,C]", ["N?C"] = "[N,?,C]", ["?"] = "[?]",
      [""] = "[...]", ["..."] = "[...]", ["N1"] = "[N,1]", ["[N,C,?]"] = "[N,C,?]", ["[BATCH,channel]"] = "[N,C]", ["[ n , ... , Width ]"] = "[N,...,W]",
      ["[N_1,Height]"] = "[N_1,H]", ["**SCALAR**"] = "**SCALAR**", ["...C"] = "[...,C]", ["[N,...]"] = "[N,...]", ["[...]"] = "[...]" }
    for given, want in pairs(pairs_of) do assert.are.equal(want, text(given)) end
    assert.are.equal("[N,C]", tostring(ov.Layout(ov.Layout("NC"))))
  end)

  it("refuses what means nothing (B363)", function()
    for _, bad in ipairs({ "N?N", "NCN", "[N,BATCH]", "N C", "N..C", "N...C...", "....", "[]", "[N,,C]", "[N...C]", "[N-1]", "[_]", "N,C" }) do
      assert.is_truthy(broken(function() ov.Layout(bad) end, "argument"):find(bad, 1, true))
    end
    broken(function() ov.Layout(3) end, "type")
    broken(function() ov.Layout() end, "type")
  end)

  it("tells dimensions and compares", function()
    local l = ov.Layout("N...HWC")
    assert.are.equal(0, l:get_index_by_name("N"))
    assert.are.equal(-1, l:get_index_by_name("channels"))
    assert.is_true(l:has_name("height"))
    assert.is_false(l:has_name("D"))
    assert.are.equal("[N,...,H,W,C]", l:to_string())
    assert.is_true(l == ov.Layout("[n,...,h,w,c]"))
    assert.is_false(l == ov.Layout("NHWC"))
    assert.is_true(ov.Layout(""):empty())
    assert.is_false(l:empty())
    broken(function() l:get_index_by_name("D") end, "not_found")
    broken(function() l:has_name(3) end, "type")
    broken(function() l.empty(3) end, "type")
  end)

  local function order(from, to, rank) return Layout.order(ov.Layout(from), ov.Layout(to), rank, "spec") end

  it("finds the order of axes", function()
    assert.are.same({ 0, 3, 1, 2 }, order("NHWC", "NCHW", 4))
    assert.are.same({ 0, 2, 3, 1 }, order("NCHW", "NHWC", 4))
    assert.is_nil(order("NCHW", "NCHW", 4))
    assert.is_nil(order("NCHW", "", 4))
    assert.is_nil(order("N...", "NCHW", 4))
    assert.are.same({ 0, 4, 1, 2, 3 }, order("N...C", "NC...", 5))
    assert.are.same({ 0, 3, 1, 2 }, order("N??C", "NCHW", 4))
    assert.are.same({ 0, 2, 3, 1 }, order("NCHW", "N??C", 4))
    assert.are.same({ 1, 0 }, order("HW", "WH"))
    broken(function() order("N??C", "?CHW", 4) end, "argument")
    broken(function() order("NC", "NCHW", 4) end, "argument")
    broken(function() order("NCHW", "NCWD", 4) end, "argument")
    broken(function() order("N...C", "NC...", nil) end, "shape")
  end)

  it("drops and adds dimensions", function()
    local axes, smaller = ov.Layout("NCHW"):kept(ov.Layout("HWC"), "spec")
    assert.are.same({ 1, 2, 3 }, axes)
    assert.are.equal("[C,H,W]", tostring(smaller))
    local count, larger = ov.Layout("HWC"):widened(ov.Layout("NCHW"), "spec")
    assert.are.equal(1, count)
    assert.are.equal("[N,H,W,C]", tostring(larger))
    assert.is_nil((ov.Layout("NCHW"):kept(ov.Layout("NHWC"), "spec")))
    broken(function() ov.Layout("NC??"):kept(ov.Layout("HWC"), "spec") end, "argument")
    broken(function() ov.Layout("NCHW"):kept(ov.Layout("HWD"), "spec") end, "argument")
    assert.are.equal("[N,W,C,H]", tostring(ov.Layout("NCHW"):permuted({ 0, 3, 1, 2 }, "spec")))
    broken(function() ov.Layout("NCHW"):permuted({ 0, 3, 1, 1 }, "spec") end, "argument")
    broken(function() ov.Layout("N..."):permuted({ 1, 0 }, "spec") end, "argument")
  end)
end)
