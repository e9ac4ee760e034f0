-- ov.image: pictures in and out, other sizes, perspectives, drawing, and what is found in maps.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken
local image = ov.image

local function same(want, got) assert.are.same(want, got) end
local function slurp(path)
  local file = io.open(path, "rb")
  local bytes = file:read("*a")
  file:close()
  return bytes
end
local function u32(v) return string.char(math.floor(v / 2 ^ 24) % 256, math.floor(v / 2 ^ 16) % 256, math.floor(v / 256) % 256, v % 256) end

local path = os.tmpname()
teardown(function() os.remove(path) end)

-- The bytes of a picture in that format.
local function encoded(picture, ending, options)
  image.save(path .. ending, picture, options)
  local bytes = slurp(path .. ending)
  os.remove(path .. ending)
  return bytes
end

local function noise(h, w, c, seed) return support.random(seed or 1):tensor("u8", c and { h, w, c } or { h, w }, 0, 255) end

describe("ov.image files", function()
  local picture = ov.Tensor("u8", { 2, 3, 3 }, { 255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 4, 5, 6, 255, 255, 255 })

  it("saves and loads PNG and BMP without loss, from files and bytes", function()
    for _, ending in ipairs({ ".png", ".bmp" }) do
      image.save(path .. ending, picture)
      for _, source in ipairs({ path .. ending, slurp(path .. ending) }) do
        local back = image.load(source)
        assert.are.equal("u8", back.element_type)
        same({ 2, 3, 3 }, back.shape)
        same(picture:flat(), back:flat())
      end
      os.remove(path .. ending)
    end
  end)

  it("loads the first frame of a GIF", function()
    -- 2x1 pixels: black, white
    local gif = "GIF89a\2\0\1\0\128\0\0\0\0\0\255\255\255\44\0\0\0\0\2\0\1\0\0\2\2\68\10\0\59"
    same({ 0, 0, 0, 255, 255, 255 }, image.load(gif, { channels = 3 }):flat())
  end)

  it("converts to the channels that are asked for", function()
    image.save(path .. ".png", ov.Tensor("u8", { 2, 2 }, { 0, 50, 100, 255 }))
    same({ 2, 2, 1 }, image.load(path .. ".png").shape)
    same({ 0, 0, 0, 50, 50, 50, 100, 100, 100, 255, 255, 255 }, image.load(path .. ".png", { channels = 3 }):flat())
    same({ 2, 2, 4 }, image.load(path .. ".png", { channels = 4 }).shape)
    os.remove(path .. ".png")
  end)

  it("saves JPEG of a chosen quality, and regions", function()
    local flat = ov.Tensor("u8", { 8, 8, 3 }):fill(100)
    assert.is_true(math.abs(image.load(encoded(flat, ".jpg")):mean() - 100) < 2)
    local grain = noise(32, 32, 3)
    assert.is_true(#encoded(grain, ".jpg", { quality = 20 }) < #encoded(grain, ".jpg", { quality = 95 }) / 2)
    local region = encoded(ov.Tensor(picture, { 1, 2, 1 }, { 2, 3, 3 }), ".png")
    same({ 0, 255, 0, 0, 0, 255, 4, 5, 6, 255, 255, 255 }, image.load(region):flat())
  end)

  it("says what is wrong", function()
    broken(function() image.load("/no/such/image.png") end, "io")
    broken(function() image.load("/tmp") end, "io")
    broken(function() image.load(path) end, "parse")
    broken(function() image.load(3) end, "type")
    broken(function() image.load(path, 3) end, "type")
    broken(function() image.load(path, { channels = 5 }) end, "argument")
    broken(function() image.load(path, { size = 5 }) end, "argument")
    broken(function() image.load(path, { max_pixels = 0 }) end, "argument")
    broken(function() image.save(path .. ".xyz", picture) end, "argument")
    broken(function() image.save("/dev/null/x.png", picture) end, "io")
    broken(function() image.save(path .. ".jpg", picture, { quality = 0 }) end, "argument")
    broken(function() image.save(path .. ".png", ov.Tensor("f32", { 2, 2, 3 })) end, "type")
    broken(function() image.save(path .. ".png", ov.Tensor("u8", { 2, 2, 5 })) end, "shape")
    broken(function() image.save(path .. ".png", ov.Tensor("u8", { 0, 2, 3 })) end, "shape")
    broken(function() image.save(path .. ".png", { 1 }) end, "type")
  end)
end)

describe("hostile image files", function()
  local picture = noise(19, 23, 3)
  local files = { png = encoded(picture, ".png"), jpg = encoded(picture, ".jpg"), bmp = encoded(picture, ".bmp") }

  for kind, bytes in pairs(files) do
    it("cut off anywhere are an error: " .. kind, function()
      assert.is_truthy(image.load(bytes))
      for n = 17, #bytes - 1, 7 do broken(function() image.load(bytes:sub(1, n)) end, n < 66 and kind == "bmp" and "io" or "parse") end
      broken(function() image.load(bytes:sub(1, #bytes - 1)) end, "parse")
    end)

    it("with any byte changed are read or refused: " .. kind, function()
      local random = support.random(3)
      for _ = 1, support.slow and 150 or 600 do
        local at = random:integer(3, #bytes)
        local changed = bytes:sub(1, at - 1) .. string.char(random:integer(0, 255)) .. bytes:sub(at + 1)
        local ok, err = pcall(image.load, changed, { max_pixels = 100000 })
        if not ok then assert.is_truthy(({ parse = true, shape = true, io = true })[ov.error_code(err)], err) end
      end
    end)
  end

  it("with huge dimensions are refused before memory is taken", function()
    broken(function() image.load(files.png:sub(1, 16) .. u32(15000) .. u32(15000) .. files.png:sub(25)) end, "shape")
    broken(function() image.load(files.png:sub(1, 16) .. u32(60000) .. u32(60000) .. files.png:sub(25)) end, "parse")
    broken(function() image.load(files.png, { max_pixels = 19 * 23 - 1 }) end, "shape")
    assert.is_truthy(image.load(files.png, { max_pixels = 19 * 23 }))
    broken(function() image.load(files.png:sub(1, 16) .. u32(2 ^ 31) .. u32(1) .. files.png:sub(25)) end, "parse")
  end)

  it("with a wrong checksum are refused", function()
    local at = #files.png - 16 - 5
    local changed = files.png:sub(1, at - 1) .. string.char((files.png:byte(at) + 1) % 256) .. files.png:sub(at + 1)
    assert.is_truthy(broken(function() image.load(changed) end, "parse"):find("checksum", 1, true))
  end)
end)

describe("resize", function()
  -- The definition, on one row or column at a time: value at the centre of output i.
  local function expect(row, n, method)
    local out, scale = {}, #row / n
    local function at(i) return row[math.max(1, math.min(#row, i + 1))] end
    for i = 0, n - 1 do
      if method == "nearest" then
        out[i + 1] = at(math.floor((i + 0.5) * scale))
      elseif method == "area" and scale > 1 then
        local sum = 0
        for k = 0, #row - 1 do sum = sum + at(k) * math.max(0, math.min((i + 1) * scale, k + 1) - math.max(i * scale, k)) end
        out[i + 1] = sum / scale
      else
        local x = (i + 0.5) * scale - 0.5
        local k, t = math.floor(x), x - math.floor(x)
        if method == "cubic" then
          local sum = 0
          for j = -1, 2 do
            local d, a = math.abs(t - j), -0.75
            local w = d <= 1 and ((a + 2) * d - (a + 3)) * d * d + 1 or ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
            sum = sum + w * at(k + j)
          end
          out[i + 1] = sum
        else
          out[i + 1] = at(k) * (1 - t) + at(k + 1) * t
        end
      end
    end
    return out
  end

  for _, method in ipairs({ "nearest", "linear", "cubic", "area" }) do
    it("is what it says, along both sides: " .. method, function()
      for _, n in ipairs({ 1, 2, 3, 7, 20, 41 }) do
        local row = support.random(n):list(11, 0, 255)
        local want = expect(row, n, method)
        for side = 1, 2 do
          local t = ov.Tensor("f32", side == 1 and { 1, 11 } or { 11, 1, 1 }, row)
          local got = image.resize(t, side == 1 and 1 or n, side == 1 and n or 1, { method = method }):flat()
          for i = 1, n do assert.is_true(math.abs(got[i] - want[i]) < 1e-3, ("%d of %d: %g, expected %g"):format(i, n, got[i], want[i])) end
        end
      end
    end)

    it("gives the same for u8, f32, channels, regions and tiny pictures: " .. method, function()
      for _, size in ipairs({ { 1, 1 }, { 2, 3 }, { 9, 13 } }) do
        local t = noise(size[1], size[2], 3)
        local bytes, floats = t:resize(8, 6, { method = method }), image.resize(t:astype("f32"), 8, 6, { method = method })
        local one = image.resize(t:select(3, 2), 8, 6, { method = method })
        same(one:flat(), bytes:select(3, 2):flat())
        local a, b = bytes:flat(), floats:flat()
        for i = 1, #a do assert.is_true(math.abs(a[i] - math.max(0, math.min(255, b[i]))) <= 0.5001) end
        local framed = ov.Tensor("u8", { size[1] + 2, size[2] + 2, 3 }):fill(255)
        local inner = ov.Tensor(framed, { 2, 2, 1 }, { size[1] + 1, size[2] + 1, 3 })
        inner:copy_from(t)
        same(bytes:flat(), image.resize(inner, 8, 6, { method = method }):flat())
      end
    end)
  end

  it("fills a tensor that is given", function()
    local t, out = noise(5, 5, 3), ov.Tensor("u8", { 7, 7, 3 })
    assert.are.equal(out, image.resize(t, 7, 7, { out = out }))
    same(image.resize(t, 7, 7):flat(), out:flat())
  end)

  it("says what is wrong", function()
    local t = noise(2, 2, 3)
    broken(function() image.resize(t, 0, 2) end, "argument")
    broken(function() image.resize(t, 2, 2 ^ 30) end, "argument")
    broken(function() image.resize(t, 2.5, 2) end, "type")
    broken(function() image.resize(t, 2, 2, { method = "best" }) end, "argument")
    broken(function() image.resize(t, 2, 2, { out = t }) end, "argument")
    broken(function() image.resize(ov.Tensor("i32", { 2, 2 }), 2, 2) end, "type")
    broken(function() image.resize(ov.Tensor("u8", { 2 }), 2, 2) end, "shape")
    broken(function() image.resize(ov.Tensor("u8", { 0, 2, 3 }), 2, 2) end, "shape")
    broken(function() image.resize(t, 1000000, 1000000) end, "memory")
  end)
end)

describe("crop and letterbox", function()
  local t = ov.Tensor("u8", { 2, 3 }, { 1, 2, 3, 4, 5, 6 })
  it("cuts, and fills what is outside", function()
    same({ { 2, 3 }, { 5, 6 } }, image.crop(t, 1, 0, 2, 2):totable())
    same({ { 9, 9, 9 }, { 9, 1, 2 }, { 9, 4, 5 } }, image.crop(t, -1, -1, 3, 3, { fill = 9 }):totable())
    same({ { 7, 7 } }, image.crop(t, 10, 10, 1, 2, { fill = 7 }):totable())
    same({ { { 1, 2, 3 } } }, ov.Tensor("u8", { 1, 1, 3 }):crop(1, 1, 1, 1, { fill = { 1, 2, 3 } }):totable())
    broken(function() image.crop(t, 2, 0, 2, 2) end, "argument")
    broken(function() image.crop(t, 0, 0, 0, 2) end, "argument")
    broken(function() image.crop(t, 2 ^ 40, 0, 2, 2, { fill = 0 }) end, "argument")
    broken(function() image.crop(t, 0, 0, 3, 3, { fill = { 1, 2 } }) end, "argument")
    broken(function() image.crop(t, 0, 0, 3, 3, { method = "area" }) end, "argument")
  end)

  it("puts the picture in the middle and says where it is", function()
    local box, placed = image.letterbox(ov.Tensor("u8", { 2, 4, 3 }):fill(100), 8, 8, { fill = { 1, 2, 3 } })
    same({ scale_x = 2, scale_y = 2, left = 0, top = 2, width = 8, height = 4 }, placed)
    same({ 1, 2, 3 }, box:select(1, 1):select(1, 1):flat())
    same({ 100, 100, 100 }, box:select(1, 3):select(1, 8):flat())
    same({ 1, 2, 3 }, box:select(1, 8):select(1, 8):flat())
    local points = ov.pipeline.unletterbox(ov.Tensor({ { 0, 2, 8, 6 } }), placed)
    same({ { 0, 0, 4, 2 } }, points:totable())
    same({ { 2, 1 } }, ov.pipeline.unletterbox(ov.Tensor({ { 4, 4 } }), placed):totable())
    broken(function() ov.pipeline.unletterbox(ov.Tensor({ { 1, 2, 3 } }), placed) end, "shape")
    same({ 1, 5 }, image.letterbox(ov.Tensor("u8", { 1, 1000 }), 1, 5).shape)
  end)
end)

describe("warp", function()
  local t = noise(6, 8, 3)
  it("copies a rectangle pixel by pixel, turned as its corners are", function()
    same(image.crop(t, 2, 1, 3, 4):flat(), image.warp(t, { { 2, 1 }, { 6, 1 }, { 6, 4 }, { 2, 4 } }, 3, 4):flat())
    local half = image.warp(t, { 8, 6, 0, 6, 0, 0, 8, 0 }, 6, 8, { method = "nearest" })
    for y = 1, 6 do
      for x = 1, 8 do same(t:get(7 - y, 9 - x, 1), half:get(y, x, 1)) end
    end
    same(t:flat(), image.warp(t, ov.Tensor({ { 0, 0 }, { 8, 0 }, { 8, 6 }, { 0, 6 } }), 6, 8, { method = "cubic" }):flat())
  end)

  it("follows perspective: straight lines stay straight, and the middle is where the diagonals meet", function()
    local ramp = ov.Tensor("u8", { 100, 100 })
    for x = 1, 100 do ov.Tensor(ramp, { 1, x }, { 100, x }):fill(2 * x - 1) end -- the value at x is 2 x
    local got = image.warp(ramp, { { 20, 10 }, { 80, 10 }, { 60, 90 }, { 40, 90 } }, 101, 101)
    assert.is_true(math.abs(got:get(51, 51) - 100) <= 1)
    -- the diagonals meet at y = 70: the middle row runs from x = 35 to 65
    assert.is_true(math.abs(got:get(51, 1) - 70) <= 2 and math.abs(got:get(51, 101) - 130) <= 2)
  end)

  it("averages where it shrinks, and goes on at the edges", function()
    local stripes = ov.Tensor("u8", { 40, 40 })
    for x = 1, 40, 2 do ov.Tensor(stripes, { 1, x }, { 40, x }):fill(200) end
    for _, v in ipairs(image.warp(stripes, { 0, 0, 40, 0, 40, 40, 0, 40 }, 5, 5):flat()) do assert.is_true(math.abs(v - 100) < 8) end
    same(t:get(1, 1, 1), image.warp(t, { -9, -9, -8, -9, -8, -8, -9, -8 }, 1, 1):get(1, 1, 1))
  end)

  it("says what is wrong", function()
    broken(function() image.warp(t, { 0, 0, 1, 0, 1, 1 }, 2, 2) end, "shape")
    broken(function() image.warp(t, { 0, 0, 1, 1, 0, 1, 1, 0 }, 2, 2) end, "argument") -- crosses itself
    broken(function() image.warp(t, { 0, 0, 1, 0, 2, 0, 3, 0 }, 2, 2) end, "argument")
    broken(function() image.warp(t, { 0, 0, 0 / 0, 0, 1, 1, 0, 1 }, 2, 2) end, "argument")
    broken(function() image.warp(t, { 0, 0, 1e300, 0, 1, 1, 0, 1 }, 2, 2) end, "argument")
    broken(function() image.warp(t:astype("f32"), { 0, 0, 1, 0, 1, 1, 0, 1 }, 2, 2) end, "type")
    broken(function() image.warp(t, "x", 2, 2) end, "shape")
  end)
end)

describe("blob", function()
  it("is the picture resized, normalised, channels first", function()
    local t = noise(5, 7, 3)
    local got = image.blob(t, 10, 9, { mean = { 10, 20, 30 }, scale = { 2, 4, 8 } })
    same({ 1, 3, 10, 9 }, got.shape)
    local planes = image.resize(t:astype("f32"), 10, 9):transpose({ 3, 1, 2 })
    local want = planes:affine({ 0.5, 0.25, 0.125 }, { -5, -5, -3.75 }, { dim = 1 }):reshape({ 1, 3, 10, 9 })
    assert.is_true(support.difference(got, want) < 1e-5)
    local reversed = image.blob(t, 5, 7, { reverse = true })
    same(t:select(3, 1):flat(), reversed:select(2, 3):flat())
    same({ 1, 1, 5, 7 }, image.blob(t:select(3, 1), 5, 7).shape)
  end)

  it("goes into a part of a batch", function()
    local t, batch = noise(4, 4, 3), ov.Tensor("f32", { 2, 3, 4, 6 }):fill(-1)
    image.blob(t, 4, 4, { out = ov.Tensor(batch, { 2, 1, 1, 1 }, { 2, 3, 4, 4 }) })
    same(t:transpose({ 3, 1, 2 }):flat(), ov.Tensor(batch, { 2, 1, 1, 1 }, { 2, 3, 4, 4 }):flat())
    same(-1, batch:slice(1, 1, 1):max())
    same(-1, batch:slice(4, 5, 6):max())
  end)

  it("says what is wrong", function()
    local t = noise(4, 4, 3)
    broken(function() image.blob(t, 4, 4, { scale = 0 }) end, "argument")
    broken(function() image.blob(t, 4, 4, { mean = { 1, 2 } }) end, "argument")
    broken(function() image.blob(t, 4, 4, { out = ov.Tensor("u8", { 1 }) }) end, "type")
    broken(function() image.blob(ov.Tensor("u8", { 4, 4, 5 }), 4, 4) end, "shape")
  end)
end)

describe("drawing", function()
  local function canvas() return ov.Tensor("u8", { 20, 30, 3 }) end
  it("fills rectangles exactly, and edges by half", function()
    local c = image.draw_rect(canvas(), 2, 3, 4, 5, { color = { 10, 20, 30 }, fill = true })
    assert.are.equal(20 * 10, c:select(3, 1):sum())
    same({ 10, 20, 30 }, c:select(1, 4):select(1, 3):flat())
    same({ 0, 0, 0 }, c:select(1, 4):select(1, 7):flat())
    same(100, image.draw_rect(ov.Tensor("u8", { 1, 1 }), 0.5, 0, 5, 5, { color = 200, fill = true }):get(1, 1))
    same(50, image.draw_rect(ov.Tensor("u8", { 1, 1 }), 0.5, 0, 5, 5, { color = 200, fill = true, alpha = 0.5 }):get(1, 1))
  end)

  it("draws lines, outlines and polygons of a width, clipped", function()
    local c = image.draw_line(canvas(), -100, 10, 100, 10, { color = 255, width = 2 })
    same({ 255, 255, 255 }, c:select(1, 10):select(1, 1):flat())
    same(30 * 2 * 3 * 255, c:sum())
    c = image.draw_rect(canvas(), 5, 5, 10, 8, { width = 1 })
    assert.is_true(c:get(9, 12, 1) == 0 and c:get(6, 12, 1) > 0)
    c = image.draw_polygon(canvas(), { { 5, 2 }, { 25, 10 }, { 5, 18 } }, { color = { 0, 255, 0 } })
    assert.is_true(c:select(3, 2):sum() > 40 * 255 and c:select(3, 1):max() == 0 and c:get(11, 10, 2) == 0)
    image.draw_line(canvas(), 1e6, 1e6, -1e6, -1e6)
  end)

  it("draws text of a size, in any bytes", function()
    local small = image.draw_text(ov.Tensor("u8", { 40, 200 }), 2, 2, "Hello", { color = 255, size = 12 }):sum()
    local large = image.draw_text(ov.Tensor("u8", { 40, 200 }), 2, 2, "Hello", { color = 255, size = 24 }):sum()
    assert.is_true(small > 0 and math.abs(large / small - 4) < 0.01)
    local boxed = image.draw_text(ov.Tensor("u8", { 40, 200 }), 2, 2, "Hello", { color = 0, background = 200 })
    assert.is_true(boxed:get(2, 2) == 200 and boxed:get(40, 200) == 0)
    for _, text in ipairs({ "", "\0\1\255\254", ("é"):rep(100), "a\nb\n", ("W"):rep(4096) }) do image.draw_text(canvas(), -5, 5, text) end
    broken(function() image.draw_text(canvas(), 0, 0, ("x"):rep(5000)) end, "argument")
    broken(function() image.draw_text(canvas(), 0, 0, "x", { size = 0 }) end, "argument")
  end)

  it("says what is wrong", function()
    broken(function() image.draw_line(canvas(), 0, 0, 0 / 0, 1) end, "argument")
    broken(function() image.draw_rect(canvas(), 0, 0, 1e9, 1) end, "argument")
    broken(function() image.draw_rect(canvas(), 0, 0, 1) end, "type")
    broken(function() image.draw_rect(canvas(), 0, 0, 1, 1, { color = { 1, 2 } }) end, "argument")
    broken(function() image.draw_rect(canvas(), 0, 0, 1, 1, { color = 300 }) end, "argument")
    broken(function() image.draw_polygon(canvas(), { 1, 2, 3 }) end, "shape")
    broken(function() image.draw_line(canvas():astype("f32"), 0, 0, 1, 1) end, "type")
  end)
end)

describe("montage", function()
  it("puts pictures into a grid", function()
    local a, b = ov.Tensor("u8", { 4, 4, 3 }):fill(100), ov.Tensor("u8", { 2, 4, 3 }):fill(50)
    local m = image.montage({ a, b, a }, { gap = 1, fill = 9 })
    same({ 11, 11, 3 }, m.shape)
    same({ 9, 100, 100, 9, 50, 50 }, m:select(3, 1):select(1, 4):gather(1, { 1, 2, 5, 6, 7, 10 }):flat())
    same(9, m:get(2, 7, 1))
    local grey = { a:select(3, 1), b:select(3, 1), a:select(3, 2) }
    same({ 1 + 2, 1 + 3 * 3, 1 }, image.montage(grey, { columns = 3, gap = 1, width = 2, height = 1 }).shape)
    broken(function() image.montage({}) end, "argument")
    broken(function() image.montage({ a, a:select(3, 1) }) end, "shape")
    broken(function() image.montage({ a }, { rows = 2 }) end, "argument")
    broken(function() image.montage({ a }, { columns = 0 }) end, "argument")
  end)
end)

describe("components", function()
  it("finds what is connected, diagonals too", function()
    local boxes, areas = image.components(ov.Tensor({ { 1, 0, 0, 1 }, { 0, 1, 0, 1 }, { 0, 0, 0, 0 }, { 1, 1, 1, 0 } }))
    same({ { 0, 0, 2, 2 }, { 3, 0, 4, 2 }, { 0, 3, 3, 4 } }, boxes:totable())
    same({ 2, 2, 3 }, areas:flat())
  end)

  it("agrees with flood filling on random maps", function()
    local random = support.random(7)
    for trial = 1, 30 do
      local h, w = random:integer(1, 12), random:integer(1, 12)
      local t = random:tensor("f32", { h, w }, 0, 1)
      local threshold = random:number(0.3, 0.9)
      local rows, areas = t:totable(), {}
      for y = 1, h do
        for x = 1, w do
          if rows[y][x] > threshold then
            local stack, area = { { y, x } }, 0
            rows[y][x] = 0
            while #stack > 0 do
              local p = table.remove(stack)
              area = area + 1
              for ny = p[1] - 1, p[1] + 1 do
                for nx = p[2] - 1, p[2] + 1 do
                  if (rows[ny] and rows[ny][nx] or 0) > threshold then
                    rows[ny][nx] = 0
                    stack[#stack + 1] = { ny, nx }
                  end
                end
              end
            end
            areas[#areas + 1] = area
          end
        end
      end
      same(areas, select(2, image.components(t, { threshold = threshold })):flat(), "trial " .. trial)
    end
  end)

  it("takes empty maps, and says what is wrong", function()
    same({ 0, 4 }, image.components(ov.Tensor("f32", { 3, 3 })).shape)
    same({ 0, 4 }, image.components(ov.Tensor("f32", { 0, 3 })).shape)
    same({ 0, 4 }, image.components(ov.Tensor("f32", { 2, 2 }):fill(0 / 0)).shape)
    broken(function() image.components(ov.Tensor("f32", { 3 })) end, "shape")
    broken(function() image.components(ov.Tensor("string", { 3, 3 })) end, "type")
  end)
end)

describe("gap", function()
  it("is in the widest of the emptiest columns", function()
    local t = ov.Tensor("u8", { 5, 10, 3 }):fill(200)
    for _, x in ipairs({ 1, 3, 4, 9 }) do t:set(90, 3, x, 2) end
    same(6, image.gap(t)) -- columns 5 to 8
    same(5, image.gap(ov.Tensor("u8", { 5, 10 })))
    t = noise(4, 8, 3)
    ov.Tensor(t, { 1, 3, 1 }, { 4, 4, 3 }):fill(7)
    same(3, image.gap(t))
    broken(function() image.gap(ov.Tensor("f32", { 2, 2 })) end, "type")
    broken(function() image.gap(ov.Tensor("u8", { 0, 2 })) end, "shape")
  end)
end)

describe("text_boxes", function()
  -- A map with a filled rectangle of that probability, turned by an angle.
  local function map_with(cx, cy, half_w, half_h, angle, value)
    local rows = {}
    for y = 1, 80 do
      rows[y] = {}
      for x = 1, 120 do
        local dx, dy = x - 0.5 - cx, y - 0.5 - cy
        local u, v = dx * math.cos(angle) + dy * math.sin(angle), dy * math.cos(angle) - dx * math.sin(angle)
        rows[y][x] = math.abs(u) <= half_w and math.abs(v) <= half_h and value or 0
      end
    end
    return ov.Tensor(rows)
  end
  local exact = { unclip = 0, dilate = false }

  it("finds the rectangle, its direction and score", function()
    for _, angle in ipairs({ 0, 0.3, -0.5, 0.7 }) do
      local boxes, scores = image.text_boxes(map_with(60, 40, 30, 8, angle, 0.75), exact)
      same({ 1, 4, 2 }, boxes.shape)
      assert.is_true(math.abs(scores:get(1) - 0.75) < 0.06)
      local p = boxes:totable()[1]
      local got = math.atan2 and math.atan2(p[2][2] - p[1][2], p[2][1] - p[1][1]) or math.atan(p[2][2] - p[1][2], p[2][1] - p[1][1])
      assert.is_true(math.abs(got - angle) < 0.04, ("%g, expected %g"):format(got, angle))
      local c, s = math.cos(angle), math.sin(angle)
      for i, corner in ipairs({ { -30, -8 }, { 30, -8 }, { 30, 8 }, { -30, 8 } }) do
        local x, y = 60 + corner[1] * c - corner[2] * s, 40 + corner[1] * s + corner[2] * c
        assert.is_true(math.abs(p[i][1] - x) < 1.6 and math.abs(p[i][2] - y) < 1.6)
      end
    end
  end)

  it("makes the box larger by area * unclip / perimeter, and keeps it inside", function()
    local map = map_with(60, 40, 20, 10, 0, 1)
    local small, large = image.text_boxes(map, exact):totable()[1], image.text_boxes(map, { unclip = 2, dilate = false }):totable()[1]
    local w, h = small[2][1] - small[1][1], small[3][2] - small[2][2]
    assert.is_true(math.abs(small[1][1] - large[1][1] - w * h * 2 / (2 * (w + h))) < 1e-4)
    local edge = image.text_boxes(map_with(60, 2, 20, 10, 0, 1)):totable()[1]
    assert.is_true(edge[1][2] == 0)
  end)

  it("leaves out what is unsure or small, and looks at no more than asked", function()
    same({ 0, 4, 2 }, image.text_boxes(map_with(60, 40, 20, 10, 0, 0.45)).shape)
    same({ 1, 4, 2 }, image.text_boxes(map_with(60, 40, 20, 10, 0, 0.45), { score = 0.4 }).shape)
    same({ 0, 4, 2 }, image.text_boxes(map_with(60, 40, 1, 1, 0, 1)).shape)
    local two = map_with(30, 40, 10, 10, 0, 1)
    ov.Tensor(two, { 10, 80 }, { 30, 100 }):fill(1)
    same({ 2, 4, 2 }, image.text_boxes(two).shape)
    same({ 1, 4, 2 }, image.text_boxes(two, { max = 1 }).shape)
  end)

  it("bears any map", function()
    local random = support.random(5)
    for _, shape in ipairs({ { 0, 0 }, { 1, 1 }, { 1, 50 }, { 50, 1 }, { 40, 40 } }) do
      for _, value in ipairs({ 0 / 0, math.huge, -math.huge, 1, 0 }) do image.text_boxes(ov.Tensor("f32", shape):fill(value), { min_side = 0 }) end
      for _ = 1, 20 do image.text_boxes(random:tensor("f32", shape, -1, 2), { min_side = 0, score = -1 }) end
    end
    broken(function() image.text_boxes(ov.Tensor("f32", { 1, 3, 3 })) end, "shape")
    broken(function() image.text_boxes(ov.Tensor("f32", { 3, 3 }), { unclip = -1 }) end, "argument")
    broken(function() image.text_boxes(ov.Tensor("f32", { 3, 3 }), { max = -1 }) end, "argument")
  end)
end)
