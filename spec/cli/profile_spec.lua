-- The page's numbers are held against the data that is in it, in the text and in what a browser makes of it.
local browser = require("spec.support.browser")
local cli = require("spec.support.cli")

local function page(words)
  local path = cli.file(".html")
  cli.good(("profile %s -niter 5 -o %s %s"):format(words or "", path, cli.digits))
  return cli.slurp(path), path
end

local function data_of(html) return require("cjson").decode((html:match('<script type="application/json" id="data">(.-)</script>'))) end

local function picture(html, id) return assert(html:match('<svg id="' .. id .. '".-</svg>'), "no picture " .. id) end

local function count(text, pattern) return select(2, text:gsub(pattern, "")) end

local function time_text(us) return require("ovlite.cli.terminal").time(us) end

local function check_data(d)
  assert.are.equal("digits", d.name)
  assert.are.equal(5, d.runs)
  assert.is_true(#d.steps >= 5)
  local flops, bytes = 0, 0
  for _, s in ipairs(d.steps) do
    assert.is_true(s.us > 0 and s.limit_us > 0 and s.kernel ~= "" and s.type ~= "")
    flops = flops + s.flops
  end
  assert.are.equal(flops, d.flops)
  for _, s in ipairs(d.memory.slots) do bytes = bytes + s.bytes end
  assert.are.equal(bytes, d.memory.side_by_side)
  assert.are.equal(#d.steps, d.memory.steps)
end

-- Bars as long as their times, in every row; a mark at each limit.
local function check_layers(html, d)
  local svg, most, ratio = picture(html, "layers"), 0, nil
  assert.are.equal(#d.steps, count(svg, 'class="row"'))
  assert.are.equal(#d.steps, count(svg, 'class="mark"'))
  for _, s in ipairs(d.steps) do most = math.max(most, s.us) end
  local i = 0
  for width, us in svg:gmatch('width="([%d%.]+)" height="[%d%.]+" fill="#%x+" class="row" data%-us="([%d%.e%-+]+)"') do
    i = i + 1
    assert.is_true(math.abs(tonumber(us) - d.steps[i].us) <= 1e-5 * d.steps[i].us)
    ratio = ratio or tonumber(width) / tonumber(us)
    assert.is_true(math.abs(tonumber(width) - ratio * tonumber(us)) < 0.02 * ratio * most)
  end
  assert.are.equal(#d.steps, i)
end

local function check_tables(html, d)
  local all, total, rows = html:match('<table id="all">(.-)</table>'), 0, 0
  for _, s in ipairs(d.steps) do total = total + s.us end
  for row in all:match("<tbody>(.*)</tbody>"):gmatch("<tr>(.-)</tr>") do
    rows = rows + 1
    assert.is_truthy(row:find(">" .. time_text(d.steps[rows].us) .. "<", 1, true), row)
  end
  assert.are.equal(#d.steps, rows)
  assert.is_truthy(html:find('<b id="total">' .. time_text(total) .. "</b>", 1, true))
  assert.is_truthy(html:find('<b id="steps">' .. #d.steps .. "</b>", 1, true))
  local steps = 0
  local kernels = html:match('<table id="kernels">(.-)</table>')
  for n in kernels:gmatch('<tr><td class="name">[^<]*</td><td class="number" data%-value="(%d+)">') do steps = steps + n end
  assert.are.equal(#d.steps, steps)
end

local function check_streams(html, d)
  local svg = picture(html, "timeline")
  assert.are.equal(4 * d.streams, #d.timeline)
  assert.are.equal(#d.timeline, count(svg, 'class="run"'))
  assert.are.equal(#d.timeline * #d.steps, count(svg, 'class="row"'))
  local ends = {}
  for _, run in ipairs(d.timeline) do -- one stream runs one thing at a time
    assert.is_true(run.stream >= 1 and run.stream <= d.streams and run.start >= (ends[run.stream] or 0))
    ends[run.stream] = run.start + run.us
  end
end

describe("ovlite profile", function()
  after_each(cli.clean)

  it("makes a page whose pictures and tables say what was measured", function()
    local html = page("-nstreams 2")
    local d = data_of(html)
    assert.are.equal(2, d.streams)
    check_data(d)
    check_layers(html, d)
    check_tables(html, d)
    check_streams(html, d)
    assert.are.equal(#d.memory.slots, count(picture(html, "memory"), 'class="slot"'))
    for link in html:gmatch("https?://[^\"'%s]+") do assert.are.equal("http://www.w3.org/2000/svg", link) end -- SVG's name, which nobody fetches
    assert.is_nil(html:find("<link", 1, true) or html:find("src=", 1, true) or html:find("@import", 1, true))
  end)

  it("looks right in a browser", function()
    browser.need()
    local html, path = page()
    local dom, d = browser.dom(path), data_of(html)
    assert.is_truthy(dom:find('<body data-ready="yes">', 1, true), "the page's script ran to its end")
    check_layers(dom, d)
    check_tables(dom, d)
    local image = browser.screenshot(path, 1340, 2600)
    assert.are.same({ 2600, 1340, 3 }, image.shape)
    assert.is_true(browser.count(image, 0x4269d0) > 20000, "bars and rectangles of the first operator")
    assert.is_true(browser.count(image, 0xefb118) > 500, "and of the second")
    assert.is_true(browser.count(image, 0x1d2430) > 1000, "text and marks")
  end)

  it("gives the data as JSON", function()
    check_data(cli.json("profile -niter 5 --json " .. cli.digits))
  end)

  it("escapes names", function()
    local ov = require("ovlite")
    local x, model, path = ov.opset13.parameter({ 2, 3 }, "f32", "x"), cli.file(".xml"), cli.file(".html")
    local y = ov.opset13.exp(x)
    y:set_friendly_name('</script><b a="1">&')
    ov.save_model(ov.Model({ y }, { x }, "<i>net</i>"), model)
    cli.good(("profile -niter 1 -o %s %s"):format(path, model))
    local html = cli.slurp(path)
    assert.is_nil(html:find("<b a=", 1, true) or html:find("<i>", 1, true))
    assert.are.equal('</script><b a="1">&', data_of(html).steps[1].name)
  end)

  it("refuses wrong arguments", function()
    cli.wrong("profile -o page.pdf " .. cli.digits, "the page must end in .html, got 'page.pdf'")
    cli.wrong("profile -niter few " .. cli.digits, "niter must be a whole number from 1, got 'few'")
    cli.wrong("profile -nstreams 0 " .. cli.digits, "nstreams must be a whole number from 1, got '0'")
    cli.wrong("profile -i image=/no/such.npy " .. cli.digits, "there is no file '/no/such.npy'")
    cli.fails("profile -niter 1 -o /no/such/folder/p.html " .. cli.digits, "cannot write /no/such/folder/p.html")
  end)
end)
