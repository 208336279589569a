"""Builds every mutant of some files into one program, which an environment variable switches.

    switch.py TREE MUTANTS LEFT_OUT OUT

MUTANTS is cargo-mutants' list (`--list --json`). The files it names are rewritten in TREE so that the
program behaves as mutant N where MUTANT=N is in its environment, and as written without. LEFT_OUT is a
JSON list of the numbers not to build, since they do not compile this way (see run.py). OUT receives what
run.py needs: where each number's text stands.

    a < b           (match (&(a), &(b)) { (l, r) => match at(7) { 7 => *l == *r, _ => *l < *r } })
    a + b           (match (a, b) { (l, r) => match at(9) { 9 => l - r, _ => l + r } })
    a && b          ({ let l = a; if l != (at(3) == 3) { b } else { l } })
    fn f() { … }    fn f() { match at(4) { 4 => return 0, 5 => return 1, _ => {} } … }
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import tree_sitter_rust
from tree_sitter import Language, Parser

COMPARISONS = {"==", "!=", "<", ">", "<=", ">="}
SHORT = {"&&": "!=", "||": "=="}
CALL = "crate::mutant_switch::at"
SWITCH = """
#[allow(missing_docs, dead_code, clippy::all)]
pub(crate) mod mutant_switch {
    use std::{io::Write, sync::{Mutex, atomic::{AtomicBool, AtomicU32, Ordering::Relaxed}}};
    const UNKNOWN: u32 = u32::MAX;
    const NOTING: u32 = u32::MAX - 1;
    static ID: AtomicU32 = AtomicU32::new(UNKNOWN);
    static SEEN: [AtomicBool; %d] = [const { AtomicBool::new(false) }; %d];
    static NOTES: Mutex<()> = Mutex::new(());
    #[inline]
    pub(crate) fn at(place: u32) -> u32 {
        let id = ID.load(Relaxed);
        if id < NOTING || id == NOTING && SEEN[place as usize].load(Relaxed) { id } else { first(place) }
    }
    #[cold]
    fn first(place: u32) -> u32 {
        let told = |name: &str| std::env::var(name).ok();
        let Some(notes) = told("MUTANT_NOTES") else {
            let id = told("MUTANT").and_then(|n| n.parse().ok()).unwrap_or(0);
            ID.store(id, Relaxed);
            return id;
        };
        ID.store(NOTING, Relaxed);
        if !SEEN[place as usize].swap(true, Relaxed) {
            let _held = NOTES.lock();
            let file = std::fs::OpenOptions::new().create(true).append(true).open(notes);
            let _ = file.and_then(|mut file| writeln!(file, "{place}"));
        }
        NOTING
    }
}
"""


class File:
    """One source file, the edits to it and what each is for."""

    def __init__(self, path):
        self.source = path.read_bytes()
        self.root = Parser(Language(tree_sitter_rust.language())).parse(self.source).root_node
        self.lines = [0]
        for line in self.source.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.edits = []  # (start, end, order, text, numbers)

    def byte(self, place):
        """cargo-mutants counts characters from 1."""
        start = self.lines[place["line"] - 1]
        line = self.source[start : self.lines[place["line"]]].decode()
        return start + len(line[: place["column"] - 1].encode())

    def text(self, node):
        return self.source[node.start_byte : node.end_byte].decode()

    def around(self, node, before, after, numbers):
        """Outer nodes open first and close last."""
        size = node.end_byte - node.start_byte
        self.edits.append((node.start_byte, node.start_byte, (1, -size), before, numbers))
        self.edits.append((node.end_byte, node.end_byte, (0, size), after, numbers))

    def replace(self, start, end, text, numbers):
        self.edits.append((start, end, (2, 0), text, numbers))

    def node_at(self, start, end):
        return self.root.descendant_for_byte_range(start, end)

    def written(self):
        """The new text, every insertion in it as (start, end, numbers), and the numbers that are in the way of
        another: those inside of text that another edit takes away."""
        out, inserted, at, lost = bytearray(), [], 0, []
        for start, end, _, text, numbers in sorted(self.edits, key=lambda e: (e[0], e[2])):
            if start < at:
                lost += numbers
                continue
            out += self.source[at:start]
            inserted.append((len(out), len(out) + len(text.encode()), numbers))
            out += text.encode()
            at = end
        out += self.source[at:]
        return bytes(out), inserted, lost


def arms(place, numbered, as_written):
    return f"match {CALL}({place}) {{ " + "".join(f"{n} => {code}, " for n, code in numbered) + f"_ => {as_written} }}"


def binary(file, mutants):
    """Mutants of one operator. None where it cannot be switched."""
    start, end = file.byte(mutants[0]["span"]["start"]), file.byte(mutants[0]["span"]["end"])
    node = file.node_at(start, end).parent
    if node.type not in ("binary_expression", "compound_assignment_expr"):
        return False
    left, right, op = (node.child_by_field_name(f) for f in ("left", "right", "operator"))
    if (op.start_byte, op.end_byte) != (start, end):
        return False
    op = file.text(op)
    numbers = [m["number"] for m in mutants]
    place = numbers[0]
    if node.type == "compound_assignment_expr":
        file.replace(node.start_byte, right.start_byte, "{ let r = (", numbers)
        each = [(m["number"], f"{file.text(left)} {m['replacement']} r") for m in mutants]
        after = f"); {arms(place, each, f'{file.text(left)} {op} r')} }}"
        file.edits.append((node.end_byte, node.end_byte, (0, node.end_byte - node.start_byte), after, numbers))
    elif op in SHORT:
        if [m["replacement"] for m in mutants] != ["||" if op == "&&" else "&&"]:
            return False
        file.around(node, "({ let l = ", " } else { l } })", numbers)
        file.replace(start, end, f"; if l {SHORT[op]} ({CALL}({place}) == {place}) {{ ", numbers)
    elif op in COMPARISONS:
        each = [(m["number"], f"*l {m['replacement']} *r") for m in mutants]
        file.around(node, "(match (&(", f")) {{ (l, r) => {arms(place, each, f'*l {op} *r')} }})", numbers)
        file.replace(start, end, "), &(", numbers)
    else:
        each = [(m["number"], f"l {m['replacement']} r") for m in mutants]
        file.around(node, "(match ((", f")) {{ (l, r) => {arms(place, each, f'l {op} r')} }})", numbers)
        file.replace(start, end, "), (", numbers)
    return True


def unary(file, mutants):
    start, end = file.byte(mutants[0]["span"]["start"]), file.byte(mutants[0]["span"]["end"])
    node = file.node_at(start, end).parent
    if node.type not in ("unary_expression", "negative_literal") or node.start_byte != start:
        return False
    numbers = [m["number"] for m in mutants]
    op = file.source[start:end].decode()
    after = f") {{ l => {arms(numbers[0], [(n, 'l') for n in numbers], op + 'l')} }})"
    file.around(node, "(match (", after, numbers)
    file.replace(start, end, "", numbers)
    return True


def value(file, mutants):
    start, end = file.byte(mutants[0]["span"]["start"]), file.byte(mutants[0]["span"]["end"])
    each = [(m["number"], f"return {m['replacement']}") for m in mutants]
    numbers = [m["number"] for m in mutants]
    file.edits.append((start, start, (-1, 0), arms(numbers[0], each, "{}") + " ", numbers))
    file.edits.append((end, end, (0.99, 0), "", numbers))
    return True


def guard(file, mutants):
    start, end = file.byte(mutants[0]["span"]["start"]), file.byte(mutants[0]["span"]["end"])
    node = file.node_at(start, end)
    if (node.start_byte, node.end_byte) != (start, end) or node.type in ("let_chain", "let_condition"):
        return False
    numbers = [m["number"] for m in mutants]
    before = f"(match {CALL}({numbers[0]}) {{ " + "".join(f"{m['number']} => {m['replacement']}, " for m in mutants)
    file.edits.append((start, start, (0.5, -(end - start)), before + "_ => (", numbers))
    file.edits.append((end, end, (0.5, end - start), ") })", numbers))
    return True


def arm(file, mutants):
    start, end = file.byte(mutants[0]["span"]["start"]), file.byte(mutants[0]["span"]["end"])
    node = file.node_at(start, end)
    while node and node.type != "match_arm":
        node = node.parent
    if node is None or node.start_byte != start:
        return False
    pattern = node.child_by_field_name("pattern")
    condition = pattern.child_by_field_name("condition")
    number = mutants[0]["number"]
    if condition is None:
        file.edits.append((pattern.end_byte, pattern.end_byte, (0.9, 0), f" if {CALL}({number}) != {number}", [number]))
    elif condition.type in ("let_chain", "let_condition"):
        return False
    else:
        file.edits.append((condition.start_byte, condition.start_byte, (0.1, 0), f"{CALL}({number}) != {number} && (", [number]))
        file.edits.append((condition.end_byte, condition.end_byte, (0.9, 0), ")", [number]))
    return True


KINDS = {"BinaryOperator": binary, "UnaryOperator": unary, "FnValue": value, "MatchArmGuard": guard, "MatchArm": arm}


def main(tree, mutants, left_out, out):
    mutants = json.loads(Path(mutants).read_text())
    left_out = set(json.loads(Path(left_out).read_text()))
    sites, built = defaultdict(list), []
    for number, mutant in enumerate(mutants, start=1):
        mutant["number"] = number
        if number in left_out or mutant["genre"] not in KINDS:
            continue
        span = mutant["span"]["start"]
        sites[mutant["file"], mutant["genre"], span["line"], span["column"]].append(mutant)
    files, inserted, lost = {}, {}, []
    for (path, genre, *_), of_site in sites.items():
        file = files.setdefault(path, File(Path(tree) / path))
        if KINDS[genre](file, of_site):
            built += [m["number"] for m in of_site]
    for path, file in files.items():
        text, inserted[path], in_the_way = file.written()
        lost += in_the_way
        (Path(tree) / path).write_bytes(text)
    for crate in {path.split("/src/")[0] for path in files}:
        root = Path(tree) / crate / "src/lib.rs"
        n = len(mutants) + 1
        root.write_text(root.read_text() + SWITCH % (n, n))
    Path(out).write_text(json.dumps({"built": sorted(built), "lost": lost, "inserted": inserted}))


if __name__ == "__main__":
    main(*sys.argv[1:])
