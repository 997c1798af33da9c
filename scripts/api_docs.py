# SPDX-License-Identifier: Apache-2.0
"""Writes docs/api.md anew below its mark, from the proto files of the public
interface; prints the whole page. What stands above the mark is written by
hand."""

import protos
import sources

PAGE = "docs/api.md"
MARK = "<!-- what follows is made by `make docs` -->\n"

def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def table(block):
    is_service = block.kind == "service"
    if is_service:
        yield "| method | takes → answers | |\n|---|---|---|"
    elif block.kind == "enum":
        yield "| value | number | |\n|---|---|---|"
    else:
        yield "| field | number | type | |\n|---|---|---|---|"
    for entry in block.entries:
        comment = cell(entry["comment"])
        if entry.get("oneof"):
            comment = f"One of `{entry['oneof']}`. {comment}".strip()
        columns = [f"`{entry['name']}`"]
        columns += [entry["number"]] if "number" in entry else []
        columns += [f"`{entry['type']}`"] if entry["type"] else []
        yield "| " + " | ".join([*columns, comment]) + " |"


def sections(files):
    for name, file in files.items():
        yield f"## {file.package}: `{name}`\n"
        for block in file.blocks:
            yield f"### {block.name}\n"
            if block.comment:
                yield block.comment + "\n"
            if block.entries:
                yield from table(block)
                yield ""


def render(page, files):
    """The page with what stands below its mark made anew."""
    head, mark, _ = page.partition(MARK)
    if not mark:
        raise protos.Fault(f"{PAGE}: has no line {MARK}")
    return head + MARK + "\n" + "\n".join(sections(files)).rstrip() + "\n"


def main():
    top = sources.root()
    print(render((top / PAGE).read_text(), protos.read_public(top)), end="")


if __name__ == "__main__":
    main()
