-- Images in and out.
local ov = require("ovlite")
local support = require("spec.support.support")
local broken = support.broken

describe("ov.image", function()
  local picture = ov.Tensor("u8", { 2, 3, 3 }, { 255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 4, 5, 6, 255, 255, 255 })
  local path = os.tmpname()

  it("saves and loads PNG and BMP without loss, from files and bytes", function()
    for _, ending in ipairs({ ".png", ".bmp" }) do
      ov.image.save(path .. ending, picture)
      local file = io.open(path .. ending, "rb")
      local bytes = file:read("*a")
      file:close()
      for _, source in ipairs({ path .. ending, bytes }) do
        local back = ov.image.load(source)
        assert.are.equal("u8", back.element_type)
        assert.are.same({ 2, 3, 3 }, back.shape)
        assert.are.same(picture:flat(), back:flat())
      end
      os.remove(path .. ending)
    end
  end)

  it("converts to the channels that are asked for", function()
    ov.image.save(path .. ".png", ov.Tensor("u8", { 2, 2 }, { 0, 50, 100, 255 }))
    assert.are.same({ 2, 2, 1 }, ov.image.load(path .. ".png").shape)
    assert.are.same({ 0, 0, 0, 50, 50, 50, 100, 100, 100, 255, 255, 255 }, ov.image.load(path .. ".png", { channels = 3 }):flat())
    assert.are.same({ 2, 2, 4 }, ov.image.load(path .. ".png", { channels = 4 }).shape)
    os.remove(path .. ".png")
  end)

  it("saves JPEG, and regions", function()
    ov.image.save(path .. ".jpg", ov.Tensor("u8", { 8, 8, 3 }):fill(100))
    assert.is_true(math.abs(ov.image.load(path .. ".jpg"):mean() - 100) < 2)
    ov.image.save(path .. ".png", ov.Tensor(picture, { 1, 2, 1 }, { 2, 3, 3 }))
    assert.are.same({ 0, 255, 0, 0, 0, 255, 4, 5, 6, 255, 255, 255 }, ov.image.load(path .. ".png"):flat())
    os.remove(path .. ".jpg"); os.remove(path .. ".png")
  end)

  it("says what is wrong", function()
    broken(function() ov.image.load("/no/such/image.png") end, "io")
    broken(function() ov.image.load(path) end, "parse")
    broken(function() ov.image.load(3) end, "type")
    broken(function() ov.image.load(path, 3) end, "type")
    broken(function() ov.image.load(path, { channels = 5 }) end, "argument")
    broken(function() ov.image.load(path, { size = 5 }) end, "argument")
    broken(function() ov.image.load("\137PNG\r\n\26\n" .. ("x"):rep(100)) end, "parse")
    broken(function() ov.image.save(path .. ".xyz", picture) end, "argument")
    broken(function() ov.image.save("/dev/null/x.png", picture) end, "io")
    broken(function() ov.image.save(path .. ".png", ov.Tensor("f32", { 2, 2, 3 })) end, "type")
    broken(function() ov.image.save(path .. ".png", ov.Tensor("u8", { 2, 2, 5 })) end, "shape")
    broken(function() ov.image.save(path .. ".png", { 1 }) end, "type")
    os.remove(path)
  end)
end)
