-- A browser without a window, for pages that are made here. Pending where Debian's chromium is not installed.
local support = require("spec.support.support")
local browser = {}
local FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars --no-first-run --virtual-time-budget=3000"

function browser.need()
  local pipe = io.popen("command -v chromium chromium-browser 2>/dev/null")
  local path = pipe:read("*l")
  pipe:close()
  return support.need(path, "skipped: chromium is not installed (Debian's chromium)")
end

local function open(flags, path, out)
  local profile = os.tmpname()
  os.remove(profile)
  os.execute(("timeout 120 %s %s --user-data-dir='%s' %s 'file://%s' >'%s' 2>/dev/null"):format(browser.need(), FLAGS, profile, flags, path, out))
  os.execute("rm -rf '" .. profile .. "'")
end

--- The page after its scripts have run, as HTML.
function browser.dom(path)
  local out = os.tmpname()
  open("--dump-dom", path, out)
  local file = assert(io.open(out, "rb"))
  local text = file:read("*a")
  file:close()
  os.remove(out)
  return text
end

--- What the page looks like: a tensor {height, width, 3}.
function browser.screenshot(path, width, height)
  local out = os.tmpname()
  os.remove(out)
  open(("--window-size=%d,%d --screenshot='%s.png'"):format(width, height, out), path, "/dev/null")
  local image = require("ovlite").image.load(out .. ".png", { channels = 3 })
  os.remove(out .. ".png")
  return image
end

--- How many pixels of an image have this colour (0xRRGGBB), give or take a little.
function browser.count(image, colour)
  local r, g, b, n = math.floor(colour / 65536), math.floor(colour / 256) % 256, colour % 256, 0
  local flat = image:flat()
  for i = 1, #flat, 3 do
    if math.abs(flat[i] - r) + math.abs(flat[i + 1] - g) + math.abs(flat[i + 2] - b) < 12 then n = n + 1 end
  end
  return n
end

return browser
