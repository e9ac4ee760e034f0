// Tables are sorted by a click on a heading: numbers with the largest first, names in order.
for (const heading of document.querySelectorAll("th")) {
  heading.addEventListener("click", () => {
    const table = heading.closest("table"), body = table.tBodies[0], column = heading.cellIndex;
    const number = heading.classList.contains("number");
    const before = heading.getAttribute("aria-sort");
    const order = before === "descending" ? "ascending" : before === "ascending" ? "descending" : number ? "descending" : "ascending";
    const key = (row) => number ? Number(row.cells[column].dataset.value) : row.cells[column].textContent;
    const compare = (a, b) => number ? key(a) - key(b) : key(a).localeCompare(key(b));
    const rows = [...body.rows].sort((a, b) => order === "ascending" ? compare(a, b) : compare(b, a));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    body.append(...rows);
  });
}
document.body.dataset.ready = "yes";
