--- Small pictures: SVG elements as text, colours of operators, ticks of an axis.
local svg = {}
local format = string.format

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

--- Text for HTML and SVG; bytes that neither may hold become blanks.
function svg.escape(text) return (tostring(text):gsub("%c", " "):gsub('[&<>"]', ESCAPES)) end

--- <rect>; `title` is what hovering shows, `more` further attributes.
function svg.rect(x, y, width, height, colour, title, more)
  return format('<rect x="%.2f" y="%.2f" width="%.2f" height="%.2f" fill="%s"%s>%s</rect>', x, y, math.max(width, 0.05), height, colour, more and
    " " .. more or "",
    title and "<title>" .. svg.escape(title) .. "</title>" or "")
end

function svg.line(x1, y1, x2, y2, class) return format('<line class="%s" x1="%.2f" y1="%.2f" x2="%.2f" y2="%.2f"/>', class, x1, y1, x2, y2) end

function svg.text(x, y, text, class) return format('<text class="%s" x="%.2f" y="%.2f">%s</text>', class or "label", x, y, svg.escape(text)) end

--- The element around it all.
function svg.picture(id, width, height, parts)
  return format('<svg id="%s" viewBox="0 0 %d %d" width="%d" height="%d" xmlns="http://www.w3.org/2000/svg" role="img">\n', id, width, height, width,
    height) ..
    table.concat(parts, "\n") .. "\n</svg>"
end

--- Round numbers from 0 up to `most`, about `count` of them, and their distance.
function svg.ticks(most, count)
  if most <= 0 then return { 0 }, 1 end
  local step = 10 ^ math.floor(math.log10(most / count))
  for _, factor in ipairs({ 1, 2, 5, 10 }) do
    if most / (step * factor) <= count then
      step = step * factor
      break
    end
  end
  local out = {}
  for i = 0, math.floor(most / step + 1e-9) do out[#out + 1] = i * step end
  return out, step
end

-- ---- colours ----

local PALETTE = { "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5", "#9c6b4e" }
local REST = "#9498a0"

--- A function that gives each name its colour, the first names the most distinct ones.
function svg.colours(names)
  local of = {}
  for i, name in ipairs(names) do of[name] = PALETTE[i] or REST end
  return function(name) return of[name] or REST end
end

return svg
