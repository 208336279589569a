// Tables are sorted by their headings, which are buttons once this runs; it needs nothing else.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  const key = (row, at) => row.cells[at].dataset.k ?? row.cells[at].textContent.trim();
  const compare = (a, b) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const [x, y] = [Number(a), Number(b)];
    if (Number.isFinite(x) && Number.isFinite(y)) return x - y;
    return a < b ? -1 : a > b ? 1 : 0;
  };
  headings.forEach((heading, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const down = heading.getAttribute("aria-sort") === "ascending";
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      const known = (row) => key(row, at) !== "";
      const rows = [...body.rows];
      const sorted = rows.filter(known).sort((a, b) => compare(key(a, at), key(b, at)));
      if (down) sorted.reverse();
      body.append(...sorted, ...rows.filter((row) => !known(row)));
    });
  });
}
