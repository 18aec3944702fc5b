#!/usr/bin/env python3
"""Writes the rules of the workload (bench/workload_export.h) as those of CLIPS: clips_rules.py WORKLOAD FILE.

One fact holds an event; each rule is one pattern over it. What a field must equal, or must not, stands as a literal, which CLIPS
compares in its network of patterns; other tests are predicates of a slot. An `or` over fields is a predicate on the last of them,
but at the top, where each side is a pattern of its own (a rule found by both is reported once). The owner is the first slot, so that
its literal is asked first. Nulls are the symbol nil, those of numbers and dates -1: `(<= 0 ?x 5)` asks both in one call. Dates are
numbers (20260131).
"""
import json
import sys

TYPES = {}


def value(field, given):
    if TYPES[field] == "date":
        return given.replace("-", "")
    if isinstance(given, str):
        return json.dumps(given, ensure_ascii=False)
    return str(given)


def literals(node):
    """The test as literals of a slot, or None."""
    if "is" in node:
        return value(node["field"], node["is"])
    if "oneOf" in node:
        return "|".join(value(node["field"], one) for one in node["oneOf"])
    if "isBlank" in node:
        return "nil"
    if "isTrue" in node:
        return "TRUE"
    return None


def call(node):
    """The condition as a predicate; fields are the variables of their names."""
    if "and" in node:
        return "(and " + " ".join(map(call, node["and"])) + ")"
    if "or" in node:
        return "(or " + " ".join(map(call, node["or"])) + ")"
    if "not" in node:
        return f"(not {call(node['not'])})"
    field = node["field"]
    name = f"?{field}"
    if "oneOf" in node and len(node["oneOf"]) > 1:
        return f"(or {' '.join(f'(eq {name} {value(field, one)})' for one in node['oneOf'])})"
    if literals(node):
        return f"(eq {name} {literals(node)})"
    if "startsWith" in node:
        start = node["startsWith"]
        return f"(eq 0 (str-compare {name} {value(field, start)} {len(start)}))"
    if "atLeast" in node:
        return f"(>= {name} {max(0, int(value(field, node['atLeast'])))})"
    return f"(<= 0 {name} {value(field, node['atMost'])})"


def fields_of(node):
    if "field" in node:
        return [node["field"]]
    parts = node.get("and") or node.get("or") or [node["not"]]
    return [field for part in parts for field in fields_of(part)]


def pattern(order, rule, node):
    slots = {}
    if "owner" in rule:
        slots["OwnerId"] = json.dumps(rule["owner"])
    if len(rule["on"]) == 1:
        slots["kind"] = rule["on"][0]
    for part in node.get("and", [node]):
        turned = part.get("not")
        test = part if turned is None else turned
        if "field" in test and literals(test):
            given = literals(test)
            slots[test["field"]] = given if turned is None else "~" + given.replace("|", "&~")
            continue
        used = sorted(set(fields_of(part)), key=order.get)
        for field in used[:-1]:
            slots[field] = f"?{field}"
        slots[used[-1]] = f"?{used[-1]}&:{call(part)}"
    return "(event " + " ".join(f"({name} {slots[name]})" for name in sorted(slots, key=order.get)) + ")"


def main():
    folder, target = sys.argv[1:]
    with open(f"{folder}/fields.json") as file:
        fields = [field for field in json.load(file) if field["read"]]
    TYPES.update({field["name"]: field["type"] for field in fields})
    order = {name: i for i, name in enumerate(["OwnerId", *(field["name"] for field in fields), "kind"])}
    with open(f"{folder}/rules.ndjson") as rules, open(target, "w") as out:
        out.write("(deftemplate event " + " ".join(f"(slot {name})" for name in order) + ")\n")
        for line in rules:
            rule = json.loads(line)
            node = rule["if"]
            sides = [pattern(order, rule, side) for side in node.get("or", [node])]
            asked = sides[0] if len(sides) == 1 else f"(or {' '.join(sides)})"
            out.write(f"(defrule r{rule['rule']} {asked} => (started {rule['rule']}))\n")


if __name__ == "__main__":
    main()
