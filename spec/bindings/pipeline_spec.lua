-- ov.pipeline: tiles, windows, sounds, batches, best results.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local pipeline = ov.pipeline

local function same(want, got) assert.are.same(want, got) end
local function little(v, n)
  local bytes = {}
  for i = 1, n do
    bytes[i] = string.char(v % 256)
    v = math.floor(v / 256)
  end
  return table.concat(bytes)
end
local function wav(code, channels, bits, data, extra)
  local frame = channels * bits / 8
  local format = little(code, 2) .. little(channels, 2) .. little(16000, 4) .. little(16000 * frame, 4) .. little(frame, 2) .. little(bits, 2)
  local body = "WAVE" .. (extra or "") .. "fmt " .. little(#format, 4) .. format .. "data" .. little(#data, 4) .. data
  return "RIFF" .. little(#body, 4) .. body
end

describe("tiles", function()
  it("cover the picture, the last ones reaching back", function()
    local picture, seen, places = ov.Tensor("u8", { 5, 7, 3 }), ov.Tensor("u8", { 5, 7, 3 }), {}
    for tile, left, top in pipeline.tiles(seen, 2, 3) do
      same({ 2, 3, 3 }, tile.shape)
      tile:fill(1)
      places[#places + 1] = left .. "," .. top
    end
    same(picture.size, seen:sum())
    same({ "0,0", "3,0", "4,0", "0,2", "3,2", "4,2", "0,3", "3,3", "4,3" }, places)
  end)

  it("overlap, and pictures smaller than a tile get a margin", function()
    local n = 0
    for _, left in pipeline.tiles(ov.Tensor("u8", { 4, 10 }), 4, 4, { overlap = 1 }) do
      same(n * 3, left)
      n = n + 1
    end
    same(3, n)
    for tile in pipeline.tiles(ov.Tensor("u8", { 1, 2 }):fill(5), 2, 4) do same({ { 5, 5, 0, 0 }, { 0, 0, 0, 0 } }, tile:totable()) end
    broken(function() pipeline.tiles(ov.Tensor("u8", { 4, 4 }), 2, 2, { overlap = 2 }) end, "argument")
    broken(function() pipeline.tiles(ov.Tensor("u8", { 4, 4 }), 0, 2) end, "argument")
    broken(function() pipeline.tiles(ov.Tensor("u8", { 4, 4 }), 2, 2, { step = 2 }) end, "argument")
  end)
end)

describe("windows", function()
  local function all(n, size, options)
    local samples, list = ov.Tensor("f32", { n }), {}
    for i = 1, n do samples:set(i, i) end
    for window, first in pipeline.windows(samples, size, options) do list[#list + 1] = first .. ":" .. table.concat(window:flat(), " ") end
    return list
  end
  it("follow one another, the last one filled up", function()
    same({ "1:1 2", "3:3 4", "5:5 0" }, all(5, 2))
    same({ "1:1 2", "3:3 4" }, all(4, 2))
    same({ "1:1 0 0" }, all(1, 3))
    same({}, all(0, 3))
    same({ "1:1 2 3", "2:2 3 4" }, all(4, 3, { hop = 1 }))
    same({ "1:1 2 3", "3:3 4 0" }, all(4, 3, { hop = 2 }))
    same({ "1:1", "4:4" }, all(5, 1, { hop = 3 }))
  end)

  it("reuse one tensor, of any shape", function()
    local out = ov.Tensor("f32", { 1, 2 })
    for window in pipeline.windows(ov.Tensor({ 1, 2, 3 }), 2, { out = out }) do assert.are.equal(out, window) end
    same({ { 3, 0 } }, out:totable())
    broken(function() pipeline.windows(ov.Tensor({ 1, 2 }), 2, { out = ov.Tensor("f32", { 3 }) }) end, "shape")
    broken(function() pipeline.windows(ov.Tensor({ { 1, 2 } }), 2) end, "shape")
    broken(function() pipeline.windows(ov.Tensor({ 1, 2 }), 0) end, "argument")
    broken(function() pipeline.windows(ov.Tensor({ 1, 2 }), "2") end, "type")
  end)
end)

describe("wav", function()
  it("reads integers and floats, one channel and more", function()
    local samples, rate = pipeline.wav(wav(1, 1, 16, little(0, 2) .. little(16384, 2) .. little(32768, 2)))
    same({ 0, 0.5, -1 }, samples:flat())
    same(16000, rate)
    same({ -1, 0 }, pipeline.wav(wav(1, 1, 8, "\0\128", "LIST" .. little(3, 4) .. "abc\0")):flat())
    local two = little(2 ^ 29, 4) .. little(2 ^ 30, 4) .. little(0, 4) .. little(3 * 2 ^ 30, 4)
    same({ { 0.25, 0 }, { 0.5, -0.5 } }, pipeline.wav(wav(1, 2, 32, two)):totable())
    same({ 1.5 }, pipeline.wav(wav(3, 1, 32, ov.Tensor({ 1.5 }):bytes())):flat())
    same({ 0 }, pipeline.wav(wav(1, 1, 16, "")).shape)
  end)

  it("refuses what is no such file", function()
    broken(function() pipeline.wav("/no/such/file.wav") end, "io")
    broken(function() pipeline.wav(support.root .. "/README.md") end, "parse")
    broken(function() pipeline.wav(3) end, "type")
    local good = wav(1, 2, 16, ("x"):rep(64))
    for n = 4, 44 do broken(function() pipeline.wav(good:sub(1, n - 1) .. "") end, n < 5 and "io" or "parse") end
    same({ 2, 8 }, pipeline.wav(good:sub(1, 44 + 34)).shape) -- whole frames of what is there
    broken(function() pipeline.wav(wav(1, 1, 24, "abc")) end, "unsupported")
    broken(function() pipeline.wav(wav(1, 0, 16, "ab")) end, "parse")
  end)
end)

describe("batches and top", function()
  it("puts those of like key together", function()
    local list = {}
    for group in pipeline.batches({ 5, 1, 4, 2, 3 }, 2, function(v) return v end) do list[#list + 1] = table.concat(group, " ") end
    same({ "1 2", "3 4", "5" }, list)
    broken(function() pipeline.batches({ 1 }, 0, print) end, "argument")
    broken(function() pipeline.batches({ 1 }, 1) end, "type")
  end)

  it("names the best", function()
    local best = pipeline.top(ov.Tensor({ { 2, 1, 5 } }), 2, { "a", "b", "c" })
    same({ { position = 3, score = 5, label = "c" }, { position = 1, score = 2, label = "a" } }, best)
    same(3, #pipeline.top(ov.Tensor({ 2, 1, 5 }), 10))
    broken(function() pipeline.top(ov.Tensor({ 1 }), 0) end, "argument")
  end)
end)
